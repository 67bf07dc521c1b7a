//! How a Keras file wants its images. The file doesn't say; what can be told from the graph is told.

use super::bgr;
use crate::model::{ChannelOrder, Model, NodeId, Op, Preprocessing};

/// Side of the input where the file leaves it open: most classifiers were trained at this size.
const USUAL: usize = 224;

/// Puts the book's preprocessing into a model, fitted to its first picture input; says what was assumed.
/// `turned` are the nodes that would turn the colour planes round.
pub fn fit(model: &mut Model, turned: &[NodeId]) {
    let (preprocessing, assumptions, input) = of(model);
    model.preprocessing = preprocessing;
    model.assumptions.splice(0..0, assumptions);
    if bgr::settle(model, input, turned) {
        model.preprocessing.channels = ChannelOrder::Bgr;
        let line = "preprocessing: planes in the order BGR, which the network would bring them into itself";
        model.assumptions.push(line.to_owned());
    }
}

fn of(model: &Model) -> (Preprocessing, Vec<String>, Option<NodeId>) {
    let picture = model
        .inputs
        .iter()
        .find_map(|&id| match &model.node(id).op {
            Op::Input { shape } => <[_; 3]>::try_from(shape.as_slice())
                .ok()
                .map(|shape| (id, shape)),
            _ => None,
        });
    let Some((input, [channels, height, width])) = picture else {
        let line = "preprocessing: the input isn't a picture; feed it an array (.npy)";
        return (
            Preprocessing::book([USUAL, USUAL]),
            vec![line.to_owned()],
            None,
        );
    };
    let mut lines = Vec::new();
    let size = [height.unwrap_or(USUAL), width.unwrap_or(USUAL)];
    let mut preprocessing = Preprocessing::book(size);
    if height.is_none() || width.is_none() {
        lines.push(format!(
            "input size: {}x{} (width x height), as the file leaves it open",
            size[1], size[0]
        ));
    }
    match channels {
        Some(1) => preprocessing.channels = ChannelOrder::Grey,
        Some(3) | None => {}
        Some(other) => lines.push(format!(
            "input channels: {other}, which no image has; feed the model an array (.npy)"
        )),
    }
    lines.push(match scaling_layer(model, input) {
        Some(layer) => {
            preprocessing.scale = 1.0;
            format!("preprocessing: pixels 0 to 255 as they are, since the network itself scales them in '{layer}'")
        }
        None => "preprocessing: pixels / 255; the file doesn't say how images are scaled".to_owned(),
    });
    (preprocessing, lines, Some(input))
}

/// The layer that scales the input before anything else is done with it. Augmentation layers, which do
/// nothing in prediction, and nested models may be on the way.
fn scaling_layer(model: &Model, input: NodeId) -> Option<&str> {
    let mut id = input;
    loop {
        let reader = bgr::only_reader(model, id)?;
        match model.node(reader).op {
            Op::Identity => id = reader,
            Op::Affine { .. } => return Some(model.layer_name(reader)),
            _ => return None,
        }
    }
}
