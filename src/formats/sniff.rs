//! What kind of file something is, told by its first bytes. Only a card is told by its name.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::error::{Error, Result};

/// How many of a file's first bytes are looked at.
const LOOK: usize = 4096;

/// What [`super::open`] tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Keras's `.h5`.
    Hdf5,
    Safetensors,
    /// Another kind of model, in words.
    OtherModel(&'static str),
    /// In the format's word.
    Picture(&'static str),
    Card,
    Empty,
    Unknown,
}

/// Signatures at the very beginning.
const SIGNATURES: &[(&[u8], Kind)] = &[
    (b"\x89PNG\r\n\x1a\n", Kind::Picture("PNG")),
    (b"\xff\xd8\xff", Kind::Picture("JPEG")),
    (b"GIF8", Kind::Picture("GIF")),
    (b"II*\0", Kind::Picture("TIFF")),
    (b"MM\0*", Kind::Picture("TIFF")),
    (b"\x93NUMPY", Kind::OtherModel("an array (NumPy)")),
    (b"GGUF", Kind::OtherModel("a GGUF model")),
    (b"\x80\x02", Kind::OtherModel("a pickle (old PyTorch)")),
    (b"\x1f\x8b", Kind::OtherModel("a gzip archive")),
];

/// HDF5's signature, which stands at byte 0, or behind a block of the user's at 512, 1024, 2048, ...
const HDF5: [u8; 8] = *b"\x89HDF\r\n\x1a\n";

/// Tells the kind of the file at `path`.
///
/// # Errors
/// When it is not there, can't be read, or is a folder or something else that isn't a file.
pub(super) fn kind(path: &Path) -> Result<Kind> {
    let io = |error| Error::io(path, error);
    let metadata = path.metadata().map_err(io)?;
    if metadata.is_dir() {
        let what = if path.join("saved_model.pb").exists() {
            "is a TensorFlow SavedModel folder, which convscope can't read"
        } else {
            "is a folder, not a model file"
        };
        return Err(Error::file(path, what));
    }
    if !metadata.is_file() {
        return Err(Error::file(path, "is not a file"));
    }
    let file = File::open(path).map_err(io)?;
    let size = metadata.len();
    let mut start = vec![0; LOOK.min(usize::try_from(size).unwrap_or(LOOK))];
    file.read_exact_at(&mut start, 0).map_err(io)?;
    Ok(match by_start(&start) {
        Kind::Unknown if has_hdf5_behind(&file, size) => Kind::Hdf5,
        Kind::Unknown if path.extension().is_some_and(|ending| ending == "toml") => Kind::Card,
        kind => kind,
    })
}

fn by_start(start: &[u8]) -> Kind {
    if start.is_empty() {
        return Kind::Empty;
    }
    if start.starts_with(&HDF5) {
        return Kind::Hdf5;
    }
    // The length of the header, then JSON. Whether the length makes sense is the reader's question.
    if start.get(8) == Some(&b'{') && start.get(9).is_none_or(|next| b"\"} \n\r\t".contains(next)) {
        return Kind::Safetensors;
    }
    if start.starts_with(b"PK\x03\x04") {
        return Kind::OtherModel(zip(start));
    }
    if start.starts_with(b"RIFF") && start.get(8..12) == Some(b"WEBP") {
        return Kind::Picture("WebP");
    }
    // Two letters are few; four bytes that are always 0 follow the file's size.
    if start.starts_with(b"BM") && start.get(6..10) == Some(&[0; 4]) {
        return Kind::Picture("BMP");
    }
    if start.get(4..8) == Some(b"TFL3") {
        return Kind::OtherModel("a TensorFlow Lite model");
    }
    let signed = SIGNATURES
        .iter()
        .find(|(signature, _)| start.starts_with(signature));
    match signed {
        Some((_, kind)) => *kind,
        None if is_onnx(start) => Kind::OtherModel("an ONNX model"),
        None => Kind::Unknown,
    }
}

/// What a ZIP archive holds, by the names of its first entries.
fn zip(start: &[u8]) -> &'static str {
    let has = |name: &[u8]| start.windows(name.len()).any(|window| window == name);
    if has(b"model.weights.h5") || has(b"config.json") {
        "a Keras 3 model (.keras)"
    } else if has(b"archive_format") || has(b"models/model.json") {
        "a PyTorch program (.pt2)"
    } else if has(b"data.pkl") || has(b".data/") {
        "a PyTorch file (.pt, .pth)"
    } else {
        "a ZIP archive"
    }
}

/// ONNX has no signature. Its files begin with field 1, a small version number, followed by another field of
/// the same message: 2 to 8, or 14, of the kinds they have.
fn is_onnx(start: &[u8]) -> bool {
    matches!(start, [0x08, 1..=32, next, ..] if [0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42, 0x72].contains(next))
}

fn has_hdf5_behind(file: &File, size: u64) -> bool {
    let mut signature = [0; HDF5.len()];
    std::iter::successors(Some(512_u64), |at| at.checked_mul(2))
        .take_while(|at| *at < size)
        .any(|at| file.read_exact_at(&mut signature, at).is_ok() && signature == HDF5)
}

impl Kind {
    /// Why such a file can't be opened as a model; `None` if it can.
    pub(super) fn refusal(self) -> Option<String> {
        const READS: &str = "convscope reads Keras models (.h5) and safetensors";
        match self {
            Self::Hdf5 | Self::Safetensors => None,
            Self::OtherModel(what) => Some(format!(
                "is {what}, which convscope can't read yet; {READS}"
            )),
            Self::Picture(format) => Some(format!(
                "is a picture ({format}), not a model: the model comes first, then images"
            )),
            Self::Card => Some(
                "is the card of a model: give the model file itself, and the card beside it is used"
                    .to_owned(),
            ),
            Self::Empty => Some("is empty".to_owned()),
            Self::Unknown => Some(format!("is not a model that convscope knows; {READS}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_content() {
        let kinds: [(&[u8], Kind); 10] = [
            (b"", Kind::Empty),
            (b"\x89HDF\r\n\x1a\n....", Kind::Hdf5),
            (b"\x10\0\0\0\0\0\0\0{\"a\":", Kind::Safetensors),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff{\"", Kind::Safetensors),
            (b"\xff\xd8\xff\xe0....", Kind::Picture("JPEG")),
            (b"RIFF....WEBPVP8 ", Kind::Picture("WebP")),
            (
                b"PK\x03\x04......net/data.pkl",
                Kind::OtherModel("a PyTorch file (.pt, .pth)"),
            ),
            (
                b"\x08\x08\x12\x07pytorch",
                Kind::OtherModel("an ONNX model"),
            ),
            (b"\x08\x08", Kind::Unknown),
            (b"hello", Kind::Unknown),
        ];
        for (start, kind) in kinds {
            assert_eq!(by_start(start), kind, "{start:?}");
        }
    }

    #[test]
    fn only_models_that_can_be_read_are_not_refused() {
        assert_eq!(Kind::Hdf5.refusal(), None);
        assert_eq!(Kind::Safetensors.refusal(), None);
        let refusal = Kind::Picture("PNG").refusal().unwrap();
        assert!(refusal.contains("the model comes first"), "{refusal}");
    }
}
