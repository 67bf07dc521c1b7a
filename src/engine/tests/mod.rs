//! The engine against plain arithmetic: every op's value, every op's gradient, and the verbs.

mod ascent;
mod gradients;
mod values;
mod verbs;

use std::sync::Arc;

use super::{Device, Engine, Run, Tensor};
use crate::array::Array;
use crate::model::{
    Border, Builder, Conv, Layout, Model, NodeId, Op, Padding, Parameter, Preprocessing,
};

/// Numbers in [-1, 1) that look random and are the same every time.
pub(super) fn noise(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..count)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

pub(super) fn parameter(shape: &[usize], seed: u64) -> Parameter {
    let values = noise(shape.iter().product(), seed);
    Parameter::new(format!("p{seed}"), shape, Arc::new(values))
}

pub(super) fn conv(out: usize, input: usize, kernel: [usize; 2], seed: u64) -> Conv {
    Conv {
        weight: parameter(&[out, input, kernel[0], kernel[1]], seed),
        bias: Some(parameter(&[out], seed + 1)),
        stride: [1, 1],
        padding: Padding::Same,
        dilation: [1, 1],
        groups: 1,
    }
}

/// Rows and columns at the top, bottom, left and right.
pub(super) fn border([top, bottom, left, right]: [usize; 4]) -> Border {
    Border {
        top,
        bottom,
        left,
        right,
    }
}

pub(super) fn explicit(sides: [usize; 4]) -> Padding {
    Padding::Explicit(border(sides))
}

pub(super) fn input(shape: &[usize]) -> Op {
    Op::Input {
        shape: shape.iter().copied().map(Some).collect(),
    }
}

/// A model of the given nodes, each a layer of its own, named by its index.
pub(super) fn model(nodes: Vec<(Op, Vec<usize>)>) -> Model {
    let mut builder = Builder::default();
    let mut inputs = Vec::new();
    for (index, (op, feeds)) in nodes.into_iter().enumerate() {
        if matches!(op, Op::Input { .. }) {
            inputs.push(NodeId(index));
        }
        let feeds: Vec<NodeId> = feeds.into_iter().map(NodeId).collect();
        builder.layer(index.to_string(), "Test", [op], &feeds);
    }
    let outputs = vec![NodeId(builder.nodes.len() - 1)];
    Model {
        name: "test".into(),
        format: "test".into(),
        architecture: None,
        layout: Layout::ChannelsFirst,
        nodes: builder.nodes,
        layers: builder.layers,
        inputs,
        outputs,
        head: None,
        labels: None,
        preprocessing: Preprocessing::book([8, 8]),
        assumptions: Vec::new(),
    }
}

pub(super) fn engine(nodes: Vec<(Op, Vec<usize>)>) -> Engine {
    Engine::new(Arc::new(model(nodes)), Device::CPU)
}

pub(super) fn upload(array: &Array) -> Tensor {
    Tensor::upload(array, Device::CPU).expect("memory")
}

pub(super) fn random(shape: &[usize], seed: u64) -> Array {
    Array::new(shape, noise(shape.iter().product(), seed))
}

pub(super) fn read(engine: &Engine, run: &mut Run, node: usize) -> Array {
    engine
        .value(run, NodeId(node))
        .and_then(|value| value.read())
        .expect("a value")
}

/// The largest difference, as a share of the largest value.
pub(super) fn distance(a: &Array, b: &Array) -> f32 {
    assert_eq!(a.shape(), b.shape());
    let largest = b.values().iter().fold(1e-6_f32, |m, v| m.max(v.abs()));
    a.values()
        .iter()
        .zip(b.values())
        .fold(0.0_f32, |m, (a, b)| m.max((a - b).abs()))
        / largest
}
