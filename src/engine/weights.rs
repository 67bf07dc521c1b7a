//! Weights on the device: read from the file when first needed, in pieces, and kept.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Weak};

use burn::backend::ops::FloatTensorOps;
use burn::backend::{FloatDType, LibTorch, TensorMetadata};
use burn_tch::TchTensor;
use tch::Tensor as Torch;

use super::Device;
use super::tensor::channels_last;
use crate::array::Array;
use crate::error::Result;
use crate::model::{BatchNorm, Parameter, Values};

/// Values read from a file at a time: 4 MiB.
const PIECE: usize = 1 << 20;

/// Uploaded parameters by identity, and what was derived from several of them by node. They stay for as long as
/// some model has the parameter; the weak reference sees to it that no other gets its identity before.
#[derive(Default)]
pub(super) struct Weights {
    uploaded: HashMap<usize, (Weak<dyn Values>, TchTensor)>,
    affine: HashMap<usize, (Weak<dyn Values>, [TchTensor; 2])>,
}

impl fmt::Debug for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} uploaded weights", self.uploaded.len())
    }
}

impl Weights {
    /// A parameter in the shape that its op documents.
    pub(super) fn get(&mut self, parameter: &Parameter, device: Device) -> Result<TchTensor> {
        if let Some((_, tensor)) = self.uploaded.get(&parameter.identity()) {
            return Ok(tensor.clone());
        }
        self.forget_unused();
        let tensor = upload(parameter, device)?;
        let source = Arc::downgrade(&parameter.values);
        let entry = (source, tensor.clone());
        self.uploaded.insert(parameter.identity(), entry);
        Ok(tensor)
    }

    /// How many parameters are on the device.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.uploaded.len()
    }

    fn forget_unused(&mut self) {
        self.uploaded
            .retain(|_, (source, _)| source.strong_count() > 0);
        self.affine
            .retain(|_, (source, _)| source.strong_count() > 0);
    }

    /// Factor and summand of a batch normalisation: gamma / sqrt(variance + epsilon) and
    /// beta - mean * factor, found in f64.
    pub(super) fn batch_norm(
        &mut self,
        norm: &BatchNorm,
        device: Device,
    ) -> Result<(TchTensor, TchTensor)> {
        let identity = norm.variance.identity();
        if let Some((_, [scale, shift])) = self.affine.get(&identity) {
            return Ok((scale.clone(), shift.clone()));
        }
        self.forget_unused();
        let read = |parameter: &Parameter| {
            let mut values = vec![0.0; parameter.len()];
            parameter.values.read(0, &mut values).map(|()| values)
        };
        let (mean, variance) = (read(&norm.mean)?, read(&norm.variance)?);
        let gamma = norm.gamma.as_ref().map(read).transpose()?;
        let beta = norm.beta.as_ref().map(read).transpose()?;
        let mut scale = Vec::with_capacity(mean.len());
        let mut shift = Vec::with_capacity(mean.len());
        for (i, (&mean, &variance)) in mean.iter().zip(&variance).enumerate() {
            let gamma = gamma.as_ref().map_or(1.0, |gamma| f64::from(gamma[i]));
            let beta = beta.as_ref().map_or(0.0, |beta| f64::from(beta[i]));
            let factor = gamma / (f64::from(variance) + f64::from(norm.epsilon)).sqrt();
            #[allow(clippy::cast_possible_truncation)]
            {
                scale.push(factor as f32);
                shift.push((beta - f64::from(mean) * factor) as f32);
            }
        }
        let (scale, shift) = (vector(scale, device)?, vector(shift, device)?);
        let source = Arc::downgrade(&norm.variance.values);
        let pair = [scale.clone(), shift.clone()];
        self.affine.insert(identity, (source, pair));
        Ok((scale, shift))
    }
}

/// A short vector on the device.
pub(super) fn vector(values: Vec<f32>, device: Device) -> Result<TchTensor> {
    super::Tensor::upload(&Array::new([values.len()], values), device).map(|tensor| tensor.0)
}

fn upload(parameter: &Parameter, device: Device) -> Result<TchTensor> {
    let length = parameter.len();
    let flat = LibTorch::float_empty([length].into(), &device.handle(), FloatDType::F32);
    let mut piece = vec![0.0; PIECE.min(length)];
    let mut start = 0;
    while start < length {
        let count = PIECE.min(length - start);
        parameter.values.read(start, &mut piece[..count])?;
        let mut target = flat.tensor.narrow(0, long(start), long(count));
        target.copy_(&Torch::from_slice(&piece[..count]));
        start += count;
    }
    let stored = LibTorch::float_reshape(flat, parameter.stored.clone().into());
    if parameter
        .order
        .iter()
        .copied()
        .eq(0..parameter.stored.len())
    {
        return Ok(channels_last(stored));
    }
    let turned = LibTorch::float_permute(stored, &parameter.order);
    if turned.rank() == 4 && device == Device::CPU {
        return Ok(channels_last(turned));
    }
    // A matrix may stay transposed: the kernels read it either way.
    if turned.rank() == 2 {
        return Ok(turned);
    }
    Ok(TchTensor::from_existing(
        turned.tensor.contiguous(),
        turned.storage,
    ))
}

fn long(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
