//! The value of one node from the values of its inputs: one kernel, or a few, for each [`Op`].
//!
//! Inputs are taken by value: where nobody else holds one, the kernels write into its memory.

use burn::backend::ops::{
    ActivationOps, ConvOptions, ConvTransposeOptions, FloatTensorOps, InterpolateMode,
    InterpolateOptions, MaxPool2dWithIndices, ModuleOps,
};
use burn::backend::{IntDType, LibTorch, Scalar, Shape, Slice, TensorMetadata};
use burn_tch::TchTensor;
use tch::Tensor as Torch;

use super::Device;
use super::activation::activate;
use super::tensor::wrap;
use super::weights::{Weights, vector};
use crate::error::Result;
use crate::model::{
    Border, Conv, ConvTranspose, LayerNorm, Merge, Op, Padding, Parameter, Pool, PoolKind,
    UpsampleMode,
};

/// What a node needs beside its inputs.
pub(super) struct Context<'a> {
    pub weights: &'a mut Weights,
    pub device: Device,
    /// Left behind by a pool: where each maximum was found.
    pub maxima: Option<TchTensor>,
}

impl Context<'_> {
    pub(super) fn get(&mut self, parameter: &Parameter) -> Result<TchTensor> {
        self.weights.get(parameter, self.device)
    }

    fn optional(&mut self, parameter: Option<&Parameter>) -> Result<Option<TchTensor>> {
        parameter.map(|parameter| self.get(parameter)).transpose()
    }
}

/// Computes a node; `shape` is the output's, batch included, as shape inference found it.
pub(super) fn apply(
    op: &Op,
    mut inputs: Vec<TchTensor>,
    shape: &[usize],
    context: &mut Context,
) -> Result<TchTensor> {
    let many = matches!(op, Op::Merge(_) | Op::Concat { .. });
    let x = if many {
        None
    } else {
        Some(inputs.swap_remove(0))
    };
    let Some(x) = x else {
        return Ok(match op {
            Op::Concat { axis } => LibTorch::float_cat(inputs, *axis),
            Op::Merge(kind) => merge(*kind, inputs),
            _ => unreachable!("only these have many inputs"),
        });
    };
    Ok(match op {
        Op::Conv(conv) => {
            let weight = context.get(&conv.weight)?;
            let bias = context.optional(conv.bias.as_ref())?;
            convolve(conv, x, weight, bias)
        }
        Op::ConvTranspose(conv) => {
            let weight = context.get(&conv.weight)?;
            let bias = context.optional(conv.bias.as_ref())?;
            convolve_transposed(conv, x, weight, bias, shape)
        }
        Op::Dense { weight, bias } => {
            let weight = context.get(weight)?;
            match context.optional(bias.as_ref())? {
                Some(bias) if x.rank() == 2 => {
                    wrap(bias.tensor.addmm(&x.tensor, &weight.tensor), &x)
                }
                bias => {
                    let product = wrap(x.tensor.matmul(&weight.tensor), &x);
                    match bias {
                        Some(bias) => wrap(&product.tensor + &bias.tensor, &product),
                        None => product,
                    }
                }
            }
        }
        Op::BatchNorm(norm) => {
            let (scale, shift) = context.weights.batch_norm(norm, context.device)?;
            affine(&x, &scale, &shift, norm.axis)
        }
        Op::Affine {
            scale, shift, axis, ..
        } => {
            let scale = vector(scale.clone(), context.device)?;
            let shift = vector(shift.clone(), context.device)?;
            affine(&x, &scale, &shift, *axis)
        }
        Op::LayerNorm(norm) => {
            let gamma = context.optional(norm.gamma.as_ref())?;
            let beta = context.optional(norm.beta.as_ref())?;
            let (mut normal, _) = standardised(norm, &x);
            let rank = x.rank();
            if let Some(gamma) = gamma {
                normal *= aligned(&gamma, &norm.axes, rank);
            }
            if let Some(beta) = beta {
                normal += aligned(&beta, &norm.axes, rank);
            }
            wrap(normal, &x)
        }
        Op::Activation(kind) => activate(*kind, x),
        Op::PRelu { alpha } => {
            let alpha = context.get(alpha)?;
            let weakened = &x.tensor * &alpha.tensor;
            wrap(x.tensor.where_self(&x.tensor.gt(0.0), &weakened), &x)
        }
        Op::Softmax { axis } => LibTorch::softmax(x, *axis),
        Op::Pool(pool) => match pool.kind {
            PoolKind::Max => {
                let found = max_pool(pool, x);
                context.maxima = Some(found.indices);
                found.output
            }
            PoolKind::Average => average_pool(pool, x),
        },
        Op::GlobalPool { kind, .. } => {
            let pooled = match kind {
                PoolKind::Average => LibTorch::adaptive_avg_pool2d(x, [1, 1]),
                PoolKind::Max => wrap(x.tensor.amax([2, 3], true), &x),
            };
            reshape(pooled, shape)
        }
        Op::Pad { border, value } => pad(x, *border, *value),
        Op::Crop(border) => crop(x, *border),
        Op::Upsample { mode, .. } => {
            LibTorch::interpolate(x, [shape[2], shape[3]], interpolation(*mode))
        }
        Op::Reshape { .. } => reshape(x, shape),
        Op::Permute { axes } => LibTorch::float_permute(x, axes),
        Op::Identity => x,
        Op::Merge(_) | Op::Concat { .. } | Op::Input { .. } | Op::Unknown { .. } => {
            unreachable!("handled above, given by the run, or refused by shape inference")
        }
    })
}

