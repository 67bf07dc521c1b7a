//! From arrays to pictures: normalisations, colormaps, grids, overlays, and PNG and JPEG files.
//!
//! A feature map stays [`Indexed`] (8-bit levels and a colormap) to the end: its files and its bytes on
//! a terminal's wire are then a fraction of an RGB picture's, and another colormap is another palette.
//! Photos, filter patterns and overlays are RGB.

mod colormap;
mod encode;
mod file_name;
mod gif;
mod grid;
mod indexed;
mod jpeg;
mod kernels;
mod overlay;
mod pattern;
mod png;
mod provenance;
mod save;
mod style;

use image::RgbImage;

pub use colormap::{Colormap, Palette};
pub use encode::{Format, encode};
pub use file_name::{file_name, unique_file_names};
pub use gif::gif;
pub use grid::{GRID_COLUMNS, Layout, Tile, channel, grid, vector};
pub use indexed::{Indexed, MAX_PIXELS};
pub use jpeg::rgb_jpeg;
pub use kernels::{color_kernels, kernel_maps};
pub use overlay::{Blend, Overlay, Resize};
pub use pattern::{PATTERN_GAP, pattern, pattern_grid};
pub use png::{indexed_png, rgb_png};
pub use provenance::Provenance;
pub use save::{save, save_unique};
pub use style::{Style, is_constant};

/// A finished picture, in the form that suits what it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Picture {
    /// Feature maps, kernels, vectors.
    Indexed(Indexed),
    /// Photos, filter patterns, overlays.
    Rgb(RgbImage),
}

impl Picture {
    /// In pixels.
    pub fn width(&self) -> u32 {
        match self {
            Self::Indexed(picture) => picture.width(),
            Self::Rgb(picture) => picture.width(),
        }
    }

    /// In pixels.
    pub fn height(&self) -> u32 {
        match self {
            Self::Indexed(picture) => picture.height(),
            Self::Rgb(picture) => picture.height(),
        }
    }

    /// The colours on the screen, whatever the form.
    pub fn to_rgb(&self) -> RgbImage {
        match self {
            Self::Indexed(picture) => picture.to_rgb(),
            Self::Rgb(picture) => picture.clone(),
        }
    }
}

impl From<Indexed> for Picture {
    fn from(picture: Indexed) -> Self {
        Self::Indexed(picture)
    }
}

impl From<RgbImage> for Picture {
    fn from(picture: RgbImage) -> Self {
        Self::Rgb(picture)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_have_a_size_and_colours() {
        let gray = Indexed::new(2, 1, vec![0, 255], Colormap::Gray);
        let photo = RgbImage::from_raw(2, 1, vec![0, 0, 0, 255, 255, 255]).unwrap();

        for picture in [Picture::from(gray), Picture::from(photo.clone())] {
            assert_eq!((picture.width(), picture.height()), (2, 1));
            assert_eq!(picture.to_rgb(), photo);
        }
    }
}
