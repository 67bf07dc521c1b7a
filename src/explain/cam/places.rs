//! Which layers a heatmap can be made at: those whose values still have their place in the picture.

use std::collections::{BTreeSet, HashSet};

use crate::error::{Error, Result};
use crate::model::{LayerId, Model, NodeId, Op, Shapes};

/// Follows the picture's rows and columns through a network.
pub(super) struct Places<'a> {
    model: &'a Model,
    shapes: &'a Shapes,
    /// For each node, which of its axes (without batch) are the picture's rows and columns.
    axes: Vec<Option<[usize; 2]>>,
    /// The nodes that the class scores depend on.
    scored: HashSet<NodeId>,
    logits: NodeId,
}

/// The layer at which a heatmap is made if none is asked for: the last feature maps that the class scores are made
/// from, (C,H,W) with more than one place, as they come out of what was learned.
///
/// Found from the head backwards: first to where rows and columns are lost (a global pooling, a flatten), then over
/// layers that learn nothing (pooling, padding, dropout), which only make the map coarser. So a convolution comes
/// with its normalisation and activation, a residual block with its sum, parallel branches with their concatenation.
///
/// # Errors
/// When the model has no classifier, can't be computed, or has no convolution before its head.
pub fn default_layer(model: &Model, shapes: &Shapes) -> Result<LayerId> {
    let places = Places::of(model, shapes)?;
    shapes.get(places.logits)?;
    places.before(places.logits).ok_or_else(|| {
        Error::request(
            "the model has no feature maps that a convolution made before its head: \
             a heatmap has nowhere to be read from",
        )
    })
}

/// Every layer at which a heatmap can be made; none without a classifier.
pub fn possible_layers(model: &Model, shapes: &Shapes) -> Vec<LayerId> {
    let Ok(places) = Places::of(model, shapes) else {
        return Vec::new();
    };
    let layers = (0..model.layers.len()).map(LayerId);
    layers
        .filter(|&layer| places.check(layer).is_ok())
        .collect()
}

impl<'a> Places<'a> {
    /// # Errors
    /// When the model has no classifier.
    pub(super) fn of(model: &'a Model, shapes: &'a Shapes) -> Result<Self> {
        let logits = model.classifier()?.logits;
        let mut axes: Vec<Option<[usize; 2]>> = Vec::with_capacity(model.nodes.len());
        for (index, node) in model.nodes.iter().enumerate() {
            let found = shapes.get(NodeId(index)).ok().and_then(|shape| {
                let feeds: Vec<Feed> = node
                    .inputs
                    .iter()
                    .map(|&input| (axes[input.0], shapes.get(input).unwrap_or_default()))
                    .collect();
                follow(&node.op, &feeds, shape)
            });
            axes.push(found);
        }
        let mut scored = HashSet::new();
        let mut open = vec![logits];
        while let Some(node) = open.pop() {
            if scored.insert(node) {
                open.extend(&model.node(node).inputs);
            }
        }
        Ok(Self {
            model,
            shapes,
            axes,
            scored,
            logits,
        })
    }

    /// Refuses a layer at which no heatmap can be made.
    ///
    /// # Errors
    /// Saying why, and naming the nearest layer that will do.
    pub(super) fn check(&self, layer: LayerId) -> Result<()> {
        let output = self.model.layer(layer).output;
        let shape = self.shapes.get(output)?;
        let name = &self.model.layer(layer).name;
        let wrong = match self.axes[output.0] {
            _ if !self.scored.contains(&output) => {
                let instead = self.instead(self.logits);
                return Err(Error::layer(
                    name,
                    format!("the class scores don't depend on it{instead}"),
                ));
            }
            Some([1, 2]) if is_map(shape) && shape[1] * shape[2] > 1 => return Ok(()),
            Some([1, 2]) if is_map(shape) => "there is one place only".to_owned(),
            Some(_) => "its last two axes are not the picture's rows and columns".to_owned(),
            None => match self.where_lost(output) {
                Some(lost) if lost != name => format!("rows and columns are lost in '{lost}'"),
                _ => "rows and columns are lost in it".to_owned(),
            },
        };
        Err(Error::layer(
            name,
            format!(
                "no heatmap can be made of its output {}: {wrong}{}",
                self.model.show_shape(shape),
                self.instead(output)
            ),
        ))
    }

    /// The nodes whose values a sweep from the logits back to `layers` may ask for, in the graph's order.
    pub(super) fn tail(&self, layers: &[LayerId]) -> BTreeSet<NodeId> {
        let mut tail: BTreeSet<NodeId> = layers
            .iter()
            .map(|&id| self.model.layer(id).output)
            .collect();
        let mut below = tail.clone();
        for (index, node) in self.model.nodes.iter().enumerate() {
            let id = NodeId(index);
            if self.scored.contains(&id) && node.inputs.iter().any(|input| below.contains(input)) {
                below.insert(id);
                tail.insert(id);
                tail.extend(&node.inputs);
            }
        }
        tail
    }

    /// Layers at which a heatmap shows what an activation or a block put out, nearest to `layer` first; those before
    /// it go before those as far behind it.
    pub(super) fn alternatives(&self, layer: LayerId) -> Vec<LayerId> {
        let from = self.model.layer(layer).output;
        let mut found: Vec<LayerId> = self
            .scored
            .iter()
            .filter(|&&node| node != from && self.has_places(node))
            .filter(|&&node| {
                matches!(
                    self.model.node(node).op,
                    Op::Activation(_) | Op::PRelu { .. } | Op::Merge(_) | Op::Concat { .. }
                )
            })
            .filter_map(|&node| self.layer_of(node))
            .collect();
        let index = |id: LayerId| self.model.layer(id).output.0;
        found.sort_by_key(|&id| (index(id).abs_diff(from.0), index(id)));
        found
    }