pub(super) fn reshape(x: TchTensor, shape: &[usize]) -> TchTensor {
    LibTorch::float_reshape(x, Shape::from(shape.to_vec()))
}

pub(super) fn interpolation(mode: UpsampleMode) -> InterpolateOptions {
    let mode = match mode {
        UpsampleMode::Nearest => InterpolateMode::Nearest,
        UpsampleMode::Bilinear => InterpolateMode::Bilinear,
    };
    InterpolateOptions::new(mode).with_align_corners(false)
}

/// H and W of a feature map.
pub(super) fn plane(x: &TchTensor) -> [usize; 2] {
    let shape = x.shape();
    [shape[2], shape[3]]
}

/// The border as a padding that kernels do by themselves, if it is the same on opposite sides.
fn symmetric(border: Border) -> Option<[usize; 2]> {
    (border.top == border.bottom && border.left == border.right)
        .then_some([border.top, border.left])
}

/// Splits a border into what a kernel pads by itself and what has to be put around the input before.
pub(super) fn split(border: Border, allowed: impl Fn([usize; 2]) -> bool) -> (Border, [usize; 2]) {
    match symmetric(border) {
        Some(padding) if allowed(padding) => (Border::default(), padding),
        _ => (border, [0, 0]),
    }
}

pub(super) fn pad(x: TchTensor, border: Border, value: f32) -> TchTensor {
    if border == Border::default() {
        return x;
    }
    let sides = [border.left, border.right, border.top, border.bottom].map(|side| side as i64);
    let padded = if value == 0.0 {
        x.tensor.constant_pad_nd(sides)
    } else {
        x.tensor.pad(sides, "constant", Some(f64::from(value)))
    };
    wrap(padded, &x)
}

pub(super) fn crop(x: TchTensor, border: Border) -> TchTensor {
    if border == Border::default() {
        return x;
    }
    let [height, width] = plane(&x);
    let keep = |start: usize, end: usize| Slice::from(start..end);
    let slices = [
        Slice::from(..),
        Slice::from(..),
        keep(border.top, height - border.bottom),
        keep(border.left, width - border.right),
    ];
    LibTorch::float_slice(x, &slices)
}

fn kernel_size(weight: &TchTensor) -> [usize; 2] {
    plane(weight)
}

fn convolve(conv: &Conv, x: TchTensor, weight: TchTensor, bias: Option<TchTensor>) -> TchTensor {
    let border = conv
        .padding
        .border(plane(&x), kernel_size(&weight), conv.stride, conv.dilation);
    let (outside, padding) = split(border, |_| true);
    let options = ConvOptions::new(conv.stride, padding, conv.dilation, conv.groups);
    LibTorch::conv2d(pad(x, outside, 0.0), weight, bias, options)
}

/// What a transposed convolution's full result has too much (cut) and too little (at the bottom and right).
pub(super) fn transposed_fringe(
    conv: &ConvTranspose,
    input: [usize; 2],
    kernel: [usize; 2],
    output: [usize; 2],
) -> (Border, [usize; 2]) {
    let full = |i: usize| (input[i] - 1) * conv.stride[i] + (kernel[i] - 1) * conv.dilation[i] + 1;
    match conv.padding {
        Padding::Explicit(border) => (border, conv.output_padding),
        Padding::Same => {
            let excess = |i: usize| full(i).saturating_sub(output[i]);
            let (rows, columns) = (excess(0), excess(1));
            let border = Border {
                top: rows / 2,
                bottom: rows - rows / 2,
                left: columns / 2,
                right: columns - columns / 2,
            };
            (
                border,
                [
                    output[0].saturating_sub(full(0)),
                    output[1].saturating_sub(full(1)),
                ],
            )
        }
    }
}

fn convolve_transposed(
    conv: &ConvTranspose,
    x: TchTensor,
    weight: TchTensor,
    bias: Option<TchTensor>,
    shape: &[usize],
) -> TchTensor {
    let (cut, extra) =
        transposed_fringe(conv, plane(&x), kernel_size(&weight), [shape[2], shape[3]]);
    let options = ConvTransposeOptions::new(conv.stride, [0, 0], extra, conv.dilation, conv.groups);
    crop(LibTorch::conv_transpose2d(x, weight, bias, options), cut)
}

/// The maxima, and where each was found: libtorch finds both at once.
pub(super) fn max_pool(pool: &Pool, x: TchTensor) -> MaxPool2dWithIndices<LibTorch> {
    let (outside, padding) = pool_padding(pool, plane(&x));
    let x = pad(x, outside, f32::NEG_INFINITY);
    LibTorch::max_pool2d_with_indices(
        x,
        pool.window,
        pool.stride,
        padding,
        [1, 1],
        false,
        IntDType::I64,
    )
}

