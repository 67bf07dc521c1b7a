//! Shape inference: the shape of every node for given input sizes. Everything that could make a computation
//! fail is found here, before anything is computed.

use super::op::{Conv, ConvTranspose, LayerNorm, Pool};
use super::{Border, Merge, Model, Node, NodeId, Op, Padding};
use crate::error::{Error, Result};

/// No tensor may have more values than this (4 GiB): sizes come from files, which may be damaged.
const LARGEST: usize = 1 << 30;

/// The shape of each node for one example, without the batch axis.
#[derive(Clone, Debug)]
pub struct Shapes(Vec<Result<Vec<usize>, Blocked>>);

/// Why a node has no shape: the layer where it went wrong, which may be the node's own or one before it.
#[derive(Clone, Debug)]
struct Blocked {
    layer: String,
    what: String,
}

impl Shapes {
    /// The shape of a node.
    ///
    /// # Errors
    /// Naming the layer that can't be computed.
    pub fn get(&self, id: NodeId) -> Result<&[usize]> {
        match &self.0[id.0] {
            Ok(shape) => Ok(shape),
            Err(Blocked { layer, what }) => Err(Error::layer(layer, what)),
        }
    }
}

/// The number of values in a shape.
pub fn volume(shape: &[usize]) -> usize {
    shape.iter().product()
}

impl Model {
    /// Infers every shape for an input of the preprocessing's size.
    pub fn own_shapes(&self) -> Shapes {
        self.shapes(&self.input_shapes(self.input_size()))
    }

    /// Infers every shape; `inputs` gives one shape per model input, without batch.
    pub fn shapes(&self, inputs: &[Vec<usize>]) -> Shapes {
        let mut shapes = Shapes(Vec::with_capacity(self.nodes.len()));
        for (index, node) in self.nodes.iter().enumerate() {
            let id = NodeId(index);
            let given = self.inputs.iter().position(|&input| input == id);
            let given = given.and_then(|position| inputs.get(position));
            let shape = self.node_shape(id, node, given, &shapes);
            shapes.0.push(shape);
        }
        shapes
    }

    fn node_shape(
        &self,
        id: NodeId,
        node: &Node,
        given: Option<&Vec<usize>>,
        shapes: &Shapes,
    ) -> Result<Vec<usize>, Blocked> {
        let mut feeds = Vec::with_capacity(node.inputs.len());
        for input in &node.inputs {
            feeds.push(shapes.0[input.0].as_deref().map_err(Clone::clone)?);
        }
        let blocked = |what: String| Blocked {
            layer: self.layer_name(id).to_owned(),
            what,
        };
        if let Op::Unknown { .. } = node.op {
            let kind = self.layers.iter().find(|layer| layer.nodes.contains(&id));
            return Err(blocked(format!(
                "convscope doesn't know layers of type {}, so nothing from here on can be computed",
                kind.map_or("unknown", |layer| &layer.kind)
            )));
        }
        let shape = infer(&node.op, given, &feeds).map_err(blocked)?;
        let size = shape
            .iter()
            .try_fold(1_usize, |size, &axis| size.checked_mul(axis));
        match size {
            Some(0) => Err(blocked(format!(
                "nothing is left of its input {:?}: the output would be {shape:?}; a larger input is needed",
                feeds.first().copied().unwrap_or_default()
            ))),
            Some(size) if size <= LARGEST => Ok(shape),
            _ => Err(blocked(format!(
                "its output {shape:?} is too large to be computed"
            ))),
        }
    }
}

