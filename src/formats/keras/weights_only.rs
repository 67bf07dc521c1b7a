//! Files that hold weights and no network: what `save_weights` writes in Keras 2, and Keras's own downloads.
//!
//! They list their layers in `layer_names`, and for each of them its weights, as whole models do. The names
//! are brought into one form, `LAYER/kernel`, by which [`crate::formats::architectures`] knows the net. Three
//! spellings are about:
//!
//! | in the group `block1_conv1` | written by |
//! |---|---|
//! | `block1_conv1_W_1:0`, `block1_conv1_b_1:0` | Keras 1: the official VGG16 and VGG19 |
//! | `block1_conv1/kernel:0` | Keras 2 |
//! | `vgg16/block1_conv1/kernel:0`, or such names of several layers in one group | a model within a model |

use hdf5_reader::group::Group;

use super::Outcome;
use super::attributes::Attributes;
use super::file::{self, File, damaged};
use super::network::MOST_LAYERS;
use super::show::{self, excerpt};
use super::weight::Weight;
use super::weights;
use crate::formats::tensors::{Data, Tensor, Tensors};

/// The table of weights. Their values stay in the file until they are needed.
///
/// # Errors
/// When the file is no weights file of Keras 2, or lacks a weight that it lists.
pub fn tensors(file: &File, root: &Group) -> Outcome<Tensors> {
    let (group, attributes) = weights_group(root)?;
    let layers = attributes.list("layer_names")?.unwrap_or_default();
    if layers.len() > MOST_LAYERS {
        return Err(format!(
            "holds the weights of {} layers, more than the {MOST_LAYERS} that convscope believes",
            layers.len()
        ));
    }
    if attributes.text("backend")?.as_deref() == Some("theano") {
        return Err(super::THEANO.to_owned());
    }
    let format = match attributes.text("keras_version")? {
        Some(version) => format!("Keras {} weights (HDF5)", excerpt(&version)),
        None => "Keras weights (HDF5)".to_owned(),
    };
    let strange = |name: &&String| name.is_empty() || name.contains(char::is_control);
    if let Some(name) = layers.iter().find(strange) {
        return Err(format!("lists a layer '{}'", excerpt(name)));
    }
    let mut table = Tensors::new(file.path(), format);
    let names = layers.iter().map(String::as_str);
    for (layer, weights) in names.clone().zip(weights::listed(file, &group, names)?) {
        for (name, weight) in named(layer, weights) {
            if table.get(&name).is_some() {
                return Err(format!("lists the weight '{}' twice", excerpt(&name)));
            }
            let tensor = Tensor {
                shape: weight.shape,
                data: Data::Floats(weight.values),
            };
            table.insert(name, tensor);
        }
    }
    if table.is_empty() {
        return Err("is a weights file of Keras without weights".to_owned());
    }
    Ok(table)
}

/// The group that lists the layers: the root, or the one that whole models have.
fn weights_group(root: &Group) -> Outcome<(Group, Attributes)> {
    let inner = file::group(root, "model_weights")?;
    for group in [Some(root.clone()), inner].into_iter().flatten() {
        let attributes = Attributes::of(&group)?;
        if attributes.list("layer_names")?.is_some() {
            return Ok((group, attributes));
        }
    }
    Err(foreign(root)?)
}

/// What to say of an HDF5 file that has neither a network nor a list of layers.
fn foreign(root: &Group) -> Outcome<String> {
    let (groups, _) = root.member_names().map_err(damaged)?;
    let keras3 = ["layers", "_layer_checkpoint_dependencies", "vars"];
    if groups.iter().any(|group| keras3.contains(&group.as_str())) {
        return Ok(
            "holds weights only (no model_config), as Keras 3 saves them (.weights.h5): convscope reads \
             those of Keras 2, and whole models"
                .to_owned(),
        );
    }
    Ok(format!(
        "is an HDF5 file and no Keras model: it has no model_config; its groups are {}",
        match groups.len() {
            0 => "none".to_owned(),
            _ => show::names(groups.iter().map(String::as_str)),
        }
    ))
}

/// A layer's weights under the names they have in the table.
fn named(layer: &str, weights: Vec<Weight>) -> Vec<(String, Weight)> {
    // A model within a model: its layers are told apart by what stands in front of their weights' names.
    let several = weights
        .windows(2)
        .any(|pair| owner(&pair[0].name) != owner(&pair[1].name));
    let named = weights.into_iter().map(|weight| {
        let variable = variable(layer, &weight);
        let name = match owner(&weight.name) {
            Some(owner) if several => format!("{layer}/{owner}/{variable}"),
            _ => format!("{layer}/{variable}"),
        };
        (name, weight)
    });
    named.collect()
}

/// What stands in front of the last slash.
fn owner(name: &str) -> Option<&str> {
    name.rsplit_once('/').map(|(owner, _)| owner)
}

/// The kind of variable in Keras 2's words: `kernel`, for Keras 1's `LAYER_W_1` too.
fn variable(layer: &str, weight: &Weight) -> String {
    let name = weight.variable();
    let keras1 = name
        .strip_prefix(layer)
        .and_then(|rest| rest.strip_prefix('_'))
        .map(|rest| rest.trim_end_matches(|last: char| last == '_' || last.is_ascii_digit()));
    match keras1 {
        Some("W") => "kernel".to_owned(),
        Some("b") => "bias".to_owned(),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn names(layer: &str, listed: &[&str]) -> Vec<String> {
        let weights = listed.iter().map(|name| Weight {
            name: (*name).to_owned(),
            shape: vec![1],
            values: Arc::new(vec![0.0]),
        });
        let named = named(layer, weights.collect());
        named.into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn all_spellings_become_one() {
        for listed in [
            ["conv_W_1:0", "conv_b_1:0"],
            ["conv_W:0", "conv_b:0"],
            ["conv_W", "conv_b"],
            ["conv/kernel:0", "conv/bias:0"],
            ["conv_3/kernel:0", "conv_3/bias:0"],
            ["net/conv/kernel", "net/conv/bias"],
            ["kernel", "bias"],
        ] {
            assert_eq!(names("conv", &listed), ["conv/kernel", "conv/bias"]);
        }
        let norm = ["bn/gamma:0", "bn/moving_mean:0"];
        assert_eq!(names("bn", &norm), ["bn/gamma", "bn/moving_mean"]);
        // Another layer's name, or another variable, is not Keras 1's.
        assert_eq!(names("conv", &["convx_W_1:0"]), ["conv/convx_W_1"]);
        assert_eq!(names("conv", &["conv_mean_1:0"]), ["conv/conv_mean_1"]);
    }

    #[test]
    fn the_layers_of_an_inner_model_are_kept_apart() {
        let listed = ["a/kernel:0", "a/bias:0", "b/kernel:0"];
        assert_eq!(
            names("base", &listed),
            ["base/a/kernel", "base/a/bias", "base/b/kernel"]
        );
    }
}
