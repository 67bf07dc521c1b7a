//! Puts a graph together in topological order.

use super::{Layer, Node, NodeId, Op};

/// Nodes and layers while a reader walks through a file.
#[derive(Debug, Default)]
pub struct Builder {
    /// So far.
    pub nodes: Vec<Node>,
    /// So far.
    pub layers: Vec<Layer>,
}

impl Builder {
    /// Appends a node; its inputs are there already.
    pub fn node(&mut self, op: Op, inputs: impl Into<Vec<NodeId>>) -> NodeId {
        let inputs = inputs.into();
        debug_assert!(inputs.iter().all(|input| input.0 < self.nodes.len()));
        self.nodes.push(Node { op, inputs });
        NodeId(self.nodes.len() - 1)
    }

    /// Appends a layer of the given ops, each feeding the next; the first is fed `inputs`. Without ops the
    /// layer gets an identity, so that it has an output of its own.
    pub fn layer(
        &mut self,
        name: impl Into<String>,
        kind: impl Into<String>,
        ops: impl IntoIterator<Item = Op>,
        inputs: &[NodeId],
    ) -> NodeId {
        let mut nodes = Vec::new();
        let mut feed = inputs.to_vec();
        for op in ops {
            let id = self.node(op, feed);
            nodes.push(id);
            feed = vec![id];
        }
        if nodes.is_empty() {
            nodes.push(self.node(Op::Identity, feed));
        }
        let output = nodes[nodes.len() - 1];
        self.layers.push(Layer {
            name: name.into(),
            kind: kind.into(),
            nodes,
            output,
            depth: 0,
            nested: false,
        });
        output
    }
}
