//! Every op's gradient against central differences of its own values.

use super::{border, conv, engine, explicit, input, parameter, random, upload};
use crate::array::Array;
use crate::engine::ReluRule;
use crate::model::{
    Activation, BatchNorm, Conv, ConvTranspose, LayerNorm, Merge, NodeId, Op, Padding, Pool,
    PoolKind, UpsampleMode,
};

/// Checks d<c, op(x)>/dx for a random c by differences in every coordinate, all of them in one batch.
fn check(op: Op, shape: &[usize]) {
    let label = format!("{op:?}");
    let engine = engine(vec![(input(shape), vec![]), (op, vec![0])]);
    let count: usize = shape.iter().product();
    let one: Vec<usize> = [&[1], shape].concat();
    // Evenly spread and shuffled: no two values so near one another, or a kink so near a value, that a
    // difference would straddle it.
    let spread = (0..count).map(|i| ((i * 37 % count) as f32 - (count / 2) as f32) * 0.06 + 0.03);
    let x = Array::new(one, spread.collect());
    let mut run = engine
        .forward(&[upload(&x)], &[NodeId(1)])
        .expect("computable");
    let y_shape: Vec<usize> = [&[1], run.shapes().get(NodeId(1)).expect("known")].concat();
    let c = random(&y_shape, 12);
    let gradient = engine
        .vjp(
            &mut run,
            NodeId(1),
            &upload(&c),
            &[NodeId(0)],
            ReluRule::Gradient,
        )
        .expect(&label);
    let gradient = gradient[0].read().expect("computed");

    const STEP: f32 = 5e-3;
    let mut shifted = Vec::with_capacity(2 * count * count);
    for i in 0..count {
        for sign in [STEP, -STEP] {
            let mut values = x.values().to_vec();
            values[i] += sign;
            shifted.extend(values);
        }
    }
    let batch = Array::new([&[2 * count], shape].concat(), shifted);
    let run = engine
        .forward(&[upload(&batch)], &[NodeId(1)])
        .expect("computable");
    let y = crate::engine::Tensor(run.values[&NodeId(1)].clone())
        .read()
        .expect("computed");
    let score = |index: usize| -> f64 {
        y.at(index)
            .iter()
            .zip(c.values())
            .map(|(y, c)| f64::from(*y) * f64::from(*c))
            .sum()
    };
    let largest = gradient
        .values()
        .iter()
        .fold(1e-3_f64, |m, v| m.max(f64::from(v.abs())));
    for i in 0..count {
        let difference = (score(2 * i) - score(2 * i + 1)) / (2.0 * f64::from(STEP));
        let found = f64::from(gradient.values()[i]);
        // Curvature and f32's rounding leave a few thousandths.
        assert!(
            (found - difference).abs() < 6e-3 * largest,
            "{label} at {i}: {found}, by differences {difference}"
        );
    }
}

#[test]
fn convolutions() {
    for (padding, kernel, stride, dilation, groups) in [
        (Padding::VALID, [3, 3], [1, 1], [1, 1], 1),
        (Padding::VALID, [3, 2], [2, 3], [1, 1], 1),
        (Padding::Same, [3, 3], [2, 2], [1, 1], 2),
        (Padding::Same, [2, 5], [1, 2], [1, 1], 1),
        (Padding::Same, [3, 3], [1, 1], [2, 2], 4),
        (explicit([0, 1, 2, 0]), [3, 3], [2, 2], [1, 1], 1),
        (explicit([2, 2, 2, 2]), [3, 3], [3, 3], [2, 1], 1),
        (Padding::VALID, [1, 1], [3, 3], [1, 1], 1),
    ] {
        check(
            Op::Conv(Conv {
                padding,
                stride,
                dilation,
                groups,
                ..conv(4, 4 / groups, kernel, 3)
            }),
            &[4, 6, 5],
        );
    }
}

