//! The bytes of an image file -> upright 8-bit RGB pixels.

use std::error::Error;
use std::io::{Cursor, ErrorKind};

use image::error::UnsupportedErrorKind;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage};

use super::jpeg;

const MAX_PIXELS: u64 = 100_000_000;

/// Resampling keeps some numbers for each column and row.
const MAX_SIDE: u32 = 1_000_000;

/// What a decoder may hold at once: [`MAX_PIXELS`] of 16-bit RGBA, and some more to work with.
const MAX_MEMORY: u64 = 1 << 30;

/// Decodes the first picture in `bytes`. Alpha is dropped, not blended, as Pillow's `convert("RGB")` does. Samples of 16
/// bits are divided by 257 and rounded, where Pillow clips them to 255: nearly all would be white.
///
/// # Errors
/// One phrase that follows the file's name.
pub(super) fn rgb(bytes: &[u8], exif: bool) -> Result<RgbImage, String> {
    let mut reader = ImageReader::new(Cursor::new(bytes));
    let Some(format) = image::guess_format(bytes)
        .ok()
        .filter(ImageFormat::reading_enabled)
    else {
        return Err(
            "is not a picture this program can read (PNG, JPEG, GIF, BMP, WebP, TIFF, PNM)".into(),
        );
    };
    if format == ImageFormat::Jpeg && !jpeg::is_complete(bytes) {
        return Err(cut_short(format));
    }
    let explain = |error| explain(format, &error);
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_MEMORY);
    reader.set_format(format);
    reader.limits(limits.clone());

    let mut decoder = reader.into_decoder().map_err(explain)?;
    check_size(decoder.dimensions())?;
    limits.reserve(decoder.total_bytes()).map_err(explain)?;
    decoder.set_limits(limits).map_err(explain)?;
    // Broken EXIF data is no reason to refuse the picture.
    let orientation = decoder.orientation().ok().filter(|_| exif);
    let image = DynamicImage::from_decoder(decoder).map_err(explain)?;
    let mut image = DynamicImage::ImageRgb8(image.into_rgb8());
    if let Some(orientation) = orientation {
        image.apply_orientation(orientation);
    }
    Ok(image.into_rgb8())
}

/// Comes before anything of the picture's size is allocated.
fn check_size((width, height): (u32, u32)) -> Result<(), String> {
    let pixels = u64::from(width) * u64::from(height);
    let size = format!("has {width} x {height} pixels");
    match () {
        () if pixels == 0 => Err(size),
        () if pixels > MAX_PIXELS => Err(format!(
            "{size}, more than {} million",
            MAX_PIXELS / 1_000_000
        )),
        () if width.max(height) > MAX_SIDE => Err(format!("{size}, more than a million on a side")),
        () => Ok(()),
    }
}

fn cut_short(format: ImageFormat) -> String {
    format!("is cut short: the {} data ends too early", name(format))
}

fn explain(format: ImageFormat, error: &ImageError) -> String {
    let format_name = name(format);
    match error {
        ImageError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => cut_short(format),
        ImageError::Limits(_) => {
            let limit = MAX_MEMORY >> 30;
            format!("needs more than {limit} GiB of memory to decode ({format_name})")
        }
        ImageError::Unsupported(error) => {
            let what = match error.kind() {
                UnsupportedErrorKind::GenericFeature(what) => what.clone(),
                _ => error.to_string(),
            };
            format!(
                "is a {format_name} of a kind this program can't read: {}",
                line(&what)
            )
        }
        ImageError::Decoding(error) => {
            let what = error
                .source()
                .map_or_else(|| error.to_string(), ToString::to_string);
            format!("is a damaged {format_name}: {}", line(&what))
        }
        _ => format!("is a damaged {format_name}: {}", line(&error.to_string())),
    }
}

/// Decoders quote what they find: nothing of it may break the line or reach the terminal.
fn line(text: &str) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    text.chars()
        .map(clean)
        .take(200)
        .collect::<String>()
        .trim()
        .to_owned()
}

