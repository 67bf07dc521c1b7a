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

    /// The same levels in other colours.
    #[must_use]
    pub fn with_colormap(mut self, colormap: Colormap) -> Self {
        self.colormap = colormap;
        self
    }

    /// Every pixel as a square of `factor` by `factor`: nearest neighbour, so that a feature map's cells
    /// stay sharp and no level is invented.
    ///
    /// # Errors
    /// If `factor` is 0, or the result would be larger than [`MAX_PIXELS`].
    pub fn enlarged(&self, factor: u32) -> Result<Self> {
        let factor = factor as usize;
        let width = (self.width as usize).saturating_mul(factor);
        let height = (self.height as usize).saturating_mul(factor);
        let mut large = Self::blank(width, height, self.colormap)?;

        let rows = self.pixels.chunks_exact(self.width as usize);
        for (row, block) in rows.zip(large.pixels.chunks_exact_mut(width * factor)) {
            let (first, others) = block.split_at_mut(width);
            for (&level, cell) in row.iter().zip(first.chunks_exact_mut(factor)) {
                cell.fill(level);
            }
            for other in others.chunks_exact_mut(width) {
                other.copy_from_slice(first);
            }
        }
        Ok(large)
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
    fn enlarging_repeats_each_pixel_both_ways() {
        let small = Indexed::new(2, 2, vec![1, 2, 3, 4], Colormap::Viridis);
        let large = small.enlarged(3).unwrap();

        assert_eq!((large.width(), large.height()), (6, 6));
        assert_eq!(large.colormap(), Colormap::Viridis);
        let (upper, lower) = ([1, 1, 1, 2, 2, 2], [3, 3, 3, 4, 4, 4]);
        let rows = [upper, upper, upper, lower, lower, lower];
        assert_eq!(large.pixels(), rows.as_flattened());
        assert_eq!(small.enlarged(1).unwrap(), small);
    }

    #[test]
    fn empty_and_boundless_pictures_are_refused() {
        let dot = Indexed::new(1, 1, vec![0], Colormap::Gray);
        let refusal = |factor| dot.enlarged(factor).unwrap_err().to_string();

        assert_eq!(refusal(0), "a picture of 0x0 pixels is empty");
        assert_eq!(
            refusal(10_001),
            "a picture of 10001x10001 pixels is too large; the limit is 100 million pixels"
        );
        refusal(u32::MAX);
        assert!(Indexed::blank(usize::MAX, 2, Colormap::Gray).is_err());
    }

    #[test]
    fn another_colormap_changes_colours_and_not_levels() {
        let picture = Indexed::new(1, 1, vec![255], Colormap::Viridis);
        assert_eq!(picture.to_rgb().as_raw(), &[253, 231, 36]);

        let gray = picture.clone().with_colormap(Colormap::Gray);
        assert_eq!(gray.pixels(), picture.pixels());
        assert_eq!(gray.to_rgb().as_raw(), &[255, 255, 255]);
    }
}
