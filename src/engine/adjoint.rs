//! The gradient of one node: from the gradient at its output to the gradients at its inputs.
//!
//! A run of one example may be swept with K gradients at once: then gradients have batch K and the values
//! they meet have batch 1, and broadcast.

use burn::backend::ops::{ConvOptions, ConvTransposeOptions, FloatTensorOps, ModuleOps};
use burn::backend::{FloatDType, LibTorch, Scalar, Slice, TensorMetadata};
use burn_tch::TchTensor;
use tch::Device::Cpu;
use tch::Tensor as Torch;
use tch::utils::has_mkldnn;

use super::ReluRule;
use super::activation::derivative;
use super::apply::{
    Context, aligned, coverage, crop, interpolation, max_pool, pad, plane, pool_padding, reshape,
    standardised, transposed_fringe,
};
use super::tensor::{channels_last, wrap};
use super::weights::vector;
use crate::error::Result;
use crate::model::{Activation, Border, Conv, ConvTranspose, Merge, Op, Pool, PoolKind};

/// Which values of the forward pass a node's gradient is made from; the others needn't be kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// Shapes only.
    Nothing,
    /// Its inputs.
    Inputs,
    /// Its inputs and its output.
    Both,
    /// Its output.
    Output,
}

pub(super) fn needs(op: &Op) -> Needs {
    match op {
        Op::Activation(Activation::Sigmoid | Activation::Tanh | Activation::Exponential)
        | Op::Softmax { .. } => Needs::Output,
        // A rectifier's output shows where it was open, and keeping that lets it overwrite its input.
        Op::Activation(Activation::Relu {
            slope, threshold, ..
        }) if *slope == 0.0 && *threshold == 0.0 => Needs::Output,
        Op::Activation(_)
        | Op::PRelu { .. }
        | Op::LayerNorm(_)
        | Op::Pool(Pool {
            kind: PoolKind::Max,
            ..
        })
        | Op::Merge(Merge::Multiply | Merge::Maximum | Merge::Minimum) => Needs::Inputs,
        Op::GlobalPool {
            kind: PoolKind::Max,
            ..
        } => Needs::Both,
        _ => Needs::Nothing,
    }
}

/// One node in the backward sweep. Shapes are without batch.
pub(super) struct Step<'a> {
    pub op: &'a Op,
    /// Values of the inputs, where [`needs`] asks for them.
    pub inputs: Vec<Option<TchTensor>>,
    /// Value of the output, where [`needs`] asks for it.
    pub output: Option<TchTensor>,
    /// Of a pool, if the pass forward left them: where the maxima were found.
    pub maxima: Option<TchTensor>,
    pub input_shapes: Vec<&'a [usize]>,
    pub rule: ReluRule,
}