fn name(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Png => "PNG",
        ImageFormat::Jpeg => "JPEG",
        ImageFormat::Gif => "GIF",
        ImageFormat::Bmp => "BMP",
        ImageFormat::WebP => "WebP",
        ImageFormat::Tiff => "TIFF",
        ImageFormat::Pnm => "PNM",
        _ => "picture",
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::path::Path;

    use image::{DynamicImage, ImageFormat, RgbImage};

    use super::rgb;
    use crate::golden::{self, Golden};

    /// Formats that the `image` crate writes.
    const WRITTEN: [ImageFormat; 7] = [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::Gif,
        ImageFormat::Bmp,
        ImageFormat::WebP,
        ImageFormat::Tiff,
        ImageFormat::Pnm,
    ];

    fn file(name: &str) -> Vec<u8> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/photo");
        std::fs::read(folder.join(name)).unwrap()
    }

    /// The largest difference in levels between the file and what Pillow makes of it.
    fn difference(golden: &Golden, name: &str) -> u8 {
        let image = rgb(&file(name), true).unwrap();
        let (shape, bytes) = golden.u8(name);
        let [width, height] = [image.width() as usize, image.height() as usize];
        assert_eq!(shape, [height, width, 3], "{name}");
        let pairs = image.as_raw().iter().zip(&bytes);
        pairs
            .map(|(ours, theirs)| ours.abs_diff(*theirs))
            .max()
            .unwrap()
    }

    fn gradient(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| {
            image::Rgb([x, y, x ^ y].map(|level| level as u8))
        })
    }

    fn written(image: &RgbImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    /// A PNG that promises a size and brings nothing.
    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = written(&gradient(1, 1), ImageFormat::Png);
        bytes[16..20].copy_from_slice(&width.to_be_bytes());
        bytes[20..24].copy_from_slice(&height.to_be_bytes());
        let sum = checksum(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&sum.to_be_bytes());
        bytes
    }

    /// PNG's CRC-32.
    fn checksum(bytes: &[u8]) -> u32 {
        let step = |sum: u32| {
            if sum & 1 == 1 {
                (sum >> 1) ^ 0xEDB8_8320
            } else {
                sum >> 1
            }
        };
        let byte = |sum, byte: &u8| (0..8).fold(sum ^ u32::from(*byte), |sum, _| step(sum));
        !bytes.iter().fold(u32::MAX, byte)
    }

    #[test]
    fn colours_are_pillows() {
        let golden = golden::open("photo/decode.safetensors");
        for name in ["palette.png", "alpha.png", "grey16.png", "animated.gif"] {
            assert_eq!(difference(&golden, name), 0, "{name}");
        }
        // Decoders of JPEG may differ by some levels.
        for name in ["cmyk.jpg", "ycck.jpg"] {
            assert!(difference(&golden, name) <= 3, "{name}");
        }
    }

    #[test]
    fn pictures_are_turned_upright() {
        let golden = golden::open("photo/decode.safetensors");
        for orientation in 1..=8 {
            let name = format!("orientation_{orientation}.jpg");
            assert!(difference(&golden, &name) <= 3, "{name}");
        }
        let sideways = rgb(&file("orientation_6.jpg"), false).unwrap();
        assert!(sideways == rgb(&file("orientation_1.jpg"), true).unwrap());
    }

    #[test]
    fn every_format_is_read() {
        for size in [(1, 1), (20000, 10), (7, 300)] {
            let image = RgbImage::from_pixel(size.0, size.1, image::Rgb([40, 40, 40]));
            for format in WRITTEN {
                // WebP's sides are bounded.
                if format == ImageFormat::WebP && size.0 > 16383 {
                    continue;
                }
                let read = rgb(&written(&image, format), true).unwrap();
                assert!(read == image, "{format:?} {size:?}");
            }
        }
    }

    #[test]
    fn sixteen_bits_are_scaled() {
        let deep = DynamicImage::ImageRgb8(gradient(9, 9)).into_rgb16();
        let mut bytes = Cursor::new(Vec::new());
        deep.write_to(&mut bytes, ImageFormat::Png).unwrap();
        assert!(rgb(&bytes.into_inner(), true).unwrap() == gradient(9, 9));
    }

    #[test]
    fn a_bomb_is_refused_by_its_size() {
        let refusal = |width, height| rgb(&png(width, height), true).unwrap_err();
        let expected = "has 50000 x 50000 pixels, more than 100 million";
        assert_eq!(refusal(50000, 50000), expected);
        let expected = "has 2000000 x 1 pixels, more than a million on a side";
        assert_eq!(refusal(2_000_000, 1), expected);
        assert!(refusal(10, 10).contains("PNG"));
        let pnm = rgb(b"P6 60000 60000 255\n", true).unwrap_err();
        assert_eq!(pnm, "has 60000 x 60000 pixels, more than 100 million");
    }

    #[test]
    fn other_files_are_named_as_such() {
        let refusal = rgb(b"Once upon a time, there was no picture.", true).unwrap_err();
        assert!(refusal.starts_with("is not a picture this program can read (PNG"));
        assert!(rgb(b"", true).is_err());
    }

    #[test]
    fn a_cut_file_is_an_error() {
        for format in WRITTEN {
            let bytes = written(&gradient(40, 30), format);
            let refusal = rgb(&bytes[..bytes.len() / 2], true).unwrap_err();
            let told = refusal.contains("cut short") || refusal.contains("damaged");
            assert!(told && !refusal.contains('\n'), "{format:?}: {refusal}");
        }
    }

    /// Whatever the bytes, there is a picture or an error.
    #[test]
    fn broken_files_never_panic() {
        let files = [
            "cmyk.jpg",
            "orientation_6.jpg",
            "palette.png",
            "grey16.png",
            "animated.gif",
        ];
        let written = WRITTEN.map(|format| written(&gradient(5, 4), format));
        for bytes in files.map(file).into_iter().chain(written) {
            for at in 0..bytes.len().min(600) {
                let _ = rgb(&bytes[..at], true);
                for flip in [0x01, 0x80, 0xFF] {
                    let mut broken = bytes.clone();
                    broken[at] ^= flip;
                    let _ = rgb(&broken, true);
                }
            }
        }
    }
}
