//! safetensors: a JSON header with names, types, shapes and byte ranges, and behind it the bytes.
//! Only the header is read at first; values are read by position when they are asked for.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

use super::architectures;
use super::card::Card;
use super::tensors::{Data, Tensor, Tensors};
use crate::error::{Error, Result};
use crate::model::{Model, Values};

/// The format's own bound for its header.
const LARGEST_HEADER: u64 = 100_000_000;

/// Bytes in front of the header: its length.
const PREFIX: u64 = 8;

/// Values converted at a time, so that reading needs no second copy of a weight.
const PIECE: usize = 1 << 14;

/// Makes a model of the file: with the card's architecture, else with the one whose tensors these are.
///
/// # Errors
/// When the file is damaged, or fits no known architecture.
pub fn read(path: &Path, card: Option<&Card>) -> Result<Model> {
    architectures::assemble(&tensors(path)?, card)
}

/// The table of tensors.
///
/// # Errors
/// When the header is damaged, or doesn't agree with the file's size.
pub fn tensors(path: &Path) -> Result<Tensors> {
    let file = File::open(path).map_err(|error| Error::io(path, error))?;
    let size = file
        .metadata()
        .map_err(|error| Error::io(path, error))?
        .len();
    let header = header(&file, path, size)?;
    let first = PREFIX + header.len() as u64;
    let metadata: Metadata = serde_json::from_slice(&header).map_err(|error| {
        Error::file(path, format!("its safetensors header is damaged: {error}"))
    })?;
    let wanted = first.checked_add(metadata.data_len() as u64);
    if wanted != Some(size) {
        let wanted = wanted.map_or("more".to_owned(), |wanted| wanted.to_string());
        return Err(Error::file(
            path,
            format!(
                "its safetensors header describes {wanted} bytes, and the file has {size}: it is damaged or incomplete"
            ),
        ));
    }
    let names = metadata.tensors();
    if names.is_empty() {
        return Err(Error::file(path, "holds no tensors"));
    }
    let file = Arc::new(file);
    let mut table = Tensors::new(path, "safetensors");
    for (name, info) in names {
        let tensor = tensor(&file, path, &name, info, first);
        table.insert(name, tensor);
    }
    Ok(table)
}

/// The JSON text at the beginning of a file of `size` bytes.
fn header(file: &File, path: &Path, size: u64) -> Result<Vec<u8>> {
    if size < PREFIX {
        return Err(Error::file(
            path,
            format!("a safetensors file has at least {PREFIX} bytes, this one {size}"),
        ));
    }
    let io = |error| Error::io(path, error);
    let mut prefix = [0; size_of::<u64>()];
    file.read_exact_at(&mut prefix, 0).map_err(io)?;
    let length = u64::from_le_bytes(prefix);
    if length > LARGEST_HEADER || length > size - PREFIX {
        return Err(Error::file(
            path,
            format!(
                "its safetensors header should be {length} bytes long, and the file has {size}: it is damaged or incomplete"
            ),
        ));
    }
    let length =
        usize::try_from(length).map_err(|_| Error::file(path, "its header is too long"))?;
    let mut header = vec![0; length];
    file.read_exact_at(&mut header, PREFIX).map_err(io)?;
    Ok(header)
}

fn tensor(file: &Arc<File>, path: &Path, name: &str, info: &TensorInfo, first: u64) -> Tensor {
    let data = match Element::of(info.dtype) {
        Some(element) => Data::Floats(Arc::new(Stored {
            file: Arc::clone(file),
            path: path.to_path_buf(),
            name: name.to_owned(),
            // Both are within the file's size, which has been compared with the header.
            begin: first + info.data_offsets.0 as u64,
            length: (info.data_offsets.1 - info.data_offsets.0) / element.bytes(),
            element,
        })),
        None => Data::Other(format!("{:?}", info.dtype)),
    };
    Tensor {
        shape: info.shape.clone(),
        data,
    }
}

/// A floating-point type that weights are stored in.
#[derive(Clone, Copy)]
enum Element {
    F16,
    Bf16,
    F32,
    F64,
}

impl Element {
    fn of(dtype: Dtype) -> Option<Self> {
        match dtype {
            Dtype::F16 => Some(Self::F16),
            Dtype::BF16 => Some(Self::Bf16),
            Dtype::F32 => Some(Self::F32),
            Dtype::F64 => Some(Self::F64),
            _ => None,
        }
    }

    fn bytes(self) -> usize {
        match self {
            Self::F16 | Self::Bf16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    /// Little-endian bytes to `f32`; `bytes` holds exactly as many values as `out`. Subnormals keep their
    /// value: it is an ordinary number in `f32`.
    #[allow(clippy::cast_possible_truncation)]
    fn convert(self, bytes: &[u8], out: &mut [f32]) {
        match self {
            Self::F16 => {
                let values: Vec<f16> = pairs(bytes).map(f16::from_le_bytes).collect();
                values.convert_to_f32_slice(out);
            }
            Self::Bf16 => {
                let values: Vec<bf16> = pairs(bytes).map(bf16::from_le_bytes).collect();
                values.convert_to_f32_slice(out);
            }
            Self::F32 => {
                for (value, bytes) in out.iter_mut().zip(bytes.as_chunks().0) {
                    *value = f32::from_le_bytes(*bytes);
                }
            }
            Self::F64 => {
                for (value, bytes) in out.iter_mut().zip(bytes.as_chunks().0) {
                    *value = f64::from_le_bytes(*bytes) as f32;
                }
            }
        }
    }
}

fn pairs(bytes: &[u8]) -> impl Iterator<Item = [u8; 2]> {
    bytes.as_chunks().0.iter().copied()
}

/// A range of bytes in an open file. The file is never mapped: if someone shortens it meanwhile, a read
/// fails where a mapping would end the process.
struct Stored {
    file: Arc<File>,
    path: PathBuf,
    name: String,
    begin: u64,
    length: usize,
    element: Element,
}

impl Values for Stored {
    fn read(&self, start: usize, out: &mut [f32]) -> Result<()> {
        let fail =
            |what: String| Error::file(&self.path, format!("tensor '{}': {what}", self.name));
        if out.len() > self.length || start > self.length - out.len() {
            return Err(fail(format!(
                "asked for {} values from index {start} on, it has {}",
                out.len(),
                self.length
            )));
        }
        let width = self.element.bytes();
        let mut bytes = vec![0; PIECE.min(out.len()) * width];
        let mut position = self.begin + (start * width) as u64;
        for piece in out.chunks_mut(PIECE) {
            let bytes = &mut bytes[..piece.len() * width];
            self.file
                .read_exact_at(bytes, position)
                .map_err(|error| fail(format!("can't be read: {error}")))?;
            self.element.convert(bytes, piece);
            position += bytes.len() as u64;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
