//! Ops whose weights are named as in a PyTorch state dict: `NAME.weight`, `NAME.bias`, and so on.

use crate::error::Result;
use crate::formats::tensors::Tensors;
use crate::model::{BatchNorm, Conv, Op, Padding};

/// Looks weights up for PyTorch's modules.
#[derive(Clone, Copy)]
pub(super) struct Torch<'a>(pub &'a Tensors);

/// The arguments of a `Conv2d` with a square kernel.
#[derive(Clone, Copy)]
pub(super) struct Conv2d {
    pub inputs: usize,
    pub outputs: usize,
    pub kernel: usize,
    pub stride: usize,
    pub padding: Padding,
    pub groups: usize,
    pub bias: bool,
}

impl Conv2d {
    /// PyTorch's defaults: stride 1, no padding, one group, a bias.
    pub fn new(inputs: usize, outputs: usize, kernel: usize) -> Self {
        Self {
            inputs,
            outputs,
            kernel,
            stride: 1,
            padding: Padding::VALID,
            groups: 1,
            bias: true,
        }
    }

    /// The shape of its weight: (out, in/groups, H, W).
    pub fn shape(&self) -> [Option<usize>; 4] {
        let kernel = Some(self.kernel);
        let per_group = Some(self.inputs / self.groups);
        [Some(self.outputs), per_group, kernel, kernel]
    }
}

impl Torch<'_> {
    /// Whether the file has that convolution.
    pub fn has_conv(self, name: &str, conv: &Conv2d) -> bool {
        self.0.has(&format!("{name}.weight"), &conv.shape())
    }

    /// `nn.Conv2d`.
    pub fn conv(self, name: &str, conv: &Conv2d) -> Result<Op> {
        let bias = conv
            .bias
            .then(|| self.vector(name, "bias", conv.outputs))
            .transpose()?;
        Ok(Op::Conv(Conv {
            weight: self.0.parameter(&format!("{name}.weight"), &conv.shape())?,
            bias,
            stride: [conv.stride; 2],
            padding: conv.padding,
            dilation: [1, 1],
            groups: conv.groups,
        }))
    }

    /// `nn.BatchNorm2d`. The epsilon is not in a state dict.
    pub fn batch_norm(self, name: &str, channels: usize, epsilon: f32) -> Result<Op> {
        let vector = |leaf| self.vector(name, leaf, channels);
        Ok(Op::BatchNorm(BatchNorm {
            gamma: Some(vector("weight")?),
            beta: Some(vector("bias")?),
            mean: vector("running_mean")?.frozen(),
            variance: vector("running_var")?.frozen(),
            epsilon,
            axis: 1,
        }))
    }

    /// `nn.Linear`; `None` takes as many outputs as the file has.
    pub fn linear(self, name: &str, inputs: usize, outputs: Option<usize>) -> Result<Op> {
        let weight = self
            .0
            .parameter(&format!("{name}.weight"), &[outputs, Some(inputs)])?
            .with_order([1, 0]);
        let bias = self.vector(name, "bias", weight.shape()[1])?;
        Ok(Op::Dense {
            weight,
            bias: Some(bias),
        })
    }

    fn vector(self, name: &str, leaf: &str, length: usize) -> Result<crate::model::Parameter> {
        self.0.parameter(&format!("{name}.{leaf}"), &[Some(length)])
    }
}