impl Step<'_> {
    fn input(&self, index: usize) -> &TchTensor {
        match self.inputs.get(index) {
            Some(Some(value)) => value,
            _ => unreachable!("the sweep provides what `needs` asks for"),
        }
    }

    fn output(&self) -> &TchTensor {
        match &self.output {
            Some(value) => value,
            None => unreachable!("the sweep provides what `needs` asks for"),
        }
    }

    fn input_plane(&self) -> [usize; 2] {
        [self.input_shapes[0][1], self.input_shapes[0][2]]
    }

    /// The gradients at all inputs.
    pub(super) fn gradients(&self, g: TchTensor, context: &mut Context) -> Result<Vec<TchTensor>> {
        match self.op {
            Op::Merge(kind) => return Ok(self.merge(*kind, &g)),
            Op::Concat { axis } => return Ok(self.split(*axis, &g)),
            _ => {}
        }
        let batch = g.shape()[0];
        let input_shape: Vec<usize> = [&[batch], self.input_shapes[0]].concat();
        let gradient = match self.op {
            Op::Conv(conv) => {
                let weight = context.get(&conv.weight)?;
                self.convolution(conv, g, weight)
            }
            Op::ConvTranspose(conv) => {
                let weight = context.get(&conv.weight)?;
                self.transposed(conv, g, weight)
            }
            Op::Dense { weight, .. } => {
                let weight = context.get(weight)?;
                wrap(g.tensor.matmul(&weight.tensor.transpose(0, 1)), &g)
            }
            Op::BatchNorm(norm) => {
                let (scale, _) = context.weights.batch_norm(norm, context.device)?;
                wrap(&g.tensor * aligned(&scale, &[norm.axis], g.rank()), &g)
            }
            Op::Affine { scale, axis, .. } => {
                let single = scale.len() == 1;
                let scale = vector(scale.clone(), context.device)?;
                let scale = if single {
                    scale.tensor
                } else {
                    aligned(&scale, &[*axis], g.rank())
                };
                wrap(&g.tensor * scale, &g)
            }
            Op::LayerNorm(norm) => {
                // With n the standardised input and s its deviation: (g - mean(g) - n mean(g n)) / s.
                let (normal, deviation) = standardised(norm, self.input(0));
                let g = match &norm.gamma {
                    Some(gamma) => &g.tensor * aligned(&context.get(gamma)?, &norm.axes, g.rank()),
                    None => g.tensor.shallow_clone(),
                };
                let axes: Vec<i64> = norm.axes.iter().map(|&axis| axis as i64).collect();
                let mean = g.mean_dim(&axes[..], true, None);
                let along = (&g * &normal).mean_dim(&axes[..], true, None);
                TchTensor::new((g - mean - normal * along) / deviation)
            }
            Op::Activation(kind) => self.activation(*kind, g),
            Op::PRelu { alpha } => {
                let alpha = context.get(alpha)?;
                let weakened = &g.tensor * &alpha.tensor;
                wrap(
                    g.tensor
                        .where_self(&self.input(0).tensor.gt(0.0), &weakened),
                    &g,
                )
            }
            Op::Softmax { axis } => {
                let y = &self.output().tensor;
                let sum = (&g.tensor * y).sum_dim_intlist([*axis as i64].as_slice(), true, None);
                wrap((&g.tensor - sum) * y, &g)
            }
            Op::Pool(pool) => match pool.kind {
                PoolKind::Max => self.max_pool(pool, g),
                PoolKind::Average => self.average_pool(pool, &g),
            },
            Op::GlobalPool { kind, .. } => self.global_pool(*kind, g, &input_shape),
            Op::Pad { border, .. } => crop(g, *border),
            Op::Crop(border) => pad(g, *border, 0.0),
            Op::Upsample { mode, .. } => {
                let like = LibTorch::float_empty(
                    input_shape.into(),
                    &context.device.handle(),
                    FloatDType::F32,
                );
                let size = plane(&g);
                LibTorch::interpolate_backward(like, g, size, interpolation(*mode))
            }
            Op::Reshape { .. } => reshape(g, &input_shape),
            Op::Permute { axes } => {
                let mut inverse = vec![0; axes.len()];
                for (to, &from) in axes.iter().enumerate() {
                    inverse[from] = to;
                }
                LibTorch::float_permute(g, &inverse)
            }
            Op::Identity => g,
            Op::Merge(_) | Op::Concat { .. } | Op::Input { .. } | Op::Unknown { .. } => {
                unreachable!("handled above, or without inputs, or refused by shape inference")
            }
        };
        Ok(vec![gradient])
    }

    /// The transposed convolution, on the input with its border, which is then cut off.
    fn convolution(&self, conv: &Conv, g: TchTensor, weight: TchTensor) -> TchTensor {
        let input = self.input_plane();
        let kernel = plane(&weight);
        let border = conv
            .padding
            .border(input, kernel, conv.stride, conv.dilation);
        let padded = [
            input[0] + border.top + border.bottom,
            input[1] + border.left + border.right,
        ];
        let symmetric = border.top == border.bottom && border.left == border.right;
        if symmetric && let Some(padding) = few_filters(conv, &weight, border) {
            let turned = weight.tensor.flip([2, 3]).transpose(0, 1);
            let turned = channels_last(wrap(turned, &weight));
            // Left to itself libtorch does small planes by a way that takes thirty times as long.
            if g.tensor.device() == Cpu && has_mkldnn() {
                let [padding, dilation] =
                    [padding, conv.dilation].map(|pair| pair.map(|side| side as i64));
                let gradient = g.tensor.mkldnn_convolution(
                    &turned.tensor,
                    None::<Torch>,
                    padding,
                    [1, 1],
                    dilation,
                    1,
                );
                return wrap(gradient, &g);
            }
            let options = ConvOptions::new([1, 1], padding, conv.dilation, 1);
            return LibTorch::conv2d(g, turned, None, options);
        }
        let output = plane(&g);
        // Rows and columns at the end that no window reached.
        let rest = |i: usize| {
            padded[i] - ((output[i] - 1) * conv.stride[i] + (kernel[i] - 1) * conv.dilation[i] + 1)
        };
        let rest = [rest(0), rest(1)];
        let allowed = |i: usize| rest[i] < conv.stride[i].max(conv.dilation[i]);
        if symmetric && allowed(0) && allowed(1) {
            let padding = [border.top, border.left];
            let options =
                ConvTransposeOptions::new(conv.stride, padding, rest, conv.dilation, conv.groups);
            return LibTorch::conv_transpose2d(g, weight, None, options);
        }
        let options =
            ConvTransposeOptions::new(conv.stride, [0, 0], [0, 0], conv.dilation, conv.groups);
        let full = LibTorch::conv_transpose2d(g, weight, None, options);
        // What was never reached has no gradient; what was reached beyond the input is cut off.
        let reached = |i: usize| padded[i] - rest[i];
        let extra = |i: usize, before: usize| (before + input[i]).saturating_sub(reached(i));
        let over = |i: usize, before: usize| reached(i).saturating_sub(before + input[i]);
        let grown = Border {
            bottom: extra(0, border.top),
            right: extra(1, border.left),
            ..Border::default()
        };
        let cut = Border {
            top: border.top,
            left: border.left,
            bottom: over(0, border.top),
            right: over(1, border.left),
        };
        crop(pad(full, grown, 0.0), cut)
    }

    /// The convolution that it is the transpose of.
    fn transposed(&self, conv: &ConvTranspose, g: TchTensor, weight: TchTensor) -> TchTensor {
        let input = self.input_plane();
        let (cut, _) = transposed_fringe(conv, input, plane(&weight), plane(&g));
        let options = ConvOptions::new(conv.stride, [0, 0], conv.dilation, conv.groups);
        let gradient = LibTorch::conv2d(pad(g, cut, 0.0), weight, None, options);
        let [height, width] = plane(&gradient);
        let surplus = Border {
            bottom: height.saturating_sub(input[0]),
            right: width.saturating_sub(input[1]),
            ..Border::default()
        };
        crop(gradient, surplus)
    }

    fn max_pool(&self, pool: &Pool, g: TchTensor) -> TchTensor {
        let (outside, padding) = pool_padding(pool, self.input_plane());
        let maxima = match &self.maxima {
            Some(maxima) => maxima.clone(),
            None => max_pool(pool, self.input(0).clone()).indices,
        };
        let x = pad(self.input(0).clone(), outside, f32::NEG_INFINITY);
        let batch = g.shape()[0];
        let gradient = LibTorch::max_pool2d_with_indices_backward(
            repeated(x, batch),
            pool.window,
            pool.stride,
            padding,
            [1, 1],
            false,
            g,
            repeated(maxima, batch),
        );
        crop(gradient.x_grad, outside)
    }

    fn average_pool(&self, pool: &Pool, g: &TchTensor) -> TchTensor {
        let input = self.input_plane();
        let (outside, padding) = pool_padding(pool, input);
        let g = match coverage(pool, input, outside, g) {
            Some(correction) => wrap(&g.tensor * correction, g),
            None => g.clone(),
        };
        let batch = g.shape()[0];
        let padded = [
            batch,
            self.input_shapes[0][0],
            input[0] + outside.top + outside.bottom,
            input[1] + outside.left + outside.right,
        ];
        let like = wrap(
            g.tensor.new_empty(
                padded.map(|axis| axis as i64),
                (g.tensor.kind(), g.tensor.device()),
            ),
            &g,
        );
        let count = pool.count_padding || outside != Border::default();
        let gradient =
            LibTorch::avg_pool2d_backward(like, g, pool.window, pool.stride, padding, count, false);
        crop(gradient, outside)
    }

    fn global_pool(&self, kind: PoolKind, g: TchTensor, input_shape: &[usize]) -> TchTensor {
        let [height, width] = self.input_plane();
        let g = reshape(g, &[input_shape[0], input_shape[1], 1, 1]);
        match kind {
            PoolKind::Average => {
                let share =
                    LibTorch::float_mul_scalar(g, Scalar::from(1.0 / (height * width) as f64));
                LibTorch::float_expand(share, input_shape.to_vec().into())
            }
            // Equal maxima share the gradient.
            PoolKind::Max => {
                let x = self.input(0);
                let y = self
                    .output()
                    .tensor
                    .view([x.shape()[0] as i64, x.shape()[1] as i64, 1, 1]);
                let mask = x.tensor.eq_tensor(&y).to_kind(tch::Kind::Float);
                let count = mask.sum_dim_intlist([2_i64, 3].as_slice(), true, None);
                wrap(mask / count * &g.tensor, &g)
            }
        }
    }

    fn activation(&self, kind: Activation, g: TchTensor) -> TchTensor {
        if let Activation::Relu {
            max,
            slope,
            threshold,
        } = kind
        {
            return self.rectifier(g, max, slope, threshold);
        }
        let gradient = match kind {
            Activation::Sigmoid => Torch::sigmoid_backward(&g.tensor, &self.output().tensor),
            Activation::Tanh => Torch::tanh_backward(&g.tensor, &self.output().tensor),
            Activation::Exponential => &g.tensor * &self.output().tensor,
            _ => derivative(kind, &self.input(0).tensor, &g.tensor),
        };
        wrap(gradient, &g)
    }

    fn rectifier(&self, g: TchTensor, max: Option<f32>, slope: f32, threshold: f32) -> TchTensor {
        let plain = slope == 0.0 && threshold == 0.0;
        // The rules are made for units that are either open or shut; others keep their gradient.
        let rule = if slope == 0.0 {
            self.rule
        } else {
            ReluRule::Gradient
        };
        let g = match rule {
            ReluRule::Gradient => g,
            ReluRule::Guided | ReluRule::Deconvnet => {
                LibTorch::float_clamp_min(g, Scalar::from(0.0))
            }
        };
        if rule == ReluRule::Deconvnet {
            return g;
        }
        if plain {
            let y = &self.output().tensor;
            return match max {
                // Written into the gradient's own memory where nobody else holds it.
                None if g.can_mut() => {
                    let shut = y.threshold_backward_grad_input(&g.tensor, &g.tensor, 0.0);
                    wrap(shut, &g)
                }
                None => wrap(y.threshold_backward(&g.tensor, 0.0), &g),
                Some(max) => wrap(y.hardtanh_backward(&g.tensor, 0.0, f64::from(max)), &g),
            };
        }
        let x = &self.input(0).tensor;
        let above = if threshold == 0.0 {
            x.gt(0.0)
        } else {
            x.ge(f64::from(threshold))
        };
        let gradient = g.tensor.where_self(&above, &(&g.tensor * f64::from(slope)));
        let gradient = match max {
            Some(max) => gradient * x.lt(f64::from(max)).to_kind(tch::Kind::Float),
            None => gradient,
        };
        wrap(gradient, &g)
    }

    fn merge(&self, kind: Merge, g: &TchTensor) -> Vec<TchTensor> {
        let count = self.input_shapes.len();
        (0..count)
            .map(|index| {
                let gradient = match kind {
                    Merge::Add => g.tensor.shallow_clone(),
                    Merge::Average => &g.tensor / count as f64,
                    Merge::Subtract if index == 0 => g.tensor.shallow_clone(),
                    Merge::Subtract => g.tensor.neg(),
                    Merge::Multiply => (0..count)
                        .filter(|&other| other != index)
                        .fold(g.tensor.shallow_clone(), |product, other| {
                            product * &self.input(other).tensor
                        }),
                    Merge::Maximum | Merge::Minimum => self.winner(kind, index, &g.tensor),
                };
                reduced(&wrap(gradient, g), self.input_shapes[index])
            })
            .collect()
    }

    /// The gradient goes to the input that won; among equals, to the first.
    fn winner(&self, kind: Merge, index: usize, g: &Torch) -> Torch {
        let x = &self.input(index).tensor;
        (0..self.input_shapes.len())
            .filter(|&other| other != index)
            .fold(g.shallow_clone(), |g, other| {
                let y = &self.input(other).tensor;
                let wins = match (kind, index < other) {
                    (Merge::Maximum, true) => x.ge_tensor(y),
                    (Merge::Maximum, false) => x.gt_tensor(y),
                    (_, true) => x.le_tensor(y),
                    (_, false) => x.lt_tensor(y),
                };
                g * wins.to_kind(tch::Kind::Float)
            })
    }

    fn split(&self, axis: usize, g: &TchTensor) -> Vec<TchTensor> {
        let mut start = 0;
        self.input_shapes
            .iter()
            .map(|shape| {
                let length = shape[axis - 1];
                let mut slices = vec![Slice::from(..); g.rank()];
                slices[axis] = Slice::from(start..start + length);
                start += length;
                LibTorch::float_slice(g.clone(), &slices)
            })
            .collect()
    }
}

