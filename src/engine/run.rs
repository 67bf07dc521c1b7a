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
    /// Where each maximum of a pool was found, as far as a backward sweep will ask.
    pub(super) maxima: HashMap<NodeId, TchTensor>,
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

    /// Forgets all values but those of `keep`, and frees their memory. What is asked for later is computed from
    /// the kept ones, so these must at least be the inputs.
    pub fn retain(&mut self, keep: &[NodeId]) {
        self.values.retain(|node, _| keep.contains(node));
        self.maxima.retain(|node, _| keep.contains(node));
    }
}
