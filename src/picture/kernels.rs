//! Kernels as pictures: those that look at the photo itself in its colours, others as maps.

use image::{Rgb, RgbImage};

use super::{Colormap, Indexed, Layout, pattern_grid};
use crate::array::Array;
use crate::error::{Error, Result};
use crate::model::ChannelOrder;

/// A kernel of 3 by 3 is drawn about this large, in pixels, where there is room.
const TILE: usize = 24;

/// A picture isn't made larger than this by enlarging its pixels.
const ROOM: usize = 2048;

/// The kernels (filters, 3, h, w) of a layer that sees the photo, each in colour from its own smallest to its own
/// largest weight, `columns` in a row. `order` is the network's order of the planes.
///
/// # Errors
/// If the shape is another, `columns` is 0, or the picture would be too large.
pub fn color_kernels(kernels: &Array, order: ChannelOrder, columns: usize) -> Result<RgbImage> {
    let &[filters, 3, height, width] = kernels.shape() else {
        return Err(Error::request(format!(
            "kernels in colour have the shape (filters,3,H,W), not {:?}",
            kernels.shape()
        )));
    };
    let planes = match order {
        ChannelOrder::Bgr => [2, 1, 0],
        _ => [0, 1, 2],
    };
    let factor = (TILE / height.max(width).max(1)).max(1);
    let tiles: Vec<RgbImage> = (0..filters)
        .map(|filter| {
            let weights = kernels.at(filter);
            let finite = || weights.iter().copied().filter(|w| w.is_finite());
            let low = finite().fold(f32::INFINITY, f32::min);
            let high = finite().fold(f32::NEG_INFINITY, f32::max);
            let level = |weight: f32| {
                if low < high {
                    ((weight - low) / (high - low) * 255.0).round() as u8
                } else {
                    128
                }
            };
            RgbImage::from_fn((width * factor) as u32, (height * factor) as u32, |x, y| {
                let at = y as usize / factor * width + x as usize / factor;
                Rgb(planes.map(|plane| level(weights[plane * height * width + at])))
            })
        })
        .collect();
    pattern_grid(&tiles, columns, 1)
}

/// Kernels (filters, channels, h, w) as maps with one scale for all, 0 in the colormap's middle: a row for each filter,
/// a column for each channel that it sees. A single filter's are wrapped at `columns`.
///
/// # Errors
/// If the shape is another, there are none, or the picture would be larger than [`MAX_PIXELS`](super::MAX_PIXELS).
pub fn kernel_maps(kernels: &Array, colormap: Colormap, columns: usize) -> Result<Indexed> {
    let &[filters, channels, height, width] = kernels.shape() else {
        return Err(Error::request(format!(
            "kernels have the shape (filters,channels,H,W), not {:?}",
            kernels.shape()
        )));
    };
    let columns = if filters == 1 {
        columns.min(channels)
    } else {
        channels
    };
    let count = filters * channels;
    let rows = count.div_ceil(columns.max(1));
    let room = ROOM / (columns * width).max(rows * height).max(1);
    let factor = (TILE / height.max(width).max(1)).min(room).max(1);
    let layout = Layout::new(count, [height * factor, width * factor], columns, 1)?;
    let mut picture = Indexed::blank(layout.width(), layout.height(), colormap)?;
    let finite = kernels.values().iter().filter(|w| w.is_finite());
    let largest = finite.fold(0.0_f32, |largest, w| largest.max(w.abs()));
    let unit = if largest > 0.0 { largest } else { 1.0 };
    let level = |weight: f32| (weight / unit * 127.5 + 128.0) as u8;
    let stride = layout.width();
    for (index, kernel) in kernels.values().chunks_exact(height * width).enumerate() {
        let tile = layout.tile(index);
        for y in 0..tile.height {
            let line = &mut picture.pixels_mut()[(tile.y + y) * stride + tile.x..][..tile.width];
            for (x, pixel) in line.iter_mut().enumerate() {
                *pixel = level(kernel[y / factor * width + x / factor]);
            }
        }
    }
    Ok(picture)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_in_colour() {
        // Blue first: the largest weight, in the last plane, is red.
        let kernels = Array::new([2, 3, 1, 1], vec![-1.0, 0.0, 1.0, 5.0, 5.0, 5.0]);
        let picture = color_kernels(&kernels, ChannelOrder::Bgr, 8).unwrap();
        assert_eq!(picture.dimensions(), (49, 24));
        assert_eq!(picture.get_pixel(23, 23).0, [255, 128, 0]);
        assert_eq!(picture.get_pixel(25, 0).0, [128; 3]);
        let picture = color_kernels(&kernels, ChannelOrder::Rgb, 1).unwrap();
        assert_eq!(picture.dimensions(), (24, 49));
        assert_eq!(picture.get_pixel(0, 0).0, [0, 128, 255]);
        assert!(color_kernels(&Array::zeros([2, 4, 1, 1]), ChannelOrder::Rgb, 8).is_err());
    }

    #[test]
    fn kernels_as_maps() {
        let kernels = Array::new([2, 2, 1, 1], vec![-2.0, 0.0, 1.0, 2.0]);
        let picture = kernel_maps(&kernels, Colormap::Coolwarm, 16).unwrap();
        assert_eq!((picture.width(), picture.height()), (49, 49));
        let at = |x: usize, y: usize| picture.pixels()[y * 49 + x];
        assert_eq!(
            [at(0, 0), at(48, 0), at(0, 48), at(48, 48)],
            [0, 128, 191, 255]
        );
        let one = Array::new([1, 4, 1, 1], vec![0.0; 4]);
        let picture = kernel_maps(&one, Colormap::Gray, 2).unwrap();
        assert_eq!((picture.width(), picture.height()), (49, 49));
        assert!(kernel_maps(&Array::zeros([1, 0, 3, 3]), Colormap::Gray, 2).is_err());
        // As many as VGG16's last layer has fit.
        let many = Array::zeros([512, 512, 3, 3]);
        let picture = kernel_maps(&many, Colormap::Gray, 16).unwrap();
        assert_eq!(picture.width(), 512 * 4 - 1);
    }
}
