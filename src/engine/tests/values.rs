//! Values of single ops against loops written out.

use super::{border, conv, distance, engine, explicit, input, parameter, random, read, upload};
use crate::array::Array;
use crate::model::{
    Activation, Border, Conv, ConvTranspose, LayerNorm, Merge, Op, Padding, Pool, PoolKind,
    UpsampleMode,
};

fn value(op: Op, x: &Array) -> Array {
    let engine = engine(vec![(input(&x.shape()[1..]), vec![]), (op, vec![0])]);
    let mut run = engine.forward(&[upload(x)], &[]).expect("an input");
    read(&engine, &mut run, 1)
}

fn values_of(parameter: &crate::model::Parameter) -> Vec<f32> {
    let mut values = vec![0.0; parameter.len()];
    parameter.values.read(0, &mut values).expect("in memory");
    values
}

/// Calls `visit` with every (output row, output column, input row, input column, kernel row, kernel column)
/// that meet inside the input.
fn windows(
    [input, output, kernel, stride, dilation]: [[usize; 2]; 5],
    border: Border,
    mut visit: impl FnMut([usize; 2], [usize; 2], [usize; 2]),
) {
    for oy in 0..output[0] {
        for ox in 0..output[1] {
            for ky in 0..kernel[0] {
                for kx in 0..kernel[1] {
                    let y = (oy * stride[0] + ky * dilation[0]).wrapping_sub(border.top);
                    let x = (ox * stride[1] + kx * dilation[1]).wrapping_sub(border.left);
                    if y < input[0] && x < input[1] {
                        visit([oy, ox], [y, x], [ky, kx]);
                    }
                }
            }
        }
    }
}

fn convolve(conv: &Conv, x: &Array, output: [usize; 2], border: Border) -> Array {
    let (weight, bias) = (values_of(&conv.weight), conv.bias.as_ref().map(values_of));
    let [out, per_group, rows, columns] = conv.weight.shape()[..] else {
        panic!()
    };
    let [batch, channels, height, width] = x.shape()[..] else {
        panic!()
    };
    let mut y = Array::zeros([batch, out, output[0], output[1]]);
    let sizes = [
        [height, width],
        output,
        [rows, columns],
        conv.stride,
        conv.dilation,
    ];
    for n in 0..batch {
        for o in 0..out {
            let plane = (n * out + o) * output[0] * output[1];
            if let Some(bias) = &bias {
                y.values_mut()[plane..plane + output[0] * output[1]].fill(bias[o]);
            }
            for i in 0..per_group {
                let c = o / (out / conv.groups) * per_group + i;
                windows(sizes, border, |[oy, ox], [iy, ix], [ky, kx]| {
                    let w = weight[((o * per_group + i) * rows + ky) * columns + kx];
                    let v = x.values()[((n * channels + c) * height + iy) * width + ix];
                    y.values_mut()[plane + oy * output[1] + ox] += w * v;
                });
            }
        }
    }
    y
}

#[test]
fn convolutions_of_every_kind() {
    let x = random(&[2, 4, 9, 7], 1);
    // Padding, its border at 9x7, kernel, stride, dilation, groups, output.
    #[rustfmt::skip]
    let cases = [
        (Padding::VALID, border([0, 0, 0, 0]), [3, 3], [1, 1], [1, 1], 1, [7, 5]),
        (Padding::Same, border([1, 1, 1, 1]), [3, 3], [1, 1], [1, 1], 1, [9, 7]),
        (Padding::Same, border([1, 1, 1, 1]), [3, 3], [2, 2], [1, 1], 1, [5, 4]),
        (Padding::Same, border([2, 2, 0, 1]), [5, 2], [2, 1], [1, 1], 2, [5, 7]),
        (Padding::Same, border([2, 2, 2, 2]), [3, 3], [1, 1], [2, 2], 4, [9, 7]),
        (explicit([0, 1, 2, 0]), border([0, 1, 2, 0]), [3, 3], [2, 3], [1, 1], 1, [4, 3]),
        (explicit([3, 3, 3, 3]), border([3, 3, 3, 3]), [3, 3], [3, 2], [2, 1], 2, [4, 6]),
        (Padding::VALID, border([0, 0, 0, 0]), [1, 1], [3, 3], [1, 1], 1, [3, 3]),
    ];
    for (padding, border, kernel, stride, dilation, groups, output) in cases {
        let conv = Conv {
            padding,
            stride,
            dilation,
            groups,
            ..conv(8, 4 / groups, kernel, 5)
        };
        let wanted = convolve(&conv, &x, output, border);
        let found = value(Op::Conv(conv.clone()), &x);
        assert!(distance(&found, &wanted) < 1e-5, "{conv:?}");
    }
}

