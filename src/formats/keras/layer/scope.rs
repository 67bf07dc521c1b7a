//! What a layer is made from, and the words in which the other files make it.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::super::Outcome;
use super::super::axes;
use super::super::config::Fields;
use super::super::show::{self, excerpt};
use super::super::weight::Weight;
use super::variable::{Variable, variables};
use crate::model::{Builder, Layout, NodeId, Op};

/// A node's value, and as much of its shape as the translation needs.
#[derive(Clone, Copy, Debug)]
pub struct Tensor {
    /// Where it comes from.
    pub node: NodeId,
    /// How many axes it has, with batch. Unknown behind layers that convscope doesn't know, where nothing
    /// can be computed anyway: then any translation will do.
    pub rank: Option<usize>,
}

/// Why a layer could not be translated.
#[derive(Debug)]
pub enum Refusal {
    /// Convscope doesn't know the layer, or this option of it (empty: the layer as such).
    Unsupported(String),
    /// The file contradicts itself.
    Wrong(String),
}

impl Refusal {
    /// An option that isn't known.
    pub fn option(key: &str, value: impl std::fmt::Display) -> Self {
        Self::Unsupported(format!("{key}={}", excerpt(&value.to_string())))
    }
}

impl From<String> for Refusal {
    fn from(what: String) -> Self {
        Self::Wrong(what)
    }
}

/// One input of a layer.
#[derive(Clone)]
pub enum Input<'a> {
    /// Another layer's result.
    Tensor(Tensor),
    /// A constant in the configuration.
    Constant(&'a Value),
}

/// One call of a layer.
pub struct Scope<'a> {
    /// Keras's class.
    pub class: &'a str,
    /// The layer's configuration.
    pub fields: Fields<'a>,
    /// What it is called with, in order.
    pub inputs: Vec<Input<'a>>,
    /// Constant keyword arguments of the call.
    pub options: &'a Map<String, Value>,
    /// That of the whole file.
    pub layout: Layout,
    /// Keras's major version: some formulas differ.
    pub keras: u32,
    trainable: bool,
    stored: &'a [Weight],
    assigned: HashMap<&'static str, &'a Weight>,
    builder: &'a mut Builder,
}

