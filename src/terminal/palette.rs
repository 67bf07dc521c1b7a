//! Pictures of a few colours.

use image::RgbImage;
use quantette::deps::palette::Srgb;
use quantette::deps::palette::cast::{self, ComponentsAs as _};
use quantette::dither::FloydSteinberg;
use quantette::{ImageRef, PaletteSize, Pipeline};

use crate::picture::{Indexed, Picture};

/// A picture as indices into its own palette.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Paletted {
    pub width: usize,
    pub height: usize,
    /// One a pixel, row by row.
    pub indices: Vec<u8>,
    /// At most 256.
    pub palette: Vec<[u8; 3]>,
}

impl Paletted {
    /// A picture with at most `colors` colours, 2 to 256.
    pub(super) fn of(picture: &Picture, colors: u16) -> Self {
        match picture {
            Picture::Indexed(levels) => Self::of_levels(levels, colors),
            Picture::Rgb(photo) => Self::of_photo(photo, colors),
        }
    }

    /// Levels keep their colormap; of fewer colours, these are spread evenly over it.
    fn of_levels(levels: &Indexed, colors: u16) -> Self {
        let colormap = levels.colormap().palette();
        let last = u32::from(colors.clamp(2, 256)) - 1;
        let nearest = |value: u32, most: u32, other: u32| ((value * other + most / 2) / most) as u8;
        let index: [u8; 256] = std::array::from_fn(|level| nearest(level as u32, 255, last));
        let palette = (0..=last).map(|index| colormap[usize::from(nearest(index, last, 255))]);
        Self {
            width: levels.width() as usize,
            height: levels.height() as usize,
            indices: (levels.pixels().iter())
                .map(|&level| index[usize::from(level)])
                .collect(),
            palette: palette.collect(),
        }
    }

    /// The colours that suit a photo best (Wu 1991), mixed by dithering (Floyd & Steinberg 1976).
    pub(super) fn of_photo(photo: &RgbImage, colors: u16) -> Self {
        let (width, height) = (photo.width() as usize, photo.height() as usize);
        let pixels: &[Srgb<u8>] = photo.as_raw().as_slice().components_as();
        let size = PaletteSize::from_u16_clamped(colors.max(2));
        let (palette, indices) = match ImageRef::new(photo.width(), photo.height(), pixels) {
            Ok(image) => Pipeline::new()
                .palette_size(size)
                .ditherer(FloydSteinberg::new())
                .input_image(image)
                .output_srgb8_indexed_image()
                .into_parts(),
            // Never: the pixels are as many as the sides say.
            Err(_) => (Vec::new(), Vec::new()),
        };
        Self {
            width,
            height,
            indices,
            palette: cast::into_array_vec(palette),
        }
    }

    pub(super) fn to_rgb(&self) -> RgbImage {
        let mut photo = RgbImage::new(self.width as u32, self.height as u32);
        for (pixel, &index) in photo.pixels_mut().zip(&self.indices) {
            pixel.0 = self.palette[usize::from(index)];
        }
        photo
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::Colormap;

    #[test]
    fn levels_keep_their_colours_or_the_nearest() {
        let all = Indexed::new(256, 1, (0..=255).collect(), Colormap::Viridis);
        let exact = Paletted::of(&all.clone().into(), 256);
        assert_eq!(exact.to_rgb(), all.to_rgb());
        let few = Paletted::of(&all.clone().into(), 16);
        assert_eq!(few.palette.len(), 16);
        assert_eq!(
            (few.indices[0], few.indices[127], few.indices[255]),
            (0, 7, 15)
        );
        assert_eq!(few.palette[15], Colormap::Viridis.palette()[255]);
    }

    #[test]
    fn a_photo_has_as_many_colours_as_it_may() {
        let photo = RgbImage::from_fn(64, 48, |x, y| image::Rgb([4 * x as u8, 5 * y as u8, 90]));
        for colors in [2, 16, 256] {
            let few = Paletted::of(&photo.clone().into(), colors);
            assert!(few.palette.len() <= usize::from(colors) && !few.palette.is_empty());
            assert_eq!(few.indices.len(), 64 * 48);
            let last = few.palette.len();
            assert!(few.indices.iter().all(|&index| usize::from(index) < last));
        }
        let close = Paletted::of(&photo.clone().into(), 256).to_rgb();
        let error: u64 = (close.as_raw().iter().zip(photo.as_raw()))
            .map(|(a, b)| u64::from(a.abs_diff(*b)))
            .sum();
        assert!(error < 4 * 3 * 64 * 48, "{error}");
    }
}