/// The transpose's definition: <conv(a), b> = <a, transpose(b)> for all a and b, bias aside.
#[test]
fn transposed_convolutions_are_transposes() {
    // Input of the transposed convolution, output, kernel, stride, dilation, groups, padding, output padding.
    #[rustfmt::skip]
    let cases = [
        ([4, 3], [8, 6], [3, 3], [2, 2], [1, 1], 1, Padding::Same, [0, 0]),
        ([4, 3], [12, 9], [2, 2], [3, 3], [1, 1], 1, Padding::Same, [0, 0]),
        ([4, 3], [4, 3], [4, 5], [1, 1], [1, 1], 2, Padding::Same, [0, 0]),
        ([4, 3], [9, 7], [3, 3], [2, 2], [1, 1], 1, Padding::VALID, [0, 0]),
        ([4, 3], [8, 7], [3, 3], [2, 2], [1, 1], 1, explicit([0, 1, 0, 0]), [0, 0]),
        ([4, 3], [8, 6], [3, 3], [2, 2], [1, 1], 2, explicit([1, 1, 1, 1]), [1, 1]),
        ([4, 3], [8, 7], [3, 3], [1, 1], [2, 2], 1, Padding::VALID, [0, 0]),
    ];
    for (from, to, kernel, stride, dilation, groups, padding, output_padding) in cases {
        let weight = parameter(&[4, 6 / groups, kernel[0], kernel[1]], 9);
        let transpose = ConvTranspose {
            weight: weight.clone(),
            bias: None,
            stride,
            padding,
            output_padding,
            dilation,
            groups,
        };
        let b = random(&[1, 4, from[0], from[1]], 2);
        let a = random(&[1, 6, to[0], to[1]], 3);
        let top_left = match padding {
            Padding::Explicit(border) => border,
            Padding::Same => {
                let excess = |i: usize| {
                    ((from[i] - 1) * stride[i] + (kernel[i] - 1) * dilation[i] + 1)
                        .saturating_sub(to[i])
                };
                Border {
                    top: excess(0) / 2,
                    left: excess(1) / 2,
                    ..Border::default()
                }
            }
        };
        let conv = Conv {
            weight,
            bias: None,
            stride,
            padding,
            dilation,
            groups,
        };
        let forward = convolve(&conv, &a, from, top_left);
        let back = value(Op::ConvTranspose(transpose), &b);
        assert_eq!(back.shape(), [1, 6, to[0], to[1]]);
        let dot = |x: &Array, y: &Array| {
            x.values()
                .iter()
                .zip(y.values())
                .map(|(x, y)| f64::from(x * y))
                .sum::<f64>()
        };
        assert!(
            (dot(&forward, &b) - dot(&a, &back)).abs() < 1e-3,
            "{conv:?}"
        );
    }
}

