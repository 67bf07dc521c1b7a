//! A network as the configuration describes it: `Sequential`, `Functional` (once called `Model`), and models
//! nested in those, brought to one form: a list of layers, each with its calls.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::Outcome;
use super::call::{Call, Operand, Reference, call, references};
use super::config::{Fields, lengths};
use super::show::{self, excerpt};

/// More layers than any known network has; nested ones count each time they are called.
pub const MOST_LAYERS: usize = 20_000;
/// Longest description of a network, in bytes: once taken apart it needs many times its length.
const LONGEST_CONFIG: usize = 32 << 20;
/// Longest name of a layer, with those of the models around it.
pub const LONGEST_NAME: usize = 4096;

/// A model or a nested one.
pub struct Network {
    /// If the file gives one.
    pub name: Option<String>,
    /// Whether its weights are trained.
    pub trainable: bool,
    /// In the file's order.
    pub layers: Vec<Entry>,
    /// The layers that its inputs enter, in order.
    pub inputs: Vec<usize>,
    /// What it gives.
    pub outputs: Vec<Reference>,
}

/// A layer.
pub struct Entry {
    /// Unique in its network.
    pub name: String,
    /// Keras's class.
    pub class: String,
    /// The class's own description of it.
    pub config: Map<String, Value>,
    /// Whether its weights are trained.
    pub trainable: bool,
    /// Its layers, if it is a model itself.
    pub body: Option<Network>,
    /// In the file's order.
    pub calls: Vec<Call>,
    /// False for the input that a `Sequential` has without anyone's seeing it.
    pub shown: bool,
}

/// The class of the layers where inputs enter.
pub const INPUT: &str = "InputLayer";

/// Reads the model's configuration.
///
/// # Errors
/// When it isn't that of a network of layers, or doesn't make sense.
pub fn read(json: &str) -> Outcome<Network> {
    if json.len() > LONGEST_CONFIG {
        return Err(format!(
            "has a model_config of {} bytes, more than the {LONGEST_CONFIG} that convscope believes",
            json.len()
        ));
    }
    let value: Value = serde_json::from_str(json)
        .map_err(|error| format!("has a model_config that isn't proper JSON: {error}"))?;
    let class = value.get("class_name").and_then(Value::as_str);
    let class = class.ok_or("has a model_config without 'class_name'")?;
    let config = value.get("config").unwrap_or(&Value::Null);
    let network = network(class, config).transpose()?;
    network.ok_or_else(|| {
        format!(
            "holds a model of the class '{}', whose structure is in its program and not in the file; \
             convscope reads Sequential and Functional models",
            excerpt(class)
        )
    })
}

/// The network that a class and its configuration describe; `None` if it is no network of layers.
fn network(class: &str, config: &Value) -> Option<Outcome<Network>> {
    // In Keras 2.0 to 2.2.2 a Sequential's configuration is the bare list of its layers.
    if let ("Sequential", Value::Array(layers)) = (class, config) {
        return Some(sequential(layers, &Map::new()));
    }
    let config = config.as_object()?;
    let layers = config.get("layers")?.as_array()?;
    if class == "Sequential" {
        Some(sequential(layers, config))
    } else if config.contains_key("input_layers") {
        Some(functional(layers, config))
    } else {
        None
    }
}

fn sequential(layers: &[Value], config: &Map<String, Value>) -> Outcome<Network> {
    let mut entries = entries(layers)?;
    if entries.is_empty() {
        return Err("has no layers".to_owned());
    }
    let mut inputs = entries.iter_mut().filter(|entry| entry.class == INPUT);
    match (inputs.next(), inputs.next()) {
        (Some(input), None) => input.shown = false,
        (None, _) => entries.insert(0, implied_input(&entries, config)),
        (Some(_), Some(second)) => {
            return Err(format!(
                "has a second input '{}' in a Sequential",
                excerpt(&second.name)
            ));
        }
    }
    if entries[0].class != INPUT {
        return Err("has a Sequential whose input isn't its first layer".to_owned());
    }
    for (index, entry) in entries.iter_mut().enumerate() {
        let feed = index.checked_sub(1).map(|layer| {
            Operand::Tensor(Reference {
                layer,
                call: 0,
                output: 0,
            })
        });
        entry.calls = vec![Call {
            operands: feed.into_iter().collect(),
            options: Map::new(),
        }];
    }
    let last = entries.len() - 1;
    Ok(Network {
        name: name_of(config)?,
        trainable: Fields(config).flag("trainable", true)?,
        layers: entries,
        inputs: vec![0],
        outputs: vec![Reference {
            layer: last,
            call: 0,
            output: 0,
        }],
    })
}

