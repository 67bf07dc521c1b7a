//! A plain array of `f32` in host memory: what images become, and what results are read into.

pub mod npy;

use std::sync::Arc;

/// Row-major values with their shape. Images and feature maps are channels-first. Clones share the values
/// until one of them is changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    shape: Vec<usize>,
    values: Arc<Vec<f32>>,
}

impl Array {
    /// # Panics
    /// If `values` doesn't hold exactly the product of `shape`: a slip in the program, not in its input.
    pub fn new(shape: impl Into<Vec<usize>>, values: Vec<f32>) -> Self {
        let shape = shape.into();
        assert_eq!(
            shape.iter().product::<usize>(),
            values.len(),
            "an array of shape {shape:?} was given {} values",
            values.len()
        );
        let values = Arc::new(values);
        Self { shape, values }
    }

    /// All zeros.
    pub fn zeros(shape: impl Into<Vec<usize>>) -> Self {
        let shape = shape.into();
        let values = Arc::new(vec![0.0; shape.iter().product()]);
        Self { shape, values }
    }

    /// The length of each axis.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// All values, the last axis running fastest.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// As [`Self::values`], to be changed in place.
    pub fn values_mut(&mut self) -> &mut [f32] {
        Arc::<Vec<f32>>::make_mut(&mut self.values)
    }

    /// Gives the values up, without a copy if no clone shares them.
    pub fn into_values(self) -> Vec<f32> {
        Arc::unwrap_or_clone(self.values)
    }

    /// The same values seen with another shape of the same size.
    ///
    /// # Panics
    /// If the sizes differ.
    #[must_use]
    pub fn reshaped(self, shape: impl Into<Vec<usize>>) -> Self {
        let shape = shape.into();
        assert_eq!(
            shape.iter().product::<usize>(),
            self.values.len(),
            "{:?} seen as {shape:?}",
            self.shape
        );
        let values = self.values;
        Self { shape, values }
    }

    /// The slice at `index` of the first axis: one channel of (C,H,W), one example of a batch.
    ///
    /// # Panics
    /// If `index` lies outside, or the array has no axis.
    pub fn at(&self, index: usize) -> &[f32] {
        let size: usize = self.shape[1..].iter().product();
        &self.values[index * size..(index + 1) * size]
    }
}