/// The part of a pool's padding that has to be put around the input, and the part that the kernel does.
pub(super) fn pool_padding(pool: &Pool, input: [usize; 2]) -> (Border, [usize; 2]) {
    let border = pool.padding.border(input, pool.window, pool.stride, [1, 1]);
    // libtorch refuses more than half a window.
    split(border, |padding| {
        padding[0] <= pool.window[0] / 2 && padding[1] <= pool.window[1] / 2
    })
}

fn average_pool(pool: &Pool, x: TchTensor) -> TchTensor {
    let input = plane(&x);
    let (outside, padding) = pool_padding(pool, input);
    let padded = pad(x, outside, 0.0);
    let count = pool.count_padding || outside != Border::default();
    let mean = LibTorch::avg_pool2d(padded, pool.window, pool.stride, padding, count, false);
    match coverage(pool, input, outside, &mean) {
        Some(correction) => wrap(&mean.tensor * correction, &mean),
        None => mean,
    }
}

/// Where zeros put around the input were counted and shouldn't be: the window's size over the number of its
/// positions that lie on the input, for each output position.
pub(super) fn coverage(
    pool: &Pool,
    input: [usize; 2],
    outside: Border,
    output: &TchTensor,
) -> Option<Torch> {
    if pool.count_padding || outside == Border::default() {
        return None;
    }
    let [height, width] = plane(output);
    let covered = |position: usize, i: usize, before: usize| {
        let start = position * pool.stride[i];
        let end = (start + pool.window[i]).min(before + input[i]);
        end.saturating_sub(start.max(before)).max(1)
    };
    let whole = (pool.window[0] * pool.window[1]) as f32;
    let rows: Vec<usize> = (0..height).map(|y| covered(y, 0, outside.top)).collect();
    let columns: Vec<usize> = (0..width).map(|x| covered(x, 1, outside.left)).collect();
    let values: Vec<f32> = rows
        .iter()
        .flat_map(|row| {
            columns
                .iter()
                .map(move |column| whole / (row * column) as f32)
        })
        .collect();
    let map = Torch::from_slice(&values).view([1, 1, height as i64, width as i64]);
    Some(map.to_device(output.tensor.device()))
}

fn affine(x: &TchTensor, scale: &TchTensor, shift: &TchTensor, axis: usize) -> TchTensor {
    let rank = x.rank();
    let (scale, shift) = if scale.shape()[0] == 1 {
        (scale.tensor.view([1]), shift.tensor.view([1]))
    } else {
        (aligned(scale, &[axis], rank), aligned(shift, &[axis], rank))
    };
    wrap(shift.addcmul(&x.tensor, &scale), x)
}

/// A parameter over some axes (ascending), made to broadcast against a tensor of the given rank.
pub(super) fn aligned(parameter: &TchTensor, axes: &[usize], rank: usize) -> Torch {
    let lengths = parameter.shape();
    let mut shape = vec![1_i64; rank];
    for (axis, length) in axes.iter().zip(lengths.iter()) {
        shape[*axis] = *length as i64;
    }
    parameter.tensor.view(&shape[..])
}

/// The standardised input of a layer normalisation, and the standard deviation it was divided by.
pub(super) fn standardised(norm: &LayerNorm, x: &TchTensor) -> (Torch, Torch) {
    let axes: Vec<i64> = norm.axes.iter().map(|&axis| axis as i64).collect();
    let mean = x.tensor.mean_dim(&axes[..], true, None);
    let centred = &x.tensor - mean;
    let variance = centred.square().mean_dim(&axes[..], true, None);
    let deviation = (variance + f64::from(norm.epsilon)).sqrt();
    (centred / &deviation, deviation)
}

fn merge(kind: Merge, inputs: Vec<TchTensor>) -> TchTensor {
    let count = inputs.len();
    let mut inputs = inputs.into_iter();
    let Some(first) = inputs.next() else {
        unreachable!("shape inference refuses a node without inputs")
    };
    let result = inputs.fold(first, |a, b| {
        if a.shape() != b.shape() {
            let result = match kind {
                Merge::Add | Merge::Average => &a.tensor + &b.tensor,
                Merge::Subtract => &a.tensor - &b.tensor,
                Merge::Multiply => &a.tensor * &b.tensor,
                Merge::Maximum => a.tensor.maximum(&b.tensor),
                Merge::Minimum => a.tensor.minimum(&b.tensor),
            };
            return TchTensor::new(result);
        }
        match kind {
            Merge::Add | Merge::Average => LibTorch::float_add(a, b),
            Merge::Subtract => LibTorch::float_sub(a, b),
            Merge::Multiply => LibTorch::float_mul(a, b),
            Merge::Maximum => TchTensor::new(a.tensor.maximum(&b.tensor)),
            Merge::Minimum => TchTensor::new(a.tensor.minimum(&b.tensor)),
        }
    });
    if kind == Merge::Average {
        return LibTorch::float_mul_scalar(result, Scalar::from(1.0 / count as f64));
    }
    result
}