#[test]
fn transposed_convolutions() {
    for (padding, kernel, stride, dilation, output_padding) in [
        (Padding::Same, [3, 3], [2, 2], [1, 1], [0, 0]),
        (Padding::Same, [2, 2], [3, 3], [1, 1], [0, 0]),
        (Padding::VALID, [3, 3], [1, 2], [2, 1], [0, 1]),
        (explicit([1, 1, 0, 1]), [3, 3], [2, 2], [1, 1], [1, 0]),
    ] {
        let weight = parameter(&[4, 3, kernel[0], kernel[1]], 4);
        let bias = Some(parameter(&[6], 5));
        check(
            Op::ConvTranspose(ConvTranspose {
                weight,
                bias,
                stride,
                padding,
                output_padding,
                dilation,
                groups: 2,
            }),
            &[4, 4, 3],
        );
    }
}

#[test]
fn pools() {
    for padding in [
        Padding::VALID,
        Padding::Same,
        explicit([1, 1, 1, 1]),
        explicit([0, 1, 2, 0]),
    ] {
        for (kind, count_padding) in [
            (PoolKind::Max, false),
            (PoolKind::Average, false),
            (PoolKind::Average, true),
        ] {
            check(
                Op::Pool(Pool {
                    kind,
                    window: [3, 3],
                    stride: [2, 2],
                    padding,
                    count_padding,
                }),
                &[2, 6, 5],
            );
        }
    }
    for kind in [PoolKind::Max, PoolKind::Average] {
        check(Op::GlobalPool { kind, keep: false }, &[3, 4, 5]);
        check(Op::GlobalPool { kind, keep: true }, &[3, 4, 5]);
    }
}

#[test]
fn activations() {
    let relu = |max, slope, threshold| Activation::Relu {
        max,
        slope,
        threshold,
    };
    for activation in [
        Activation::RELU,
        Activation::RELU6,
        Activation::leaky(0.3),
        relu(Some(2.0), 0.1, 1.02),
        relu(None, 0.0, 1.02),
        Activation::Elu { alpha: 0.7 },
        Activation::Selu,
        Activation::Celu { alpha: 0.5 },
        Activation::Gelu { approximate: false },
        Activation::Gelu { approximate: true },
        Activation::Silu,
        Activation::Sigmoid,
        Activation::HardSigmoid { slope: 0.2 },
        Activation::HardSilu,
        Activation::Tanh,
        Activation::HardTanh,
        Activation::Softplus,
        Activation::Softsign,
        Activation::Mish,
        Activation::Exponential,
    ] {
        check(Op::Activation(activation), &[2, 4, 3]);
    }
    check(
        Op::PRelu {
            alpha: parameter(&[2, 1, 1], 3),
        },
        &[2, 4, 3],
    );
    check(Op::Softmax { axis: 1 }, &[7]);
    check(Op::Softmax { axis: 1 }, &[3, 2, 2]);
}

#[test]
fn norms_and_dense() {
    let positive = |seed| {
        let values = super::noise(3, seed)
            .iter()
            .map(|v| v.abs() + 0.5)
            .collect::<Vec<_>>();
        crate::model::Parameter::new("variance", [3], std::sync::Arc::new(values))
    };
    let norm = BatchNorm {
        gamma: Some(parameter(&[3], 1)),
        beta: Some(parameter(&[3], 2)),
        mean: parameter(&[3], 3),
        variance: positive(4),
        epsilon: 1e-3,
        axis: 1,
    };
    check(Op::BatchNorm(norm.clone()), &[3, 4, 2]);
    check(Op::BatchNorm(norm), &[3]);
    check(
        Op::Affine {
            scale: vec![2.0, 3.0, -1.0],
            shift: vec![0.0, 1.0, 2.0],
            axis: 1,
            source: vec![],
        },
        &[3, 2, 2],
    );
    check(
        Op::Affine {
            scale: vec![2.0],
            shift: vec![1.0],
            axis: 1,
            source: vec![],
        },
        &[3, 2, 2],
    );
    let layer_norm = |axes: Vec<usize>, shape: &[usize]| {
        Op::LayerNorm(LayerNorm {
            gamma: Some(parameter(shape, 5)),
            beta: Some(parameter(shape, 6)),
            axes,
            epsilon: 1e-3,
        })
    };
    check(layer_norm(vec![1], &[3]), &[3, 2, 2]);
    check(layer_norm(vec![1, 2, 3], &[3, 2, 2]), &[3, 2, 2]);
    check(layer_norm(vec![2], &[6]), &[2, 6]);
    check(
        Op::Dense {
            weight: parameter(&[5, 4], 7),
            bias: Some(parameter(&[4], 8)),
        },
        &[5],
    );
    check(
        Op::Dense {
            weight: parameter(&[5, 4], 7),
            bias: None,
        },
        &[3, 5],
    );
}

