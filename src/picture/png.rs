//! PNG files: palette pictures, 24-bit pictures, text chunks.

use std::io;

use image::RgbImage;
use png::{BitDepth, ColorType, Compression, Encoder, EncodingError, Filter};

use super::Indexed;
use crate::error::{Error, Result};

/// A PNG with 8 bits a pixel and the colormap as its palette.
///
/// # Errors
/// If a key of `provenance` is not 1 to 79 Latin-1 characters.
pub fn indexed_png(picture: &Indexed, provenance: &[(String, String)]) -> Result<Vec<u8>> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, picture.width(), picture.height());
    encoder.set_color(ColorType::Indexed);
    encoder.set_palette(picture.colormap().palette().as_flattened());
    finish(encoder, picture.pixels(), provenance).map_err(failure)?;
    Ok(file)
}

/// A PNG with 24 bits a pixel.
///
/// # Errors
/// If a key of `provenance` is not 1 to 79 Latin-1 characters, or the picture is empty.
pub fn rgb_png(picture: &RgbImage, provenance: &[(String, String)]) -> Result<Vec<u8>> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, picture.width(), picture.height());
    encoder.set_color(ColorType::Rgb);
    finish(encoder, picture.as_raw(), provenance).map_err(failure)?;
    Ok(file)
}

fn finish<W: io::Write>(
    mut encoder: Encoder<'_, W>,
    pixels: &[u8],
    provenance: &[(String, String)],
) -> Result<(), EncodingError> {
    encoder.set_depth(BitDepth::Eight);
    // Neighbouring levels are neighbouring values, so that filters pay off on a palette too. On grids of
    // VGG16's maps this takes a quarter of the time of zlib's level 1 for the same size.
    encoder.set_compression(Compression::Fast);
    encoder.set_filter(Filter::Adaptive);
    for (key, value) in provenance {
        if value.chars().all(is_latin1_text) {
            encoder.add_text_chunk(key.clone(), value.clone())?;
        } else {
            encoder.add_itxt_chunk(key.clone(), value.clone())?;
        }
    }
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()
}

/// What a `tEXt` chunk may hold; everything else needs `iTXt`, which is UTF-8.
fn is_latin1_text(character: char) -> bool {
    matches!(character, '\n' | ' '..='~' | '\u{a0}'..='\u{ff}')
}

fn failure(error: EncodingError) -> Error {
    Error::request(format!("the picture can't be written as PNG: {error}"))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use png::{Decoder, Reader, Transformations};

    use super::*;
    use crate::picture::Colormap;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |&(key, value): &(&str, &str)| (key.to_string(), value.to_string());
        pairs.iter().map(owned).collect()
    }

    fn open(file: &[u8]) -> Reader<Cursor<&[u8]>> {
        let mut decoder = Decoder::new(Cursor::new(file));
        decoder.set_transformations(Transformations::IDENTITY);
        decoder.read_info().unwrap()
    }

    #[test]
    fn levels_and_palette_are_read_back_as_they_were() {
        let pixels: Vec<u8> = (0..=255).cycle().take(300 * 7).collect();
        let picture = Indexed::new(300, 7, pixels, Colormap::Magma);
        let file = indexed_png(&picture, &[]).unwrap();

        let mut reader = open(&file);
        let palette = reader.info().palette.as_deref().unwrap();
        assert_eq!(palette, Colormap::Magma.palette().as_flattened());
        let mut levels = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut levels).unwrap();
        assert_eq!(frame.color_type, ColorType::Indexed);
        assert_eq!(levels, picture.pixels());
    }

    #[test]
    fn provenance_is_plain_text_where_latin1_holds_it() {
        let provenance = pairs(&[
            ("convscope:model", "vgg16_cats_dogs"),
            ("convscope:class", "café"),
            ("convscope:image", "猫.png"),
        ]);
        let file = rgb_png(&RgbImage::new(1, 1), &provenance).unwrap();

        let reader = open(&file);
        let info = reader.info();
        let plain: Vec<_> = info.uncompressed_latin1_text.iter().collect();
        assert_eq!(plain.len(), 2);
        assert_eq!(plain[0].keyword, "convscope:model");
        assert_eq!(plain[0].text, "vgg16_cats_dogs");
        assert_eq!(plain[1].text, "café");
        assert_eq!(info.utf8_text[0].keyword, "convscope:image");
        assert_eq!(info.utf8_text[0].get_text().unwrap(), "猫.png");
    }

    #[test]
    fn a_key_that_png_cant_hold_is_an_error() {
        let dot = RgbImage::new(1, 1);
        for key in ["", "鍵", &"k".repeat(80)] {
            let refused = rgb_png(&dot, &pairs(&[(key, "value")]));
            let message = refused.unwrap_err().to_string();
            assert!(message.starts_with("the picture can't be written as PNG"));
        }
    }

    #[test]
    fn an_empty_picture_is_an_error() {
        assert!(rgb_png(&RgbImage::new(0, 4), &[]).is_err());
    }
}
