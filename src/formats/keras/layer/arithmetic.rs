//! Sums, products and the like: of several inputs, or of one and a constant. As layers (`Add`), as Keras 3's
//! operations (`x + 3.0`, whose class is `Add` as well) and as TensorFlow's in Keras 2 (`TFOpLambda`).

use serde_json::Value;

use super::super::config::{number, unwrapped};
use super::super::show;
use super::activation;
use super::pool;
use super::scaling::affine;
use super::scope::{Input, Refusal, Scope, Tensor};
use super::shape;
use crate::model::{Activation, Layout, Merge, Op, PoolKind};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Merge(Merge),
    Divide,
}

/// `Add`, `Subtract`, `Multiply`, `Average`, `Maximum`, `Minimum`, `Divide`.
pub fn combination(layer: &mut Scope) -> Result<Tensor, Refusal> {
    let kind = match layer.class {
        "Add" => Kind::Merge(Merge::Add),
        "Subtract" => Kind::Merge(Merge::Subtract),
        "Multiply" => Kind::Merge(Merge::Multiply),
        "Average" => Kind::Merge(Merge::Average),
        "Maximum" => Kind::Merge(Merge::Maximum),
        "Minimum" => Kind::Merge(Merge::Minimum),
        _ => Kind::Divide,
    };
    combine(layer, kind)
}

fn combine(layer: &mut Scope, kind: Kind) -> Result<Tensor, Refusal> {
    let inputs = layer.inputs.clone();
    match (&inputs[..], kind) {
        (&[Input::Tensor(tensor), Input::Constant(constant)], _) => {
            with_constant(layer, kind, tensor, constant, false)
        }
        (&[Input::Constant(constant), Input::Tensor(tensor)], _) => {
            with_constant(layer, kind, tensor, constant, true)
        }
        (_, Kind::Merge(merge)) if layer.tensors().len() == inputs.len() => merged(layer, merge),
        _ => Err(Refusal::Unsupported(format!("{} inputs", inputs.len()))),
    }
}

fn merged(layer: &mut Scope, merge: Merge) -> Result<Tensor, Refusal> {
    let tensors = layer.tensors();
    if tensors.is_empty() {
        return Err(Refusal::Wrong("has no input".to_owned()));
    }
    let rank = tensors.iter().map(|tensor| tensor.rank).max().flatten();
    let raised = tensors
        .iter()
        .map(|&tensor| raised(layer, tensor, rank))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(layer.node(Op::Merge(merge), &raised, rank))
}

/// Gives a vector per example the axes that feature maps have: Keras's layers put axes of length 1 behind the
/// batch until the ranks agree.
fn raised(layer: &mut Scope, tensor: Tensor, wanted: Option<usize>) -> Result<Tensor, Refusal> {
    match (tensor.rank, wanted) {
        (Some(2), Some(4)) => {
            let shape = match layer.layout {
                Layout::ChannelsLast => vec![None, Some(1), Some(1)],
                Layout::ChannelsFirst => vec![Some(1), Some(1), None],
            };
            Ok(layer.node(Op::Reshape { shape }, &[tensor], wanted))
        }
        (Some(rank), Some(wanted)) if rank != wanted => {
            Err(Refusal::Unsupported("inputs of different ranks".to_owned()))
        }
        _ => Ok(tensor),
    }
}

