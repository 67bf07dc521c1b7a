//! Convolutions. Keras keeps kernels as (H,W,in,out) whatever the layout of the data.

use super::super::config::LARGEST;
use super::super::weight::Weight;
use super::activation;
use super::scope::{Refusal, Scope, Tensor};
use crate::model::{Border, Conv, ConvTranspose, Op, Padding, Parameter};

/// (H,W,in,out) as (out,in,H,W); and a transposed kernel's (H,W,out,in) as (in,out,H,W).
const SWAPPED: [usize; 4] = [3, 2, 0, 1];

/// What all kinds have in common.
struct Window {
    size: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    same: bool,
}

impl Window {
    fn of(layer: &Scope, kernel: &Weight) -> Result<Self, Refusal> {
        kernel.expect(&[None; 4])?;
        let size = match layer.fields.pair("kernel_size")? {
            Some(size) => size,
            None if kernel.shape[..2]
                .iter()
                .all(|side| (1..=LARGEST).contains(side)) =>
            {
                [kernel.shape[0], kernel.shape[1]]
            }
            None => return Err(Refusal::Wrong("has no 'kernel_size'".to_owned())),
        };
        let same = match layer.fields.text("padding")? {
            None | Some("valid") => false,
            Some("same") => true,
            Some(other) => return Err(Refusal::option("padding", other)),
        };
        Ok(Self {
            size,
            stride: layer.fields.pair("strides")?.unwrap_or([1, 1]),
            dilation: layer.fields.pair("dilation_rate")?.unwrap_or([1, 1]),
            same,
        })
    }

    fn padding(&self) -> Padding {
        if self.same {
            Padding::Same
        } else {
            Padding::VALID
        }
    }

    /// A convolution with this window.
    fn conv(&self, weight: Parameter, bias: Option<Parameter>, groups: usize) -> Op {
        Op::Conv(Conv {
            weight,
            bias,
            stride: self.stride,
            padding: self.padding(),
            dilation: self.dilation,
            groups,
        })
    }
}

/// The bias, which has `units` values.
fn bias(layer: &mut Scope, units: usize) -> Result<Option<Parameter>, Refusal> {
    let trainable = layer.trainable();
    let Some(bias) = layer.maybe("bias")? else {
        return Ok(None);
    };
    bias.expect(&[Some(units)])?;
    Ok(Some(bias.plain(trainable)))
}

/// `Conv2D`.
pub fn convolution(layer: &mut Scope) -> Result<Tensor, Refusal> {
    let input = layer.image()?;
    let kernel = layer.weight("kernel")?;
    let window = Window::of(layer, kernel)?;
    let [rows, columns] = window.size;
    let filters = layer.fields.size("filters")?;
    kernel.expect(&[Some(rows), Some(columns), None, filters])?;
    let groups = layer.fields.size("groups")?.unwrap_or(1);
    let weight = kernel.parameter(kernel.shape.clone(), SWAPPED, layer.trainable());
    let bias = bias(layer, kernel.shape[3])?;
    let output = layer.then(window.conv(weight, bias, groups), input);
    activation::applied(layer, output)
}

/// The part of `DepthwiseConv2D` and `SeparableConv2D` in which channels don't mix: a kernel of (H,W,in,multiplier),
/// whose results are ordered by input channel.
fn by_channel(
    layer: &Scope,
    kernel: &Weight,
    window: &Window,
) -> Result<(Parameter, usize, usize), Refusal> {
    let [rows, columns] = window.size;
    let multiplier = layer.fields.size("depth_multiplier")?;
    kernel.expect(&[Some(rows), Some(columns), None, multiplier])?;
    let (channels, multiplier) = (kernel.shape[2], kernel.shape[3]);
    // The file covers the product, see `Stored::find`.
    let shape = [rows, columns, 1, channels * multiplier];
    let weight = kernel.parameter(shape, SWAPPED, layer.trainable());
    Ok((weight, channels, channels * multiplier))
}

/// `DepthwiseConv2D`.
pub fn depthwise(layer: &mut Scope) -> Result<Tensor, Refusal> {
    let input = layer.image()?;
    let kernel = layer.weight("depthwise_kernel")?;
    let window = Window::of(layer, kernel)?;
    let (weight, channels, units) = by_channel(layer, kernel, &window)?;
    let bias = bias(layer, units)?;
    let output = layer.then(window.conv(weight, bias, channels), input);
    activation::applied(layer, output)
}

