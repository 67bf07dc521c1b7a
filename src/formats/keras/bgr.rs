//! Networks that turn the colour planes of their input round themselves, as `vgg16.preprocess_input` and its
//! kin do when they are called inside of a model.
//!
//! Turning an image's planes round is what preprocessing does anyway. So, where nothing else reads the input,
//! the image is prepared in that order, and the layer passes it on.

use serde_json::{Value, json};

use super::call::{Operand, Reference};
use super::network::{Entry, Network};
use crate::model::{Model, NodeId, Op};

/// What a call turns round, if it does that and nothing else.
///
/// Keras 2 slices, `x[..., ::-1]`; Keras 3 takes the channels out one by one and stacks them.
pub fn turned(network: &Network, entry: &Entry, call: usize) -> Option<Reference> {
    let call = entry.calls.get(call)?;
    match entry.class.as_str() {
        "SlicingOpLambda" => {
            let backwards = json!([
                {"class_name": "__ellipsis__"},
                {"start": null, "stop": null, "step": -1},
            ]);
            let turned = call.options.get("slice_spec") == Some(&backwards);
            call.references().next().filter(|_| turned)
        }
        "Stack" => {
            let last = entry.config.get("axis").and_then(Value::as_i64) == Some(-1);
            let picked: Vec<(Reference, u64)> = call
                .references()
                .map(|reference| picked(network, reference))
                .collect::<Option<_>>()?;
            match picked[..] {
                [(a, 2), (b, 1), (c, 0)] if last && a == b && b == c => Some(a),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The tensor and the channel of `x[..., channel]`.
fn picked(network: &Network, reference: Reference) -> Option<(Reference, u64)> {
    let entry = network.layers.get(reference.layer)?;
    let call = entry.calls.get(reference.call)?;
    let [
        Operand::Tensor(from),
        Operand::Constant(Value::Array(index)),
    ] = &call.operands[..]
    else {
        return None;
    };
    let [ellipsis, channel] = &index[..] else {
        return None;
    };
    let all_others = ellipsis.get("class_name")?.as_str()? == "__ellipsis__";
    (entry.class == "GetItem" && all_others).then_some((*from, channel.as_u64()?))
}

/// The one node that reads another's value, beside those that nothing is known of.
pub fn only_reader(model: &Model, id: NodeId) -> Option<NodeId> {
    let mut readers = (0..model.nodes.len()).map(NodeId).filter(|&reader| {
        let node = model.node(reader);
        node.inputs.contains(&id) && !matches!(node.op, Op::Unknown { .. })
    });
    let reader = readers.next()?;
    readers.next().is_none().then_some(reader)
}

/// Whether the image reaches one of the `turned` nodes before anything is done with it, and nothing else; the
/// image is to be given as BGR then. Otherwise those nodes can't be computed.
pub fn settle(model: &mut Model, input: Option<NodeId>, turned: &[NodeId]) -> bool {
    let mut settled = None;
    let mut id = input;
    while let Some(reader) = id.and_then(|id| only_reader(model, id)) {
        if turned.contains(&reader) {
            settled = Some(reader);
            break;
        }
        id = matches!(model.node(reader).op, Op::Identity).then_some(reader);
    }
    for &node in turned {
        if Some(node) != settled {
            let parameters = Vec::new();
            model.nodes[node.0].op = Op::Unknown { parameters };
        }
    }
    settled.is_some()
}
