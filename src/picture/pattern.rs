//! Patterns as pictures: what each recipe's own code makes of its raw image, and grids of them.

use image::{Rgb, RgbImage};

use super::{Layout, MAX_PIXELS};
use crate::array::Array;
use crate::error::{Error, Result};
use crate::explain::filters::{Pattern, Recipe};

/// What the second edition cuts off each side, in pixels.
const BORDER: usize = 25;

/// Between two patterns of a grid, in pixels: the book's.
pub const PATTERN_GAP: usize = 5;

/// The picture of a pattern.
///
/// - `book` (`deprocess_image` of the first edition): `(x - mean) / (std + 1e-5) * 0.1 + 0.5`, clipped to 0..=1,
///   times 255, truncated.
/// - `book2`: 25 pixels cut off each side (where that leaves something), then `(x - mean) / std * 64 + 128`, clipped and
///   truncated.
/// - `lucid`: times 255, rounded.
///
/// The books' recipes feed the network raw pixels and draw its first plane as red, whatever colour the network takes it
/// for: a model with blue first, such as Keras's VGG16, sees the blue of such a picture as red. lucid's pictures have
/// the colours that the network sees.
///
/// A dead pattern is a dark tile with a cross: noise would look as if it meant something.
///
/// # Errors
/// If the image doesn't have 1 or 3 planes, or is empty.
pub fn pattern(pattern: &Pattern, recipe: Recipe) -> Result<RgbImage> {
    let &[planes @ (1 | 3), height, width] = pattern.image.shape() else {
        return Err(Error::request(format!(
            "a pattern has 1 or 3 planes and a height and width, not the shape {:?}",
            pattern.image.shape()
        )));
    };
    if height == 0 || width == 0 || height.saturating_mul(width) > MAX_PIXELS {
        return Err(Error::request(format!(
            "a pattern of {height}x{width} can't be drawn"
        )));
    }
    let border = match recipe {
        Recipe::Book2 if height.min(width) > 2 * BORDER => BORDER,
        _ => 0,
    };
    let size = [height - 2 * border, width - 2 * border];
    if pattern.dead {
        return Ok(cross(size));
    }
    let image = inner(&pattern.image, border);
    let level = levels(&image, recipe);
    let plane = size[0] * size[1];
    Ok(RgbImage::from_fn(size[1] as u32, size[0] as u32, |x, y| {
        let at = y as usize * size[1] + x as usize;
        Rgb([0, 1, 2].map(|color| level(image[color.min(planes - 1) * plane + at])))
    }))
}

/// Pictures of one size, `columns` in a row, on black.
///
/// # Errors
/// If there are none, or of several sizes, `columns` is 0, or the grid would have more than [`MAX_PIXELS`].
pub fn pattern_grid(pictures: &[RgbImage], columns: usize, gap: usize) -> Result<RgbImage> {
    let Some((width, height)) = pictures.first().map(RgbImage::dimensions) else {
        return Err(Error::request("a grid of patterns needs at least one"));
    };
    if pictures
        .iter()
        .any(|picture| picture.dimensions() != (width, height))
    {
        return Err(Error::request("the patterns of a grid have one size"));
    }
    let columns = columns.min(pictures.len());
    let tile = [height as usize, width as usize];
    let layout = Layout::new(pictures.len(), tile, columns, gap)?;
    if layout.width().saturating_mul(layout.height()) > MAX_PIXELS {
        return Err(Error::request(format!(
            "a grid of {}x{} is too large to be drawn; ask for fewer channels or a smaller size",
            layout.height(),
            layout.width()
        )));
    }
    let mut grid = RgbImage::new(layout.width() as u32, layout.height() as u32);
    for (index, picture) in pictures.iter().enumerate() {
        let place = layout.tile(index);
        image::imageops::replace(&mut grid, picture, place.x as i64, place.y as i64);
    }
    Ok(grid)
}

/// The values within the border, plane by plane.
fn inner(image: &Array, border: usize) -> Vec<f32> {
    let (height, width) = (image.shape()[1], image.shape()[2]);
    let rows = image.values().chunks_exact(width).enumerate();
    rows.filter(|(row, _)| (border..height - border).contains(&(row % height)))
        .flat_map(|(_, row)| row[border..width - border].iter().copied())
        .collect()
}

/// How a recipe makes levels of values.
fn levels(values: &[f32], recipe: Recipe) -> impl Fn(f32) -> u8 {
    let count = values.len() as f64;
    let mean = values.iter().copied().map(f64::from).sum::<f64>() / count;
    let square = values.iter().map(|&v| (f64::from(v) - mean).powi(2));
    let std = (square.sum::<f64>() / count).sqrt();
    // The casts clip and truncate.
    move |value| {
        let value = f64::from(value);
        match recipe {
            Recipe::Book => (((value - mean) / (std + 1e-5) * 0.1 + 0.5) * 255.0) as u8,
            Recipe::Book2 => ((value - mean) / std.max(f64::MIN_POSITIVE) * 64.0 + 128.0) as u8,
            Recipe::Lucid => (value * 255.0).round() as u8,
        }
    }
}

