//! Layers that move values without changing them. They are written in the file's axes: what a channels-last
//! `Flatten` sees first is the first row's first pixel's channels.

use super::super::axes::{engine_axes, file_axes, position};
use super::scope::{Refusal, Scope, Tensor};
use crate::model::{Layout, Op};

/// The value with the file's axes, ready for a reshape.
fn in_file_order(layer: &mut Scope, input: Tensor) -> Tensor {
    reordered(layer, input, engine_axes)
}

/// The way back.
fn in_engine_order(layer: &mut Scope, input: Tensor) -> Tensor {
    reordered(layer, input, file_axes)
}

fn reordered(
    layer: &mut Scope,
    input: Tensor,
    order: impl Fn(Layout, usize) -> Vec<usize>,
) -> Tensor {
    let axes = order(layer.layout, input.rank.unwrap_or(0));
    if axes.is_sorted() {
        return input;
    }
    layer.then(Op::Permute { axes }, input)
}

/// `Flatten`. A channels-first one flattens the channels last too, so that its result doesn't depend on the
/// layout.
pub fn flatten(layer: &mut Scope) -> Result<Tensor, Refusal> {
    let input = layer.only_input()?;
    let first = layer.fields.text("data_format")? == Some("channels_first");
    let mut literal = in_file_order(layer, input);
    if let (true, Some(rank @ 3..)) = (first, input.rank) {
        let axes = [0].into_iter().chain(2..rank).chain([1]).collect();
        literal = layer.then(Op::Permute { axes }, literal);
    }
    let shape = vec![None];
    Ok(layer.node(Op::Reshape { shape }, &[literal], Some(2)))
}

/// `Reshape`.
pub fn reshape(layer: &mut Scope) -> Result<Tensor, Refusal> {
    let input = layer.only_input()?;
    let Some(shape) = layer.fields.shape("target_shape")? else {
        // Keras 3's operation of the same name, whose shape includes the batch.
        return Err(Refusal::Unsupported("no target_shape".to_owned()));
    };
    let rank = shape.len() + 1;
    let literal = in_file_order(layer, input);
    let shaped = layer.node(Op::Reshape { shape }, &[literal], Some(rank));
    Ok(in_engine_order(layer, shaped))
}

/// `Permute`: axes in another order, counted from 1.
pub fn permute(layer: &mut Scope) -> Result<Tensor, Refusal> {
    let input = layer.only_input()?;
    let dims = layer.fields.axes("dims")?.unwrap_or_default();
    let rank = dims.len() + 1;
    let known = input.rank.is_none_or(|known| known == rank);
    let mut sorted = dims.clone();
    sorted.sort_unstable();
    if !known || sorted.iter().zip(1..).any(|(&dim, place)| dim != place) {
        return Err(Refusal::Wrong(format!("can't order its axes as {dims:?}")));
    }
    let from = dims.iter().map(|&dim| position(dim, rank));
    let from = [Ok(0)]
        .into_iter()
        .chain(from)
        .collect::<Result<Vec<usize>, _>>()?;
    let (engine, file) = (
        engine_axes(layer.layout, rank),
        file_axes(layer.layout, rank),
    );
    let axes = file.iter().map(|&place| engine[from[place]]).collect();
    Ok(layer.node(Op::Permute { axes }, &[input], Some(rank)))
}

/// `Concatenate`.
pub fn concatenate(layer: &mut Scope) -> Result<Tensor, Refusal> {
    let axis = match layer.fields.axes("axis")?.as_deref() {
        None => -1,
        Some(&[axis]) => axis,
        Some(_) => return Err(Refusal::Unsupported("several axes".to_owned())),
    };
    joined(layer, axis)
}

/// All inputs one behind the other along one of the file's axes.
pub fn joined(layer: &mut Scope, axis: i64) -> Result<Tensor, Refusal> {
    let tensors = layer.results()?;
    let Some(&first) = tensors.first() else {
        return Err(Refusal::Wrong("has no input".to_owned()));
    };
    let axis = layer.axis(axis, first)?;
    Ok(layer.node(Op::Concat { axis }, &tensors, first.rank))
}
