//! What a filter looks for: the picture that excites it most, found by gradient ascent from noise. Erhan et al. 2009;
//! the recipes are those of *Deep Learning with Python* and of lucid, see [`Recipe`].
//!
//! An [`Ascent`] climbs step by step, so that whoever shows it can show it growing, and can stop. Only the network's
//! part in front of the layer is computed, and of the last convolution only the one filter: see `prefix`. Finished
//! patterns are kept on a [`Shelf`]. [`kernels`] are the weights themselves.

mod ascent;
mod kernels;
mod prefix;
mod random;
mod recipe;
mod settings;
mod shelf;

pub use ascent::{Ascent, Pattern, Progress};
pub use kernels::kernels;
pub use recipe::Recipe;
pub use settings::{LARGEST_SIDE, MOST_STEPS, Options, Settings};
pub use shelf::{Key, Shelf};

use crate::error::{Error, Result};
use crate::model::{ChannelId, ClassId, HeadKind, LayerId, Model, NodeId, Shapes};

/// What is to be excited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Objective {
    /// The mean of a channel's map; the value itself where the layer's output is a vector.
    Channel {
        /// Of which layer.
        layer: LayerId,
        /// Which of its channels.
        channel: ChannelId,
    },
    /// A class's value before the softmax or sigmoid.
    Class(ClassId),
}

/// Where an objective is read.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Unit {
    node: NodeId,
    /// Along the first axis of the node's value, without batch.
    index: usize,
    /// -1 for the class that a single sigmoid unit speaks against.
    sign: f32,
}

impl Objective {
    /// Where it is read.
    fn node(self, model: &Model) -> Result<NodeId> {
        match self {
            Self::Channel { layer, .. } => Ok(model.layer(layer).output),
            Self::Class(_) => Ok(model.classifier()?.logits),
        }
    }

    /// The objective in a network with these shapes.
    fn unit(self, model: &Model, shapes: &Shapes) -> Result<Unit> {
        let node = self.node(model)?;
        let shape = shapes.get(node)?;
        let [count, ..] = *shape else {
            return Err(Error::layer(
                model.layer_name(node),
                "its output is a single number, which has no channels",
            ));
        };
        if ![1, 3].contains(&shape.len()) {
            return Err(Error::layer(
                model.layer_name(node),
                format!(
                    "has no filters: its output is {shape:?}, and a pattern is made for a channel of (C,H,W) or a \
                     unit of a vector"
                ),
            ));
        }
        let (index, sign) = match self {
            Self::Channel { channel, .. } => (channel.0, 1.0),
            Self::Class(class) if count == 1 && model.classifier()?.kind == HeadKind::Sigmoid => {
                match class.0 {
                    0 => (0, -1.0),
                    1 => (0, 1.0),
                    other => (other, 1.0),
                }
            }
            Self::Class(class) => (class.0, 1.0),
        };
        if index >= count {
            let what = match self {
                Self::Channel { .. } => "channels",
                Self::Class(_) => "classes",
            };
            return Err(Error::layer(
                model.layer_name(node),
                format!(
                    "has {count} {what}, 0 to {}, and {index} was asked for",
                    count.saturating_sub(1)
                ),
            ));
        }
        Ok(Unit { node, index, sign })
    }
}
