//! Borders and enlargement: `ZeroPadding2D`, `Cropping2D`, `UpSampling2D`.

use super::scope::{Refusal, Scope, Tensor};
use crate::model::{Border, Op, UpsampleMode};

fn border([[top, bottom], [left, right]]: [[usize; 2]; 2]) -> Border {
    Border {
        top,
        bottom,
        left,
        right,
    }
}

/// One number for all sides, one for rows and one for columns, or four.
fn sides(layer: &Scope, key: &str, default: usize) -> Result<Border, Refusal> {
    // `[1, 2]` is a row of each kind at both sides.
    let sides = layer.fields.sides(key)?;
    Ok(border(sides.unwrap_or([[default; 2]; 2])))
}

/// `ZeroPadding2D`.
pub fn padding(layer: &mut Scope) -> Result<Tensor, Refusal> {
    let input = layer.image()?;
    let border = sides(layer, "padding", 1)?;
    Ok(layer.then(Op::Pad { border, value: 0.0 }, input))
}

/// `Cropping2D`.
pub fn cropping(layer: &mut Scope) -> Result<Tensor, Refusal> {
    let input = layer.image()?;
    let border = sides(layer, "cropping", 0)?;
    Ok(layer.then(Op::Crop(border), input))
}

/// `UpSampling2D`, by repetition or between half-pixel centres.
pub fn upsampling(layer: &mut Scope) -> Result<Tensor, Refusal> {
    let input = layer.image()?;
    let factor = layer.fields.pair("size")?.unwrap_or([2, 2]);
    let mode = match layer.fields.text("interpolation")? {
        None | Some("nearest") => UpsampleMode::Nearest,
        Some("bilinear") => UpsampleMode::Bilinear,
        Some(other) => return Err(Refusal::option("interpolation", other)),
    };
    Ok(layer.then(Op::Upsample { factor, mode }, input))
}
