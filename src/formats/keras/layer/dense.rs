//! `Dense`: a matrix along the file's last axis.

use super::activation;
use super::scope::{Refusal, Scope, Tensor};
use crate::model::{Conv, Layout, Op, Padding};

/// `Dense`. Along the channels of feature maps it is a convolution with a kernel of one tap.
pub fn dense(layer: &mut Scope) -> Result<Tensor, Refusal> {
    let input = layer.only_input()?;
    let trainable = layer.trainable();
    let kernel = layer.weight("kernel")?;
    let units = layer.fields.size("units")?;
    kernel.expect(&[None, units])?;
    let [inputs, units] = [kernel.shape[0], kernel.shape[1]];
    let bias = match layer.maybe("bias")? {
        Some(bias) => {
            bias.expect(&[Some(units)])?;
            Some(bias.plain(trainable))
        }
        None => None,
    };
    let on_channels = input.rank == Some(4) && layer.layout == Layout::ChannelsLast;
    let op = if on_channels {
        Op::Conv(Conv {
            weight: kernel.parameter([1, 1, inputs, units], [3, 2, 0, 1], trainable),
            bias,
            stride: [1, 1],
            padding: Padding::VALID,
            dilation: [1, 1],
            groups: 1,
        })
    } else {
        Op::Dense {
            weight: kernel.plain(trainable),
            bias,
        }
    };
    let output = layer.then(op, input);
    activation::applied(layer, output)
}
