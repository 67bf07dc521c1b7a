//! Weights as the graph knows them: a name, a shape and a way to read the values when they are needed.

use std::fmt;
use std::sync::Arc;

use crate::error::Result;

/// Where a parameter's values come from. Nothing is read until asked for.
pub trait Values: Send + Sync {
    /// Fills `out` with the values from index `start` on, in stored order, converted to `f32`.
    /// The caller stays inside the stored shape.
    ///
    /// # Errors
    /// When the file can't be read any more, or its data turn out damaged.
    fn read(&self, start: usize, out: &mut [f32]) -> Result<()>;
}

/// Values held in memory: small constants, and tests.
impl Values for Vec<f32> {
    fn read(&self, start: usize, out: &mut [f32]) -> Result<()> {
        out.copy_from_slice(&self[start..start + out.len()]);
        Ok(())
    }
}

/// One weight of a layer.
#[derive(Clone)]
pub struct Parameter {
    /// As the model file spells it.
    pub name: String,
    /// The shape in which [`Self::values`] gives the values, row-major.
    pub stored: Vec<usize>,
    /// How the stored axes make up the shape that the [`super::Op`] documents: axis `i` of that shape is
    /// axis `order[i]` of [`Self::stored`]. Keras's HWIO kernels become OIHW by `[3, 2, 0, 1]`.
    pub order: Vec<usize>,
    /// False for moving statistics and frozen layers.
    pub trainable: bool,
    /// Shared between the calls of a layer that is used more than once.
    pub values: Arc<dyn Values>,
}

impl Parameter {
    /// A trainable parameter stored in the very shape that the op documents.
    pub fn new(
        name: impl Into<String>,
        shape: impl Into<Vec<usize>>,
        values: Arc<dyn Values>,
    ) -> Self {
        let stored = shape.into();
        Self {
            name: name.into(),
            order: (0..stored.len()).collect(),
            stored,
            trainable: true,
            values,
        }
    }

    /// The same parameter, its stored axes read in another order; see [`Self::order`].
    #[must_use]
    pub fn with_order(mut self, order: impl Into<Vec<usize>>) -> Self {
        self.order = order.into();
        self
    }

    /// The same parameter, not trainable.
    #[must_use]
    pub fn frozen(mut self) -> Self {
        self.trainable = false;
        self
    }

    /// The shape that the op documents.
    pub fn shape(&self) -> Vec<usize> {
        self.order.iter().map(|&axis| self.stored[axis]).collect()
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.stored.iter().product()
    }

    /// Whether there are no values at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Two parameters with the same identity share their values.
    pub fn identity(&self) -> usize {
        Arc::as_ptr(&self.values).cast::<()>() as usize
    }
}

impl fmt::Debug for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.name, self.shape())
    }
}
