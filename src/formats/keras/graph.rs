//! From the network in the file to the graph.

use serde_json::{Map, Value};

use super::Outcome;
use super::axes::file_axes;
use super::bgr;
use super::call::{Call, Operand};
use super::config::{Fields, LARGEST};
use super::layer::{Input, Refusal, Scope, Tensor, is_idle, make};
use super::network::{Entry, INPUT, LONGEST_NAME, MOST_LAYERS, Network, in_layer};
use super::results::{Results, Values};
use super::schedule::schedule;
use super::show;
use super::weights::Weights;
use crate::model::{Builder, Layer, Layout, NodeId, Op, Parameter};

/// The finished graph.
pub struct Graph {
    /// Nodes and layers.
    pub builder: Builder,
    /// In the file's order.
    pub inputs: Vec<NodeId>,
    /// In the file's order.
    pub outputs: Vec<NodeId>,
    /// Layers that turn the colour planes round; they pass their input on as it is, see [`bgr`].
    pub turned: Vec<NodeId>,
    /// What was assumed, for people.
    pub assumptions: Vec<String>,
}

/// Translates a network.
///
/// # Errors
/// When a layer contradicts itself, its weights or the layers around it.
pub fn build(network: &Network, weights: &Weights, layout: Layout, keras: u32) -> Outcome<Graph> {
    let mut walk = Walk {
        weights,
        layout,
        keras,
        builder: Builder::default(),
        inputs: Vec::new(),
        calls: 0,
        turned: Vec::new(),
        assumptions: Vec::new(),
    };
    let top = Place {
        path: Vec::new(),
        prefix: String::new(),
        trainable: network.trainable,
    };
    let outputs = walk.network(network, &top, None)?;
    let input = |layer: &usize| {
        let found = walk.inputs.iter().find(|(input, _)| input == layer);
        found.map(|&(_, node)| node)
    };
    Ok(Graph {
        inputs: network.inputs.iter().filter_map(input).collect(),
        outputs: outputs.iter().map(|output| output.node).collect(),
        builder: walk.builder,
        turned: walk.turned,
        assumptions: walk.assumptions,
    })
}

/// The layout of the whole file: that of its first layer for pictures.
pub fn layout(network: &Network) -> Layout {
    fn first(network: &Network) -> Option<Layout> {
        network.layers.iter().find_map(|entry| match &entry.body {
            Some(body) => first(body),
            None if !entry.class.ends_with("2D") => None,
            None => match entry.config.get("data_format")?.as_str()? {
                "channels_first" => Some(Layout::ChannelsFirst),
                "channels_last" => Some(Layout::ChannelsLast),
                _ => None,
            },
        })
    }
    first(network).unwrap_or(Layout::ChannelsLast)
}

struct Walk<'a> {
    weights: &'a Weights,
    layout: Layout,
    keras: u32,
    builder: Builder,
    /// The outermost model's inputs, by their layers.
    inputs: Vec<(usize, NodeId)>,
    calls: usize,
    turned: Vec<NodeId>,
    assumptions: Vec<String>,
}

/// Where in the nest of models.
struct Place {
    path: Vec<usize>,
    /// In front of names: `outer/`.
    prefix: String,
    trainable: bool,
}