/// Sums over the axes along which an input was broadcast.
fn reduced(g: &TchTensor, shape: &[usize]) -> TchTensor {
    let rank = g.rank();
    let missing = rank - 1 - shape.len();
    let gradient_shape = g.shape();
    let axes: Vec<i64> = (1..rank)
        .filter(|&axis| {
            axis <= missing || (shape[axis - 1 - missing] == 1 && gradient_shape[axis] != 1)
        })
        .map(|axis| axis as i64)
        .collect();
    if axes.is_empty() {
        return g.clone();
    }
    let sum = g.tensor.sum_dim_intlist(&axes[..], true, None);
    reshape(wrap(sum, g), &[&[gradient_shape[0]], shape].concat())
}

/// With steps of one place the transpose is a convolution itself, with kernels turned round and this padding. For few
/// filters libtorch has no fast transpose, and turning their kernels takes no time.
fn few_filters(conv: &Conv, weight: &TchTensor, border: Border) -> Option<[usize; 2]> {
    const FEW: usize = 8;
    let [rows, columns] = plane(weight);
    let reach = [rows - 1, columns - 1];
    let padding = |axis: usize, side: usize| (reach[axis] * conv.dilation[axis]).checked_sub(side);
    let simple = conv.stride == [1, 1] && conv.groups == 1 && weight.shape()[0] <= FEW;
    simple.then_some([padding(0, border.top)?, padding(1, border.left)?])
}

/// A value of one example, seen as a batch of equal ones.
fn repeated(value: TchTensor, batch: usize) -> TchTensor {
    if value.shape()[0] == batch {
        return value;
    }
    let mut shape = value.shape().as_slice().to_vec();
    shape[0] = batch;
    LibTorch::float_expand(value, shape.into())
}
