//! Pillow's nearest neighbour.

use std::ops::Range;

use super::{Pixels, Window};

/// The picked pixels of a picture that has some.
pub(super) fn nearest<const C: usize>(source: &Pixels<C>, window: &Window) -> Pixels<'static, C> {
    let [rows, columns] = [0, 1].map(|axis| {
        let first = window.origin[axis];
        let kept = first..first + window.size[axis];
        picks(source.size[axis], window.full[axis], kept)
    });
    let rows = rows.into_iter().map(|row| source.row(row));
    let values = rows.flat_map(|row| columns.iter().map(|column| row[*column]));
    Pixels {
        size: window.size,
        values: values.collect(),
    }
}

/// Which of `from` samples each of the `kept` among `to` outputs takes. Pillow adds up the step in floating point, so that
/// the k-th isn't always `floor((k + 0.5) * from / to)`.
fn picks(from: usize, to: usize, kept: Range<usize>) -> Vec<usize> {
    let step = from as f64 / to as f64;
    let mut at = step * 0.5;
    let mut picks = Vec::with_capacity(kept.len());
    for output in 0..kept.end {
        if output >= kept.start {
            picks.push((at as usize).min(from - 1));
        }
        at += step;
    }
    picks
}
