//! The table that describes a network: shapes, parameters, multiply-adds, receptive fields.

use std::collections::{HashMap, HashSet};

use super::op::{Conv, ConvTranspose};
use super::{LayerId, Layout, Model, NodeId, Op, Parameter, Shapes, receptive_field, volume};

/// A network at a glance, for one input size.
#[derive(Clone, Debug)]
pub struct Summary {
    /// One per layer, in the model's order.
    pub rows: Vec<SummaryRow>,
    /// All values of all weights, each counted once.
    pub total: usize,
    /// Those that training changes.
    pub trainable: usize,
    /// Multiply-adds for one image, over all layers that can be computed.
    pub macs: u64,
}

/// One layer.
#[derive(Clone, Debug)]
pub struct SummaryRow {
    /// Which.
    pub layer: LayerId,
    /// Channels-first without batch; `None` behind a layer that can't be computed.
    pub shape: Option<Vec<usize>>,
    /// Values in its weights.
    pub parameters: usize,
    /// The layers that feed it.
    pub inputs: Vec<LayerId>,
    /// Multiply-adds for one image.
    pub macs: u64,
    /// Kernel or window with its stride, such as `3x3/2`.
    pub window: Option<String>,
    /// Height and width, in input pixels, of what one position sees; `None` where it is the whole image or
    /// not an image any more.
    pub receptive_field: Option<[usize; 2]>,
}

impl Model {
    /// Describes the network for an input of (H,W).
    pub fn summary(&self, size: [usize; 2]) -> Summary {
        let shapes = self.shapes(&self.input_shapes(size));
        let macs: Vec<u64> = (0..self.nodes.len())
            .map(|i| self.node_macs(NodeId(i), &shapes))
            .collect();
        let fields = receptive_field::fields(self);
        let owners = self.owners();
        let rows = (0..self.layers.len())
            .map(|index| {
                let layer = &self.layers[index];
                SummaryRow {
                    layer: LayerId(index),
                    shape: shapes.get(layer.output).ok().map(<[usize]>::to_vec),
                    parameters: self.count(layer.nodes.iter().copied(), false),
                    inputs: self.feeding_layers(LayerId(index), &owners),
                    macs: layer.nodes.iter().map(|id| macs[id.0]).sum(),
                    window: layer
                        .nodes
                        .iter()
                        .find_map(|&id| window(&self.node(id).op))
                        .filter(|_| !layer.nested),
                    receptive_field: fields[layer.output.0].map(|field| field.size),
                }
            })
            .collect();
        let all = || (0..self.nodes.len()).map(NodeId);
        Summary {
            rows,
            total: self.count(all(), false),
            trainable: self.count(all(), true),
            macs: macs.iter().sum(),
        }
    }

    /// Sums the sizes of the weights of some nodes, shared ones once.
    fn count(&self, nodes: impl Iterator<Item = NodeId>, trainable: bool) -> usize {
        let mut seen = HashSet::new();
        nodes
            .flat_map(|id| self.node(id).op.parameters())
            .filter(|parameter| {
                (!trainable || parameter.trainable) && seen.insert(parameter.identity())
            })
            .map(Parameter::len)
            .sum()
    }

    /// For each node, the layers whose activation it is, outermost first.
    fn owners(&self) -> HashMap<NodeId, Vec<LayerId>> {
        let mut owners: HashMap<NodeId, Vec<LayerId>> = HashMap::new();
        for (index, layer) in self.layers.iter().enumerate() {
            owners.entry(layer.output).or_default().push(LayerId(index));
        }
        for layers in owners.values_mut() {
            layers.sort_by_key(|&id| self.layer(id).depth);
        }
        owners
    }

    fn feeding_layers(&self, id: LayerId, owners: &HashMap<NodeId, Vec<LayerId>>) -> Vec<LayerId> {
        let layer = self.layer(id);
        let inside: HashSet<NodeId> = layer.nodes.iter().copied().collect();
        let outside = |input: &&NodeId| !inside.contains(input);
        layer
            .nodes
            .iter()
            .flat_map(|&node| self.node(node).inputs.iter().filter(outside))
            .filter_map(|input| {
                let candidates = owners.get(input)?;
                let same = candidates
                    .iter()
                    .find(|&&other| self.layer(other).depth == layer.depth && other != id);
                same.or(candidates.first()).copied()
            })
            .collect()
    }

    fn node_macs(&self, id: NodeId, shapes: &Shapes) -> u64 {
        let node = self.node(id);
        let (Ok(output), Some(Ok(input))) = (
            shapes.get(id),
            node.inputs.first().map(|&input| shapes.get(input)),
        ) else {
            return 0;
        };
        match &node.op {
            Op::Conv(Conv { weight, .. }) => weight.len() as u64 * volume(&output[1..]) as u64,
            Op::ConvTranspose(ConvTranspose { weight, .. }) => {
                weight.len() as u64 * volume(&input[1..]) as u64
            }
            Op::Dense { weight, .. } => {
                weight.len() as u64 * volume(&input[..input.len() - 1]) as u64
            }
            _ => 0,
        }
    }

    /// A shape as the file's own framework writes it, with `None` for the batch.
    pub fn show_shape(&self, shape: &[usize]) -> String {
        let ordered = match (self.layout, shape) {
            (Layout::ChannelsLast, &[c, h, w]) => vec![h, w, c],
            _ => shape.to_vec(),
        };
        let axes: Vec<String> = ordered.iter().map(usize::to_string).collect();
        if axes.is_empty() {
            "(None,)".to_owned()
        } else {
            format!("(None, {})", axes.join(", "))
        }
    }
}

fn window(op: &Op) -> Option<String> {
    let kernel = |weight: &Parameter| Some([*weight.shape().get(2)?, *weight.shape().get(3)?]);
    let (window, stride) = match op {
        Op::Conv(conv) => (kernel(&conv.weight)?, conv.stride),
        Op::ConvTranspose(conv) => (kernel(&conv.weight)?, conv.stride),
        Op::Pool(pool) => (pool.window, pool.stride),
        _ => return None,
    };
    let stride = if stride[0] == stride[1] {
        stride[0].to_string()
    } else {
        format!("{}x{}", stride[0], stride[1])
    };
    Some(format!("{}x{}/{stride}", window[0], window[1]))
}