#[test]
fn pools_ignore_their_padding() {
    let x = random(&[1, 2, 7, 6], 4);
    for padding in [
        Padding::Same,
        Padding::VALID,
        explicit([1, 1, 1, 1]),
        explicit([0, 2, 1, 0]),
        explicit([2, 2, 2, 2]),
    ] {
        for (window, stride) in [([3, 3], [2, 2]), ([2, 3], [1, 2]), ([3, 2], [3, 3])] {
            for (kind, count_padding) in [
                (PoolKind::Max, false),
                (PoolKind::Average, false),
                (PoolKind::Average, true),
            ] {
                let b = padding.border([7, 6], window, stride, [1, 1]);
                let steps =
                    |i: usize, total: usize| ([7, 6][i] + total - window[i]) / stride[i] + 1;
                let output = [steps(0, b.top + b.bottom), steps(1, b.left + b.right)];
                let mut wanted = Array::zeros([1, 2, output[0], output[1]]);
                let mut count = vec![0.0; output[0] * output[1]];
                if kind == PoolKind::Max {
                    wanted.values_mut().fill(f32::NEG_INFINITY);
                }
                windows(
                    [[7, 6], output, window, stride, [1, 1]],
                    b,
                    |[oy, ox], [y, xx], _| {
                        let at = oy * output[1] + ox;
                        count[at] += 1.0;
                        for c in 0..2 {
                            let v = x.values()[(c * 7 + y) * 6 + xx];
                            let w = &mut wanted.values_mut()[c * output[0] * output[1] + at];
                            *w = if kind == PoolKind::Max {
                                w.max(v)
                            } else {
                                *w + v
                            };
                        }
                    },
                );
                if kind == PoolKind::Average {
                    let area = (window[0] * window[1]) as f32;
                    for (i, w) in wanted.values_mut().iter_mut().enumerate() {
                        *w /= if count_padding {
                            area
                        } else {
                            count[i % count.len()]
                        };
                    }
                }
                // A window that lies wholly in the border has no value worth comparing.
                if count.contains(&0.0) {
                    continue;
                }
                let found = value(
                    Op::Pool(Pool {
                        kind,
                        window,
                        stride,
                        padding,
                        count_padding,
                    }),
                    &x,
                );
                assert!(
                    distance(&found, &wanted) < 1e-6,
                    "{kind:?} {window:?} {stride:?} {padding:?} {count_padding}"
                );
            }
        }
    }
}

#[test]
fn activations_follow_their_formulas() {
    let relu = |max, slope, threshold| Activation::Relu {
        max,
        slope,
        threshold,
    };
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    type Formula = Box<dyn Fn(f64) -> f64>;
    let cases: Vec<(Activation, Formula)> = vec![
        (Activation::RELU, Box::new(|x| x.max(0.0))),
        (Activation::RELU6, Box::new(|x| x.clamp(0.0, 6.0))),
        (
            Activation::leaky(0.3),
            Box::new(|x| if x > 0.0 { x } else { 0.3 * x }),
        ),
        (
            relu(Some(2.0), 0.1, 1.0),
            Box::new(|x| {
                if x >= 2.0 {
                    2.0
                } else if x >= 1.0 {
                    x
                } else {
                    0.1 * (x - 1.0)
                }
            }),
        ),
        (
            relu(None, 0.0, 1.0),
            Box::new(|x| if x >= 1.0 { x } else { 0.0 }),
        ),
        (
            Activation::Elu { alpha: 0.7 },
            Box::new(|x| if x > 0.0 { x } else { 0.7 * x.exp_m1() }),
        ),
        (
            Activation::Selu,
            Box::new(|x| {
                1.0507009873554805
                    * if x > 0.0 {
                        x
                    } else {
                        1.6732632423543772 * x.exp_m1()
                    }
            }),
        ),
        (
            Activation::Celu { alpha: 0.5 },
            Box::new(|x| if x > 0.0 { x } else { 0.5 * (x / 0.5).exp_m1() }),
        ),
        (
            Activation::Gelu { approximate: true },
            Box::new(|x| {
                0.5 * x
                    * (1.0
                        + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3))).tanh())
            }),
        ),
        (Activation::Silu, Box::new(move |x| x * sigmoid(x))),
        (Activation::Sigmoid, Box::new(sigmoid)),
        (
            Activation::HardSigmoid { slope: 0.2 },
            Box::new(|x| (0.2 * x + 0.5).clamp(0.0, 1.0)),
        ),
        (
            Activation::HardSilu,
            Box::new(|x| x * (x / 6.0 + 0.5).clamp(0.0, 1.0)),
        ),
        (Activation::Tanh, Box::new(f64::tanh)),
        (Activation::HardTanh, Box::new(|x| x.clamp(-1.0, 1.0))),
        (Activation::Softplus, Box::new(|x| x.exp().ln_1p())),
        (Activation::Softsign, Box::new(|x| x / (1.0 + x.abs()))),
        (Activation::Mish, Box::new(|x| x * x.exp().ln_1p().tanh())),
        (Activation::Exponential, Box::new(f64::exp)),
    ];
    let x = Array::new(
        [1, 161],
        (0..161).map(|i| (i as f32 - 80.0) / 10.0).collect(),
    );
    for (activation, formula) in cases {
        let wanted = Array::new(
            [1, 161],
            x.values()
                .iter()
                .map(|&x| formula(f64::from(x)) as f32)
                .collect(),
        );
        let found = value(Op::Activation(activation), &x);
        let worst = found
            .values()
            .iter()
            .zip(wanted.values())
            .fold(0.0_f32, |m, (a, b)| m.max((a - b).abs() / b.abs().max(1.0)));
        assert!(worst < 2e-6, "{activation:?}: {worst}");
    }
    // The error function has no formula in the standard library: two known values of x * Phi(x).
    let gelu = value(
        Op::Activation(Activation::Gelu { approximate: false }),
        &Array::new([1, 2], vec![1.0, -0.5]),
    );
    assert!(
        (gelu.values()[0] - 0.841_344_7).abs() < 1e-6
            && (gelu.values()[1] + 0.154_268_8).abs() < 1e-6
    );
}

