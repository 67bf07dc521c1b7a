//! The elementwise functions and their derivatives.

use burn::backend::ops::{ActivationOps, FloatTensorOps};
use burn::backend::{LibTorch, Scalar};
use burn_tch::TchTensor;
use tch::Tensor as Torch;

use super::tensor::wrap;
use crate::model::Activation;

/// SELU's constants, from Klambauer et al. 2017.
const SELU_ALPHA: f32 = 1.673_263_2;
const SELU_SCALE: f32 = 1.050_701;

/// The value of an elementwise function.
pub(super) fn activate(kind: Activation, x: TchTensor) -> TchTensor {
    match kind {
        Activation::Relu {
            max,
            slope,
            threshold,
        } => rectify(x, max, slope, threshold),
        Activation::Sigmoid => LibTorch::sigmoid(x),
        Activation::Tanh => LibTorch::float_tanh(x),
        Activation::Exponential => LibTorch::float_exp(x),
        Activation::Gelu { approximate: false } => LibTorch::gelu(x),
        _ => wrap(elementwise(kind, &x.tensor), &x),
    }
}

/// Keras's general rectifier: `max` from `max` on, the input itself above the threshold, and below it the
/// slope times the distance from the threshold.
fn rectify(x: TchTensor, max: Option<f32>, slope: f32, threshold: f32) -> TchTensor {
    let scalar = |value: f32| Scalar::from(f64::from(value));
    let ramp = if threshold == 0.0 && slope == 0.0 {
        return match max {
            None => LibTorch::relu(x),
            Some(max) => LibTorch::float_clamp(x, scalar(0.0), scalar(max)),
        };
    } else if threshold == 0.0 {
        let below = LibTorch::float_mul_scalar(x.clone(), scalar(slope));
        wrap(x.tensor.where_self(&x.tensor.gt(0.0), &below.tensor), &x)
    } else {
        let below = (&x.tensor - f64::from(threshold)) * f64::from(slope);
        wrap(
            x.tensor
                .where_self(&x.tensor.ge(f64::from(threshold)), &below),
            &x,
        )
    };
    match max {
        Some(max) => LibTorch::float_clamp_max(ramp, scalar(max)),
        None => ramp,
    }
}

fn elementwise(kind: Activation, x: &Torch) -> Torch {
    match kind {
        Activation::Elu { alpha } => exponential_unit(x, alpha, 1.0, 1.0),
        Activation::Selu => exponential_unit(x, SELU_ALPHA, SELU_SCALE, 1.0),
        Activation::Celu { alpha } => exponential_unit(x, alpha, 1.0, 1.0 / alpha),
        Activation::Gelu { approximate } => x.gelu(if approximate { "tanh" } else { "none" }),
        Activation::Silu => x.silu(),
        Activation::HardSigmoid { slope } => (x * f64::from(slope) + 0.5).clamp(0.0, 1.0),
        Activation::HardSilu => x.hardswish(),
        Activation::HardTanh => x.clamp(-1.0, 1.0),
        Activation::Softplus => x.softplus(),
        Activation::Softsign => x / (x.abs() + 1.0),
        Activation::Mish => x.mish(),
        Activation::Relu { .. }
        | Activation::Sigmoid
        | Activation::Tanh
        | Activation::Exponential => {
            unreachable!("burn's own operations")
        }
    }
}

/// `scale * x` above 0, `scale * alpha * (exp(input_scale * x) - 1)` below.
fn exponential_unit(x: &Torch, alpha: f32, scale: f32, input_scale: f32) -> Torch {
    let below = (x.clamp_max(0.0) * f64::from(input_scale)).expm1() * f64::from(alpha);
    (x.clamp_min(0.0) + below) * f64::from(scale)
}

/// The derivative at `x`, times the gradient `g`, of a function whose derivative isn't made from its output.
pub(super) fn derivative(kind: Activation, x: &Torch, g: &Torch) -> Torch {
    let unit = |alpha: f32, scale: f32, input_scale: f32| {
        let below =
            (x.clamp_max(0.0) * f64::from(input_scale)).exp() * f64::from(alpha * input_scale);
        Torch::ones_like(x).where_self(&x.gt(0.0), &below) * f64::from(scale)
    };
    match kind {
        Activation::Elu { alpha } => g * unit(alpha, 1.0, 1.0),
        Activation::Selu => g * unit(SELU_ALPHA, SELU_SCALE, 1.0),
        Activation::Celu { alpha } => g * unit(alpha, 1.0, 1.0 / alpha),
        Activation::Gelu { approximate } => {
            let formula = if approximate { "tanh" } else { "none" };
            x.expand_as(g).gelu_backward(g, formula)
        }
        Activation::Silu => {
            let s = x.sigmoid();
            g * (&s * (x * (1.0 - &s) + 1.0))
        }
        Activation::HardSigmoid { slope } => {
            let y = x * f64::from(slope) + 0.5;
            g * inside(&y, 0.0, 1.0) * f64::from(slope)
        }
        Activation::HardSilu => {
            let middle = inside(x, -3.0, 3.0) * (x / 3.0 + 0.5);
            g * (middle + x.ge(3.0).to_kind(tch::Kind::Float))
        }
        Activation::HardTanh => g * inside(x, -1.0, 1.0),
        Activation::Softplus => g * x.sigmoid(),
        Activation::Softsign => g / (x.abs() + 1.0).square(),
        Activation::Mish => {
            let t = x.softplus().tanh();
            let slope = x * x.sigmoid() * (1.0 - t.square());
            g * (t + slope)
        }
        Activation::Relu { .. }
        | Activation::Sigmoid
        | Activation::Tanh
        | Activation::Exponential => {
            unreachable!("handled by their outputs")
        }
    }
}

/// 1 strictly between two bounds, else 0.
fn inside(x: &Torch, low: f64, high: f64) -> Torch {
    x.gt(low).logical_and(&x.lt(high)).to_kind(tch::Kind::Float)
}
