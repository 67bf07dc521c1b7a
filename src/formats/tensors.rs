//! The named tensors of a file that holds weights and no graph, whatever its format.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::model::{Node, Parameter, Values};

/// Weights by name. A reader fills it, [`super::architectures`] makes a graph around it.
#[derive(Clone)]
pub struct Tensors {
    path: PathBuf,
    format: String,
    entries: BTreeMap<String, Tensor>,
}

/// One entry of the table.
#[derive(Clone)]
pub struct Tensor {
    /// As stored, row-major.
    pub shape: Vec<usize>,
    /// What the values are.
    pub data: Data,
}

/// Whether a tensor can be a weight.
#[derive(Clone)]
pub enum Data {
    /// Read as `f32`.
    Floats(Arc<dyn Values>),
    /// Of a type that no weight has, in the file's word; counters mostly.
    Other(String),
}

impl Tensors {
    /// An empty table. `format` is for people: `safetensors`.
    pub fn new(path: impl Into<PathBuf>, format: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            format: format.into(),
            entries: BTreeMap::new(),
        }
    }

    /// Adds a tensor, or replaces the one of that name.
    pub fn insert(&mut self, name: impl Into<String>, tensor: Tensor) {
        self.entries.insert(name.into(), tensor);
    }

    /// The file they come from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The kind of file, for people.
    pub fn format(&self) -> &str {
        &self.format
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All names, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// The tensor of exactly that name.
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.entries.get(name)
    }

    /// Whether there is a tensor of that name, of a shape that fits; `None` fits any length.
    pub fn has(&self, name: &str, shape: &[Option<usize>]) -> bool {
        self.get(name)
            .is_some_and(|tensor| fits(&tensor.shape, shape))
    }

    /// A weight in its stored shape, checked against the expected one; `None` fits any length.
    ///
    /// # Errors
    /// When it is missing, of another shape, or not made of floats.
    pub fn parameter(&self, name: &str, shape: &[Option<usize>]) -> Result<Parameter> {
        let expected = show(shape);
        let Some(tensor) = self.get(name) else {
            return Err(self.error(format!("tensor '{name}' {expected} is missing")));
        };
        if !fits(&tensor.shape, shape) {
            return Err(self.error(format!(
                "tensor '{name}': expected the shape {expected}, found {:?}",
                tensor.shape
            )));
        }
        match &tensor.data {
            Data::Floats(values) => Ok(Parameter::new(
                name,
                tensor.shape.clone(),
                Arc::clone(values),
            )),
            Data::Other(kind) => Err(self.error(format!(
                "tensor '{name}': expected floating-point numbers, found {kind}"
            ))),
        }
    }

    /// An error about the file.
    pub fn error(&self, what: impl Into<String>) -> Error {
        Error::file(&self.path, what)
    }

    /// The names that no node of a graph refers to; PyTorch's counters of batches, which have no part in
    /// inference, are left out.
    pub fn unused(&self, nodes: &[Node]) -> Vec<&str> {
        let used: BTreeSet<&str> = nodes
            .iter()
            .flat_map(|node| node.op.parameters())
            .map(|parameter| parameter.name.as_str())
            .collect();
        self.names()
            .filter(|name| !used.contains(name) && !name.ends_with("num_batches_tracked"))
            .collect()
    }
}

fn fits(shape: &[usize], expected: &[Option<usize>]) -> bool {
    shape.len() == expected.len()
        && shape
            .iter()
            .zip(expected)
            .all(|(length, expected)| expected.is_none_or(|expected| expected == *length))
}

fn show(shape: &[Option<usize>]) -> String {
    let lengths: Vec<String> = shape
        .iter()
        .map(|length| length.map_or("any".to_owned(), |length| length.to_string()))
        .collect();
    format!("[{}]", lengths.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Tensors {
        let mut table = Tensors::new("net.bin", "test");
        let values: Arc<dyn Values> = Arc::new(vec![0.0; 6]);
        table.insert(
            "fc.weight",
            Tensor {
                shape: vec![2, 3],
                data: Data::Floats(values),
            },
        );
        table.insert(
            "steps",
            Tensor {
                shape: vec![],
                data: Data::Other("I64".into()),
            },
        );
        table
    }

    #[test]
    fn a_weight_is_checked_against_what_is_expected() {
        let table = table();
        let weight = table.parameter("fc.weight", &[None, Some(3)]).unwrap();
        assert_eq!(weight.shape(), [2, 3]);

        let message =
            |name, shape: &[Option<usize>]| table.parameter(name, shape).unwrap_err().to_string();
        assert_eq!(
            message("fc.weight", &[None, Some(4)]),
            "net.bin: tensor 'fc.weight': expected the shape [any, 4], found [2, 3]"
        );
        assert_eq!(
            message("fc.bias", &[Some(2)]),
            "net.bin: tensor 'fc.bias' [2] is missing"
        );
        assert_eq!(
            message("steps", &[]),
            "net.bin: tensor 'steps': expected floating-point numbers, found I64"
        );
    }
}
