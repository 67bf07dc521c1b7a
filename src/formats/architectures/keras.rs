//! Ops whose weights are named as Keras does: `LAYER/kernel`, `LAYER/bias`.

use crate::error::Result;
use crate::formats::tensors::Tensors;
use crate::model::{Conv, Op, Padding, Parameter};

/// Looks weights up for Keras's layers.
#[derive(Clone, Copy)]
pub(super) struct Keras<'a>(pub &'a Tensors);

impl Keras<'_> {
    /// The name under which the file has a layer's weight: TensorFlow adds `:0`, and Keras repeats the layer's
    /// name where it writes one group for each layer. The plain form if there is none.
    fn name(self, layer: &str, leaf: &str) -> String {
        let forms = [
            format!("{layer}/{leaf}"),
            format!("{layer}/{leaf}:0"),
            format!("{layer}/{layer}/{leaf}"),
            format!("{layer}/{layer}/{leaf}:0"),
        ];
        let there = forms.iter().find(|name| self.0.get(name).is_some());
        there.unwrap_or(&forms[0]).clone()
    }

    /// Whether the file has that layer's kernel, of that shape.
    pub fn has_kernel(self, layer: &str, shape: &[Option<usize>]) -> bool {
        self.0.has(&self.name(layer, "kernel"), shape)
    }

    /// A 3x3 `Conv2D` with stride 1 and the output as large as the input.
    pub fn conv3x3_same(self, layer: &str, inputs: usize, outputs: usize) -> Result<Op> {
        let kernel = self.name(layer, "kernel");
        let shape = [Some(3), Some(3), Some(inputs), Some(outputs)];
        Ok(Op::Conv(Conv {
            weight: self.0.parameter(&kernel, &shape)?.with_order([3, 2, 0, 1]),
            bias: Some(self.bias(layer, outputs)?),
            stride: [1, 1],
            padding: Padding::Same,
            dilation: [1, 1],
            groups: 1,
        }))
    }

    /// `Dense` without its activation; `None` takes as many outputs as the file has.
    pub fn dense(self, layer: &str, inputs: usize, outputs: Option<usize>) -> Result<Op> {
        let kernel = self.name(layer, "kernel");
        let weight = self.0.parameter(&kernel, &[Some(inputs), outputs])?;
        let bias = self.bias(layer, weight.shape()[1])?;
        Ok(Op::Dense {
            weight,
            bias: Some(bias),
        })
    }

    fn bias(self, layer: &str, length: usize) -> Result<Parameter> {
        self.0.parameter(&self.name(layer, "bias"), &[Some(length)])
    }
}
