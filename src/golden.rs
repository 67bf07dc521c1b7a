//! Reference values for unit tests, read from `tests/golden/*.safetensors`.
//!
//! Everything here panics on trouble: a missing value is a test's failure.

use std::path::Path;

use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use crate::array::Array;

/// One file of reference values.
pub struct Golden {
    path: String,
    bytes: Vec<u8>,
}

/// Opens `tests/golden/{relative}`, such as `keras/vgg_chelsea.safetensors`.
pub fn open(relative: &str) -> Golden {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let path = root.join(relative);
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let path = path.display().to_string();
    Golden { path, bytes }
}

impl Golden {
    /// The values called `name` as `f32`; those stored as `f16` or `f64` are converted.
    pub fn f32(&self, name: &str) -> Array {
        let view = self.view(name);
        let data = view.data();
        let values = match view.dtype() {
            Dtype::F32 => each(data, f32::from_le_bytes),
            Dtype::F64 => each(data, |bytes| f64::from_le_bytes(bytes) as f32),
            Dtype::F16 => each(data, |bytes| half::f16::from_le_bytes(bytes).to_f32()),
            other => panic!("{}: '{name}' holds {other:?}, not floats", self.path),
        };
        Array::new(view.shape(), values)
    }

    /// The shape and the bytes called `name`.
    pub fn u8(&self, name: &str) -> (Vec<usize>, Vec<u8>) {
        let view = self.typed(name, Dtype::U8);
        (view.shape().to_vec(), view.data().to_vec())
    }

    /// The shape and the integers called `name`.
    pub fn i64(&self, name: &str) -> (Vec<usize>, Vec<i64>) {
        let view = self.typed(name, Dtype::I64);
        (view.shape().to_vec(), each(view.data(), i64::from_le_bytes))
    }

    /// The names of all values, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = self
            .tensors()
            .names()
            .into_iter()
            .map(String::from)
            .collect();
        names.sort();
        names
    }

    /// The note called `key` in the file's metadata.
    pub fn note(&self, key: &str) -> String {
        let (_, header) = SafeTensors::read_metadata(&self.bytes).unwrap();
        let notes = header.metadata().clone().unwrap_or_default();
        let note = notes.get(key);
        note.unwrap_or_else(|| panic!("{}: no note '{key}'", self.path))
            .clone()
    }

    fn tensors(&self) -> SafeTensors<'_> {
        SafeTensors::deserialize(&self.bytes)
            .unwrap_or_else(|error| panic!("{}: {error}", self.path))
    }

    fn view(&self, name: &str) -> TensorView<'_> {
        let view = self.tensors().tensor(name);
        view.unwrap_or_else(|error| panic!("{}: '{name}': {error}", self.path))
    }

    fn typed(&self, name: &str, dtype: Dtype) -> TensorView<'_> {
        let view = self.view(name);
        assert_eq!(view.dtype(), dtype, "{}: '{name}'", self.path);
        view
    }
}

fn each<const N: usize, T>(data: &[u8], read: impl Fn([u8; N]) -> T) -> Vec<T> {
    let (elements, rest) = data.as_chunks::<N>();
    assert!(rest.is_empty(), "{} bytes left over", rest.len());
    elements.iter().copied().map(read).collect()
}
