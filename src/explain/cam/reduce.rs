//! From gradients and activations to one map, in f64 on the host: there is little of it.

use super::{Normalization, Settings};

/// pytorch-grad-cam's guard against a division by zero.
const EPSILON: f64 = 1e-7;

/// The mean of each channel's gradient: `gradient` holds `channels` maps.
pub(super) fn pooled(gradient: &[f32], channels: usize) -> Vec<f64> {
    let size = gradient.len() / channels.max(1);
    let mean = |map: &[f32]| map.iter().copied().map(f64::from).sum::<f64>() / size as f64;
    gradient.chunks_exact(size.max(1)).map(mean).collect()
}

/// The sum over channels of the maps, each with its weight.
pub(super) fn weighted(activation: &[f32], weights: &[f64]) -> Vec<f64> {
    let size = activation.len() / weights.len().max(1);
    let mut sum = vec![0.0; size];
    for (map, &weight) in activation.chunks_exact(size.max(1)).zip(weights) {
        for (sum, &value) in sum.iter_mut().zip(map) {
            *sum += weight * f64::from(value);
        }
    }
    sum
}

/// What a map says, in numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range {
    pub(super) min: f64,
    pub(super) max: f64,
    /// The negative values' share of the sum of all magnitudes.
    pub(super) negative: f64,
}

impl Range {
    pub(super) fn of(map: &[f64]) -> Self {
        let all: f64 = map.iter().map(|value| value.abs()).sum();
        let negative: f64 = map.iter().map(|value| (-value).max(0.0)).sum();
        Self {
            min: map.iter().copied().fold(f64::INFINITY, f64::min),
            max: map.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            negative: if all > 0.0 { negative / all } else { 0.0 },
        }
    }
}

/// The ReLU and the normalisation that `settings` ask for, of the map `scale * map`. The scale is a factor of its
/// own, so that a gradient too small for `f32` still has its heatmap, where the normalisation has no absolute
/// constant.
pub(super) fn normalized(map: &[f64], scale: f64, settings: Settings) -> Vec<f32> {
    let values: Vec<f64> = if settings.relu {
        map.iter().map(|value| value.max(0.0)).collect()
    } else {
        map.to_vec()
    };
    let Range { min, max, .. } = Range::of(&values);
    let over = |factor: f64, shift: f64| -> Vec<f32> {
        values
            .iter()
            .map(|value| ((value - shift) * factor) as f32)
            .collect()
    };
    match settings.normalization {
        Normalization::Max if max > 0.0 && scale > 0.0 => over(1.0 / max, 0.0),
        Normalization::Magnitude if max.max(-min) > 0.0 && scale > 0.0 => {
            over(1.0 / max.max(-min), 0.0)
        }
        Normalization::MinMax => over(scale / (EPSILON + scale * (max - min)), min),
        Normalization::Max | Normalization::Magnitude => vec![0.0; map.len()],
    }
}

#[cfg(test)]
mod tests {
    use super::super::Dialect;
    use super::*;

    #[test]
    fn a_map_is_the_weighted_sum_of_channels() {
        let gradient = [1.0, 3.0, -2.0, 0.0];
        assert_eq!(pooled(&gradient, 2), [2.0, -1.0]);
        assert_eq!(weighted(&[1.0, 2.0, 3.0, 4.0], &[2.0, -1.0]), [-1.0, 0.0]);
    }

    #[test]
    fn the_share_of_negative_evidence() {
        let range = Range::of(&[3.0, -1.0, 0.0]);
        assert_eq!((range.min, range.max, range.negative), (-1.0, 3.0, 0.25));
        assert_eq!(Range::of(&[0.0; 3]).negative, 0.0);
        assert_eq!(Range::of(&[-2.0, -1.0]).negative, 1.0);
    }

    #[test]
    fn each_normalisation_and_its_blank() {
        let with = |relu, normalization| Settings {
            relu,
            normalization,
            ..Settings::default()
        };
        let map = [-4.0, 1.0, 2.0];
        let cases = [
            (true, Normalization::Max, [0.0, 0.5, 1.0]),
            (false, Normalization::Max, [-2.0, 0.5, 1.0]),
            (true, Normalization::Magnitude, [0.0, 0.5, 1.0]),
            (false, Normalization::Magnitude, [-1.0, 0.25, 0.5]),
        ];
        for (relu, normalization, wanted) in cases {
            let settings = with(relu, normalization);
            // However small the score's slope.
            for scale in [1.0, 1e-60] {
                assert_eq!(normalized(&map, scale, settings), wanted, "{settings:?}");
            }
            assert_eq!(normalized(&map, 0.0, settings), [0.0; 3]);
            assert_eq!(normalized(&[0.0; 3], 1.0, settings), [0.0; 3]);
        }
        // (x - min) / (1e-7 + max - min): at the scale of 1e-7 the constant shows.
        let settings = with(false, Normalization::MinMax);
        let found = normalized(&[1.0, 2.0], 1e-7, settings);
        assert_eq!(found[0], 0.0);
        assert!((found[1] - 0.5).abs() < 1e-6);
        assert_eq!(normalized(&[5.0; 2], 1.0, settings), [0.0; 2]);
        let negative = normalized(&[-3.0, -1.0], 1.0, Dialect::Book.settings());
        assert_eq!(negative, [0.0; 2]);
    }
}
