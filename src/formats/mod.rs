//! Model files. [`open`] looks at a file's first bytes, lets the reader of its format make a
//! [`Model`], and puts the card beside it over the format's conventions.
//!
//! A reader says what it assumed in [`Model::assumptions`], one line for each topic, the topic in front:
//! `preprocessing: ...`, `input size: ...`, `labels: ...`. A card that covers a topic replaces its line.

pub mod architectures;
pub mod card;
pub mod keras;
pub mod safetensors;
pub mod shipped;
mod sniff;
pub mod tensors;

use std::path::Path;

use self::card::Card;
use self::sniff::Kind;
use crate::error::{Error, Result};
use crate::model::{HeadKind, Model};

/// Opens a model file of any format that convscope reads. Weights are not read yet.
///
/// # Errors
/// When the file can't be read, is no model or a kind of model that convscope doesn't read, is damaged, or
/// its card doesn't fit it.
pub fn open(path: &Path) -> Result<Model> {
    let kind = sniff::kind(path)?;
    if let Some(reason) = kind.refusal() {
        return Err(Error::file(path, reason));
    }
    let card = Card::beside(path)?;
    let mut model = match kind {
        Kind::Safetensors => safetensors::read(path, card.as_ref())?,
        _ => keras::read(path)?,
    };
    if let Some(card) = &card {
        card.apply(&mut model)?;
    }
    model.head = model.find_head();
    check_labels(path, card.as_ref(), &model)?;
    Ok(model)
}

/// Compares the number of labels with the classes that the head tells apart.
fn check_labels(path: &Path, card: Option<&Card>, model: &Model) -> Result<()> {
    let (Some(labels), Some(head)) = (&model.labels, model.head) else {
        return Ok(());
    };
    let shapes = model.own_shapes();
    let units = shapes.get(head.logits)?.first().copied().unwrap_or(1);
    let binary = head.kind == HeadKind::Sigmoid && units == 1;
    let classes = if binary { 2 } else { units };
    if labels.0.len() == classes {
        return Ok(());
    }
    let from = card.filter(|card| card.labels.is_some());
    Err(Error::file(
        from.map_or(path, |card| &card.path),
        format!(
            "{} labels, and the model tells {classes} classes apart",
            labels.0.len()
        ),
    ))
}

#[cfg(test)]
mod tests;