/// `SeparableConv2D`: depthwise, then 1x1.
pub fn separable(layer: &mut Scope) -> Result<Tensor, Refusal> {
    let input = layer.image()?;
    let kernel = layer.weight("depthwise_kernel")?;
    let window = Window::of(layer, kernel)?;
    let (weight, channels, units) = by_channel(layer, kernel, &window)?;
    let middle = layer.then(window.conv(weight, None, channels), input);
    let mixing = layer.weight("pointwise_kernel")?;
    let filters = layer.fields.size("filters")?;
    mixing.expect(&[Some(1), Some(1), Some(units), filters])?;
    let weight = mixing.parameter(mixing.shape.clone(), SWAPPED, layer.trainable());
    let bias = bias(layer, mixing.shape[3])?;
    let one = Window {
        size: [1, 1],
        stride: [1, 1],
        dilation: [1, 1],
        same: false,
    };
    let output = layer.then(one.conv(weight, bias, 1), middle);
    activation::applied(layer, output)
}

/// `Conv2DTranspose`.
pub fn transposed(layer: &mut Scope) -> Result<Tensor, Refusal> {
    let input = layer.image()?;
    let kernel = layer.weight("kernel")?;
    let window = Window::of(layer, kernel)?;
    let [rows, columns] = window.size;
    let filters = layer.fields.size("filters")?;
    kernel.expect(&[Some(rows), Some(columns), filters, None])?;
    if layer.fields.size("groups")?.unwrap_or(1) != 1 {
        return Err(Refusal::Unsupported("groups".to_owned()));
    }
    let extra = layer.fields.pair_or_none("output_padding")?;
    let (padding, output_padding) = cut(&window, extra);
    let op = Op::ConvTranspose(ConvTranspose {
        weight: kernel.parameter(kernel.shape.clone(), SWAPPED, layer.trainable()),
        bias: bias(layer, kernel.shape[2])?,
        stride: window.stride,
        padding,
        output_padding,
        dilation: window.dilation,
        groups: 1,
    });
    let output = layer.then(op, input);
    activation::applied(layer, output)
}

/// What Keras cuts off the full result of a transposed convolution, and what it adds (its `deconv_output_length`,
/// with TensorFlow's rule that the odd row is cut at the end).
fn cut(window: &Window, extra: Option<[usize; 2]>) -> (Padding, [usize; 2]) {
    let reach = |i: usize| (window.size[i] - 1) * window.dilation[i] + 1;
    let Some(extra) = extra else {
        if window.same {
            return (Padding::Same, [0, 0]);
        }
        // A stride wider than the kernel leaves rows behind the last that no input reaches.
        let missed = |i: usize| window.stride[i].saturating_sub(reach(i));
        return (Padding::VALID, [missed(0), missed(1)]);
    };
    let both = |i: usize| if window.same { reach(i) / 2 * 2 } else { 0 };
    let cut = |i: usize| {
        let total = both(i).saturating_sub(extra[i]);
        [total / 2, total - total / 2]
    };
    let added = |i: usize| extra[i].saturating_sub(both(i));
    let ([top, bottom], [left, right]) = (cut(0), cut(1));
    let border = Border {
        top,
        bottom,
        left,
        right,
    };
    (Padding::Explicit(border), [added(0), added(1)])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lengths as TensorFlow 2.21 gives them for 8 rows: kernel, stride, same, output padding, length.
    #[test]
    fn transposed_convolutions_are_as_long_as_keras_says() {
        let cases = [
            (3, 2, true, None, 16),
            (3, 2, true, Some(0), 15),
            (3, 2, true, Some(1), 16),
            (3, 2, false, None, 17),
            (3, 2, false, Some(1), 18),
            (2, 3, false, None, 24),
            (5, 1, false, None, 12),
        ];
        for (kernel, stride, same, extra, length) in cases {
            let window = Window {
                size: [kernel; 2],
                stride: [stride; 2],
                dilation: [1; 2],
                same,
            };
            let (padding, [added, _]) = cut(&window, extra.map(|extra| [extra; 2]));
            let full = 7 * stride + kernel;
            let found = match padding {
                Padding::Same => 8 * stride,
                Padding::Explicit(border) => full + added - border.top - border.bottom,
            };
            assert_eq!(found, length, "kernel {kernel}, stride {stride}, {extra:?}");
        }
    }
}
