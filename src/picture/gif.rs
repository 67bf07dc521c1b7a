//! Animated GIF files.

use image::codecs::gif::{GifEncoder, Repeat};
use image::{Delay, Frame, RgbImage, RgbaImage};

use crate::error::{Error, Result};

/// How carefully each frame's 256 colours are chosen: 1 (slow) to 30.
const HASTE: i32 = 10;

/// The bytes of a GIF that shows pictures of one size one after the other, each for `milliseconds` and the last one
/// for `rest` more, again and again.
///
/// # Errors
/// If there are no pictures, they are of several sizes, or too large for the format (65535 pixels a side).
pub fn gif(frames: &[RgbImage], milliseconds: u32, rest: u32) -> Result<Vec<u8>> {
    let sizes: Vec<_> = frames.iter().map(RgbImage::dimensions).collect();
    let Some(&first) = sizes.first() else {
        return Err(Error::request("an animation needs at least one picture"));
    };
    let fits = |side: u32| (1..=u32::from(u16::MAX)).contains(&side);
    if sizes.iter().any(|size| *size != first) || !fits(first.0) || !fits(first.1) {
        return Err(Error::request(
            "the pictures of an animation have one size, of 1 to 65535 pixels a side",
        ));
    }
    let mut file = Vec::new();
    let mut encoder = GifEncoder::new_with_speed(&mut file, HASTE);
    let refused = |error| Error::request(format!("the animation can't be written: {error}"));
    encoder.set_repeat(Repeat::Infinite).map_err(refused)?;
    for (index, frame) in frames.iter().enumerate() {
        let last = index + 1 == frames.len();
        let time = milliseconds.saturating_add(if last { rest } else { 0 });
        let delay = Delay::from_numer_denom_ms(time, 1);
        let opaque = RgbaImage::from_fn(first.0, first.1, |x, y| {
            let [red, green, blue] = frame.get_pixel(x, y).0;
            image::Rgba([red, green, blue, u8::MAX])
        });
        let frame = Frame::from_parts(opaque, 0, 0, delay);
        encoder.encode_frame(frame).map_err(refused)?;
    }
    drop(encoder);
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::codecs::gif::GifDecoder;
    use image::{AnimationDecoder, Rgb};

    use super::*;

    #[test]
    fn frames_come_back() {
        let frame = |red| RgbImage::from_fn(8, 6, |x, _| Rgb([red, 20 * x as u8, 90]));
        let frames = [frame(10), frame(120), frame(250)];
        let bytes = gif(&frames, 60, 1000).unwrap();
        let decoder = GifDecoder::new(Cursor::new(bytes)).unwrap();
        let found = decoder.into_frames().collect_frames().unwrap();
        assert_eq!(found.len(), 3);
        let times = found.iter().map(|frame| frame.delay().numer_denom_ms().0);
        assert_eq!(times.collect::<Vec<_>>(), [60, 60, 1060]);
        for (found, wanted) in found.iter().zip(&frames) {
            for (found, wanted) in found.buffer().pixels().zip(wanted.pixels()) {
                let off = found.0.iter().zip(&wanted.0).map(|(a, b)| a.abs_diff(*b));
                assert!(off.max() < Some(12));
            }
        }
    }

    #[test]
    fn what_is_no_animation_is_refused() {
        assert!(gif(&[], 1, 1).is_err());
        assert!(gif(&[RgbImage::new(1, 1), RgbImage::new(2, 1)], 1, 1).is_err());
        assert!(gif(&[RgbImage::new(0, 0)], 1, 1).is_err());
    }
}