    /// (C,H,W) with more than one place in the picture.
    fn has_places(&self, node: NodeId) -> bool {
        let plane = self.axes[node.0] == Some([1, 2]);
        plane && matches!(self.shapes.get(node), Ok([_, height, width]) if height * width > 1)
    }

    /// The last layer before `node` that will do, if possible one that learned what it puts out.
    fn before(&self, node: NodeId) -> Option<LayerId> {
        let coarser = |op: &Op| {
            matches!(
                op,
                Op::Pool(_) | Op::Pad { .. } | Op::Crop(_) | Op::Identity | Op::Upsample { .. }
            )
        };
        let learned = self.walk(node, |op| !coarser(op));
        learned.or_else(|| self.walk(node, |_| true))
    }

    /// From `node` backwards to a layer with places, behind a convolution, whose output an op makes that `fits`.
    fn walk(&self, node: NodeId, fits: impl Fn(&Op) -> bool) -> Option<LayerId> {
        let mut node = self.last_map(node)?;
        loop {
            if fits(&self.model.node(node).op)
                && self.has_places(node)
                && self.is_learned(node)
                && let Some(layer) = self.layer_of(node)
            {
                return Some(layer);
            }
            let inputs = self.model.node(node).inputs.iter();
            node = *inputs.filter(|input| self.axes[input.0].is_some()).max()?;
        }
    }

    /// The last node with rows and columns on the way to `node`, itself included.
    fn last_map(&self, node: NodeId) -> Option<NodeId> {
        let mut open = BTreeSet::from([node]);
        while let Some(node) = open.pop_last() {
            if self.axes[node.0].is_some() {
                return Some(node);
            }
            open.extend(&self.model.node(node).inputs);
        }
        None
    }

    /// The layer on the way to `node` that was given rows and columns and put out none.
    fn where_lost(&self, node: NodeId) -> Option<&str> {
        let last = self.last_map(node)?;
        (last.0 + 1..=node.0)
            .map(NodeId)
            .find(|&id| self.axes[id.0].is_none() && self.model.node(id).inputs.contains(&last))
            .map(|id| self.model.layer_name(id))
    }

    /// Whether a convolution is at or before a node.
    fn is_learned(&self, node: NodeId) -> bool {
        let mut seen = HashSet::new();
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            if matches!(self.model.node(node).op, Op::Conv(_) | Op::ConvTranspose(_)) {
                return true;
            }
            if seen.insert(node) {
                open.extend(&self.model.node(node).inputs);
            }
        }
        false
    }

    /// The innermost layer whose activation a node is.
    fn layer_of(&self, node: NodeId) -> Option<LayerId> {
        (0..self.model.layers.len())
            .map(LayerId)
            .filter(|&id| self.model.layer(id).output == node)
            .max_by_key(|&id| (!self.model.layer(id).nested, self.model.layer(id).depth))
    }

    fn instead(&self, node: NodeId) -> String {
        self.before(node)
            .map(|id| {
                format!(
                    "; the nearest layer that will do is '{}'",
                    self.model.layer(id).name
                )
            })
            .unwrap_or_default()
    }
}

/// (C,H,W).
fn is_map(shape: &[usize]) -> bool {
    shape.len() == 3
}

/// An input's axes and shape.
type Feed<'a> = (Option<[usize; 2]>, &'a [usize]);

/// Where rows and columns are behind an op; `None` once they are gone.
fn follow(op: &Op, feeds: &[Feed], shape: &[usize]) -> Option<[usize; 2]> {
    if let Op::Input { .. } = op {
        return is_map(shape).then_some([1, 2]);
    }
    let &(axes, from) = feeds.first()?;
    match op {
        Op::Conv(_)
        | Op::ConvTranspose(_)
        | Op::Pool(_)
        | Op::Pad { .. }
        | Op::Crop(_)
        | Op::Upsample { .. } => axes.filter(|axes| *axes == [1, 2]),
        Op::BatchNorm(_)
        | Op::LayerNorm(_)
        | Op::Affine { .. }
        | Op::Activation(_)
        | Op::PRelu { .. }
        | Op::Softmax { .. }
        | Op::Identity => axes,
        // One value for the whole picture may weigh a map's channels.
        Op::Merge(_) => feeds.iter().find_map(|(axes, _)| *axes),
        Op::Concat { axis } => {
            let axes = axes?;
            let along = axes.contains(&(axis - 1));
            (!along && feeds.iter().all(|(other, _)| *other == Some(axes))).then_some(axes)
        }
        // The last axis is mixed.
        Op::Dense { .. } => axes.filter(|axes| !axes.contains(&(shape.len() - 1))),
        Op::Permute { axes: order } => {
            let [rows, columns] = axes?.map(|axis| order.iter().position(|&from| from == axis + 1));
            Some([rows? - 1, columns? - 1])
        }
        // Channels may be regrouped while rows and columns stay last.
        Op::Reshape { .. } => {
            let last = |shape: &[usize]| shape.len().checked_sub(2).map(|rows| [rows, rows + 1]);
            let (before, behind) = (last(from)?, last(shape)?);
            let kept = axes == Some(before) && from[before[0]..] == shape[behind[0]..];
            kept.then_some(behind)
        }
        Op::GlobalPool { .. } | Op::Input { .. } | Op::Unknown { .. } => None,
    }
}