fn infer(op: &Op, given: Option<&Vec<usize>>, feeds: &[&[usize]]) -> Result<Vec<usize>, String> {
    if !matches!(op, Op::Input { .. }) && feeds.is_empty() {
        return Err("has no input".to_owned());
    }
    match op {
        Op::Input { shape } => input(shape, given),
        Op::Conv(conv) => convolution(conv, feeds[0]),
        Op::ConvTranspose(conv) => transpose(conv, feeds[0]),
        Op::Dense { weight, bias } => {
            let [wanted, units] = weight.shape()[..] else {
                return Err(format!(
                    "needs a matrix as weights, found {:?}",
                    weight.shape()
                ));
            };
            let mut shape = feeds[0].to_vec();
            match shape.last_mut() {
                Some(last) if *last == wanted => *last = units,
                _ => {
                    return Err(format!(
                        "expects {wanted} values per example, found {:?}",
                        feeds[0]
                    ));
                }
            }
            vector(bias.as_ref(), units, "bias")?;
            Ok(shape)
        }
        Op::BatchNorm(norm) => {
            let length = along(feeds[0], norm.axis)?;
            for parameter in [&norm.gamma, &norm.beta]
                .into_iter()
                .flatten()
                .chain([&norm.mean, &norm.variance])
            {
                vector(Some(parameter), length, &parameter.name)?;
            }
            Ok(feeds[0].to_vec())
        }
        Op::LayerNorm(norm) => layer_norm(norm, feeds[0]),
        Op::Affine {
            scale, shift, axis, ..
        } => {
            if scale.len() != shift.len()
                || (scale.len() != 1 && along(feeds[0], *axis)? != scale.len())
            {
                return Err(format!(
                    "has {} factors for an input of {:?}",
                    scale.len(),
                    feeds[0]
                ));
            }
            Ok(feeds[0].to_vec())
        }
        Op::PRelu { alpha } => broadcast(&[feeds[0], &alpha.shape()])
            .filter(|shape| shape == feeds[0])
            .ok_or_else(|| {
                format!(
                    "alpha {:?} doesn't fit an input of {:?}",
                    alpha.shape(),
                    feeds[0]
                )
            }),
        Op::Softmax { axis } => along(feeds[0], *axis).map(|_| feeds[0].to_vec()),
        Op::Activation(_) | Op::Identity => Ok(feeds[0].to_vec()),
        Op::Pool(pool) => pooling(pool, feeds[0]),
        Op::GlobalPool { keep, .. } => {
            let [channels, _, _] = image(feeds[0])?;
            Ok(if *keep {
                vec![channels, 1, 1]
            } else {
                vec![channels]
            })
        }
        Op::Pad { border, .. } => {
            let [channels, height, width] = image(feeds[0])?;
            let [height, width] = bordered([height, width], *border)?;
            Ok(vec![channels, height, width])
        }
        Op::Crop(border) => {
            let [channels, height, width] = image(feeds[0])?;
            let rest = |size: usize, a: usize, b: usize| size.saturating_sub(a).saturating_sub(b);
            Ok(vec![
                channels,
                rest(height, border.top, border.bottom),
                rest(width, border.left, border.right),
            ])
        }
        Op::Upsample { factor, .. } => {
            let [channels, height, width] = image(feeds[0])?;
            Ok(vec![
                channels,
                times(height, factor[0])?,
                times(width, factor[1])?,
            ])
        }
        Op::Merge(kind) => {
            if *kind == Merge::Subtract && feeds.len() != 2 {
                return Err(format!("subtracts two inputs, found {}", feeds.len()));
            }
            // The batch axis in front would meet another axis if the ranks differed.
            let ranks = feeds.iter().all(|feed| feed.len() == feeds[0].len());
            broadcast(feeds)
                .filter(|_| ranks)
                .ok_or_else(|| format!("can't combine inputs of {feeds:?}"))
        }
        Op::Concat { axis } => concatenate(*axis, feeds),
        Op::Reshape { shape } => reshape(shape, feeds[0]),
        Op::Permute { axes } => {
            let mut sorted = axes.clone();
            sorted.sort_unstable();
            if axes.first() != Some(&0) || sorted.iter().copied().ne(0..=feeds[0].len()) {
                return Err(format!(
                    "can't order the axes of {:?} as {axes:?}",
                    feeds[0]
                ));
            }
            Ok(axes[1..].iter().map(|&axis| feeds[0][axis - 1]).collect())
        }
        Op::Unknown { .. } => Err("is of an unknown type".to_owned()),
    }
}

fn input(shape: &[Option<usize>], given: Option<&Vec<usize>>) -> Result<Vec<usize>, String> {
    let Some(given) = given else {
        return Err("the model has several inputs, and convscope feeds one image".to_owned());
    };
    // Height and width are free to differ from the file's: what can't follow (a dense layer, say) says so.
    let fits = given.len() == shape.len()
        && match (shape, &given[..]) {
            ([channels, _, _], [given, _, _]) => channels.is_none_or(|channels| channels == *given),
            _ => shape
                .iter()
                .zip(given)
                .all(|(axis, given)| axis.is_none_or(|axis| axis == *given)),
        };
    if fits {
        Ok(given.clone())
    } else {
        Err(format!(
            "expects an input of {}, found {given:?}",
            open(shape)
        ))
    }
}