#[test]
fn shapes_and_borders() {
    let border = border([1, 2, 0, 1]);
    check(Op::Pad { border, value: 0.5 }, &[2, 4, 3]);
    check(Op::Crop(border), &[2, 5, 4]);
    check(
        Op::Upsample {
            factor: [2, 3],
            mode: UpsampleMode::Nearest,
        },
        &[2, 3, 2],
    );
    check(
        Op::Upsample {
            factor: [2, 3],
            mode: UpsampleMode::Bilinear,
        },
        &[2, 3, 2],
    );
    check(
        Op::Reshape {
            shape: vec![Some(6), None],
        },
        &[2, 3, 4],
    );
    check(
        Op::Permute {
            axes: vec![0, 3, 1, 2],
        },
        &[2, 3, 4],
    );
    check(Op::Identity, &[5]);
}

/// Several inputs, of which one is broadcast: both gradients against differences in the sum of both.
#[test]
fn merges_and_concatenation() {
    for op in [
        Op::Merge(Merge::Add),
        Op::Merge(Merge::Subtract),
        Op::Merge(Merge::Multiply),
        Op::Merge(Merge::Average),
        Op::Merge(Merge::Maximum),
        Op::Merge(Merge::Minimum),
    ] {
        for broadcast in [false, true] {
            // x, and a pooled or weakened x, meet in the op.
            let second = if broadcast {
                Op::GlobalPool {
                    kind: PoolKind::Average,
                    keep: true,
                }
            } else {
                Op::Conv(conv(2, 2, [1, 1], 21))
            };
            check_second(op.clone(), second);
        }
    }
    check_second(Op::Concat { axis: 1 }, Op::Conv(conv(3, 2, [1, 1], 21)));
}

fn check_second(op: Op, second: Op) {
    let label = format!("{op:?} with {second:?}");
    let engine = engine(vec![
        (input(&[2, 3, 3]), vec![]),
        (second, vec![0]),
        (op, vec![0, 1]),
    ]);
    let x = random(&[1, 2, 3, 3], 31);
    let mut run = engine.forward(&[upload(&x)], &[]).expect("an input");
    let shape: Vec<usize> = [&[1], run.shapes().get(NodeId(2)).expect("known")].concat();
    let c = random(&shape, 32);
    let gradient = engine
        .vjp(
            &mut run,
            NodeId(2),
            &upload(&c),
            &[NodeId(0)],
            ReluRule::Gradient,
        )
        .expect(&label);
    let gradient = gradient[0].read().expect("computed");
    let score = |i: usize, step: f32| -> f64 {
        let mut x = x.clone();
        x.values_mut()[i] += step;
        let mut run = engine.forward(&[upload(&x)], &[]).expect("an input");
        let y = super::read(&engine, &mut run, 2);
        y.values()
            .iter()
            .zip(c.values())
            .map(|(y, c)| f64::from(*y) * f64::from(*c))
            .sum()
    };
    for i in 0..18 {
        let difference = (score(i, 1e-3) - score(i, -1e-3)) / 2e-3;
        let found = f64::from(gradient.values()[i]);
        assert!(
            (found - difference).abs() < 5e-3,
            "{label} at {i}: {found}, by differences {difference}"
        );
    }
}
