//! The little arithmetic of a method that goes on from its own results, such as an ascent: on the device, so that
//! only single numbers come to the host.

use super::Tensor;
use super::guard::guarded;
use super::tensor::wrap;
use crate::error::{Error, Result};

impl Tensor {
    /// The sum of the products of two tensors' values.
    ///
    /// # Errors
    /// When the shapes differ, or a computation that was still under way on the device failed.
    pub fn dot(&self, other: &Self) -> Result<f64> {
        self.same_shape(other)?;
        guarded(|| {
            let products = tch::no_grad(|| &self.0.tensor * &other.0.tensor);
            Ok(products.sum(tch::Kind::Float).double_value(&[]))
        })
    }

    /// The root of the mean of all squared values.
    ///
    /// # Errors
    /// When a computation that was still under way on the device failed.
    pub fn root_mean_square(&self) -> Result<f64> {
        let count: usize = self.shape().iter().product();
        Ok((self.dot(self)? / count.max(1) as f64).sqrt())
    }

    /// `self + other / divisor`.
    ///
    /// # Errors
    /// When the shapes differ, or the device has no memory left.
    pub fn plus(&self, other: &Self, divisor: f64) -> Result<Self> {
        self.same_shape(other)?;
        guarded(|| {
            let sum = tch::no_grad(|| &self.0.tensor + &other.0.tensor / divisor);
            Ok(Self(wrap(sum, &self.0)))
        })
    }

    fn same_shape(&self, other: &Self) -> Result<()> {
        let (one, two) = (self.shape(), other.shape());
        if one == two {
            return Ok(());
        }
        Err(Error::request(format!(
            "values of {one:?} can't be combined with values of {two:?}"
        )))
    }
}