fn open(shape: &[Option<usize>]) -> String {
    let axes: Vec<String> = shape
        .iter()
        .map(|axis| axis.map_or("any".to_owned(), |axis| axis.to_string()))
        .collect();
    format!("[{}]", axes.join(", "))
}

fn image(shape: &[usize]) -> Result<[usize; 3], String> {
    shape
        .try_into()
        .map_err(|_| format!("expects feature maps (channels, height, width), found {shape:?}"))
}

/// The length of an axis, counted with the batch axis.
fn along(shape: &[usize], axis: usize) -> Result<usize, String> {
    axis.checked_sub(1)
        .and_then(|axis| shape.get(axis).copied())
        .ok_or_else(|| format!("works along axis {axis}, which an input of {shape:?} lacks"))
}

fn vector(parameter: Option<&super::Parameter>, length: usize, name: &str) -> Result<(), String> {
    match parameter {
        Some(parameter) if parameter.shape() != [length] => Err(format!(
            "expects {length} values in {name}, found {:?}",
            parameter.shape()
        )),
        _ => Ok(()),
    }
}

fn times(size: usize, factor: usize) -> Result<usize, String> {
    size.checked_mul(factor)
        .ok_or_else(|| format!("can't enlarge {size} by {factor}"))
}

fn bordered([height, width]: [usize; 2], border: Border) -> Result<[usize; 2], String> {
    let sum = |size: usize, a: usize, b: usize| size.checked_add(a)?.checked_add(b);
    sum(height, border.top, border.bottom)
        .zip(sum(width, border.left, border.right))
        .map(|(height, width)| [height, width])
        .ok_or_else(|| "its border is too large".to_owned())
}

/// H and W after a window moved over an input; 0 where it doesn't fit even once.
fn windowed(
    input: [usize; 2],
    window: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    padding: Padding,
) -> Result<[usize; 2], String> {
    sane(window, stride, dilation)?;
    let padded = bordered(input, padding.border(input, window, stride, dilation))?;
    let steps = |i: usize| {
        let reach = (window[i] - 1) * dilation[i] + 1;
        if padded[i] < reach {
            0
        } else {
            (padded[i] - reach) / stride[i] + 1
        }
    };
    Ok([steps(0), steps(1)])
}

fn sane(window: [usize; 2], stride: [usize; 2], dilation: [usize; 2]) -> Result<(), String> {
    const LIMIT: usize = 1 << 16;
    let fine = [window, stride, dilation]
        .iter()
        .flatten()
        .all(|&value| (1..=LIMIT).contains(&value));
    if fine {
        Ok(())
    } else {
        Err(format!(
            "can't work with window {window:?}, stride {stride:?} and dilation {dilation:?}"
        ))
    }
}

fn kernel(shape: &[usize]) -> Result<[usize; 4], String> {
    shape
        .try_into()
        .map_err(|_| format!("needs a kernel of four axes, found {shape:?}"))
}

fn convolution(conv: &Conv, feed: &[usize]) -> Result<Vec<usize>, String> {
    let [channels, height, width] = image(feed)?;
    let [out, per_group, rows, columns] = kernel(&conv.weight.shape())?;
    if conv.groups == 0
        || per_group.checked_mul(conv.groups) != Some(channels)
        || out % conv.groups != 0
    {
        return Err(format!(
            "expects {} channels in {} group(s), found {channels}",
            per_group.saturating_mul(conv.groups),
            conv.groups
        ));
    }
    vector(conv.bias.as_ref(), out, "bias")?;
    let [height, width] = windowed(
        [height, width],
        [rows, columns],
        conv.stride,
        conv.dilation,
        conv.padding,
    )?;
    Ok(vec![out, height, width])
}

