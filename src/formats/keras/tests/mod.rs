//! Keras files of other programs (`tests/golden/keras`), small ones stored in unusual ways, networks put
//! together by hand, files of weights alone, and damaged ones.

mod graphs;
mod hostile;
mod nesting;
mod official;
mod options;
mod runs;
mod storage;
mod summaries;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::formats::keras::weight::Weight;
use crate::model::{LayerId, Op, Parameter};

/// A file made for other tests of the whole program too: `fx_mixed_k2.h5`.
fn fixture(name: &str) -> PathBuf {
    root().join("tests/golden/keras/fixtures").join(name)
}

/// One of the small files in this folder.
fn small(name: &str) -> PathBuf {
    root().join("src/formats/keras/tests").join(name)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A fresh folder.
fn scratch(name: &str) -> PathBuf {
    let folder =
        std::env::temp_dir().join(format!("convscope-keras-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// What goes wrong with a file, without its name.
fn message(path: &Path) -> String {
    let text = read(path).unwrap_err().to_string();
    let name = format!("{}: ", path.display());
    text.strip_prefix(&name)
        .expect("begins with the file's name")
        .to_owned()
}

/// A weight whose values count up from 0.
fn weight(name: &str, shape: &[usize]) -> Weight {
    let count: usize = shape.iter().product();
    #[allow(clippy::cast_precision_loss)]
    let values: Vec<f32> = (0..count).map(|value| value as f32).collect();
    Weight {
        name: name.to_owned(),
        shape: shape.to_vec(),
        values: Arc::new(values),
    }
}

/// Names and shapes of weights, by layer.
type Listed<'a> = &'a [(&'a str, &'a [(&'a str, &'a [usize])])];

/// The model of a configuration; `weights` are listed for the outermost layers, as a file does it.
fn model_of(config: &Value, keras: u32, weights: Listed) -> Outcome<Model> {
    let network = network::read(&config.to_string())?;
    let mut shared = Vec::new();
    for (index, entry) in network.layers.iter().enumerate() {
        let listed = weights.iter().find(|(layer, _)| *layer == entry.name);
        let listed = listed.map_or(&[][..], |(_, weights)| weights);
        let listed = listed
            .iter()
            .map(|(name, shape)| weight(name, shape))
            .collect();
        match &entry.body {
            Some(body) => shared.extend(share::out(body, index, listed, keras)?),
            None => shared.push((vec![index], listed)),
        }
    }
    assemble(&network, &Weights::given(shared), keras, "Keras".to_owned())
}

/// A `Sequential` of one input and some layers, each a class and its configuration.
fn sequential(input: &[usize], layers: &[(&str, Value)]) -> Value {
    let mut shape = vec![Value::Null];
    shape.extend(input.iter().map(|&axis| json!(axis)));
    let mut entries = vec![json!({
        "class_name": "InputLayer",
        "config": {"name": "in", "batch_input_shape": shape},
    })];
    for (index, (class, config)) in layers.iter().enumerate() {
        let mut config = config.clone();
        config["name"] = json!(format!("l{index}"));
        entries.push(json!({"class_name": class, "config": config}));
    }
    json!({"class_name": "Sequential", "config": {"name": "net", "layers": entries}})
}

/// A layer of a functional model in Keras 2's spelling.
fn entry(class: &str, name: &str, config: Value, inbound: Value) -> Value {
    json!({"class_name": class, "name": name, "config": config, "inbound_nodes": inbound})
}

fn input(name: &str, shape: Value) -> Value {
    entry(
        "InputLayer",
        name,
        json!({"batch_input_shape": shape}),
        json!([]),
    )
}

fn functional(name: &str, layers: Value, inputs: Value, outputs: Value) -> Value {
    json!({"class_name": "Functional", "config": {
        "name": name, "layers": layers, "input_layers": inputs, "output_layers": outputs}})
}

/// A 1x1 convolution that keeps four channels.
fn conv(name: &str, inbound: Value) -> Value {
    entry(
        "Conv2D",
        name,
        json!({"filters": 4, "kernel_size": [1, 1], "use_bias": false}),
        inbound,
    )
}

const KERNEL: &[usize] = &[1, 1, 4, 4];

/// The output shape of each layer at the file's own input size.
fn shapes(model: &Model) -> Vec<(String, Option<Vec<usize>>)> {
    let rows = model.summary(model.input_size()).rows;
    let named = rows
        .into_iter()
        .map(|row| (model.layer(row.layer).name.clone(), row.shape));
    named.collect()
}

fn layer<'a>(model: &'a Model, name: &str) -> &'a crate::model::Layer {
    let LayerId(index) = model.find_layer(name).unwrap();
    &model.layers[index]
}

/// The weights of a layer.
fn parameters<'a>(model: &'a Model, name: &str) -> Vec<&'a Parameter> {
    let nodes = layer(model, name).nodes.iter();
    nodes
        .flat_map(|&node| model.node(node).op.parameters())
        .collect()
}

/// The ops of a layer.
fn ops<'a>(model: &'a Model, name: &str) -> Vec<&'a Op> {
    let nodes = layer(model, name).nodes.iter();
    nodes.map(|&node| &model.node(node).op).collect()
}

fn values(parameter: &Parameter) -> Vec<f32> {
    let mut values = vec![0.0; parameter.len()];
    parameter.values.read(0, &mut values).unwrap();
    values
}