impl<'a> Scope<'a> {
    /// Puts the parts together; `trainable` is false in frozen layers and models.
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        class: &'a str,
        config: &'a Map<String, Value>,
        inputs: Vec<Input<'a>>,
        options: &'a Map<String, Value>,
        (layout, keras): (Layout, u32),
        trainable: bool,
        stored: &'a [Weight],
        builder: &'a mut Builder,
    ) -> Self {
        Self {
            class,
            fields: Fields(config),
            inputs,
            options,
            layout,
            keras,
            trainable,
            stored,
            assigned: HashMap::new(),
            builder,
        }
    }

    /// Adds a node.
    pub fn node(&mut self, op: Op, inputs: &[Tensor], rank: Option<usize>) -> Tensor {
        let inputs: Vec<NodeId> = inputs.iter().map(|input| input.node).collect();
        let node = self.builder.node(op, inputs);
        Tensor { node, rank }
    }

    /// Adds a node that changes neither the number of axes nor their order.
    pub fn then(&mut self, op: Op, input: Tensor) -> Tensor {
        self.node(op, &[input], input.rank)
    }

    /// The inputs that are other layers' results.
    pub fn tensors(&self) -> Vec<Tensor> {
        let tensors = self.inputs.iter().filter_map(|input| match input {
            Input::Tensor(tensor) => Some(*tensor),
            Input::Constant(_) => None,
        });
        tensors.collect()
    }

    /// The inputs of a layer that takes no constants.
    ///
    /// # Errors
    /// When it is called with some. `False` says nothing: it is a flag's usual state.
    pub fn results(&self) -> Result<Vec<Tensor>, Refusal> {
        let strange = self.inputs.iter().find_map(|input| match input {
            Input::Constant(Value::Bool(false)) | Input::Tensor(_) => None,
            Input::Constant(value) => Some(*value),
        });
        match strange {
            Some(value) => Err(Refusal::Unsupported(format!(
                "called with {}",
                show::json(value)
            ))),
            None => Ok(self.tensors()),
        }
    }

    /// The input of a layer that has just one.
    ///
    /// # Errors
    /// When it is called with more or less.
    pub fn only_input(&self) -> Result<Tensor, Refusal> {
        match self.results()?[..] {
            [input] => Ok(input),
            [] => Err(Refusal::Wrong("has no input".to_owned())),
            ref several => Err(Refusal::Unsupported(format!("{} inputs", several.len()))),
        }
    }

    /// The feature maps that a layer works on, in the file's own layout.
    ///
    /// # Errors
    /// When its input is no picture, or of the other layout.
    pub fn image(&self) -> Result<Tensor, Refusal> {
        let input = self.only_input()?;
        let layout = match self.fields.text("data_format")? {
            None => self.layout,
            Some("channels_last") => Layout::ChannelsLast,
            Some("channels_first") => Layout::ChannelsFirst,
            Some(other) => return Err(Refusal::option("data_format", other)),
        };
        if layout != self.layout {
            return Err(Refusal::Unsupported(
                "data_format unlike the other layers'".to_owned(),
            ));
        }
        match input.rank {
            None | Some(4) => Ok(Tensor {
                rank: Some(4),
                ..input
            }),
            Some(rank) => Err(Refusal::Unsupported(format!("input of rank {rank}"))),
        }
    }

    /// The engine's number for one of the file's axes.
    ///
    /// # Errors
    /// When there is no such axis, or it is the batch.
    pub fn axis(&self, axis: i64, input: Tensor) -> Result<usize, Refusal> {
        let Some(rank) = input.rank else {
            return Ok(1);
        };
        match axes::engine_axis(self.layout, axis, rank)? {
            0 => Err(Refusal::option("axis", axis)),
            axis => Ok(axis),
        }
    }

    /// Whether the weights are of a reduced kind that comes with scales of its own.
    pub fn is_quantized(&self) -> bool {
        let policy = self
            .fields
            .get("dtype")
            .and_then(|dtype| dtype.get("class_name"));
        let policy = policy.and_then(Value::as_str).unwrap_or_default();
        policy.starts_with("Quantized") || self.fields.get("quantization_config").is_some()
    }

    /// A weight that the layer's configuration calls for; `None` if it doesn't.
    ///
    /// # Errors
    /// When the file has other weights than the configuration calls for.
    pub fn maybe(&mut self, name: &str) -> Outcome<Option<&'a Weight>> {
        if self.assigned.is_empty() {
            let wanted = variables(self.class, self.fields)?.unwrap_or_default();
            self.assigned = assign(&wanted, self.stored)?;
        }
        Ok(self.assigned.get(name).copied())
    }

    /// A weight that the layer can't be without.
    ///
    /// # Errors
    /// As [`Self::maybe`].
    pub fn weight(&mut self, name: &str) -> Outcome<&'a Weight> {
        self.maybe(name)?
            .ok_or_else(|| format!("has no weight '{name}'"))
    }

    /// Everything the file has for the layer.
    pub fn stored(&self) -> &'a [Weight] {
        self.stored
    }

    /// Whether training changes the layer's weights.
    pub fn trainable(&self) -> bool {
        self.trainable
    }
}

/// Which of the stored weights is which variable: by name if the names are the usual ones, else in order, as
/// Keras itself does it.
fn assign<'a>(
    wanted: &[Variable],
    stored: &'a [Weight],
) -> Outcome<HashMap<&'static str, &'a Weight>> {
    if wanted.len() != stored.len() {
        let names: Vec<&str> = wanted.iter().map(|variable| variable.name).collect();
        let wanted = match names.len() {
            0 => "no weights".to_owned(),
            count => format!("{count} weight(s) ({})", names.join(", ")),
        };
        let found = match stored.len() {
            0 => "none".to_owned(),
            count => format!(
                "{count} ({})",
                show::names(stored.iter().map(|weight| weight.name.as_str()))
            ),
        };
        return Err(format!("needs {wanted}, and the file has {found}"));
    }
    let named = |variable: &Variable| {
        let mut fits = stored
            .iter()
            .filter(|weight| weight.variable() == variable.name);
        fits.next().filter(|_| fits.next().is_none())
    };
    let by_name: Option<Vec<&Weight>> = wanted.iter().map(named).collect();
    let found = by_name.unwrap_or_else(|| stored.iter().collect());
    Ok(wanted
        .iter()
        .map(|variable| variable.name)
        .zip(found)
        .collect())
}
