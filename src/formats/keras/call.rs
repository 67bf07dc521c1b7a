//! How a layer is called: the `inbound_nodes` of the configuration, in all their spellings.
//!
//! - Keras 2: a list of calls, each a list of `["layer", call, output, {keyword arguments}]`, or a single one
//!   of those; constants are `["_CONSTANT_VALUE", -1, 3.0, {..}]`, and tensors among the keyword arguments
//!   are lists of three.
//! - Keras 3: a list of `{"args": [..], "kwargs": {..}}`, where a tensor is an object of the class
//!   `__keras_tensor__` with a `keras_history` of the same three parts.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::Outcome;
use super::show::{self, excerpt};

/// One output of one call of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Index of the layer in its network.
    pub layer: usize,
    /// Which of its calls, from 0. (Files may count a nested model's from 1.)
    pub call: usize,
    /// Which of its outputs.
    pub output: usize,
}

/// What a layer is called with.
#[derive(Clone, Debug)]
pub enum Operand {
    /// The result of another layer.
    Tensor(Reference),
    /// A number, a list of numbers, or something stranger.
    Constant(Value),
}

/// One call.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// In order; lists of tensors are flattened, tensors among the keyword arguments come last.
    pub operands: Vec<Operand>,
    /// The other keyword arguments.
    pub options: Map<String, Value>,
}

impl Call {
    /// The results that it needs.
    pub fn references(&self) -> impl Iterator<Item = Reference> {
        self.operands.iter().filter_map(|operand| match operand {
            Operand::Tensor(reference) => Some(*reference),
            Operand::Constant(_) => None,
        })
    }

    /// As [`Self::references`], to be changed.
    pub fn references_mut(&mut self) -> impl Iterator<Item = &mut Reference> {
        self.operands
            .iter_mut()
            .filter_map(|operand| match operand {
                Operand::Tensor(reference) => Some(reference),
                Operand::Constant(_) => None,
            })
    }
}

/// Layers by their names.
pub type Names<'a> = HashMap<&'a str, usize>;

/// Reads one element of `inbound_nodes`.
///
/// # Errors
/// When it makes no sense, or names a layer that isn't there.
pub fn call(value: &Value, names: &Names) -> Outcome<Call> {
    let mut call = Call::default();
    match value {
        Value::Object(object) if object.contains_key("args") => {
            let nothing = Value::Array(Vec::new());
            match object.get("args").unwrap_or(&nothing) {
                Value::Array(args) => {
                    for arg in args {
                        keras3(arg, names, &mut call)?;
                    }
                }
                other => return Err(nonsense(other)),
            }
            if let Some(Value::Object(options)) = object.get("kwargs") {
                for (key, value) in options {
                    if holds_keras_tensor(value) {
                        keras3(value, names, &mut call)?;
                    } else {
                        call.options.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        _ => keras2(value, names, &mut call)?,
    }
    Ok(call)
}

fn nonsense(value: &Value) -> String {
    format!(
        "expected 'inbound_nodes' to say which layers feed it, found {}",
        show::json(value)
    )
}

/// The references in `input_layers` and `output_layers`: `["name", 0, 0]`, a list or an object of those.
///
/// # Errors
/// As [`call`].
pub fn references(value: &Value, names: &Names) -> Outcome<Vec<Reference>> {
    let mut call = Call::default();
    keras2(value, names, &mut call)?;
    Ok(call.references().collect())
}

/// A reference as Keras 2 writes it.
struct Parts<'a> {
    name: &'a str,
    call: &'a Value,
    /// The constant itself, if the name is that of one.
    output: &'a Value,
    /// Keyword arguments of the call.
    options: Option<&'a Map<String, Value>>,
}

impl<'a> Parts<'a> {
    fn of(value: &'a Value) -> Option<Self> {
        let (name, call, output, options) = match value.as_array()?.as_slice() {
            [name, call, output] => (name, call, output, None),
            [name, call, output, options] => (name, call, output, options.as_object()),
            _ => return None,
        };
        let name = name.as_str().filter(|_| call.is_i64())?;
        Some(Self {
            name,
            call,
            output,
            options,
        })
    }
}

fn keras2(value: &Value, names: &Names, call: &mut Call) -> Outcome<()> {
    if let Some(parts) = Parts::of(value) {
        call.operands.push(if parts.name == "_CONSTANT_VALUE" {
            Operand::Constant(parts.output.clone())
        } else {
            Operand::Tensor(reference(&parts, names)?)
        });
        // Each tensor of a list repeats the arguments of the call.
        for (key, value) in parts.options.into_iter().flatten() {
            if call.options.contains_key(key) {
                continue;
            }
            if is_tensors(value, names) {
                keras2(value, names, call)?;
            }
            call.options.insert(key.clone(), value.clone());
        }
        return Ok(());
    }
    match value {
        Value::Array(list) => list.iter().try_for_each(|value| keras2(value, names, call)),
        Value::Object(object) => object
            .values()
            .try_for_each(|value| keras2(value, names, call)),
        _ => Err(nonsense(value)),
    }
}

/// Whether a keyword argument is a tensor or a list of them.
fn is_tensors(value: &Value, names: &Names) -> bool {
    if let Some(parts) = Parts::of(value) {
        return names.contains_key(parts.name);
    }
    let list = value.as_array().filter(|list| !list.is_empty());
    list.is_some_and(|list| list.iter().all(|value| is_tensors(value, names)))
}

fn reference(parts: &Parts, names: &Names) -> Outcome<Reference> {
    let name = excerpt(parts.name);
    let layer = *names
        .get(parts.name)
        .ok_or_else(|| format!("refers to a layer '{name}' that isn't there"))?;
    let index = |value: &Value| {
        let index = value.as_u64().and_then(|index| usize::try_from(index).ok());
        index.ok_or_else(|| {
            let found = show::json(value);
            format!("refers to output {found} of a call of '{name}'")
        })
    };
    Ok(Reference {
        layer,
        call: index(parts.call)?,
        output: index(parts.output)?,
    })
}

/// The `keras_history` of a tensor in Keras 3.
fn history(value: &Value) -> Option<&Value> {
    let object = value.as_object()?;
    if object.get("class_name")?.as_str()? != "__keras_tensor__" {
        return None;
    }
    object.get("config")?.get("keras_history")
}

fn holds_keras_tensor(value: &Value) -> bool {
    if history(value).is_some() {
        return true;
    }
    match value {
        Value::Array(list) => list.iter().any(holds_keras_tensor),
        Value::Object(object) => object.values().any(holds_keras_tensor),
        _ => false,
    }
}

fn keras3(value: &Value, names: &Names, call: &mut Call) -> Outcome<()> {
    if let Some(history) = history(value) {
        let parts = Parts::of(history).ok_or_else(|| nonsense(history))?;
        let reference = reference(&parts, names)?;
        call.operands.push(Operand::Tensor(reference));
        return Ok(());
    }
    // A slice or a shape is one operand, a list of tensors is several.
    if !holds_keras_tensor(value) {
        call.operands.push(Operand::Constant(value.clone()));
        return Ok(());
    }
    match value {
        Value::Array(list) => list.iter().try_for_each(|value| keras3(value, names, call)),
        Value::Object(object) => object
            .values()
            .try_for_each(|value| keras3(value, names, call)),
        _ => Ok(()),
    }
}
