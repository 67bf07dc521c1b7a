//! What a user names as an image: a picture's file, a tensor's file, or standard input.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use image::RgbImage;

use super::decode;
use crate::array::{Array, npy};
use crate::error::{Error, Result};

/// The largest file that is read: beyond any photo, and within any machine's memory.
const MAX_BYTES: u64 = 256 << 20;

/// The path that stands for standard input.
const STANDARD_INPUT: &str = "-";

/// A picture as decoded: upright, 8-bit RGB.
#[derive(Clone, Debug)]
pub struct Photo {
    /// The file's name without its folder, fit for a terminal; `stdin` for standard input.
    pub name: String,
    /// The pixels.
    pub image: RgbImage,
}

/// A network's input, before or after preprocessing.
#[derive(Clone, Debug)]
pub enum Source {
    /// A picture, which [`super::prepare`] turns into an input.
    Photo(Photo),
    /// Values of shape (C,H,W), fed as they are.
    Tensor(Array),
}

/// Opens a file as a tensor if its name ends in `.npy`, else as a picture. `-` reads standard input,
/// where the content decides.
///
/// # Errors
/// As [`open`]; for a tensor as [`npy::read`], or if its shape isn't (C,H,W) or (1,C,H,W).
pub fn load(path: &Path, exif: bool) -> Result<Source> {
    if is_standard_input(path) {
        let bytes = read(path)?;
        if !bytes.starts_with(npy::MAGIC) {
            return photo(path, &bytes, exif).map(Source::Photo);
        }
        let shown = shown(path);
        return input(npy::decode(bytes.as_slice(), shown)?, shown).map(Source::Tensor);
    }
    let ending = path.extension().unwrap_or_default();
    if ending.eq_ignore_ascii_case("npy") {
        return input(npy::read(path)?, path).map(Source::Tensor);
    }
    open(path, exif).map(Source::Photo)
}

/// Decodes a picture: PNG, JPEG, GIF (its first frame), BMP, WebP, TIFF or PNM, told apart by content, whatever
/// the file is called. `-` reads standard input. `exif` turns the picture upright by its EXIF orientation.
///
/// # Errors
/// If the file can't be read, is a folder, empty or larger than 256 MiB, isn't such a picture, is damaged or cut
/// short, or has more than 100 million pixels or more than a million on a side.
pub fn open(path: &Path, exif: bool) -> Result<Photo> {
    photo(path, &read(path)?, exif)
}

fn photo(path: &Path, bytes: &[u8], exif: bool) -> Result<Photo> {
    let image = decode::rgb(bytes, exif).map_err(|what| Error::file(shown(path), what))?;
    let name = name(path);
    Ok(Photo { name, image })
}

/// Drops a batch of one.
fn input(array: Array, path: &Path) -> Result<Array> {
    let shape = match array.shape() {
        [channels, height, width] | [1, channels, height, width] => [*channels, *height, *width],
        other => {
            let what = format!("has shape {other:?}, where (C,H,W) or (1,C,H,W) was expected");
            return Err(Error::file(path, what));
        }
    };
    if shape.contains(&0) {
        return Err(Error::file(
            path,
            format!("has shape {shape:?}, which holds no values"),
        ));
    }
    Ok(array.reshaped(shape))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    if is_standard_input(path) {
        return bounded(io::stdin().lock(), path);
    }
    let metadata = std::fs::metadata(path).map_err(|source| Error::io(path, source))?;
    if metadata.is_dir() {
        return Err(Error::file(path, "is a folder, not a picture"));
    }
    if metadata.len() > MAX_BYTES {
        return Err(too_large(path));
    }
    let file = File::open(path).map_err(|source| Error::io(path, source))?;
    bounded(file, path)
}

/// Reads to the end. A device or a pipe has no size to check beforehand.
fn bounded(reader: impl Read, path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut reader = reader.take(MAX_BYTES + 1);
    let read = reader.read_to_end(&mut bytes);
    read.map_err(|source| Error::io(shown(path), source))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(too_large(path));
    }
    if bytes.is_empty() {
        return Err(Error::file(shown(path), "is empty"));
    }
    Ok(bytes)
}

