//! The methods, as functions of an engine: what the network answers, and what its layers hold.

mod activations;
pub mod cam;
pub mod filters;
mod predictions;
#[cfg(test)]
mod tests;

pub use activations::{ChannelStatistics, activations, maps, statistics};
pub use predictions::{Prediction, predictions, scores};

use crate::array::Array;
use crate::engine::{Engine, Tensor};
use crate::error::{Error, Result};

/// Uploads an input (C,H,W) for a model, as a batch of one.
///
/// # Errors
/// When the model has several inputs, or the device has no memory left.
pub fn feed(engine: &Engine, input: &Array) -> Result<Vec<Tensor>> {
    let count = engine.model().inputs.len();
    if count != 1 {
        return Err(Error::request(format!(
            "the model has {count} inputs, and convscope feeds one image"
        )));
    }
    let batch = input.clone().reshaped([&[1], input.shape()].concat());
    Ok(vec![Tensor::upload(&batch, engine.device())?])
}