fn cross([height, width]: [usize; 2]) -> RgbImage {
    const GROUND: Rgb<u8> = Rgb([40; 3]);
    const LINE: Rgb<u8> = Rgb([110; 3]);
    let (height, width) = (height as u32, width as u32);
    RgbImage::from_fn(width, height, |x, y| {
        let across = x * height / width;
        if across == y || across + y + 1 == height {
            LINE
        } else {
            GROUND
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden;

    fn of(image: Array) -> Pattern {
        Pattern {
            image,
            losses: Vec::new(),
            dead: false,
        }
    }

    /// (H,W,3) to (3,H,W).
    fn planar(image: &Array) -> Array {
        let values = image.values();
        let planes = (0..3).flat_map(|plane| values[plane..].iter().step_by(3).copied());
        let shape = [3, image.shape()[0], image.shape()[1]];
        Array::new(shape, planes.collect())
    }

    #[test]
    fn the_books_picture() {
        for name in [
            "block1_conv1_f0",
            "block2_conv1_f3",
            "block3_conv1_f0",
            "block3_conv1_f1",
            "block4_conv1_f2",
        ] {
            let golden = golden::open(&format!("keras/filter_{name}.safetensors"));
            let found = pattern(&of(planar(&golden.f32("final"))), Recipe::Book).unwrap();
            let (_, wanted) = golden.u8("deprocessed");
            assert_eq!(found.as_raw().len(), wanted.len());
            // Truncation turns a last bit into a level.
            let off = found.as_raw().iter().zip(&wanted);
            let off: Vec<u8> = off.map(|(a, b)| a.abs_diff(*b)).collect();
            assert!(off.iter().all(|&off| off <= 1), "{name}");
            assert!(off.iter().filter(|&&off| off > 0).count() < 20, "{name}");
        }
    }

    #[test]
    fn the_second_editions_picture() {
        let mut image = Array::new([3, 60, 70], vec![9.0; 3 * 60 * 70]);
        for plane in 0..3 {
            for y in 25..35 {
                for x in 25..45 {
                    let value = if x < 35 { 1.0 } else { -1.0 };
                    image.values_mut()[plane * 4200 + y * 70 + x] = value;
                }
            }
        }
        let found = pattern(&of(image), Recipe::Book2).unwrap();
        assert_eq!(found.dimensions(), (20, 10));
        assert_eq!(found.get_pixel(0, 0).0, [192; 3]);
        assert_eq!(found.get_pixel(19, 9).0, [64; 3]);
        let small = of(Array::new([1, 1, 2], vec![0.0, 1.0]));
        let found = pattern(&small, Recipe::Book2).unwrap();
        assert_eq!(found.as_raw(), &[64, 64, 64, 192, 192, 192]);
    }

    #[test]
    fn lucids_picture_is_there_already() {
        let image = of(Array::new([3, 1, 1], vec![0.0, 0.5, 1.0]));
        let found = pattern(&image, Recipe::Lucid).unwrap();
        assert_eq!(found.as_raw(), &[0, 128, 255]);
    }

    #[test]
    fn dead_patterns_are_no_noise() {
        let noise: Vec<f32> = (0..3 * 99).map(|i| (i * 7919 % 251) as f32).collect();
        let dead = Pattern {
            dead: true,
            ..of(Array::new([3, 9, 11], noise))
        };
        let found = pattern(&dead, Recipe::Book).unwrap();
        let mut colors: Vec<_> = found.pixels().collect();
        colors.sort_by_key(|color| color.0);
        colors.dedup();
        assert_eq!(colors.len(), 2);
        assert_eq!(found.get_pixel(0, 0), found.get_pixel(10, 8));
        assert_ne!(found.get_pixel(0, 0), found.get_pixel(5, 0));
    }

    #[test]
    fn patterns_in_a_grid() {
        let tile = |level| RgbImage::from_pixel(2, 3, Rgb([level; 3]));
        let tiles = [tile(10), tile(20), tile(30)];
        let grid = pattern_grid(&tiles, 2, 1).unwrap();
        assert_eq!(grid.dimensions(), (5, 7));
        let at = |x, y| grid.get_pixel(x, y).0[0];
        assert_eq!(
            [at(0, 0), at(2, 0), at(3, 0), at(0, 4), at(4, 6)],
            [10, 0, 20, 30, 0]
        );
        assert_eq!(pattern_grid(&tiles, 8, 1).unwrap().width(), 8);
        assert!(pattern_grid(&[], 2, 1).is_err());
        assert!(pattern_grid(&[tile(1), RgbImage::new(1, 1)], 2, 1).is_err());
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        for shape in [&[2, 3, 3][..], &[3, 3], &[3, 0, 3]] {
            let error = pattern(&of(Array::zeros(shape)), Recipe::Book).unwrap_err();
            assert!(error.to_string().contains("pattern"), "{error}");
        }
    }
}