fn with_constant(
    layer: &mut Scope,
    kind: Kind,
    tensor: Tensor,
    constant: &Value,
    constant_first: bool,
) -> Result<Tensor, Refusal> {
    let unsupported = || Refusal::Unsupported(format!("constant {}", show::json(constant)));
    let values = along_last_axis(constant).ok_or_else(unsupported)?;
    let axis = layer.axis(-1, tensor)?;
    let negative = || values.iter().map(|value| -value).collect::<Vec<_>>();
    let inverse = || values.iter().map(|value| 1.0 / value).collect::<Vec<_>>();
    let (scale, shift) = match (kind, constant_first) {
        (Kind::Merge(Merge::Add), _) => (vec![1.0], values),
        (Kind::Merge(Merge::Multiply), _) => (values, vec![0.0]),
        (Kind::Merge(Merge::Subtract), false) => (vec![1.0], negative()),
        (Kind::Merge(Merge::Subtract), true) => (vec![-1.0], values),
        (Kind::Divide, false) => (inverse(), vec![0.0]),
        (Kind::Merge(Merge::Maximum), _) if values == [0.0] => {
            return Ok(layer.then(Op::Activation(Activation::RELU), tensor));
        }
        _ => return Err(unsupported()),
    };
    affine(layer, tensor, &scale, &shift, axis, Vec::new())
}

/// One number, or one for each index of the last axis (in lists of one around it, or none).
fn along_last_axis(constant: &Value) -> Option<Vec<f64>> {
    match unwrapped(constant) {
        Value::Array(list) => match &list[..] {
            [only @ Value::Array(_)] => along_last_axis(only),
            list => list.iter().map(number).collect(),
        },
        single => number(single).map(|value| vec![value]),
    }
}

/// `CustomScaleLayer` of Keras's InceptionResNetV2: the first input, and the second times a factor.
pub fn scaled_sum(layer: &mut Scope) -> Result<Tensor, Refusal> {
    let &[first, second] = &layer.results()?[..] else {
        return Err(Refusal::Unsupported(String::new()));
    };
    let scale = layer.fields.numbers("scale")?.unwrap_or_else(|| vec![1.0]);
    let [_] = scale[..] else {
        return Err(Refusal::Unsupported(String::new()));
    };
    let scaled = affine(layer, second, &scale, &[0.0], 1, Vec::new())?;
    Ok(layer.node(Op::Merge(Merge::Add), &[first, scaled], first.rank))
}

/// One of TensorFlow's functions, called on a Keras 2 layer's result.
pub fn tensorflow(layer: &mut Scope) -> Result<Tensor, Refusal> {
    let function = layer.fields.text("function")?.unwrap_or_default();
    let kind = match function {
        "__operators__.add" | "math.add" | "nn.bias_add" => Kind::Merge(Merge::Add),
        "math.subtract" => Kind::Merge(Merge::Subtract),
        "math.multiply" => Kind::Merge(Merge::Multiply),
        "math.truediv" | "math.divide" => Kind::Divide,
        "math.maximum" => Kind::Merge(Merge::Maximum),
        "math.minimum" => Kind::Merge(Merge::Minimum),
        "concat" => {
            let axis = layer.options.get("axis").and_then(Value::as_i64);
            return shape::joined(layer, axis.ok_or_else(|| "has no axis".to_owned())?);
        }
        "math.reduce_mean" => return reduced(layer, PoolKind::Average),
        "math.reduce_max" => return reduced(layer, PoolKind::Max),
        "identity" | "stop_gradient" => {
            let input = layer.only_input()?;
            return Ok(layer.then(Op::Identity, input));
        }
        _ => return elementwise(layer, function),
    };
    // The second argument, if it isn't a tensor.
    for key in ["y", "bias"] {
        if layer.inputs.len() < 2
            && let Some(constant) = layer.options.get(key)
        {
            layer.inputs.push(Input::Constant(constant));
        }
    }
    if kind == Kind::Merge(Merge::Add) && function == "nn.bias_add" {
        let channels_first = layer.layout == Layout::ChannelsFirst;
        if channels_first
            || layer.options.get("data_format").and_then(Value::as_str) == Some("NCHW")
        {
            return Err(Refusal::option("function", function));
        }
    }
    same_ranks(layer)?;
    combine(layer, kind)
}

/// One of Keras 3's operations that isn't a combination.
pub fn operation(layer: &mut Scope) -> Result<Tensor, Refusal> {
    match layer.class {
        "Mean" => reduced(layer, PoolKind::Average),
        "Max" => reduced(layer, PoolKind::Max),
        "LeakyRelu" => elementwise(layer, "leaky_relu"),
        "HardSigmoid" => elementwise(layer, "hard_sigmoid"),
        "HardSilu" => elementwise(layer, "hard_silu"),
        class => elementwise(layer, &class.to_lowercase()),
    }
}

