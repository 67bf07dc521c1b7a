//! The weights of a layer's filters, as they are.

use crate::array::Array;
use crate::error::{Error, Result};
use crate::model::{LayerId, Model, Op};

/// 256 MiB.
const MOST_VALUES: usize = 1 << 26;

/// The kernels of a layer's first convolution: (filters, channels that each one sees, h, w).
///
/// # Errors
/// When the layer has no convolution (the message lists layers that have), or its weights can't be read.
pub fn kernels(model: &Model, layer: LayerId) -> Result<Array> {
    let found = model.layer(layer);
    let weight = found.nodes.iter().find_map(|&id| match &model.node(id).op {
        Op::Conv(conv) => Some(&conv.weight),
        _ => None,
    });
    let Some(weight) = weight else {
        let others = model.layers.iter().filter(|layer| {
            let mut nodes = layer.nodes.iter();
            nodes.any(|&id| matches!(model.node(id).op, Op::Conv(_))) && !layer.nested
        });
        let names: Vec<&str> = others.map(|layer| layer.name.as_str()).take(12).collect();
        return Err(Error::layer(
            &found.name,
            match &names[..] {
                [] => "has no kernels, and neither has any other layer".to_owned(),
                names => format!("has no kernels; there are some in {}", names.join(", ")),
            },
        ));
    };
    let shape = weight.shape();
    if weight.len() > MOST_VALUES || shape.len() != 4 {
        return Err(Error::layer(
            &found.name,
            format!("its kernels {shape:?} are too many to be shown"),
        ));
    }
    let mut values = vec![0.0; weight.len()];
    weight.values.read(0, &mut values)?;
    // From the file's order to the op's.
    let mut strides = [0; 4];
    for (axis, stride) in strides.iter_mut().enumerate() {
        *stride = weight.stored[weight.order[axis] + 1..].iter().product();
    }
    let mut ordered = Vec::with_capacity(values.len());
    for o in 0..shape[0] {
        for i in 0..shape[1] {
            for y in 0..shape[2] {
                for x in 0..shape[3] {
                    let at = o * strides[0] + i * strides[1] + y * strides[2] + x * strides[3];
                    ordered.push(values[at]);
                }
            }
        }
    }
    Ok(Array::new(shape, ordered))
}
