//! Graphs of well-known nets, for files that hold weights and no graph.
//!
//! A family of nets is one file here: a table of its members and an `Architecture` that walks through it
//! with the vocabulary of `torch.rs` or `keras.rs`, which look weights up by the names these frameworks give
//! them and check every shape. To add a family, write the file and list its members in `KNOWN`.

mod conventions;
mod efficientnet_lite;
mod keras;
mod ops;
mod torch;
mod vgg;

use super::card::Card;
use super::tensors::Tensors;
use crate::error::{Error, Result};
use crate::model::{Builder, Labels, Layout, Model, NodeId, Preprocessing};

/// Every net that can be built.
const KNOWN: &[&dyn Architecture] = &[
    &efficientnet_lite::LITE0,
    &vgg::VGG11,
    &vgg::VGG11_BN,
    &vgg::VGG13,
    &vgg::VGG13_BN,
    &vgg::VGG16,
    &vgg::VGG16_BN,
    &vgg::VGG19,
    &vgg::VGG19_BN,
];

/// A well-known net.
trait Architecture: Sync {
    /// As a card spells it.
    fn name(&self) -> &'static str;

    /// Whether these tensors are this net's, judged by names and shapes. Must be false for every other net.
    fn fits(&self, tensors: &Tensors) -> bool;

    /// The graph around the tensors.
    fn build(&self, tensors: &Tensors) -> Result<Net>;
}

/// What an [`Architecture`] knows: a [`Model`] without what is common to all.
struct Net {
    graph: Builder,
    input: NodeId,
    output: NodeId,
    layout: Layout,
    preprocessing: Preprocessing,
}

/// The names that a card's `architecture` can have.
pub fn names() -> impl Iterator<Item = &'static str> {
    KNOWN.iter().map(|architecture| architecture.name())
}

/// The net whose tensors these are.
pub fn recognise(tensors: &Tensors) -> Option<&'static str> {
    KNOWN
        .iter()
        .find(|architecture| architecture.fits(tensors))
        .map(|architecture| architecture.name())
}

/// Makes the model, with the net's usual preprocessing.
///
/// # Errors
/// When the name is unknown, or a tensor is missing or of another shape than the net's.
pub fn build(name: &str, tensors: &Tensors) -> Result<Model> {
    let wanted = name.to_lowercase().replace('-', "_");
    let known = KNOWN
        .iter()
        .find(|architecture| architecture.name() == wanted)
        .ok_or_else(|| {
            tensors.error(format!(
                "the architecture '{name}' is unknown; known are {}",
                list()
            ))
        })?;
    let net = known.build(tensors).map_err(|error| match error {
        Error::File { path, what } => Error::File {
            path,
            what: format!("is no {}: {what}", known.name()),
        },
        other => other,
    })?;
    Ok(model(known.name(), net, tensors))
}

/// Makes the model that a card asks for, or that the names of the tensors tell.
///
/// # Errors
/// As [`build`]; and when there is no card and no net fits.
pub fn assemble(tensors: &Tensors, card: Option<&Card>) -> Result<Model> {
    let stated = card.and_then(|card| card.architecture.as_deref());
    let (name, from) = match (stated, recognise(tensors)) {
        (Some(name), _) => (name, card.map(Card::name).unwrap_or_default()),
        (None, Some(name)) => (name, "the names of its tensors".to_owned()),
        (None, None) => return Err(unknown(tensors)),
    };
    let mut model = build(name, tensors)?;
    let name = model.architecture.clone().unwrap_or_default();
    model
        .assumptions
        .insert(0, format!("architecture: {name}, from {from}"));
    Ok(model)
}

fn unknown(tensors: &Tensors) -> Error {
    let card = super::card::path_for(tensors.path());
    let card = card.file_name().unwrap_or_default().to_string_lossy();
    tensors.error(format!(
        "holds {} tensors and no graph, and their layers ({}) fit no net that convscope knows; a file {card} \
         beside it should say architecture = \"NAME\", one of {}",
        tensors.len(),
        layers(tensors),
        list()
    ))
}

/// Some of the layers that the tensors belong to, the rest counted: what stands in front of a name's last
/// slash (Keras) or dot (PyTorch).
fn layers(tensors: &Tensors) -> String {
    const SHOWN: usize = 8;
    const LONGEST: usize = 40;
    let layer = |name: &'_ str| {
        let at = name.rfind('/').or_else(|| name.rfind('.'));
        name[..at.unwrap_or(name.len())].to_owned()
    };
    let mut layers: Vec<String> = tensors.names().map(layer).collect();
    layers.dedup();
    let shown = layers.iter().take(SHOWN).map(|layer| {
        let start: String = layer.chars().take(LONGEST).collect();
        start.escape_debug().to_string()
    });
    let shown = shown.collect::<Vec<_>>().join(", ");
    match layers.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown}, ... and {more} more"),
    }
}

fn list() -> String {
    names().collect::<Vec<_>>().join(", ")
}

fn model(name: &str, net: Net, tensors: &Tensors) -> Model {
    let unused = tensors.unused(&net.graph.nodes);
    let stem = tensors.path().file_stem().unwrap_or_default();
    let mut model = Model {
        name: stem.to_string_lossy().into_owned(),
        format: tensors.format().to_owned(),
        architecture: Some(name.to_owned()),
        layout: net.layout,
        inputs: vec![net.input],
        outputs: vec![net.output],
        head: None,
        labels: None,
        preprocessing: net.preprocessing,
        assumptions: vec![format!("preprocessing: the usual one of {name}")],
        nodes: net.graph.nodes,
        layers: net.graph.layers,
    };
    if classes(&model) == Some(1000) {
        model.labels = Some(imagenet());
        model
            .assumptions
            .push("labels: ImageNet's, as there are 1000 classes".to_owned());
    }
    if let Some(line) = left_over(&unused) {
        model.assumptions.push(line);
    }
    model
}

/// The number of units that a classifier ends in.
fn classes(model: &Model) -> Option<usize> {
    let head = model.find_head()?;
    let shapes = model.own_shapes();
    shapes.get(head.logits).ok()?.first().copied()
}

fn imagenet() -> Labels {
    Labels::parse(include_str!("../../../weights/imagenet_labels.txt"))
}

fn left_over(names: &[&str]) -> Option<String> {
    const SHOWN: usize = 5;
    let shown = names.iter().take(SHOWN).copied().collect::<Vec<_>>();
    let more = if names.len() > SHOWN { ", ..." } else { "" };
    (!names.is_empty()).then(|| {
        format!(
            "tensors: {} of the file are not used: {}{more}",
            names.len(),
            shown.join(", ")
        )
    })
}

#[cfg(test)]
mod tests;
