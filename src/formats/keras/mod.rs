//! Keras models in HDF5 (`.h5`): whole ones, written by `model.save` in Keras 2, and in Keras 3 where it still
//! writes that format; and weights alone, as Keras 2 saves them and Keras publishes them.
//!
//! A whole model holds the network as JSON in the attribute `model_config`, and the weights in the group
//! `model_weights`. Where there are only weights, the net must be a well-known one. Reading goes through these
//! steps, a file of this folder for each:
//!
//! | step | files |
//! |---|---|
//! | HDF5: groups, attributes, data sets as [`Values`](crate::model::Values) | `file attributes stored number slab` |
//! | JSON: the network, its layers and their calls | `network call config` |
//! | weights to layers | `weights share weight` |
//! | weights alone: the names by which a net is known | `weights_only` |
//! | layers to nodes | `graph results schedule axes layer/` |
//! | what the file leaves open | `preprocessing bgr` |
//!
//! Nothing in a file is believed: sizes are checked against the file's, numbers have bounds, names have no
//! control characters, and nesting is limited by the JSON reader.

mod attributes;
mod axes;
mod bgr;
mod call;
mod config;
mod file;
mod graph;
mod layer;
mod network;
mod number;
mod preprocessing;
mod results;
mod schedule;
mod share;
mod show;
mod slab;
mod stored;
mod weight;
mod weights;
mod weights_only;

use std::path::Path;

use hdf5_reader::group::Group;

use self::attributes::Attributes;
use self::file::File;
use self::network::Network;
use self::weights::Weights;
use crate::error::{Error, Result};
use crate::formats::architectures;
use crate::formats::card::Card;
use crate::model::{Model, Preprocessing};

/// The result of a step; the error is what is wrong with the file or the layer, without its name in front.
type Outcome<T> = std::result::Result<T, String>;

/// Why files of another backend are refused.
const THEANO: &str =
    "was written by Keras on Theano, whose kernels are turned round: convscope doesn't read those";

/// Reads a model. Its weights stay in the file until they are needed.
///
/// # Errors
/// When there is no such file, it is no Keras model, holds the weights of a net that is not known, or
/// contradicts itself.
pub fn read(path: &Path) -> Result<Model> {
    let file = File::open(path)?;
    let fail = |what| Error::file(path, what);
    let root = file.root().map_err(fail)?;
    let attributes = Attributes::of(&root).map_err(fail)?;
    if let Some(config) = attributes.text("model_config").map_err(fail)? {
        return whole(&file, &root, &attributes, &config).map_err(fail);
    }
    let tensors = weights_only::tensors(&file, &root).map_err(fail)?;
    architectures::assemble(&tensors, Card::beside(path)?.as_ref())
}

/// A model that comes with its network.
fn whole(file: &File, root: &Group, attributes: &Attributes, config: &str) -> Outcome<Model> {
    let version = attributes.text("keras_version")?;
    let keras = major(version.as_deref())?;
    if attributes.text("backend")?.as_deref() == Some("theano") {
        return Err(THEANO.to_owned());
    }
    let network = network::read(config)?;
    let group = file::group(root, "model_weights")?
        .ok_or("has a network (model_config) and no weights (model_weights)")?;
    let weights = Weights::find(file, &group, &network, keras)?;
    let format = match version {
        Some(version) => format!("Keras {} (HDF5)", show::excerpt(&version)),
        None => "Keras (HDF5)".to_owned(),
    };
    let mut model = assemble(&network, &weights, keras, format)?;
    if model.name.is_empty() {
        let stem = file.path().file_stem().unwrap_or_default();
        model.name = stem.to_string_lossy().into_owned();
    }
    Ok(model)
}

/// The model of a network and its weights.
fn assemble(network: &Network, weights: &Weights, keras: u32, format: String) -> Outcome<Model> {
    let layout = graph::layout(network);
    let graph = graph::build(network, weights, layout, keras)?;
    let mut model = Model {
        name: network.name.clone().unwrap_or_default(),
        format,
        architecture: None,
        layout,
        nodes: graph.builder.nodes,
        layers: graph.builder.layers,
        inputs: graph.inputs,
        outputs: graph.outputs,
        head: None,
        labels: None,
        preprocessing: Preprocessing::book([1, 1]),
        assumptions: graph.assumptions,
    };
    preprocessing::fit(&mut model, &graph.turned);
    model.head = model.find_head();
    Ok(model)
}

/// The number in front of the first dot. Files without a version are old, but not as old as Keras 1, whose
/// layers have other names and options.
fn major(version: Option<&str>) -> Outcome<u32> {
    let Some(version) = version else {
        return Ok(2);
    };
    let number = version.split('.').next().and_then(|text| text.parse().ok());
    match number {
        Some(1) => Err(format!(
            "was written by Keras {}; convscope reads the files of Keras 2 and 3",
            show::excerpt(version)
        )),
        number => Ok(number.unwrap_or(2)),
    }
}

#[cfg(test)]
mod tests;
