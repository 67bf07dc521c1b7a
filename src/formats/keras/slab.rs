//! Runs of values in row-major order as boxes along the axes, which is what chunked data are read by.

use std::ops::Range;

/// Cuts the values from `start` to `end` of an array into boxes that follow each other. There are at most two
/// for each axis but the first, and one more: partial rows at both ends, and whole ones between.
pub fn slabs(shape: &[usize], start: usize, end: usize) -> Vec<Vec<Range<usize>>> {
    let mut found = Vec::new();
    cut(shape, start, end, &mut Vec::new(), &mut found);
    found
}

fn cut(
    shape: &[usize],
    start: usize,
    end: usize,
    outer: &mut Vec<Range<usize>>,
    found: &mut Vec<Vec<Range<usize>>>,
) {
    if start >= end {
        return;
    }
    let Some((_, inner)) = shape.split_first() else {
        found.push(outer.clone());
        return;
    };
    let row: usize = inner.iter().product();
    let (first, last) = (start / row, end / row);
    if first == last {
        cut_row(inner, first, start % row..end % row, outer, found);
        return;
    }
    let mut whole = first..last;
    if !start.is_multiple_of(row) {
        cut_row(inner, first, start % row..row, outer, found);
        whole.start += 1;
    }
    if !whole.is_empty() {
        let rest = inner.iter().map(|&axis| 0..axis);
        found.push(outer.iter().cloned().chain([whole]).chain(rest).collect());
    }
    cut_row(inner, last, 0..end % row, outer, found);
}

/// Part of the row at `index`.
fn cut_row(
    inner: &[usize],
    index: usize,
    part: Range<usize>,
    outer: &mut Vec<Range<usize>>,
    found: &mut Vec<Vec<Range<usize>>>,
) {
    outer.push(index..index + 1);
    cut(inner, part.start, part.end, outer, found);
    outer.pop();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_cover_exactly_the_run_in_order() {
        let shape = [3, 4, 5];
        for start in 0..60 {
            for end in start..=60 {
                let mut seen = Vec::new();
                for slab in slabs(&shape, start, end) {
                    for a in slab[0].clone() {
                        for b in slab[1].clone() {
                            seen.extend(slab[2].clone().map(|c| (a * 4 + b) * 5 + c));
                        }
                    }
                }
                assert_eq!(seen, (start..end).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn a_scalar_is_one_box_without_axes() {
        assert_eq!(slabs(&[], 0, 1), [Vec::<std::ops::Range<usize>>::new()]);
    }
}
