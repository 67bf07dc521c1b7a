//! Pillow's resampling of 8-bit pictures: one pass along each axis, rounded to 8 bits in between.

use std::borrow::Cow;
use std::ops::Range;

use super::axis::{Axis, Kernel, PRECISION};
use super::{Pixels, Window};

/// What is added before the fraction is cut off.
const HALF: i32 = 1 << (PRECISION - 1);

/// Both passes, for a picture and a window that aren't empty. Pillow leaves out the pass along an axis that keeps its
/// length; all weights of such a pass are one or zero, so that it changes nothing.
pub(super) fn resample<const C: usize>(
    source: &Pixels<C>,
    window: &Window,
    kernel: Kernel,
) -> Pixels<'static, C> {
    let [mut down, mut across] = [0, 1].map(|axis| {
        let first = window.origin[axis];
        let kept = first..first + window.size[axis];
        Axis::new(source.size[axis], window.full[axis], kept, kernel)
    });
    if vertical_first(source.size, window.full) {
        let between = vertical(source, &down, across.rebase());
        horizontal(&between, &across, 0..down.len())
    } else {
        let between = horizontal(source, &across, down.rebase());
        vertical(&between, &down, 0..across.len())
    }
}

/// Pillow's choice from version 13 on, which counts because of the rounding: a picture that loses more than twice as
/// many rows as columns goes through the vertical pass first. Before 13 the horizontal pass always came first.
fn vertical_first(from: [usize; 2], to: [usize; 2]) -> bool {
    let lost = |axis: usize| from[axis] as i64 - to[axis] as i64;
    lost(0) > 0 && lost(0) > 2 * lost(1)
}

/// Resamples each of `rows` along its length.
fn horizontal<const C: usize>(
    source: &Pixels<C>,
    axis: &Axis,
    rows: Range<usize>,
) -> Pixels<'static, C> {
    let size = [rows.len(), axis.len()];
    let mut values = Vec::with_capacity(size[0] * size[1]);
    for row in rows.map(|row| source.row(row)) {
        values.extend(axis.outputs().map(|(first, weights)| {
            let mut sums = [HALF; C];
            for (pixel, weight) in row[first..].iter().zip(weights) {
                for (sum, byte) in sums.iter_mut().zip(pixel) {
                    *sum += i32::from(*byte) * weight;
                }
            }
            sums.map(whole)
        }));
    }
    let values = Cow::Owned(values);
    Pixels { size, values }
}

/// Resamples each of `columns` along its height.
fn vertical<const C: usize>(
    source: &Pixels<C>,
    axis: &Axis,
    columns: Range<usize>,
) -> Pixels<'static, C> {
    let size = [axis.len(), columns.len()];
    let mut values = Vec::with_capacity(size[0] * size[1]);
    let mut sums = vec![[HALF; C]; columns.len()];
    for (first, weights) in axis.outputs() {
        sums.fill([HALF; C]);
        for (row, weight) in (first..).zip(weights) {
            let bytes = source.row(row)[columns.clone()].as_flattened();
            for (sum, byte) in sums.as_flattened_mut().iter_mut().zip(bytes) {
                *sum += i32::from(*byte) * weight;
            }
        }
        values.extend(sums.iter().map(|sums| sums.map(whole)));
    }
    let values = Cow::Owned(values);
    Pixels { size, values }
}

/// Without the fraction, clipped to a byte.
fn whole(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}
