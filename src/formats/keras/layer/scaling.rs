//! Fixed scaling of inputs: `Rescaling` and `Normalization`.

use super::super::axes::position;
use super::scope::{Refusal, Scope, Tensor};
use crate::model::{Layout, Op, Parameter};

/// Below this a standard deviation counts as this (Keras's `backend.epsilon()`).
const SMALLEST_DEVIATION: f64 = 1e-7;

/// Adds `x * scale + shift`, with one value for all or one for each index of `axis`; `source` as in [`Op::Affine`].
#[allow(clippy::cast_possible_truncation)]
pub fn affine(
    layer: &mut Scope,
    input: Tensor,
    scale: &[f64],
    shift: &[f64],
    axis: usize,
    source: Vec<Parameter>,
) -> Result<Tensor, Refusal> {
    let count = scale.len().max(shift.len());
    let spread = |values: &[f64]| match values {
        [only] => Ok(vec![*only as f32; count]),
        values if values.len() == count => Ok(values.iter().map(|&value| value as f32).collect()),
        _ => Err(format!(
            "has {} factors and {} summands",
            scale.len(),
            shift.len()
        )),
    };
    let (scale, shift) = (spread(scale)?, spread(shift)?);
    if count == 0 || scale.iter().chain(&shift).any(|value| !value.is_finite()) {
        return Err(Refusal::Wrong("has factors that aren't numbers".to_owned()));
    }
    let op = Op::Affine {
        scale,
        shift,
        axis,
        source,
    };
    Ok(layer.then(op, input))
}

/// `Rescaling`: one factor, or one for each channel.
pub fn rescaling(layer: &mut Scope) -> Result<Tensor, Refusal> {
    let input = layer.only_input()?;
    let scale = layer.fields.numbers("scale")?.unwrap_or_else(|| vec![1.0]);
    let shift = layer.fields.numbers("offset")?.unwrap_or_else(|| vec![0.0]);
    // Keras 3 turns a list of factors to the channels of a channels-first model.
    let to_channels = layer.keras >= 3 && layer.layout == Layout::ChannelsFirst;
    let file_axis = if to_channels && input.rank == Some(4) {
        1
    } else {
        -1
    };
    let axis = layer.axis(file_axis, input)?;
    affine(layer, input, &scale, &shift, axis, Vec::new())
}

/// `Normalization`: `(x - mean) / max(sqrt(variance), 1e-7)`, or the way back. Mean and variance stand in the
/// configuration, or were measured and are weights.
pub fn normalization(layer: &mut Scope) -> Result<Tensor, Refusal> {
    let input = layer.only_input()?;
    // `None` stands for all axes, which files spell as an empty list.
    let mut axes = match layer.fields.get("axis") {
        None if layer.fields.0.contains_key("axis") => Vec::new(),
        _ => layer.fields.axes("axis")?.unwrap_or_else(|| vec![-1]),
    };
    let rank = input.rank.unwrap_or(2);
    // An axis of length 1 in front is the batch's, as in `axis=[0, -1]`: not worth the trouble.
    axes.sort_by_key(|&axis| position(axis, rank).unwrap_or(usize::MAX));
    let axis = match axes[..] {
        [] => 1,
        [axis] => layer.axis(axis, input)?,
        _ => return Err(Refusal::Unsupported("several axes".to_owned())),
    };
    let (mean, variance) = statistics(layer)?;
    if axes.is_empty() && (mean.len() != 1 || variance.len() != 1) {
        return Err(Refusal::Wrong("has several means for no axis".to_owned()));
    }
    let deviation: Vec<f64> = variance
        .iter()
        .map(|variance| variance.sqrt().max(SMALLEST_DEVIATION))
        .collect();
    let count = mean.len().max(deviation.len());
    let at = |values: &[f64], index: usize| values[if values.len() == 1 { 0 } else { index }];
    if [&mean, &deviation]
        .iter()
        .any(|values| ![1, count].contains(&values.len()))
    {
        return Err(Refusal::Wrong(format!(
            "has {} means and {} variances",
            mean.len(),
            variance.len()
        )));
    }
    let indices = 0..count;
    let (scale, shift): (Vec<f64>, Vec<f64>) = if layer.fields.flag("invert", false)? {
        indices
            .map(|index| (at(&deviation, index), at(&mean, index)))
            .unzip()
    } else {
        let factor = |index| 1.0 / at(&deviation, index);
        indices
            .map(|index| (factor(index), -at(&mean, index) * factor(index)))
            .unzip()
    };
    // Measured statistics have become constants; Keras counts them among the layer's weights.
    let source = layer.stored().iter().map(|weight| weight.plain(false));
    let source = source.collect();
    affine(layer, input, &scale, &shift, axis, source)
}

fn statistics(layer: &mut Scope) -> Result<(Vec<f64>, Vec<f64>), Refusal> {
    let given = (
        layer.fields.numbers("mean")?,
        layer.fields.numbers("variance")?,
    );
    let (mean, variance) = if let (Some(mean), Some(variance)) = given {
        (mean, variance)
    } else {
        let mut read = |name: &str| {
            let values = layer.weight(name)?.read()?;
            Ok::<_, String>(values.into_iter().map(f64::from).collect())
        };
        (read("mean")?, read("variance")?)
    };
    if mean.is_empty()
        || variance.is_empty()
        || variance.iter().any(|value| value.is_nan() || *value < 0.0)
    {
        return Err(Refusal::Wrong(
            "has an impossible mean or variance".to_owned(),
        ));
    }
    Ok((mean, variance))
}
