//! The classifier at the end of a network.

use super::{Activation, Model, NodeId, Op};

/// What follows the logits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadKind {
    /// The graph ends in a softmax over the classes.
    Softmax,
    /// The graph ends in a sigmoid per unit. One unit alone means two classes: class 1 is the unit, class 0
    /// its complement, with the unit's logit negated.
    Sigmoid,
    /// The graph ends in the logits themselves; their softmax gives probabilities.
    Logits,
}

impl HeadKind {
    /// The word used in machine output.
    pub fn word(self) -> &'static str {
        match self {
            Self::Softmax => "softmax",
            Self::Sigmoid => "sigmoid",
            Self::Logits => "logits",
        }
    }
}

/// Where scores are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The node with one logit per unit, (N,units).
    pub logits: NodeId,
    /// What follows.
    pub kind: HeadKind,
}

impl Model {
    /// Finds the head behind the first output: a softmax, a sigmoid, or a dense layer as it is.
    pub fn find_head(&self) -> Option<Head> {
        let mut id = *self.outputs.first()?;
        while matches!(self.node(id).op, Op::Identity) {
            id = self.node(id).inputs[0];
        }
        let kind = match self.node(id).op {
            Op::Softmax { axis: 1 } => HeadKind::Softmax,
            Op::Activation(Activation::Sigmoid) => HeadKind::Sigmoid,
            _ => HeadKind::Logits,
        };
        let logits = match kind {
            HeadKind::Logits => id,
            _ => self.node(id).inputs[0],
        };
        let shapes = self.own_shapes();
        let flat = matches!(shapes.get(logits), Ok(shape) if shape.len() == 1);
        flat.then_some(Head { logits, kind })
    }
}