/// The input of a `Sequential` that doesn't list one: its first layer tells the shape, or a later note.
fn implied_input(entries: &[Entry], config: &Map<String, Value>) -> Entry {
    let shape = entries.first().and_then(first_shape);
    let shape = shape.or_else(|| {
        config
            .get("build_input_shape")
            .filter(|s| s.is_array())
            .cloned()
    });
    let config = shape.map(|shape| ("batch_input_shape".to_owned(), shape));
    Entry {
        name: "input".to_owned(),
        class: INPUT.to_owned(),
        config: config.into_iter().collect(),
        trainable: true,
        body: None,
        calls: Vec::new(),
        shown: false,
    }
}

/// The shape, batch included, that a layer says it was made for.
fn first_shape(entry: &Entry) -> Option<Value> {
    if let Some(body) = &entry.body {
        return first_shape(body.layers.get(*body.inputs.first()?)?);
    }
    ["batch_input_shape", "batch_shape"]
        .iter()
        .find_map(|key| entry.config.get(*key))
        .filter(|shape| shape.is_array())
        .cloned()
}

impl Entry {
    /// The shape of an input without the batch axis; `None` where the file doesn't tell.
    ///
    /// # Errors
    /// When it is not a shape.
    pub fn input_shape(&self) -> Outcome<Option<Vec<Option<usize>>>> {
        let Some(shape) = first_shape(self) else {
            return Ok(None);
        };
        let axes = shape.as_array().and_then(|axes| axes.split_first());
        // Whatever the batch size is, it is free here.
        let shape_without_batch = axes.and_then(|(_, axes)| lengths(axes));
        shape_without_batch.map(Some).ok_or_else(|| {
            format!(
                "expected a shape with a batch axis in front, found {}",
                show::json(&shape)
            )
        })
    }
}

fn functional(layers: &[Value], config: &Map<String, Value>) -> Outcome<Network> {
    let mut entries = entries(layers)?;
    let mut names = HashMap::new();
    let keys: Vec<String> = entries.iter().map(|entry| entry.name.clone()).collect();
    for (index, name) in keys.iter().enumerate() {
        names.insert(name.as_str(), index);
    }
    for (entry, value) in entries.iter_mut().zip(layers) {
        let nodes = value.get("inbound_nodes").and_then(Value::as_array);
        let calls = nodes.into_iter().flatten().map(|node| call(node, &names));
        let calls = calls.collect::<Outcome<Vec<_>>>();
        entry.calls = calls.map_err(|what| in_layer(&entry.name, &what))?;
        if entry.class == INPUT {
            entry.calls = vec![Call::default()];
        }
    }
    let ends = |key: &str| {
        let value = config.get(key).unwrap_or(&Value::Null);
        references(value, &names).map_err(|what| format!("has wrong '{key}': it {what}"))
    };
    let inputs: Vec<usize> = ends("input_layers")?.iter().map(|end| end.layer).collect();
    let mut outputs = ends("output_layers")?;
    if outputs.is_empty() || inputs.is_empty() {
        return Err("names no inputs or no outputs".to_owned());
    }
    if let Some(wrong) = inputs.iter().find(|&&input| entries[input].class != INPUT) {
        let name = excerpt(&entries[*wrong].name);
        return Err(format!("has an input '{name}' that isn't an {INPUT}"));
    }
    count_calls_from_zero(&mut entries, &mut outputs)?;
    Ok(Network {
        name: name_of(config)?,
        trainable: Fields(config).flag("trainable", true)?,
        layers: entries,
        inputs,
        outputs,
    })
}

