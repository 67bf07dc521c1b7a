//! One weight of the file, before it is known which parameter of a layer it is.

use std::sync::Arc;

use super::Outcome;
use super::show::{self, excerpt};
use crate::model::{Parameter, Values};

/// A name, a shape and where the values are. Clones share the values.
#[derive(Clone)]
pub struct Weight {
    /// As the file spells it: `block1_conv1/kernel:0`.
    pub name: String,
    /// As stored.
    pub shape: Vec<usize>,
    /// Of that shape.
    pub values: Arc<dyn Values>,
}

impl Weight {
    /// What kind of variable it is by its name: `kernel` for `block1_conv1/kernel:0`.
    pub fn variable(&self) -> &str {
        let name = self.name.rsplit('/').next().unwrap_or_default();
        name.split(':').next().unwrap_or_default()
    }

    /// Checks the stored shape; `None` stands for any length.
    ///
    /// # Errors
    /// Saying both.
    pub fn expect(&self, wanted: &[Option<usize>]) -> Outcome<()> {
        let fits = self.shape.len() == wanted.len()
            && self
                .shape
                .iter()
                .zip(wanted)
                .all(|(&found, wanted)| wanted.is_none_or(|wanted| wanted == found));
        if fits {
            return Ok(());
        }
        Err(format!(
            "weight '{}' should have the shape {}, found {}",
            excerpt(&self.name),
            show::pattern(wanted),
            show::shape(&self.shape)
        ))
    }

    /// The number of values.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// All values; for small weights that are needed to make the graph.
    ///
    /// # Errors
    /// When they are many, or can't be read.
    pub fn read(&self) -> Outcome<Vec<f32>> {
        const MANY: usize = 1 << 20;
        if self.len() > MANY {
            return Err(format!(
                "weight '{}' is too large for what it is: {}",
                excerpt(&self.name),
                show::shape(&self.shape)
            ));
        }
        let mut values = vec![0.0; self.len()];
        self.values
            .read(0, &mut values)
            .map_err(|error| error.to_string())?;
        Ok(values)
    }

    /// As a parameter, its values seen as `shape` (of the same size), whose axes are taken in `order`.
    pub fn parameter(
        &self,
        shape: impl Into<Vec<usize>>,
        order: impl Into<Vec<usize>>,
        trainable: bool,
    ) -> Parameter {
        let parameter =
            Parameter::new(self.name.clone(), shape, Arc::clone(&self.values)).with_order(order);
        if trainable {
            parameter
        } else {
            parameter.frozen()
        }
    }

    /// As a parameter in its own shape.
    pub fn plain(&self, trainable: bool) -> Parameter {
        let order: Vec<usize> = (0..self.shape.len()).collect();
        self.parameter(self.shape.clone(), order, trainable)
    }
}
