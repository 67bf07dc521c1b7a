//! OpenCV's `INTER_LINEAR`, in which heatmaps are laid over photos.

/// Resizes one plane of (H,W) values from `from` to `to`: half-pixel centres, edges held, and no widening when it
/// shrinks. Agrees with OpenCV 5 to 2e-7 of the largest value; to 1.5e-5 where a side is a single value, for which
/// OpenCV takes another path that rounds positions to `f32`.
///
/// # Panics
/// If `map` doesn't hold `from` values, or `from` is empty while `to` isn't.
pub fn linear(map: &[f32], from: [usize; 2], to: [usize; 2]) -> Vec<f32> {
    assert_eq!(map.len(), from[0] * from[1], "a map of {from:?}");
    if to.contains(&0) {
        return Vec::new();
    }
    assert!(!map.is_empty(), "an empty map can't be resized to {to:?}");
    let [down, across] = [0, 1].map(|axis| taps(from[axis], to[axis]));
    let mut stretched = Vec::with_capacity(from[0] * to[1]);
    for row in map.chunks_exact(from[1]) {
        stretched.extend(
            across
                .iter()
                .map(|tap| tap.between(row[tap.first], row[tap.second])),
        );
    }
    let mut output = Vec::with_capacity(to[0] * to[1]);
    for tap in &down {
        let [upper, lower] = [tap.first, tap.second].map(|row| &stretched[row * to[1]..][..to[1]]);
        output.extend(
            upper
                .iter()
                .zip(lower)
                .map(|(upper, lower)| tap.between(*upper, *lower)),
        );
    }
    output
}

/// The two samples that an output lies between.
struct Tap {
    first: usize,
    second: usize,
    /// The share of the second.
    share: f32,
}

impl Tap {
    /// As OpenCV's fused multiply-add: the product isn't rounded before the sum.
    fn between(&self, first: f32, second: f32) -> f32 {
        (f64::from(second - first) * f64::from(self.share) + f64::from(first)) as f32
    }
}

fn taps(from: usize, to: usize) -> Vec<Tap> {
    let scale = from as f64 / to as f64;
    let last = from - 1;
    let taps = (0..to).map(|output| {
        // Outside of the outermost centres their values hold.
        let at = ((output as f64 + 0.5) * scale - 0.5).clamp(0.0, last as f64);
        let first = at as usize;
        let second = (first + 1).min(last);
        let share = (at - first as f64) as f32;
        Tap {
            first,
            second,
            share,
        }
    });
    taps.collect()
}
