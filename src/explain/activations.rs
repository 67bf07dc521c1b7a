//! What a layer's channels hold for an image.

use std::collections::HashMap;

use crate::array::Array;
use crate::engine::{Engine, Tensor};
use crate::error::Result;
use crate::model::{LayerId, NodeId};

/// Numbers that describe one channel's feature map; sums in f64, the standard deviation that of the
/// population.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChannelStatistics {
    /// Mean over the map.
    pub mean: f64,
    /// Population standard deviation.
    pub std: f64,
    /// Smallest value; NaN if there is one.
    pub min: f32,
    /// Largest value; NaN if there is one.
    pub max: f32,
}

impl ChannelStatistics {
    /// Of some values.
    pub fn of(values: &[f32]) -> Self {
        let count = values.len().max(1) as f64;
        let mean = values.iter().copied().map(f64::from).sum::<f64>() / count;
        let variance = values
            .iter()
            .map(|&value| (f64::from(value) - mean).powi(2))
            .sum::<f64>()
            / count;
        let mut min = f32::INFINITY;
        let mut max = f32::NEG_INFINITY;
        for &value in values {
            // Written so that a NaN, once met, stays.
            if value.is_nan() || value < min {
                min = value;
            }
            if value.is_nan() || value > max {
                max = value;
            }
        }
        Self {
            mean,
            std: variance.sqrt(),
            min,
            max,
        }
    }

    /// Whether the map says nothing: all its values are equal.
    pub fn dead(&self) -> bool {
        self.min == self.max
    }
}

/// The activations of many layers for one input, each handed over as soon as it is there, without batch:
/// (C,H,W), or (N) for vectors. One pass through the network, and only as far as needed.
///
/// # Errors
/// When a layer can't be computed; an error of `visit` ends the pass and is returned.
pub fn activations(
    engine: &Engine,
    inputs: &[Tensor],
    layers: &[LayerId],
    mut visit: impl FnMut(LayerId, Array) -> Result<()>,
) -> Result<()> {
    let mut wanted: HashMap<NodeId, Vec<LayerId>> = HashMap::new();
    for &layer in layers {
        wanted
            .entry(engine.model().layer(layer).output)
            .or_default()
            .push(layer);
    }
    let nodes: Vec<NodeId> = wanted.keys().copied().collect();
    engine.stream(inputs, &nodes, |node, value| {
        let value = value.read()?;
        let shape = value.shape()[1..].to_vec();
        let value = value.reshaped(shape);
        for &layer in &wanted[&node] {
            visit(layer, value.clone())?;
        }
        Ok(())
    })
}

/// An activation as feature maps (C,H,W), as far as it has any: a matrix is one map. `None` for vectors.
pub fn maps(activation: &Array) -> Option<Array> {
    match *activation.shape() {
        [_, _, _] => Some(activation.clone()),
        [rows, columns] => Some(activation.clone().reshaped([1, rows, columns])),
        _ => None,
    }
}

/// One entry for each channel; one for the whole of a vector.
pub fn statistics(activation: &Array) -> Vec<ChannelStatistics> {
    match maps(activation) {
        Some(maps) => (0..maps.shape()[0])
            .map(|channel| ChannelStatistics::of(maps.at(channel)))
            .collect(),
        None => vec![ChannelStatistics::of(activation.values())],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_of_a_channel() {
        let found = ChannelStatistics::of(&[1.0, 2.0, 3.0, 6.0]);
        assert_eq!(
            (found.mean, found.std, found.min, found.max),
            (3.0, 3.5_f64.sqrt(), 1.0, 6.0)
        );
        assert!(!found.dead() && ChannelStatistics::of(&[0.5; 9]).dead());
        assert!(ChannelStatistics::of(&[1.0, f32::NAN, 2.0]).max.is_nan());
    }
}
