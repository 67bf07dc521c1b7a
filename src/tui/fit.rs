//! Bringing pictures to a size in pixels of the screen: enlarged by whole factors, so that a feature map's values
//! stay squares; or shrunk by averaging areas, so that no value is passed over. Values are resized, not levels: in a
//! small picture too, the colours then run through their whole range.

/// The largest size (height, width) for a picture of `size` in a `room`, keeping its proportions. At least one pixel
/// each way.
pub fn fit(size: [usize; 2], room: [usize; 2]) -> [usize; 2] {
    let [height, width] = size.map(|side| side.max(1));
    let factor = (room[0] / height).min(room[1] / width);
    if factor >= 1 {
        return [height * factor, width * factor];
    }
    fill(size, room)
}

/// The same by any factor.
pub fn fill(size: [usize; 2], room: [usize; 2]) -> [usize; 2] {
    let [height, width] = size.map(|side| side.max(1));
    let by_width = [(height * room[1] + width / 2) / width, room[1]];
    let by_height = [room[0], (width * room[0] + height / 2) / height];
    let fitting = if by_width[0] <= room[0] {
        by_width
    } else {
        by_height
    };
    fitting.map(|side| side.max(1))
}

/// Brings a map of `from` (height, width) to another size.
pub fn resize(values: &[f32], from: [usize; 2], to: [usize; 2]) -> Vec<f32> {
    if to[0] >= from[0] && to[1] >= from[1] {
        enlarge(values, from, to)
    } else {
        shrink(values, from, to)
    }
}

/// Nearest neighbour; exact where the sides are multiples.
fn enlarge(values: &[f32], from: [usize; 2], to: [usize; 2]) -> Vec<f32> {
    let columns: Vec<usize> = (0..to[1]).map(|x| x * from[1] / to[1]).collect();
    let mut large = Vec::with_capacity(to[0] * to[1]);
    for y in 0..to[0] {
        let row = &values[y * from[0] / to[0] * from[1]..];
        large.extend(columns.iter().map(|&x| row[x]));
    }
    large
}

/// Each pixel is the mean over the area that it covers, parts of pixels counted as such.
fn shrink(values: &[f32], from: [usize; 2], to: [usize; 2]) -> Vec<f32> {
    let (rows, columns) = (spans(from[0], to[0]), spans(from[1], to[1]));
    let mut sums = vec![0.0_f32; from[1]];
    let mut small = Vec::with_capacity(to[0] * to[1]);
    for row in &rows {
        sums.fill(0.0);
        for (y, weight) in row.weights() {
            let line = &values[y * from[1]..][..from[1]];
            for (sum, value) in sums.iter_mut().zip(line) {
                *sum += weight * value;
            }
        }
        small.extend(columns.iter().map(|column| {
            column
                .weights()
                .map(|(x, weight)| weight * sums[x])
                .sum::<f32>()
        }));
    }
    small
}

/// The stretch of an axis that one pixel of the result covers, in pixels of the source.
struct Span {
    start: f64,
    end: f64,
}

impl Span {
    /// The pixels in it with their shares, which add up to 1.
    fn weights(&self) -> impl Iterator<Item = (usize, f32)> {
        let first = self.start as usize;
        let last = (self.end.ceil() as usize).max(first + 1);
        (first..last).map(move |pixel| {
            let covered = self.end.min(pixel as f64 + 1.0) - self.start.max(pixel as f64);
            (pixel, (covered / (self.end - self.start)) as f32)
        })
    }
}

fn spans(from: usize, to: usize) -> Vec<Span> {
    let ratio = from as f64 / to as f64;
    let end = |index: usize| (index as f64 * ratio).min(from as f64);
    (0..to)
        .map(|index| Span {
            start: end(index),
            end: end(index + 1),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_pictures_grow_by_whole_factors() {
        assert_eq!(fit([7, 7], [60, 80]), [56, 56]);
        assert_eq!(fit([30, 10], [60, 80]), [60, 20]);
        assert_eq!(fit([60, 80], [60, 80]), [60, 80]);
    }

    #[test]
    fn large_pictures_keep_their_proportions() {
        assert_eq!(fit([148, 148], [60, 80]), [60, 60]);
        assert_eq!(fit([100, 400], [60, 80]), [20, 80]);
        assert_eq!(fit([1, 1000], [60, 80]), [1, 80]);
        assert_eq!(fit([3000, 1], [60, 80]), [60, 1]);
        assert_eq!(fit([5, 5], [0, 0]), [1, 1]);
        assert_eq!(fill([30, 40], [90, 100]), [75, 100]);
    }

    #[test]
    fn enlarging_repeats_pixels() {
        let large = resize(&[1.0, 2.0, 3.0, 4.0], [2, 2], [2, 4]);
        assert_eq!(large, [1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0]);
        assert_eq!(resize(&[1.0, 2.0], [1, 2], [2, 2]), [1.0, 2.0, 1.0, 2.0]);
    }

    #[test]
    fn shrinking_averages_areas() {
        assert_eq!(resize(&[0.0, 100.0, 200.0, 100.0], [2, 2], [1, 1]), [100.0]);
        // Each result covers one and a half pixels.
        assert_eq!(resize(&[0.0, 90.0, 180.0], [1, 3], [1, 2]), [30.0, 150.0]);
        for side in 1..40 {
            let flat = resize(&[77.0; 40 * 40], [40, 40], [side, side]);
            // Shares add up to 1 but for rounding.
            assert!(
                flat.len() == side * side && flat.iter().all(|value| (value - 77.0).abs() < 1e-3),
                "{side}"
            );
        }
    }
}