#[test]
fn broadcasting_merges_and_layer_norm() {
    let (a, b) = (random(&[2, 3, 4, 5], 6), random(&[2, 3, 1, 1], 7));
    let engine = engine(vec![
        (input(&[3, 4, 5]), vec![]),
        (input(&[3, 1, 1]), vec![]),
        (Op::Merge(Merge::Multiply), vec![0, 1]),
        (Op::Merge(Merge::Average), vec![0, 1, 0]),
        (
            Op::LayerNorm(LayerNorm {
                gamma: Some(parameter(&[3], 8)),
                beta: None,
                axes: vec![1],
                epsilon: 1e-3,
            }),
            vec![0],
        ),
    ]);
    let mut run = engine
        .forward(&[upload(&a), upload(&b)], &[])
        .expect("inputs");
    let found = [2, 3, 4].map(|node| read(&engine, &mut run, node));
    let gamma = values_of(&parameter(&[3], 8));
    for (i, &x) in a.values().iter().enumerate() {
        let y = b.values()[i / 20];
        assert!((found[0].values()[i] - x * y).abs() < 1e-6);
        assert!((found[1].values()[i] - (2.0 * x + y) / 3.0).abs() < 1e-6);
        let (n, c, at) = (i / 60, i / 20 % 3, i % 20);
        let column: Vec<f32> = (0..3).map(|c| a.values()[n * 60 + c * 20 + at]).collect();
        let mean = column.iter().sum::<f32>() / 3.0;
        let variance = column.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / 3.0;
        let wanted = (column[c] - mean) / (variance + 1e-3).sqrt() * gamma[c];
        assert!((found[2].values()[i] - wanted).abs() < 1e-5);
    }
}

#[test]
fn upsampling_between_half_pixel_centres() {
    let x = Array::new([1, 1, 1, 2], vec![0.0, 4.0]);
    let nearest = value(
        Op::Upsample {
            factor: [1, 2],
            mode: UpsampleMode::Nearest,
        },
        &x,
    );
    assert_eq!(nearest.values(), [0.0, 0.0, 4.0, 4.0]);
    let bilinear = value(
        Op::Upsample {
            factor: [2, 2],
            mode: UpsampleMode::Bilinear,
        },
        &x,
    );
    assert_eq!(bilinear.values(), [0.0, 1.0, 3.0, 4.0, 0.0, 1.0, 3.0, 4.0]);
}