/// TensorFlow and NumPy line axes up at the end, which for different ranks isn't what the engine does with
/// channels in front.
fn same_ranks(layer: &Scope) -> Result<(), Refusal> {
    let ranks: Vec<_> = layer.tensors().iter().map(|tensor| tensor.rank).collect();
    if ranks
        .windows(2)
        .all(|pair| pair[0] == pair[1] || pair.contains(&None))
    {
        return Ok(());
    }
    Err(Refusal::Unsupported("inputs of different ranks".to_owned()))
}

/// A function of one input by its TensorFlow name or Keras 3's: `nn.relu`, `relu`.
fn elementwise(layer: &mut Scope, function: &str) -> Result<Tensor, Refusal> {
    let unsupported = |layer: &Scope| match layer.class {
        "TFOpLambda" => Refusal::option("function", function),
        _ => Refusal::Unsupported(String::new()),
    };
    let input = layer.only_input()?;
    let short = match function.rsplit('.').next().unwrap_or_default() {
        "exp" => "exponential",
        short => short,
    };
    // Where the function has an argument, it is the call's in Keras 2 and the layer's in Keras 3.
    let (options, fields) = (layer.options, layer.fields);
    let argument = |key: &str| options.get(key).or_else(|| fields.get(key));
    let slope = ["alpha", "negative_slope"]
        .iter()
        .find_map(|key| argument(key));
    #[allow(clippy::cast_possible_truncation)]
    let op = match (short, slope.and_then(number)) {
        ("leaky_relu", Some(slope)) => Some(Op::Activation(Activation::leaky(slope as f32))),
        ("elu", Some(alpha)) => Some(Op::Activation(Activation::Elu {
            alpha: alpha as f32,
        })),
        ("gelu", _) => {
            // `keras.ops.gelu` approximates unless told otherwise, TensorFlow's doesn't.
            let default = layer.class == "Gelu";
            let approximate = argument("approximate").and_then(Value::as_bool);
            Some(Op::Activation(Activation::Gelu {
                approximate: approximate.unwrap_or(default),
            }))
        }
        ("softmax", _) => match argument("axis").map(Value::as_i64) {
            None => Some(layer.axis(-1, input)?),
            Some(Some(axis)) => Some(layer.axis(axis, input)?),
            Some(None) => None,
        }
        .map(|axis| Op::Softmax { axis }),
        _ => activation::named(layer, short, input),
    };
    match op {
        Some(op) => Ok(layer.then(op, input)),
        None => Err(unsupported(layer)),
    }
}

/// Maximum or mean over H and W, as squeeze-and-excitation is often written.
fn reduced(layer: &mut Scope, kind: PoolKind) -> Result<Tensor, Refusal> {
    let input = layer.only_input()?;
    let (options, fields) = (layer.options, layer.fields);
    let argument = |key: &str| options.get(key).or_else(|| fields.get(key));
    let axes = argument("axis").and_then(Value::as_array);
    let axes = axes.map(|axes| axes.iter().map(Value::as_i64).collect::<Vec<_>>());
    let image: [i64; 2] = match layer.layout {
        Layout::ChannelsLast => [1, 2],
        Layout::ChannelsFirst => [2, 3],
    };
    let from_end = image.map(|axis| axis - 4);
    let spatial = [image, from_end]
        .iter()
        .any(|pair| axes.as_deref() == Some(&[Some(pair[0]), Some(pair[1])]));
    if input.rank != Some(4) || !spatial {
        return Err(Refusal::Unsupported("axes other than H and W".to_owned()));
    }
    let keep = argument("keepdims")
        .and_then(Value::as_bool)
        .unwrap_or(false);
    Ok(pool::whole(layer, input, kind, keep))
}