impl Walk<'_> {
    /// Adds a network's layers; `feeds` are what a nested one is called with.
    fn network(
        &mut self,
        network: &Network,
        place: &Place,
        feeds: Option<&[Tensor]>,
    ) -> Outcome<Vec<Tensor>> {
        if let Some(feeds) = feeds
            && feeds.len() != network.inputs.len()
        {
            return Err(format!(
                "is called with {} input(s), and has {}",
                feeds.len(),
                network.inputs.len()
            ));
        }
        let mut values = Values::of(network);
        for step in schedule(network)? {
            self.calls += 1;
            if self.calls > MOST_LAYERS {
                return Err(format!(
                    "calls its layers more than the {MOST_LAYERS} times that convscope believes"
                ));
            }
            let entry = &network.layers[step.layer];
            let name = full_name(place, entry, step.call)?;
            let results = if entry.class == INPUT {
                match feeds {
                    None => self.input(entry, &name, step.layer),
                    Some(feeds) => {
                        let mut inputs = network.inputs.iter().zip(feeds);
                        let feed = inputs.find(|&(&input, _)| input == step.layer);
                        feed.map(|(_, &feed)| self.inner_input(entry, &name, place, feed))
                            .ok_or_else(|| "is an input that its model doesn't list".to_owned())
                    }
                }
            } else {
                let call = &entry.calls[step.call];
                let inside = Place {
                    path: place.path.iter().copied().chain([step.layer]).collect(),
                    prefix: format!("{name}/"),
                    // Keras 3 freezes a model by freezing each layer in it; one can be set free again.
                    trainable: entry.trainable && (place.trainable || self.keras >= 3),
                };
                match bgr::turned(network, entry, step.call) {
                    Some(input) => self.turned(entry, &name, &inside, values.get(input)),
                    None => self.call(entry, call, &name, &inside, &values),
                }
            };
            // A nested model's layer has said already which it is.
            let results = results.map_err(|what| match entry.body {
                Some(_) if what.starts_with("layer '") => what,
                _ => in_layer(&name, &what),
            })?;
            values.put(step, results);
        }
        let outputs = network.outputs.iter().map(|&output| values.get(output));
        outputs.collect()
    }

    fn call(
        &mut self,
        entry: &Entry,
        call: &Call,
        name: &str,
        place: &Place,
        values: &Values,
    ) -> Outcome<Results> {
        let inputs = call.operands.iter().filter_map(|operand| match operand {
            Operand::Tensor(reference) => Some(values.get(*reference).map(Input::Tensor)),
            Operand::Constant(Value::Null) => None,
            Operand::Constant(value) => Some(Ok(Input::Constant(value))),
        });
        let inputs = inputs.collect::<Outcome<Vec<_>>>()?;
        match &entry.body {
            Some(body) if !self.weights.are_mixed(&place.path) => {
                let tensors = inputs.iter().filter_map(|input| match input {
                    Input::Tensor(tensor) => Some(*tensor),
                    Input::Constant(_) => None,
                });
                let feeds: Vec<Tensor> = tensors.collect();
                self.nested(entry, body, name, place, &feeds)
            }
            _ => self.leaf(entry, inputs, &call.options, name, place),
        }
    }

    /// A layer that turns the colour planes round, for now.
    fn turned(
        &mut self,
        entry: &Entry,
        name: &str,
        place: &Place,
        input: Outcome<Tensor>,
    ) -> Outcome<Results> {
        let input = input?;
        let first = self.builder.nodes.len();
        let node = self.builder.node(Op::Identity, [input.node]);
        self.turned.push(node);
        self.push_layer(name, &entry.class, first, node, place.path.len() - 1);
        Ok(Results::Known(vec![Tensor { node, ..input }]))
    }

    /// A model in the model: a layer itself, in front of its own.
    fn nested(
        &mut self,
        entry: &Entry,
        body: &Network,
        name: &str,
        place: &Place,
        feeds: &[Tensor],
    ) -> Outcome<Results> {
        let first = self.builder.nodes.len();
        let index = self.builder.layers.len();
        self.push_layer(name, &entry.class, first, NodeId(0), place.path.len() - 1);
        let mut outputs = self.network(body, place, Some(feeds))?;
        let Some(output) = outputs.first_mut() else {
            return Err("has no outputs".to_owned());
        };
        // A model that passes its input on has no node of its own yet.
        if output.node.0 < first {
            output.node = self.builder.node(Op::Identity, [output.node]);
        }
        let layer = &mut self.builder.layers[index];
        layer.nested = true;
        layer.output = output.node;
        layer.nodes = (first..self.builder.nodes.len()).map(NodeId).collect();
        Ok(Results::Known(outputs))
    }

    fn leaf(
        &mut self,
        entry: &Entry,
        inputs: Vec<Input>,
        options: &Map<String, Value>,
        name: &str,
        place: &Place,
    ) -> Outcome<Results> {
        if is_idle(&entry.class) && options.get("training") == Some(&Value::Bool(true)) {
            self.assumptions.push(format!(
                "layer {name}: off, although the file keeps it on in prediction"
            ));
        }
        let first = self.builder.nodes.len();
        let depth = place.path.len() - 1;
        let stored = self.weights.of(&place.path);
        let mut scope = Scope::new(
            &entry.class,
            &entry.config,
            inputs,
            options,
            (self.layout, self.keras),
            place.trainable,
            stored,
            &mut self.builder,
        );
        let made = if entry.body.is_some() {
            Err(Refusal::Unsupported(
                "weights that can't be told apart".to_owned(),
            ))
        } else {
            make(&mut scope)
        };
        let feeds: Vec<NodeId> = scope.tensors().iter().map(|tensor| tensor.node).collect();
        let option = match made {
            Ok(mut result) => {
                if result.node.0 < first {
                    result.node = self.builder.node(Op::Identity, [result.node]);
                }
                self.push_layer(name, &entry.class, first, result.node, depth);
                return Ok(Results::Known(vec![result]));
            }
            Err(Refusal::Wrong(what)) => return Err(what),
            Err(Refusal::Unsupported(option)) => option,
        };
        self.builder.nodes.truncate(first);
        let parameters = unknown_parameters(entry, self.weights.of(&place.path), place.trainable);
        let node = self.builder.node(Op::Unknown { parameters }, feeds);
        let kind = match option.as_str() {
            "" => entry.class.clone(),
            option => format!("{} ({option})", entry.class),
        };
        self.push_layer(name, &kind, first, node, depth);
        Ok(Results::Unknown(Tensor { node, rank: None }))
    }

    /// Where an image enters.
    fn input(&mut self, entry: &Entry, name: &str, layer: usize) -> Outcome<Results> {
        let shape = entry.input_shape()?.ok_or("doesn't tell its shape")?;
        let rank = shape.len() + 1;
        if rank == 4 && shape.iter().flatten().any(|&axis| axis > LARGEST) {
            return Err(format!("has an input of {}", show::pattern(&shape)));
        }
        let axes = file_axes(self.layout, rank);
        let shape = axes[1..].iter().map(|&axis| shape[axis - 1]).collect();
        let node = self.builder.node(Op::Input { shape }, []);
        self.inputs.push((layer, node));
        if entry.shown {
            self.push_layer(name, &entry.class, node.0, node, 0);
        }
        let rank = Some(rank);
        Ok(Results::Known(vec![Tensor { node, rank }]))
    }

    /// An input of a nested model, which is called with `feed`.
    fn inner_input(&mut self, entry: &Entry, name: &str, place: &Place, feed: Tensor) -> Results {
        if !entry.shown {
            return Results::Known(vec![feed]);
        }
        let node = self.builder.node(Op::Identity, [feed.node]);
        self.push_layer(name, &entry.class, node.0, node, place.path.len());
        Results::Known(vec![Tensor { node, ..feed }])
    }

    /// Appends a layer that has all nodes from `first` on.
    fn push_layer(&mut self, name: &str, kind: &str, first: usize, output: NodeId, depth: usize) {
        self.builder.layers.push(Layer {
            name: name.to_owned(),
            kind: kind.to_owned(),
            nodes: (first..self.builder.nodes.len()).map(NodeId).collect(),
            output,
            depth,
            nested: false,
        });
    }
}

/// The name with those of the models around it in front, and the number of the call behind.
fn full_name(place: &Place, entry: &Entry, call: usize) -> Outcome<String> {
    let name = match call {
        0 => format!("{}{}", place.prefix, entry.name),
        _ => format!("{}{}#{call}", place.prefix, entry.name),
    };
    if name.len() > LONGEST_NAME {
        return Err(in_layer(&name, "has too long a name"));
    }
    Ok(name)
}

/// All weights of a layer that isn't known. Moving statistics go by that name in layers of other people too.
fn unknown_parameters(
    entry: &Entry,
    stored: &[super::weight::Weight],
    trainable: bool,
) -> Vec<Parameter> {
    let known = super::layer::variables(&entry.class, Fields(&entry.config));
    let known = known.ok().flatten().unwrap_or_default();
    let is_trained = |name: &str| {
        let variable = known.iter().find(|variable| variable.name == name);
        variable.map_or(!name.starts_with("moving_"), |variable| variable.trainable)
    };
    stored
        .iter()
        .map(|weight| weight.plain(trainable && is_trained(weight.variable())))
        .collect()
}
