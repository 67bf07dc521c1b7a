//! What a node computes.
//!
//! Conventions: rank-4 tensors are (N,C,H,W) whatever the file's own layout; tensors of other ranks keep
//! the file's axes. Axis numbers count the batch axis (0). Kernels are (out, in/groups, H, W).

use super::Parameter;

/// One step of the graph. A node's inputs are listed beside it, in [`super::Node`].
#[derive(Clone, Debug)]
pub enum Op {
    /// Where the user's image enters. The shape is without batch; `None` where the file leaves it open.
    Input {
        /// (C,H,W) for images.
        shape: Vec<Option<usize>>,
    },
    /// Cross-correlation over H and W.
    Conv(Conv),
    /// The transpose (gradient) of a convolution.
    ConvTranspose(ConvTranspose),
    /// `x W + b` over the last axis.
    Dense {
        /// (in, out).
        weight: Parameter,
        /// (out).
        bias: Option<Parameter>,
    },
    /// `(x - mean) / sqrt(variance + epsilon) * gamma + beta` along one axis, with fixed statistics.
    BatchNorm(BatchNorm),
    /// Standardisation over the given axes of each example, then `* gamma + beta`.
    LayerNorm(LayerNorm),
    /// `x * scale + shift`; one value, or one per index of `axis`.
    Affine {
        /// Factor.
        scale: Vec<f32>,
        /// Summand, applied after the factor; as long as `scale`.
        shift: Vec<f32>,
        /// Ignored where there is one value only.
        axis: usize,
        /// The weights that these constants were made from, where the file has them as weights.
        source: Vec<Parameter>,
    },
    /// An elementwise function.
    Activation(Activation),
    /// `max(x, 0) + alpha * min(x, 0)` with a learned alpha.
    PRelu {
        /// Broadcast against an example (without batch).
        alpha: Parameter,
    },
    /// Exponentials that sum to 1 along an axis.
    Softmax {
        /// Counting the batch axis.
        axis: usize,
    },
    /// A window moved over H and W.
    Pool(Pool),
    /// Maximum or mean over H and W.
    GlobalPool {
        /// Which of the two.
        kind: PoolKind,
        /// (N,C,1,1) if set, else (N,C).
        keep: bool,
    },
    /// A border of a constant around H and W.
    Pad {
        /// How much.
        border: Border,
        /// Of what.
        value: f32,
    },
    /// H and W without a border.
    Crop(Border),
    /// H and W enlarged by whole factors.
    Upsample {
        /// For H and W.
        factor: [usize; 2],
        /// How the new values are found.
        mode: UpsampleMode,
    },
    /// Elementwise over all inputs, which have equally many axes; an axis of length 1 serves every length.
    Merge(Merge),
    /// Inputs one behind the other along an axis.
    Concat {
        /// Counting the batch axis.
        axis: usize,
    },
    /// Another shape of the same size, row-major; without batch, `None` at most once, for "the rest".
    Reshape {
        /// Without batch.
        shape: Vec<Option<usize>>,
    },
    /// Axes in another order: output axis `i` is input axis `axes[i]`; `axes[0]` is 0, the batch.
    Permute {
        /// Counting the batch axis.
        axes: Vec<usize>,
    },
    /// What has no effect in inference: dropout and its kin.
    Identity,
    /// A layer this program doesn't know. It is shown, and nothing behind it can be computed.
    Unknown {
        /// Its weights, for the summary.
        parameters: Vec<Parameter>,
    },
}

/// See [`Op::Conv`].
#[derive(Clone, Debug)]
pub struct Conv {
    /// (out, in/groups, H, W).
    pub weight: Parameter,
    /// (out).
    pub bias: Option<Parameter>,
    /// Step along H and W.
    pub stride: [usize; 2],
    /// Zeros around the input.
    pub padding: Padding,
    /// Distance between the kernel's taps along H and W.
    pub dilation: [usize; 2],
    /// Channels are cut into this many parts that don't see each other.
    pub groups: usize,
}

/// See [`Op::ConvTranspose`].
#[derive(Clone, Debug)]
pub struct ConvTranspose {
    /// (in, out/groups, H, W).
    pub weight: Parameter,
    /// (out).
    pub bias: Option<Parameter>,
    /// Step along H and W of the convolution that this is the transpose of.
    pub stride: [usize; 2],
    /// What is cut off the full result; `Same` gives input times stride.
    pub padding: Padding,
    /// Rows and columns added at the bottom and right of an `Explicit` result.
    pub output_padding: [usize; 2],
    /// Distance between the kernel's taps along H and W.
    pub dilation: [usize; 2],
    /// Channels are cut into this many parts that don't see each other.
    pub groups: usize,
}

/// See [`Op::BatchNorm`]. Each parameter has as many values as the axis.
#[derive(Clone, Debug)]
pub struct BatchNorm {
    /// Factor; 1 if absent.
    pub gamma: Option<Parameter>,
    /// Summand; 0 if absent.
    pub beta: Option<Parameter>,
    /// Moving mean.
    pub mean: Parameter,
    /// Moving variance.
    pub variance: Parameter,
    /// Added to the variance.
    pub epsilon: f32,
    /// Counting the batch axis.
    pub axis: usize,
}

/// See [`Op::LayerNorm`].
#[derive(Clone, Debug)]
pub struct LayerNorm {
    /// In the order of `axes`; 1 if absent.
    pub gamma: Option<Parameter>,
    /// In the order of `axes`; 0 if absent.
    pub beta: Option<Parameter>,
    /// Ascending, counting the batch axis (which is never among them).
    pub axes: Vec<usize>,
    /// Added to the variance.
    pub epsilon: f32,
}

