//! Pictures of 8-bit levels seen through a colormap.

use image::RgbImage;

use super::Colormap;
use crate::error::{Error, Result};

/// The largest picture that is made: 100 million pixels.
pub const MAX_PIXELS: usize = 100_000_000;

/// One byte a pixel, row by row: its level, whose colour the colormap gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Indexed {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
    colormap: Colormap,
}

impl Indexed {
    /// A picture of `pixels`, row by row.
    ///
    /// # Panics
    /// If `pixels` doesn't hold `width * height` levels: a slip in the program, not in its input.
    pub fn new(width: u32, height: u32, pixels: Vec<u8>, colormap: Colormap) -> Self {
        assert_eq!(
            width as usize * height as usize,
            pixels.len(),
            "a picture of {width}x{height} was given {} pixels",
            pixels.len()
        );
        Self {
            width,
            height,
            pixels,
            colormap,
        }
    }

    /// A picture of level 0, whose size is checked: everything that is drawn begins here.
    ///
    /// # Errors
    /// If it would be empty, or larger than [`MAX_PIXELS`].
    pub fn blank(width: usize, height: usize, colormap: Colormap) -> Result<Self> {
        let size = width.checked_mul(height).filter(|&size| size <= MAX_PIXELS);
        match (size, u32::try_from(width), u32::try_from(height)) {
            (Some(size @ 1..), Ok(w), Ok(h)) => Ok(Self::new(w, h, vec![0; size], colormap)),
            (Some(0), ..) => Err(Error::request(format!(
                "a picture of {width}x{height} pixels is empty"
            ))),
            _ => Err(Error::request(format!(
                "a picture of {width}x{height} pixels is too large; the limit is {} million pixels",
                MAX_PIXELS / 1_000_000
            ))),
        }
    }

    /// In pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// In pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The levels, row by row.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// As [`Self::pixels`], to be drawn on.
    pub fn pixels_mut(&mut self) -> &mut [u8] {
        &mut self.pixels
    }

    /// Through which the levels are seen.
    pub fn colormap(&self) -> Colormap {
        self.colormap
    }

    /// Each pixel a square of `factor` times `factor`.
    #[must_use]
    pub fn enlarged(&self, factor: usize) -> Self {
        let mut pixels = Vec::with_capacity(self.pixels.len() * factor * factor);
        for row in self.pixels.chunks_exact(self.width.max(1) as usize) {
            let wide = row
                .iter()
                .flat_map(|&level| std::iter::repeat_n(level, factor));
            let wide: Vec<u8> = wide.collect();
            pixels.extend(std::iter::repeat_n(wide, factor).flatten());
        }
        let [width, height] = [self.width, self.height].map(|side| side * factor as u32);
        Self::new(width, height, pixels, self.colormap)
    }

    /// The colour of every pixel.
    pub fn to_rgb(&self) -> RgbImage {
        let palette = self.colormap.palette();
        let mut rgb = RgbImage::new(self.width, self.height);
        for (pixel, &level) in rgb.pixels_mut().zip(&self.pixels) {
            pixel.0 = palette[usize::from(level)];
        }
        rgb
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_and_boundless_pictures_are_refused() {
        let refusal = |width, height| {
            let blank = Indexed::blank(width, height, Colormap::Gray);
            blank.unwrap_err().to_string()
        };
        assert_eq!(refusal(0, 0), "a picture of 0x0 pixels is empty");
        assert_eq!(
            refusal(10_001, 10_001),
            "a picture of 10001x10001 pixels is too large; the limit is 100 million pixels"
        );
        refusal(usize::MAX, 2);
    }

    #[test]
    fn enlarging_repeats_pixels() {
        let large = Indexed::new(2, 1, vec![7, 9], Colormap::Gray).enlarged(2);
        assert_eq!((large.width(), large.height()), (4, 2));
        assert_eq!(large.pixels(), [7, 7, 9, 9, 7, 7, 9, 9]);
    }

    #[test]
    fn a_colormap_gives_the_colours() {
        let of = |colormap| Indexed::new(1, 1, vec![255], colormap).to_rgb();
        assert_eq!(of(Colormap::Viridis).as_raw(), &[253, 231, 36]);
        assert_eq!(of(Colormap::Gray).as_raw(), &[255, 255, 255]);
    }
}