fn too_large(path: &Path) -> Error {
    let limit = MAX_BYTES >> 20;
    Error::file(
        shown(path),
        format!("is larger than {limit} MiB, too large for a picture"),
    )
}

fn is_standard_input(path: &Path) -> bool {
    path == Path::new(STANDARD_INPUT)
}

/// The path as messages name it.
fn shown(path: &Path) -> &Path {
    if is_standard_input(path) {
        Path::new("standard input")
    } else {
        path
    }
}

/// A file's name may hold anything but `/`, control sequences of terminals too.
fn name(path: &Path) -> String {
    if is_standard_input(path) {
        return "stdin".to_owned();
    }
    let name = path.file_name().unwrap_or(path.as_os_str());
    let clean = |c: char| {
        if c.is_control() {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        }
    };
    name.to_string_lossy().chars().map(clean).collect()
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{Source, bounded, load, name, open};
    use crate::array::{Array, npy};

    /// A file that lasts as long as the test.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str, bytes: &[u8]) -> Self {
            let name = format!("convscope-{}-{name}", std::process::id());
            let path = std::env::temp_dir().join(name);
            std::fs::write(&path, bytes).unwrap();
            Self(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    fn demo(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("demo")
            .join(name)
    }

    /// The message without the path before it.
    fn refusal(path: &Path) -> String {
        let message = load(path, true).unwrap_err().to_string();
        let prefix = format!("{}: ", path.display());
        message
            .strip_prefix(&prefix)
            .unwrap_or_else(|| panic!("{message}"))
            .to_owned()
    }

    #[test]
    fn a_picture_is_known_by_its_content() {
        let png = std::fs::read(demo("chelsea.png")).unwrap();
        let file = Scratch::new("cat.h5", &png);
        let Source::Photo(photo) = load(&file.0, true).unwrap() else {
            panic!("not a photo");
        };
        assert_eq!(photo.image.dimensions(), (451, 300));
        assert!(photo.name.ends_with("cat.h5") && !photo.name.contains('/'));
    }

    #[test]
    fn each_trouble_has_its_words() {
        assert!(refusal(Path::new("no/such.png")).starts_with("No such file"));
        assert_eq!(refusal(&demo("")), "is a folder, not a picture");
        assert_eq!(refusal(&Scratch::new("empty.png", b"").0), "is empty");
        let text = Scratch::new("text.png", b"Once upon a time");
        assert!(refusal(&text.0).starts_with("is not a picture this program can read"));
        let endless = bounded(std::io::repeat(1), Path::new("pipe")).unwrap_err();
        assert_eq!(
            endless.to_string(),
            "pipe: is larger than 256 MiB, too large for a picture"
        );
    }

    #[test]
    fn a_tensor_has_channels_first() {
        let tensor = |shape: &[usize]| {
            let array = Array::zeros(shape);
            let label = format!("{shape:?}").replace(", ", "x");
            Scratch::new(&format!("{label}.npy"), &npy::bytes(&array))
        };
        for shape in [&[3, 4, 5][..], &[1, 3, 4, 5]] {
            let Source::Tensor(array) = load(&tensor(shape).0, true).unwrap() else {
                panic!("not a tensor");
            };
            assert_eq!(array.shape(), [3, 4, 5]);
        }
        let expected = "has shape [2, 3, 4, 5], where (C,H,W) or (1,C,H,W) was expected";
        assert_eq!(refusal(&tensor(&[2, 3, 4, 5]).0), expected);
        assert!(refusal(&tensor(&[7]).0).starts_with("has shape [7]"));
        assert!(refusal(&tensor(&[3, 0, 5]).0).contains("no values"));
        let picture = Scratch::new("picture.npy", &std::fs::read(demo("panda.jpg")).unwrap());
        assert_eq!(refusal(&picture.0), "is not a NumPy file (.npy)");
    }

    #[test]
    fn a_name_is_safe_to_print() {
        assert_eq!(name(Path::new("a/\u{1b}[2Jcat.png")), "\u{fffd}[2Jcat.png");
        assert_eq!(name(Path::new("-")), "stdin");
        assert!(open(&demo("panda.jpg"), true).unwrap().name == "panda.jpg");
    }
}
