//! The part of a model that an objective depends on, with a last layer that computes nothing else.
//!
//! One filter of a convolution takes a fraction of the layer's time. So the objective is followed back through what
//! treats each channel by itself (activations, normalisations, pools) to the convolution or dense layer that makes the
//! channel, and there the weights of that one channel take the place of all.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Unit;
use super::settings::is_picture;
use crate::error::{Error, Result};
use crate::model::{BatchNorm, Conv, Layer, Model, Node, NodeId, Op, Parameter, Shapes, volume};

/// Values read from a file at a time.
const PIECE: usize = 1 << 20;

/// A part of a model.
#[derive(Debug)]
pub(super) struct Prefix {
    pub model: Model,
    /// Where the picture enters.
    pub input: NodeId,
    /// Where the objective is read.
    pub unit: Unit,
}

/// The nodes that a node depends on, itself included, in order.
pub(super) fn ancestors(model: &Model, node: NodeId) -> Vec<NodeId> {
    let mut needed = vec![false; node.0 + 1];
    needed[node.0] = true;
    for index in (0..=node.0).rev() {
        if needed[index] {
            for input in &model.nodes[index].inputs {
                needed[input.0] = true;
            }
        }
    }
    let ids = (0..=node.0).map(NodeId);
    ids.filter(|id| needed[id.0]).collect()
}

impl Prefix {
    /// # Errors
    /// When the objective doesn't depend on one picture alone, or weights can't be read.
    pub(super) fn of(model: &Model, shapes: &Shapes, unit: Unit) -> Result<Self> {
        let kept = ancestors(model, unit.node);
        let places: BTreeMap<NodeId, NodeId> = kept
            .iter()
            .enumerate()
            .map(|(place, &id)| (id, NodeId(place)))
            .collect();
        let mut nodes: Vec<Node> = kept
            .iter()
            .map(|&id| {
                let Node { op, inputs } = model.node(id);
                Node {
                    op: op.clone(),
                    inputs: inputs.iter().map(|input| places[input]).collect(),
                }
            })
            .collect();
        let inputs: Vec<NodeId> = (0..nodes.len())
            .map(NodeId)
            .filter(|id| matches!(nodes[id.0].op, Op::Input { .. }))
            .collect();
        let name = || model.layer_name(unit.node);
        let [input] = inputs[..] else {
            return Err(Error::layer(
                name(),
                format!(
                    "depends on {} inputs, and a pattern is one picture",
                    inputs.len()
                ),
            ));
        };
        if !is_picture(&nodes[input.0].op) {
            return Err(Error::layer(name(), "doesn't depend on a picture"));
        }
        let output = places[&unit.node];
        let mut unit = Unit {
            node: output,
            ..unit
        };
        if let Some(chain) = chain(&kept, &nodes, shapes, output) {
            for id in chain {
                narrow(&mut nodes[id.0].op, unit.index)?;
            }
            unit.index = 0;
        }
        let layers = model.layers.iter().filter_map(|layer| {
            let nodes: Vec<NodeId> = layer
                .nodes
                .iter()
                .filter_map(|id| places.get(id).copied())
                .collect();
            let output = *nodes.last()?;
            Some(Layer {
                nodes,
                output,
                ..layer.clone()
            })
        });
        let model = Model {
            layers: layers.collect(),
            nodes,
            inputs,
            outputs: vec![output],
            head: None,
            labels: None,
            name: model.name.clone(),
            format: model.format.clone(),
            architecture: model.architecture.clone(),
            layout: model.layout,
            preprocessing: model.preprocessing.clone(),
            assumptions: Vec::new(),
        };
        Ok(Self { model, input, unit })
    }
}

