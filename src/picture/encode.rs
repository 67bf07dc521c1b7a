//! Pictures as bytes of an image file.

use std::path::Path;

use super::{Picture, indexed_png, rgb_jpeg, rgb_png};
use crate::error::{Error, Result};

/// A kind of image file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Exact; small for indexed pictures.
    Png,
    /// Lossy; small for photos.
    Jpeg,
}

impl Format {
    /// The format that the ending of `path` names.
    ///
    /// # Errors
    /// If it names none; the message lists the known endings.
    pub fn from_path(path: &Path) -> Result<Self> {
        let ending = path.extension().unwrap_or_default();
        if ending.eq_ignore_ascii_case("png") {
            Ok(Self::Png)
        } else if ending.eq_ignore_ascii_case("jpg") || ending.eq_ignore_ascii_case("jpeg") {
            Ok(Self::Jpeg)
        } else {
            Err(Error::file(
                path,
                "a picture's file name ends in .png, .jpg or .jpeg",
            ))
        }
    }

    /// The ending of this format's files, without a dot.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
        }
    }
}

/// The bytes of a file that holds `picture`, and says where it came from.
///
/// An indexed picture becomes a PNG of 8 bits a pixel with the colormap as its palette: the levels can be
/// read back. Each pair of `provenance` is a text chunk of a PNG, such as `convscope:model` and the model's
/// name, and a line of a JPEG's comment.
///
/// # Errors
/// If the format can't hold the picture or the provenance: a side beyond 65535 pixels, or a comment
/// beyond 65533 bytes, in a JPEG; a key that is not 1 to 79 Latin-1 characters in a PNG.
pub fn encode(
    picture: &Picture,
    format: Format,
    provenance: &[(String, String)],
) -> Result<Vec<u8>> {
    match (picture, format) {
        (Picture::Indexed(picture), Format::Png) => indexed_png(picture, provenance),
        (Picture::Indexed(picture), Format::Jpeg) => rgb_jpeg(&picture.to_rgb(), provenance),
        (Picture::Rgb(picture), Format::Png) => rgb_png(picture, provenance),
        (Picture::Rgb(picture), Format::Jpeg) => rgb_jpeg(picture, provenance),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::{Colormap, Indexed};

    #[test]
    fn the_ending_chooses_the_format() {
        let format = |path: &str| Format::from_path(Path::new(path));
        assert_eq!(format("cat.png").unwrap(), Format::Png);
        assert_eq!(format("a.b/CAT.JPG").unwrap(), Format::Jpeg);
        assert_eq!(format("cat.npy.jpeg").unwrap(), Format::Jpeg);
        for path in ["cat.tiff", "cat", ".png", ""] {
            let message = format(path).unwrap_err().to_string();
            assert!(
                message.ends_with("ends in .png, .jpg or .jpeg"),
                "{message}"
            );
        }
    }

    #[test]
    fn every_picture_has_both_formats() {
        let indexed = Picture::from(Indexed::new(16, 16, vec![200; 256], Colormap::Viridis));
        let rgb = Picture::from(indexed.to_rgb());
        for picture in [&indexed, &rgb] {
            let decode = |format| {
                let bytes = encode(picture, format, &[]).unwrap();
                image::load_from_memory(&bytes).unwrap().to_rgb8()
            };
            assert_eq!(decode(Format::Png), picture.to_rgb());
            let jpeg = decode(Format::Jpeg);
            for (ours, exact) in jpeg.as_raw().iter().zip(picture.to_rgb().as_raw()) {
                assert!(ours.abs_diff(*exact) <= 3);
            }
        }
    }
}
