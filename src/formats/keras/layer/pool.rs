//! Pooling over windows and over whole feature maps.

use super::scope::{Refusal, Scope, Tensor};
use crate::model::{Op, Padding, Pool, PoolKind};

fn kind(layer: &Scope) -> PoolKind {
    if layer.class.contains("Max") {
        PoolKind::Max
    } else {
        PoolKind::Average
    }
}

/// `MaxPooling2D`, `AveragePooling2D`. A mean over padding doesn't count it.
pub fn window(layer: &mut Scope) -> Result<Tensor, Refusal> {
    let input = layer.image()?;
    let window = layer.fields.pair("pool_size")?.unwrap_or([2, 2]);
    let stride = layer.fields.pair("strides")?.unwrap_or(window);
    let padding = match layer.fields.text("padding")? {
        None | Some("valid") => Padding::VALID,
        Some("same") => Padding::Same,
        Some(other) => return Err(Refusal::option("padding", other)),
    };
    let op = Op::Pool(Pool {
        kind: kind(layer),
        window,
        stride,
        padding,
        count_padding: false,
    });
    Ok(layer.then(op, input))
}

/// `GlobalMaxPooling2D`, `GlobalAveragePooling2D`.
pub fn global(layer: &mut Scope) -> Result<Tensor, Refusal> {
    let input = layer.image()?;
    let keep = layer.fields.flag("keepdims", false)?;
    let kind = kind(layer);
    Ok(whole(layer, input, kind, keep))
}

/// Maximum or mean over H and W.
pub fn whole(layer: &mut Scope, input: Tensor, kind: PoolKind, keep: bool) -> Tensor {
    let rank = Some(if keep { 4 } else { 2 });
    layer.node(Op::GlobalPool { kind, keep }, &[input], rank)
}
