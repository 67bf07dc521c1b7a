//! Which weights of the file belong to which layer.
//!
//! The file has one group for each layer of the outermost model, with a list of its weights' names. A nested
//! model is one such layer: its group lists the weights of all layers in it, see [`super::share`].

use std::collections::HashMap;

use hdf5_reader::group::Group;

use super::Outcome;
use super::attributes::Attributes;
use super::file::{self, File};
use super::network::{Network, in_layer};
use super::share::{self, Path};
use super::show::excerpt;
use super::stored::{Budget, Stored};
use super::weight::Weight;

/// Each layer's weights, in Keras's order.
#[derive(Default)]
pub struct Weights(HashMap<Path, Vec<Weight>>);

impl Weights {
    /// Those of one layer.
    pub fn of(&self, path: &[usize]) -> &[Weight] {
        self.0.get(path).map_or(&[], Vec::as_slice)
    }

    /// Whether a nested model's weights couldn't be told apart: then they all are at its own place.
    pub fn are_mixed(&self, path: &[usize]) -> bool {
        self.0.contains_key(path)
    }

    /// Made by hand.
    #[cfg(test)]
    pub fn given(weights: impl IntoIterator<Item = (Path, Vec<Weight>)>) -> Self {
        Self(weights.into_iter().collect())
    }

    /// Finds all weights. Their values are not read.
    ///
    /// # Errors
    /// When the file lacks some that it lists, or a nested model doesn't have those that its layers need.
    pub fn find(file: &File, group: &Group, network: &Network, keras: u32) -> Outcome<Self> {
        let mut found = HashMap::new();
        let names = network.layers.iter().map(|entry| entry.name.as_str());
        let layers = network.layers.iter().zip(listed(file, group, names)?);
        for (index, (entry, weights)) in layers.enumerate() {
            match &entry.body {
                None => {
                    found.insert(vec![index], weights);
                }
                Some(body) => {
                    let shared_out = share::out(body, index, weights, keras);
                    found.extend(shared_out.map_err(|what| in_layer(&entry.name, &what))?);
                }
            }
        }
        Ok(Self(found))
    }
}

/// More weights than any known network has.
const MOST_WEIGHTS: usize = 50_000;
/// Longest name of one.
const LONGEST_NAME: usize = 1024;

/// The weights that the groups of some layers list, a list for each layer. Their values are not read.
///
/// # Errors
/// When the file lacks a weight that it lists, or lists more than it can hold.
pub fn listed<'a>(
    file: &File,
    parent: &Group,
    layers: impl Iterator<Item = &'a str>,
) -> Outcome<Vec<Vec<Weight>>> {
    let mut budget = Budget::of(file);
    let mut left = MOST_WEIGHTS;
    layers
        .map(|layer| {
            of_layer(file, parent, layer, &mut budget, &mut left)
                .map_err(|what| in_layer(layer, &what))
        })
        .collect()
}

/// The weights that a layer's group lists; none if it has no group.
fn of_layer(
    file: &File,
    parent: &Group,
    layer: &str,
    budget: &mut Budget,
    left: &mut usize,
) -> Outcome<Vec<Weight>> {
    let Some(group) = file::group(parent, layer)? else {
        return Ok(Vec::new());
    };
    let names = Attributes::of(&group)?.list("weight_names")?;
    let names = names.unwrap_or_default();
    *left = left.checked_sub(names.len()).ok_or_else(|| {
        format!("brings the weights to more than the {MOST_WEIGHTS} that convscope believes")
    })?;
    if names.iter().any(|name| name.len() > LONGEST_NAME) {
        return Err("has a weight whose name is too long".to_owned());
    }
    let weight = |name: String| {
        let dataset = file::dataset(&group, &name)?;
        let stored = Stored::find(file, dataset, &name, budget)
            .map_err(|what| format!("has a weight '{}' that {what}", excerpt(&name)))?;
        Ok(Weight {
            shape: stored.shape().to_vec(),
            values: std::sync::Arc::new(stored),
            name,
        })
    };
    names.into_iter().map(weight).collect()
}