/// See [`Op::Pool`].
#[derive(Clone, Debug)]
pub struct Pool {
    /// Maximum or mean.
    pub kind: PoolKind,
    /// H and W of the window.
    pub window: [usize; 2],
    /// Step along H and W.
    pub stride: [usize; 2],
    /// Around the input; never wins a maximum.
    pub padding: Padding,
    /// Whether a mean divides by the whole window, padding included.
    pub count_padding: bool,
}

/// Maximum or mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolKind {
    /// The largest value.
    Max,
    /// The mean value.
    Average,
}

/// Rows and columns at the four sides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Border {
    /// Rows above.
    pub top: usize,
    /// Rows below.
    pub bottom: usize,
    /// Columns on the left.
    pub left: usize,
    /// Columns on the right.
    pub right: usize,
}

/// How much is put around an input before a window moves over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// TensorFlow's rule: the output has ceil(input/stride) positions; the odd one goes to the bottom or
    /// right. The border depends on the input's size.
    Same,
    /// Given by the file; all zeros is Keras's "valid".
    Explicit(Border),
}

impl Padding {
    /// No padding.
    pub const VALID: Self = Self::Explicit(Border {
        top: 0,
        bottom: 0,
        left: 0,
        right: 0,
    });

    /// The border for an input of H and W.
    pub fn border(
        self,
        input: [usize; 2],
        window: [usize; 2],
        stride: [usize; 2],
        dilation: [usize; 2],
    ) -> Border {
        if let Self::Explicit(border) = self {
            return border;
        }
        let total = |i: usize| {
            let reach = (window[i] - 1) * dilation[i] + 1;
            let steps = input[i].div_ceil(stride[i]).saturating_sub(1);
            (steps * stride[i] + reach).saturating_sub(input[i])
        };
        let (rows, columns) = (total(0), total(1));
        Border {
            top: rows / 2,
            bottom: rows - rows / 2,
            left: columns / 2,
            right: columns - columns / 2,
        }
    }
}

/// Elementwise functions. Formulas are those of Keras and PyTorch, which agree unless said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// Keras's general form: 0 to `max` above `threshold`, `slope * (x - threshold)` below it.
    Relu {
        /// Upper bound: 6 for ReLU6.
        max: Option<f32>,
        /// Slope below the threshold.
        slope: f32,
        /// Where the ramp begins.
        threshold: f32,
    },
    /// `alpha * (exp(x) - 1)` below 0.
    Elu {
        /// Value at minus infinity, with the sign turned.
        alpha: f32,
    },
    /// ELU with the two constants that keep mean and variance.
    Selu,
    /// `alpha * (exp(x / alpha) - 1)` below 0.
    Celu {
        /// Scale of the exponential part.
        alpha: f32,
    },
    /// `x * Phi(x)`.
    Gelu {
        /// The tanh formula instead of the error function.
        approximate: bool,
    },
    /// `x * sigmoid(x)`; swish.
    Silu,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `clip(slope * x + 0.5, 0, 1)`: slope 0.2 in Keras 2, 1/6 in Keras 3 and PyTorch.
    HardSigmoid {
        /// Of the ramp.
        slope: f32,
    },
    /// `x * hard_sigmoid(x)` with slope 1/6.
    HardSilu,
    /// Hyperbolic tangent.
    Tanh,
    /// `clip(x, -1, 1)`.
    HardTanh,
    /// `ln(1 + exp(x))`.
    Softplus,
    /// `x / (1 + |x|)`.
    Softsign,
    /// `x * tanh(softplus(x))`.
    Mish,
    /// `exp(x)`.
    Exponential,
}

impl Activation {
    /// The plain rectifier.
    pub const RELU: Self = Self::Relu {
        max: None,
        slope: 0.0,
        threshold: 0.0,
    };
    /// The rectifier that saturates at 6.
    pub const RELU6: Self = Self::Relu {
        max: Some(6.0),
        slope: 0.0,
        threshold: 0.0,
    };

    /// A rectifier that lets negative values through, weakened.
    pub fn leaky(slope: f32) -> Self {
        Self::Relu {
            max: None,
            slope,
            threshold: 0.0,
        }
    }
}

/// Elementwise combinations of two or more inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// Sum.
    Add,
    /// First minus second; exactly two inputs.
    Subtract,
    /// Product.
    Multiply,
    /// Mean.
    Average,
    /// Largest.
    Maximum,
    /// Smallest.
    Minimum,
}

/// See [`Op::Upsample`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpsampleMode {
    /// Each value repeated.
    Nearest,
    /// Between half-pixel centres, edges clamped.
    Bilinear,
}

impl Op {
    /// Every weight of the node.
    pub fn parameters(&self) -> Vec<&Parameter> {
        match self {
            Self::Conv(Conv { weight, bias, .. })
            | Self::ConvTranspose(ConvTranspose { weight, bias, .. })
            | Self::Dense { weight, bias } => std::iter::once(weight).chain(bias).collect(),
            Self::BatchNorm(norm) => norm
                .gamma
                .iter()
                .chain(&norm.beta)
                .chain([&norm.mean, &norm.variance])
                .collect(),
            Self::LayerNorm(norm) => norm.gamma.iter().chain(&norm.beta).collect(),
            Self::PRelu { alpha } => vec![alpha],
            Self::Affine { source, .. } => source.iter().collect(),
            Self::Unknown { parameters } => parameters.iter().collect(),
            _ => Vec::new(),
        }
    }
}
