//! Layers that standardise, and their kin that only scales.

use super::super::axes::{engine_axes, position};
use super::super::weight::Weight;
use super::scope::{Refusal, Scope, Tensor};
use crate::model::{BatchNorm, Conv, LayerNorm, Layout, Op, Padding, Parameter};

/// Keras's default in both layers.
const EPSILON: f32 = 1e-3;

/// `BatchNormalization`, with its moving statistics.
pub fn batch(layer: &mut Scope) -> Result<Tensor, Refusal> {
    let input = layer.only_input()?;
    if layer
        .options
        .get("training")
        .and_then(serde_json::Value::as_bool)
        == Some(true)
    {
        // Standardised by the batch at hand, even in prediction.
        return Err(Refusal::option("training", "true"));
    }
    let axis = match layer.fields.axes("axis")?.as_deref() {
        None => layer.axis(-1, input)?,
        Some(&[axis]) => layer.axis(axis, input)?,
        Some(_) => return Err(Refusal::Unsupported("several axes".to_owned())),
    };
    let trainable = layer.trainable();
    let mean = layer.weight("moving_mean")?;
    mean.expect(&[None])?;
    let length = mean.shape[0];
    let mut vector = |name: &str, trainable: bool| -> Result<Option<Parameter>, Refusal> {
        let Some(weight) = layer.maybe(name)? else {
            return Ok(None);
        };
        weight.expect(&[Some(length)])?;
        Ok(Some(weight.plain(trainable)))
    };
    let gamma = vector("gamma", trainable)?;
    let beta = vector("beta", trainable)?;
    let variance = vector("moving_variance", false)?;
    let op = Op::BatchNorm(BatchNorm {
        gamma,
        beta,
        mean: mean.plain(false),
        variance: variance.ok_or_else(|| "has no moving variance".to_owned())?,
        epsilon: layer.fields.float("epsilon", EPSILON)?,
        axis,
    });
    Ok(layer.then(op, input))
}

/// `LayerNormalization` over one or more axes of each example.
pub fn layer(layer: &mut Scope) -> Result<Tensor, Refusal> {
    let input = layer.only_input()?;
    if layer.fields.flag("rms_scaling", false)? {
        return Err(Refusal::option("rms_scaling", "true"));
    }
    let listed = layer.fields.axes("axis")?.unwrap_or_else(|| vec![-1]);
    // Where each listed axis is in the file and in the graph.
    let rank = input.rank.unwrap_or(listed.len() + 1);
    let mut axes = Vec::with_capacity(listed.len());
    for (index, &axis) in listed.iter().enumerate() {
        axes.push((position(axis, rank)?, layer.axis(axis, input)?, index));
    }
    axes.sort_unstable();
    if axes.is_empty() || axes.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Err(Refusal::Wrong(format!("has the axes {listed:?}")));
    }
    // Keras makes the weights in the listed order, then takes them for ones in the order of the axes, without
    // moving a value. The graph wants its own axes ascending.
    let mut order: Vec<usize> = (0..axes.len()).collect();
    order.sort_by_key(|&place| axes[place].1);
    let ascending: Vec<usize> = order.iter().map(|&place| axes[place].1).collect();
    let trainable = layer.trainable();
    let parameter = |weight: &Weight| {
        weight.expect(&vec![None; order.len()])?;
        let shape: Vec<usize> = axes.iter().map(|axis| weight.shape[axis.2]).collect();
        Ok::<_, String>(weight.parameter(shape, order.clone(), trainable))
    };
    let gamma = layer.maybe("gamma")?.map(parameter).transpose()?;
    let beta = layer.maybe("beta")?.map(parameter).transpose()?;
    let op = Op::LayerNorm(LayerNorm {
        gamma,
        beta,
        axes: ascending,
        epsilon: layer.fields.float("epsilon", EPSILON)?,
    });
    Ok(layer.then(op, input))
}

/// `LayerScale` of `ConvNeXt`: each channel times a learned factor, which is a depthwise convolution with a
/// kernel of one tap.
pub fn scale(layer: &mut Scope) -> Result<Tensor, Refusal> {
    let input = layer.only_input()?;
    let [gamma] = layer.stored() else {
        return Err(Refusal::Unsupported(String::new()));
    };
    let channels_last = layer.layout == Layout::ChannelsLast;
    if gamma.shape.len() != 1 || !channels_last || !matches!(input.rank, None | Some(4)) {
        return Err(Refusal::Unsupported(String::new()));
    }
    let channels = gamma.shape[0];
    let op = Op::Conv(Conv {
        weight: gamma.parameter([channels, 1, 1, 1], [0, 1, 2, 3], layer.trainable()),
        bias: None,
        stride: [1, 1],
        padding: Padding::VALID,
        dilation: [1, 1],
        groups: channels,
    });
    Ok(layer.then(op, input))
}

/// A weight with the file's axes of an example (without batch), as one with the engine's.
pub fn example_order(layout: Layout, rank: usize) -> Vec<usize> {
    let engine = engine_axes(layout, rank + 1);
    let mut order = vec![0; rank];
    for (file, &engine) in engine.iter().enumerate().skip(1) {
        order[engine - 1] = file - 1;
    }
    order
}