/// H and W of a transposed convolution before anything is cut off.
pub(super) fn transposed_full(
    input: [usize; 2],
    window: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
) -> Result<[usize; 2], String> {
    sane(window, stride, dilation)?;
    let full = |i: usize| {
        let steps = input[i].saturating_sub(1).checked_mul(stride[i]);
        steps.and_then(|steps| steps.checked_add((window[i] - 1) * dilation[i] + 1))
    };
    full(0)
        .zip(full(1))
        .map(|(h, w)| [h, w])
        .ok_or_else(|| "its output is too large".to_owned())
}

fn transpose(conv: &ConvTranspose, feed: &[usize]) -> Result<Vec<usize>, String> {
    let [channels, height, width] = image(feed)?;
    let [inputs, per_group, rows, columns] = kernel(&conv.weight.shape())?;
    if conv.groups == 0 || inputs != channels || channels % conv.groups != 0 {
        return Err(format!("expects {inputs} channels, found {channels}"));
    }
    let out = per_group
        .checked_mul(conv.groups)
        .ok_or("has too many channels")?;
    vector(conv.bias.as_ref(), out, "bias")?;
    let input = [height, width];
    let full = transposed_full(input, [rows, columns], conv.stride, conv.dilation)?;
    let size = |i: usize| match conv.padding {
        Padding::Same => times(input[i], conv.stride[i]),
        Padding::Explicit(border) => {
            let cut = [
                border.top.saturating_add(border.bottom),
                border.left.saturating_add(border.right),
            ];
            Ok(full[i]
                .saturating_add(conv.output_padding[i])
                .saturating_sub(cut[i]))
        }
    };
    Ok(vec![out, size(0)?, size(1)?])
}

fn pooling(pool: &Pool, feed: &[usize]) -> Result<Vec<usize>, String> {
    let [channels, height, width] = image(feed)?;
    let [height, width] = windowed(
        [height, width],
        pool.window,
        pool.stride,
        [1, 1],
        pool.padding,
    )?;
    Ok(vec![channels, height, width])
}

fn layer_norm(norm: &LayerNorm, feed: &[usize]) -> Result<Vec<usize>, String> {
    let lengths = norm
        .axes
        .iter()
        .map(|&axis| along(feed, axis))
        .collect::<Result<Vec<_>, _>>()?;
    for parameter in norm.gamma.iter().chain(&norm.beta) {
        if parameter.shape() != lengths {
            return Err(format!(
                "expects {lengths:?} values in {}, found {:?}",
                parameter.name,
                parameter.shape()
            ));
        }
    }
    Ok(feed.to_vec())
}

/// The common shape, aligned at the last axis; `None` if there is none.
fn broadcast(feeds: &[&[usize]]) -> Option<Vec<usize>> {
    let rank = feeds.iter().map(|shape| shape.len()).max()?;
    let mut common = vec![1; rank];
    for shape in feeds {
        for (axis, &length) in common[rank - shape.len()..].iter_mut().zip(*shape) {
            match (*axis, length) {
                (a, b) if a == b || b == 1 => {}
                (1, b) => *axis = b,
                _ => return None,
            }
        }
    }
    Some(common)
}

fn concatenate(axis: usize, feeds: &[&[usize]]) -> Result<Vec<usize>, String> {
    let mut shape = feeds[0].to_vec();
    along(&shape, axis)?;
    for feed in &feeds[1..] {
        let fits = feed.len() == shape.len()
            && (0..shape.len()).all(|i| i == axis - 1 || feed[i] == shape[i]);
        if !fits {
            return Err(format!(
                "can't put inputs of {feeds:?} one behind the other along axis {axis}"
            ));
        }
        shape[axis - 1] = shape[axis - 1]
            .checked_add(feed[axis - 1])
            .ok_or("its output is too large")?;
    }
    Ok(shape)
}

fn reshape(target: &[Option<usize>], feed: &[usize]) -> Result<Vec<usize>, String> {
    let wrong = || format!("can't turn {feed:?} into {}", open(target));
    let known = target
        .iter()
        .flatten()
        .try_fold(1_usize, |size, &axis| size.checked_mul(axis))
        .ok_or_else(wrong)?;
    let total = volume(feed);
    let rest = match target.iter().filter(|axis| axis.is_none()).count() {
        0 if known == total => 1,
        1 if known > 0 && total.is_multiple_of(known) => total / known,
        _ => return Err(wrong()),
    };
    Ok(target.iter().map(|axis| axis.unwrap_or(rest)).collect())
}