/// The nodes from the objective back to the one that makes its channel; none if there is no such way.
fn chain(kept: &[NodeId], nodes: &[Node], shapes: &Shapes, output: NodeId) -> Option<Vec<NodeId>> {
    let mut chain = Vec::new();
    let mut at = output;
    loop {
        chain.push(at);
        let node = &nodes[at.0];
        match &node.op {
            Op::Conv(conv) if conv.groups == 1 => return Some(chain),
            Op::Dense { .. } if shapes.get(kept[at.0]).ok()?.len() == 1 => return Some(chain),
            Op::Activation(_)
            | Op::Identity
            | Op::Pool(_)
            | Op::GlobalPool { .. }
            | Op::Pad { .. }
            | Op::Crop(_)
            | Op::Upsample { .. } => {}
            Op::BatchNorm(norm) if norm.axis == 1 => {}
            Op::Affine { scale, axis, .. } if scale.len() == 1 || *axis == 1 => {}
            _ => return None,
        }
        at = *node.inputs.first()?;
    }
}

/// An op that computes only one of its channels.
fn narrow(op: &mut Op, channel: usize) -> Result<()> {
    let one = |parameter: &Parameter, axis| slice(parameter, axis, channel);
    let optional = |parameter: &Option<Parameter>| {
        let parameter = parameter.as_ref();
        parameter.map(|parameter| one(parameter, 0)).transpose()
    };
    match op {
        Op::Conv(conv) => {
            *conv = Conv {
                weight: one(&conv.weight, 0)?,
                bias: optional(&conv.bias)?,
                ..conv.clone()
            };
        }
        Op::Dense { weight, bias } => {
            *bias = optional(bias)?;
            *weight = one(weight, 1)?;
        }
        Op::BatchNorm(norm) => {
            *norm = BatchNorm {
                gamma: optional(&norm.gamma)?,
                beta: optional(&norm.beta)?,
                mean: one(&norm.mean, 0)?,
                variance: one(&norm.variance, 0)?,
                ..norm.clone()
            };
        }
        Op::Affine { scale, shift, .. } if scale.len() > 1 => {
            *scale = vec![scale[channel]];
            *shift = vec![shift[channel]];
        }
        _ => {}
    }
    Ok(())
}

/// One index of an axis, counted in the op's order.
fn slice(parameter: &Parameter, axis: usize, index: usize) -> Result<Parameter> {
    let axis = parameter.order[axis];
    let run: usize = parameter.stored[axis + 1..].iter().product();
    let period = run * parameter.stored[axis];
    let mut stored = parameter.stored.clone();
    stored[axis] = 1;
    let mut values = Vec::with_capacity(volume(&stored));
    if axis == 0 {
        values.resize(run, 0.0);
        parameter.values.read(index * run, &mut values)?;
    } else {
        let total = parameter.len();
        let mut piece = vec![0.0; PIECE.min(total)];
        let mut start = 0;
        while start < total {
            let count = PIECE.min(total - start);
            parameter.values.read(start, &mut piece[..count])?;
            // The wanted runs that begin or go on in this piece.
            let mut from = start / period * period + index * run;
            while from < start + count {
                let (first, last) = (from.max(start), (from + run).min(start + count));
                if first < last {
                    values.extend_from_slice(&piece[first - start..last - start]);
                }
                from += period;
            }
            start += count;
        }
    }
    Ok(Parameter {
        name: parameter.name.clone(),
        stored,
        order: parameter.order.clone(),
        trainable: parameter.trainable,
        values: Arc::new(values),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every axis, of a parameter that is read in one piece and of one that takes several.
    #[test]
    fn one_index_of_an_axis() {
        for stored in [vec![3, 4, 5], vec![7, 250, 999]] {
            let total: usize = stored.iter().product();
            let values: Vec<f32> = (0..total).map(|value| value as f32).collect();
            let parameter =
                Parameter::new("p", stored.clone(), Arc::new(values)).with_order([2, 0, 1]);
            for axis in 0..3 {
                let stored_axis = [2, 0, 1][axis];
                let index = stored[stored_axis] - 2;
                let found = slice(&parameter, axis, index).expect("in memory");
                assert_eq!(found.shape()[axis], 1);
                let mut read = vec![0.0; found.len()];
                found.values.read(0, &mut read).expect("in memory");
                let strides = [stored[1] * stored[2], stored[2], 1];
                let wanted = (0..total)
                    .filter(|at| at / strides[stored_axis] % stored[stored_axis] == index);
                assert!(wanted.map(|at| at as f32).eq(read.iter().copied()));
            }
        }
    }
}
