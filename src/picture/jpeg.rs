//! JPEG files with a comment.

use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;

use crate::error::{Error, Result};

/// High enough for no visible change.
const QUALITY: u8 = 92;

/// Start of image, and the marker of the header that must come next.
const START: &[u8] = &[0xff, 0xd8, 0xff, 0xe0];

/// A JPEG of quality 92. `provenance` becomes its comment, in UTF-8, a line `key=value` for each pair.
///
/// # Errors
/// If a side of the picture is 0 or beyond 65535 pixels, or the comment beyond 65533 bytes.
pub fn rgb_jpeg(picture: &RgbImage, provenance: &[(String, String)]) -> Result<Vec<u8>> {
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, QUALITY)
        .encode_image(picture)
        .map_err(|error| failure(&error.to_string()))?;
    if !provenance.is_empty() {
        let lines = provenance
            .iter()
            .map(|(key, value)| format!("{key}={value}"));
        insert_comment(&mut file, &lines.collect::<Vec<_>>().join("\n"))?;
    }
    Ok(file)
}

/// Puts a COM segment (ISO/IEC 10918-1, B.2.4.5) behind the JFIF header, which must come first.
fn insert_comment(file: &mut Vec<u8>, comment: &str) -> Result<()> {
    let Ok(length) = u16::try_from(comment.len() + 2) else {
        return Err(failure("the comment is longer than 65533 bytes"));
    };
    let position = match file.strip_prefix(START) {
        Some(&[high, low, ..]) => START.len() + usize::from(u16::from_be_bytes([high, low])),
        _ => return Err(failure("the encoder wrote no JFIF header")),
    };
    let segment = [&[0xff, 0xfe], &length.to_be_bytes()[..], comment.as_bytes()].concat();
    file.splice(position..position, segment);
    Ok(())
}

fn failure(what: &str) -> Error {
    Error::request(format!("the picture can't be written as JPEG: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_comment_says_where_the_picture_came_from() {
        let picture = RgbImage::from_pixel(20, 10, image::Rgb([90, 120, 30]));
        let pair = |key: &str, value: &str| (key.to_string(), value.to_string());
        let provenance = [
            pair("convscope:model", "vgg16"),
            pair("convscope:image", "猫.png"),
        ];
        let file = rgb_jpeg(&picture, &provenance).unwrap();

        let comment = "convscope:model=vgg16\nconvscope:image=猫.png";
        let found = file
            .windows(comment.len())
            .position(|window| window == comment.as_bytes());
        // Start of image 2 bytes, JFIF header 18, marker and length of the comment 4.
        assert_eq!(found, Some(24));

        let plain = rgb_jpeg(&picture, &[]).unwrap();
        assert_eq!(file.len(), plain.len() + 4 + comment.len());
        let decode = |file: &[u8]| image::load_from_memory(file).unwrap().to_rgb8();
        assert_eq!(decode(&file), decode(&plain));
    }

    #[test]
    fn what_jpeg_cant_hold_is_an_error() {
        let dot = RgbImage::new(1, 1);
        let long = [("key".to_string(), "v".repeat(70_000))];
        let refusals = [
            rgb_jpeg(&dot, &long),
            rgb_jpeg(&RgbImage::new(70_000, 1), &[]),
            rgb_jpeg(&RgbImage::new(0, 1), &[]),
        ];
        for refused in refusals {
            let message = refused.unwrap_err().to_string();
            assert!(message.starts_with("the picture can't be written as JPEG"));
        }
    }
}
