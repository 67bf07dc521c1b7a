//! Values on the device. Opaque outside the engine until they are read.

use burn::backend::ops::FloatTensorOps;
use burn::backend::{LibTorch, TensorData, TensorMetadata};
use burn_tch::TchTensor;
use tch::Tensor as Torch;

use super::Device;
use super::guard::guarded;
use crate::array::Array;
use crate::error::Result;

/// A value on the device, batch axis first. Cloning is cheap and shares the memory.
#[derive(Clone, Debug)]
pub struct Tensor(pub(super) TchTensor);

impl Tensor {
    /// Copies an array (batch axis first) to the device.
    ///
    /// # Errors
    /// When the device has no memory left.
    pub fn upload(array: &Array, device: Device) -> Result<Self> {
        guarded(|| {
            let data = TensorData::new(array.values().to_vec(), array.shape().to_vec());
            let tensor = LibTorch::float_from_data(data, &device.handle());
            Ok(Self(channels_last(tensor)))
        })
    }

    /// Copies the values to the host, batch axis first.
    ///
    /// # Errors
    /// When a computation that was still under way on the device failed.
    pub fn read(&self) -> Result<Array> {
        guarded(|| {
            let flat = self
                .0
                .tensor
                .to_device(tch::Device::Cpu)
                .contiguous()
                .view([-1]);
            let mut values = vec![0.0; flat.numel()];
            flat.copy_data(&mut values, flat.numel());
            Ok(Array::new(self.shape(), values))
        })
    }

    /// The length of each axis, the batch first.
    pub fn shape(&self) -> Vec<usize> {
        self.0.shape().as_slice().to_vec()
    }

    /// The batch size.
    pub fn batch(&self) -> usize {
        self.shape().first().copied().unwrap_or(1)
    }
}

/// Whether convolutions are faster with the channels innermost: on the CPU, by a fifth. The axes stay
/// (N,C,H,W); only the order in memory changes, and everything behind a convolution keeps it.
pub(super) fn channels_last(tensor: TchTensor) -> TchTensor {
    if tensor.rank() != 4 || tensor.tensor.device() != tch::Device::Cpu {
        return tensor;
    }
    let turned = tensor
        .tensor
        .permute([0, 2, 3, 1])
        .contiguous()
        .permute([0, 3, 1, 2]);
    // The result may share its memory with the original: `from_existing` keeps track of that.
    TchTensor::from_existing(turned, tensor.storage)
}

/// Wraps the result of a libtorch kernel that isn't part of burn's operations. `parent` is a tensor whose
/// memory the result may share.
pub(super) fn wrap(result: Torch, parent: &TchTensor) -> TchTensor {
    TchTensor::from_existing(result, parent.storage.clone())
}
