//! A convolutional network as data: a graph of nodes in topological order, the layers that the file names,
//! and what it takes to feed it an image and to read its answer. No file, no tensor, no device.

mod builder;
pub mod figures;
mod find_class;
mod head;
mod labels;
mod op;
mod parameter;
mod preprocessing;
mod receptive_field;
mod select;
mod shape;
mod summary;
#[cfg(test)]
mod tests;

pub use builder::Builder;
pub use head::{Head, HeadKind};
pub use labels::{Label, Labels};
pub use op::{
    Activation, BatchNorm, Border, Conv, ConvTranspose, LayerNorm, Merge, Op, Padding, Pool,
    PoolKind, UpsampleMode,
};
pub use parameter::{Parameter, Values};
pub use preprocessing::{ChannelOrder, Filter, Fit, Overrides, Preprocessing};
pub use shape::{Shapes, volume};
pub use summary::{Summary, SummaryRow};

/// Index of a node in [`Model::nodes`]; inputs always have smaller indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub usize);

/// Index of a layer in [`Model::layers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LayerId(pub usize);

/// Index of a class: a unit of the head, or one of the two sides of a single sigmoid unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassId(pub usize);

/// Index of a channel of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(pub usize);

/// One computation.
#[derive(Clone, Debug)]
pub struct Node {
    /// What is computed.
    pub op: Op,
    /// From what; earlier nodes, in the op's order.
    pub inputs: Vec<NodeId>,
}

/// What the file names: one or more nodes.
#[derive(Clone, Debug)]
pub struct Layer {
    /// The file's name, with the names of the models around it in front: `stem/conv`. The second call of a
    /// shared layer is `name#1`.
    pub name: String,
    /// The file's word for its type, such as `Conv2D`.
    pub kind: String,
    /// In topological order. A nested model has those of all its layers.
    pub nodes: Vec<NodeId>,
    /// The node whose value is the layer's activation.
    pub output: NodeId,
    /// How many models are around it, the whole not counted.
    pub depth: usize,
    /// A model within the model, whose layers are in the list themselves.
    pub nested: bool,
}

/// How the file orders a picture's axes. Only what is shown to people follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// (H,W,C): Keras.
    ChannelsLast,
    /// (C,H,W): PyTorch, ONNX.
    ChannelsFirst,
}

/// A network, ready to be shown; its weights are read when they are needed.
#[derive(Clone, Debug)]
pub struct Model {
    /// The file's own name for the model, or the file's stem.
    pub name: String,
    /// The kind of file, for people: `Keras 2.13.1 (HDF5)`.
    pub format: String,
    /// The well-known net that the graph was made from, where the file holds only weights.
    pub architecture: Option<String>,
    /// For display.
    pub layout: Layout,
    /// In topological order.
    pub nodes: Vec<Node>,
    /// In the file's order; a nested model stands in front of its layers.
    pub layers: Vec<Layer>,
    /// Input nodes, in the file's order.
    pub inputs: Vec<NodeId>,
    /// Output nodes, in the file's order.
    pub outputs: Vec<NodeId>,
    /// The classifier at the end, if there is one.
    pub head: Option<Head>,
    /// The names of the classes, if known.
    pub labels: Option<Labels>,
    /// How an image becomes the input.
    pub preprocessing: Preprocessing,
    /// What was assumed beyond what the file says, and from where; for people, one line each.
    pub assumptions: Vec<String>,
}

impl Model {
    /// The node behind an id.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// The layer behind an id.
    pub fn layer(&self, id: LayerId) -> &Layer {
        &self.layers[id.0]
    }

    /// The name of the innermost layer that a node belongs to; for messages.
    pub fn layer_name(&self, node: NodeId) -> &str {
        self.layers
            .iter()
            .filter(|layer| layer.nodes.contains(&node))
            .max_by_key(|layer| layer.depth)
            .map_or("input", |layer| &layer.name)
    }

    /// Layers whose activation is worth a picture in a walk through the network: all but inputs, nested
    /// models (their layers are there themselves) and layers without effect or of another shape only.
    pub fn pictured_layers(&self) -> Vec<LayerId> {
        let pictured = |layer: &Layer| {
            !layer.nodes.iter().all(|&id| {
                matches!(
                    self.node(id).op,
                    Op::Input { .. } | Op::Identity | Op::Reshape { .. } | Op::Permute { .. }
                )
            }) && !layer.nested
        };
        (0..self.layers.len())
            .map(LayerId)
            .filter(|&id| pictured(self.layer(id)))
            .collect()
    }

    /// The name of a class: its label, else `class 7`.
    pub fn class_name(&self, class: ClassId) -> String {
        let label = self.labels.as_ref().and_then(|labels| labels.name(class.0));
        label.map_or_else(|| format!("class {}", class.0), str::to_owned)
    }

    /// Puts what the user wants over what the file and card say.
    pub fn override_preprocessing(&mut self, overrides: &Overrides) {
        let preprocessing = self.preprocessing.with(overrides);
        if preprocessing != self.preprocessing {
            self.preprocessing = preprocessing;
            self.assumptions
                .push("preprocessing: changed by options".to_owned());
        }
    }

    /// Height and width that the model is fed: the preprocessing's, in (H,W).
    pub fn input_size(&self) -> [usize; 2] {
        self.preprocessing.size
    }

    /// The shape of each input without batch, its open axes filled from `size` (H,W) and 3 channels.
    pub fn input_shapes(&self, size: [usize; 2]) -> Vec<Vec<usize>> {
        self.inputs
            .iter()
            .map(|&id| match &self.node(id).op {
                Op::Input { shape } if shape.len() == 3 => {
                    vec![shape[0].unwrap_or(3), size[0], size[1]]
                }
                Op::Input { shape } => shape.iter().map(|axis| axis.unwrap_or(1)).collect(),
                _ => Vec::new(),
            })
            .collect()
    }
}