/// Keras 2 counts a nested model's calls from 1 if it was made with inputs of its own: the first is the one
/// in which it was made. A file keeps only the calls that lead to an output, so that each is referred to,
/// and the smallest number that occurs is the first call's.
fn count_calls_from_zero(entries: &mut [Entry], outputs: &mut [Reference]) -> Outcome<()> {
    let mut first: HashMap<usize, usize> = HashMap::new();
    let calls = entries.iter().flat_map(|entry| &entry.calls);
    for reference in calls
        .flat_map(Call::references)
        .chain(outputs.iter().copied())
    {
        let seen = first.entry(reference.layer).or_insert(reference.call);
        *seen = reference.call.min(*seen);
    }
    let counts: Vec<usize> = entries.iter().map(|entry| entry.calls.len()).collect();
    let names: Vec<String> = entries.iter().map(|entry| excerpt(&entry.name)).collect();
    let correct = |reference: &mut Reference| {
        // An `InputLayer` has one call, whatever number it goes by.
        let base = first.get(&reference.layer).copied().unwrap_or(0).min(1);
        reference.call -= base.min(reference.call);
        if reference.call < counts[reference.layer] {
            Ok(())
        } else {
            Err(format!(
                "refers to call {} of '{}', which is called {} time(s)",
                reference.call, names[reference.layer], counts[reference.layer]
            ))
        }
    };
    for entry in entries.iter_mut() {
        let references = entry.calls.iter_mut().flat_map(Call::references_mut);
        for reference in references {
            correct(reference).map_err(|what| in_layer(&entry.name, &what))?;
        }
    }
    outputs.iter_mut().try_for_each(correct)
}

fn entries(layers: &[Value]) -> Outcome<Vec<Entry>> {
    if layers.len() > MOST_LAYERS {
        return Err(format!(
            "has {} layers, more than the {MOST_LAYERS} that convscope believes",
            layers.len()
        ));
    }
    let mut seen = std::collections::HashSet::new();
    let mut entries = Vec::with_capacity(layers.len());
    for (index, value) in layers.iter().enumerate() {
        let entry = entry(value, index)?;
        if !seen.insert(entry.name.clone()) {
            return Err(format!("has two layers '{}'", excerpt(&entry.name)));
        }
        entries.push(entry);
    }
    Ok(entries)
}

fn entry(value: &Value, index: usize) -> Outcome<Entry> {
    let numbered = |what: &str| format!("has a layer (number {index}) {what}");
    let class = value.get("class_name").and_then(Value::as_str);
    let class = class.ok_or_else(|| numbered("without 'class_name'"))?;
    let config = value.get("config").unwrap_or(&Value::Null);
    let empty = Map::new();
    let fields = config.as_object().unwrap_or(&empty);
    let outside = value.get("name").and_then(Value::as_str);
    let name = outside.or_else(|| fields.get("name").and_then(Value::as_str));
    let name = match name {
        Some(name) => name.to_owned(),
        // A Sequential of Keras 2.0 has no name when it is nested.
        None if class == "Sequential" => format!("sequential_{index}"),
        None => return Err(numbered("without a name")),
    };
    if name.is_empty() || name.len() > LONGEST_NAME || name.contains(char::is_control) {
        return Err(numbered(&format!(
            "whose name convscope can't use: '{}'",
            excerpt(&name)
        )));
    }
    let body = network(class, config).transpose();
    let body = body.map_err(|what| in_layer(&name, &what))?;
    let trainable = Fields(fields).flag("trainable", true);
    Ok(Entry {
        trainable: trainable.map_err(|what| in_layer(&name, &what))?,
        class: class.to_owned(),
        // A nested model's configuration has become its body.
        config: body.as_ref().map_or_else(|| fields.clone(), |_| Map::new()),
        body,
        calls: Vec::new(),
        shown: true,
        name,
    })
}

fn name_of(config: &Map<String, Value>) -> Outcome<Option<String>> {
    let name = Fields(config).text("name")?;
    let fine = name.filter(|name| !name.is_empty() && !name.contains(char::is_control));
    Ok(fine.map(str::to_owned))
}

/// Puts the layer in front of a message.
pub fn in_layer(name: &str, what: &str) -> String {
    format!("layer '{}' {what}", excerpt(name))
}
