//! Elementwise functions: as layers, and as the `activation` of another layer.

use serde_json::{Map, Value};

use super::super::config::Fields;
use super::normalization::example_order;
use super::scope::{Refusal, Scope, Tensor};
use crate::model::{Activation, Op};

/// Adds the layer's `activation` behind its own result.
pub fn applied(layer: &mut Scope, input: Tensor) -> Result<Tensor, Refusal> {
    let Some(value) = layer.fields.get("activation") else {
        return Ok(input);
    };
    Ok(match function(layer, value, input)? {
        Some(op) => layer.then(op, input),
        None => input,
    })
}

/// `Activation` and the layers that are nothing but one.
pub fn layer(layer: &mut Scope) -> Result<Tensor, Refusal> {
    let input = layer.only_input()?;
    let op = match layer.class {
        "Activation" => {
            let value = layer.fields.get("activation").unwrap_or(&Value::Null);
            function(layer, value, input)?.unwrap_or(Op::Identity)
        }
        "PReLU" => prelu(layer, input)?,
        class => object(layer, class, layer.fields, input)?,
    };
    Ok(layer.then(op, input))
}

/// The function that a value of the configuration stands for; `None` for the linear one.
///
/// It is a name, or an object: `{"class_name": "LeakyReLU", "config": {..}}`, `{"class_name": "function",
/// "config": "relu6"}`.
fn function(layer: &Scope, value: &Value, input: Tensor) -> Result<Option<Op>, Refusal> {
    match value {
        Value::Null => Ok(None),
        Value::String(name) if name == "linear" => Ok(None),
        Value::String(name) => named(layer, name, input)
            .map(Some)
            .ok_or_else(|| Refusal::option("activation", name)),
        Value::Object(parts) => {
            let class = parts.get("class_name").and_then(Value::as_str);
            match (class, parts.get("config")) {
                (_, Some(name @ Value::String(_))) => function(layer, name, input),
                (Some("Activation"), Some(Value::Object(config))) => {
                    let inner = config.get("activation").unwrap_or(&Value::Null);
                    function(layer, inner, input)
                }
                (Some(class), config) => {
                    let nothing = Map::new();
                    let config = config.and_then(Value::as_object).unwrap_or(&nothing);
                    object(layer, class, Fields(config), input).map(Some)
                }
                (None, _) => Err(Refusal::option("activation", "an object")),
            }
        }
        _ => Err(Refusal::option("activation", value)),
    }
}

/// A function by its name in `keras.activations`, with the defaults that it has there.
pub fn named(layer: &Scope, name: &str, input: Tensor) -> Option<Op> {
    let activation = match name {
        "relu" => Activation::RELU,
        "relu6" => Activation::RELU6,
        "leaky_relu" => Activation::leaky(0.2),
        "elu" => Activation::Elu { alpha: 1.0 },
        "celu" => Activation::Celu { alpha: 1.0 },
        "selu" => Activation::Selu,
        "gelu" => Activation::Gelu { approximate: false },
        "silu" | "swish" => Activation::Silu,
        "sigmoid" => Activation::Sigmoid,
        "hard_sigmoid" => Activation::HardSigmoid {
            slope: if layer.keras >= 3 { 1.0 / 6.0 } else { 0.2 },
        },
        "hard_silu" | "hard_swish" => Activation::HardSilu,
        "hard_tanh" => Activation::HardTanh,
        "tanh" => Activation::Tanh,
        "softplus" => Activation::Softplus,
        "softsign" => Activation::Softsign,
        "mish" => Activation::Mish,
        "exponential" => Activation::Exponential,
        "softmax" => {
            let axis = layer.axis(-1, input).ok()?;
            return Some(Op::Softmax { axis });
        }
        _ => return None,
    };
    Some(Op::Activation(activation))
}

/// A function that is a layer with a configuration of its own.
fn object(layer: &Scope, class: &str, fields: Fields, input: Tensor) -> Result<Op, Refusal> {
    let activation = match class {
        "ReLU" => Activation::Relu {
            max: fields
                .number("max_value")?
                .map(|_| fields.float("max_value", 0.0))
                .transpose()?,
            slope: fields.float("negative_slope", 0.0)?,
            threshold: fields.float("threshold", 0.0)?,
        },
        // Keras 2 says `alpha`.
        "LeakyReLU" => {
            let alpha = fields.float("alpha", 0.3)?;
            Activation::leaky(fields.float("negative_slope", alpha)?)
        }
        "ELU" => Activation::Elu {
            alpha: fields.float("alpha", 1.0)?,
        },
        "ThresholdedReLU" => Activation::Relu {
            max: None,
            slope: 0.0,
            threshold: fields.float("theta", 1.0)?,
        },
        "Softmax" => {
            return match fields.axes("axis")?.as_deref() {
                None => Ok(Op::Softmax {
                    axis: layer.axis(-1, input)?,
                }),
                Some(&[axis]) => Ok(Op::Softmax {
                    axis: layer.axis(axis, input)?,
                }),
                Some(_) => Err(Refusal::Unsupported("several axes".to_owned())),
            };
        }
        _ => return Err(Refusal::option("activation", class)),
    };
    Ok(Op::Activation(activation))
}

/// `PReLU`: one slope for each place of an example; 1 long along shared axes.
fn prelu(layer: &mut Scope, input: Tensor) -> Result<Op, Refusal> {
    let trainable = layer.trainable();
    let alpha = layer.weight("alpha")?;
    let rank = input.rank.map_or(alpha.shape.len(), |rank| rank - 1);
    alpha.expect(&vec![None; rank])?;
    let order = example_order(layer.layout, rank);
    Ok(Op::PRelu {
        alpha: alpha.parameter(alpha.shape.clone(), order, trainable),
    })
}
