//! What a pass through the graph leaves behind.

use std::collections::HashMap;

use burn_tch::TchTensor;

use crate::model::{NodeId, Shapes};

/// The kept values of one pass. Other values are computed from these when they are asked for.
#[derive(Debug)]
pub struct Run {
    pub(super) batch: usize,
    pub(super) shapes: Shapes,
    pub(super) values: HashMap<NodeId, TchTensor>,
}

impl Run {
    /// How many examples are in it.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// The shape of each node's value, without batch.
    pub fn shapes(&self) -> &Shapes {
        &self.shapes
    }

    /// Forgets the values of nodes that are not among `keep`, and frees their memory. Inputs and edited nodes
    /// stay, as everything can be computed from them.
    pub fn retain(&mut self, keep: impl Fn(NodeId) -> bool, roots: &[NodeId]) {
        self.values
            .retain(|node, _| keep(*node) || roots.contains(node));
    }
}
