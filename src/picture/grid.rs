//! Pictures of feature maps: one channel, all channels of a layer in a grid, the values of a vector.

use super::{Colormap, Indexed, Style};
use crate::array::Array;
use crate::error::{Error, Result};

/// Channels in a row of the book's grids.
pub const GRID_COLUMNS: usize = 16;

/// Vectors up to this length are drawn in one row.
const STRIP_LENGTH: usize = 16;

/// Every channel of `maps` (C,H,W), normalised by itself, `columns` in a row, with `gap` pixels between.
///
/// The rows are always `columns` wide, and where no channel is left the level is 0, as in the gaps. The
/// book's own code drops the last `C mod 16` channels. It also stretches the finished grid once more to the
/// colormap's full range, when `imshow` draws it; here a level is a colour directly, so that the same
/// deviation from the mean has the same colour in every layer.
///
/// # Errors
/// If `maps` doesn't have three axes, `columns` is 0, or the picture would be empty or larger than
/// [`MAX_PIXELS`](super::MAX_PIXELS).
pub fn grid(
    maps: &Array,
    style: Style,
    colormap: Colormap,
    columns: usize,
    gap: usize,
) -> Result<Indexed> {
    let &[channels, height, width] = maps.shape() else {
        return Err(Error::request(format!(
            "a grid shows maps of shape (C,H,W), not {:?}",
            maps.shape()
        )));
    };
    let layout = Layout::new(channels, [height, width], columns, gap)?;
    let mut picture = Indexed::blank(layout.width(), layout.height(), colormap)?;
    for channel in 0..channels {
        draw(&mut picture, layout.tile(channel), maps.at(channel), style);
    }
    Ok(picture)
}

/// One channel's `map` of `height` by `width`, row by row.
///
/// # Errors
/// If `map` doesn't have that size, or the picture would be empty or larger than
/// [`MAX_PIXELS`](super::MAX_PIXELS).
pub fn channel(
    map: &[f32],
    height: usize,
    width: usize,
    style: Style,
    colormap: Colormap,
) -> Result<Indexed> {
    let mut picture = Indexed::blank(width, height, colormap)?;
    if map.len() != picture.pixels().len() {
        return Err(Error::request(format!(
            "a channel of {height}x{width} was given {} values",
            map.len()
        )));
    }
    let whole = Layout::new(1, [height, width], 1, 0)?.tile(0);
    draw(&mut picture, whole, map, style);
    Ok(picture)
}

/// A layer without height and width: one pixel a value, from the smallest to the largest value, left to
/// right and top to bottom. Short vectors are one row; longer ones are as near to a square as an even
/// division allows, and otherwise end in a row whose rest is level 0.
///
/// # Errors
/// If there are no values, or more than [`MAX_PIXELS`](super::MAX_PIXELS).
pub fn vector(values: &[f32], colormap: Colormap) -> Result<Indexed> {
    let columns = vector_columns(values.len());
    let rows = values.len().div_ceil(columns);
    let mut picture = Indexed::blank(columns, rows, colormap)?;
    picture.pixels_mut()[..values.len()].copy_from_slice(&Style::MinMax.levels(values));
    Ok(picture)
}

/// At least 1; the cell of value `i` is in column `i % columns`.
fn vector_columns(length: usize) -> usize {
    if length <= STRIP_LENGTH {
        return length.max(1);
    }
    let side = length.isqrt() + usize::from(length.isqrt().pow(2) < length);
    let even = (side..=2 * side).find(|&columns| length.is_multiple_of(columns));
    even.unwrap_or(side)
}

fn draw(picture: &mut Indexed, tile: Tile, map: &[f32], style: Style) {
    let Some(scale) = style.scale(map) else {
        return;
    };
    let stride = picture.width() as usize;
    let lines = picture.pixels_mut()[tile.y * stride..].chunks_mut(stride);
    for (line, row) in lines.zip(map.chunks_exact(tile.width)) {
        let line = &mut line[tile.x..tile.x + tile.width];
        for (level, &value) in line.iter_mut().zip(row) {
            *level = scale.level(value);
        }
    }
}

/// Where a [`grid`] has each channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    columns: usize,
    rows: usize,
    tile: [usize; 2],
    gap: usize,
}

/// A rectangle of a picture, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tile {
    /// From the picture's left edge.
    pub x: usize,
    /// From the picture's top edge.
    pub y: usize,
    /// Across.
    pub width: usize,
    /// Down.
    pub height: usize,
}

impl Layout {
    /// For `channels` maps of size `tile` (height, width) in pixels.
    ///
    /// # Errors
    /// If `columns` is 0.
    pub fn new(channels: usize, tile: [usize; 2], columns: usize, gap: usize) -> Result<Self> {
        if columns == 0 {
            return Err(Error::request("a grid needs at least one column"));
        }
        Ok(Self {
            columns,
            rows: channels.div_ceil(columns),
            tile,
            gap,
        })
    }

    /// Of the whole picture, in pixels.
    pub fn width(&self) -> usize {
        extent(self.columns, self.tile[1], self.gap)
    }

    /// Of the whole picture, in pixels.
    pub fn height(&self) -> usize {
        extent(self.rows, self.tile[0], self.gap)
    }

    /// Where `channel` is.
    pub fn tile(&self, channel: usize) -> Tile {
        let [height, width] = self.tile;
        Tile {
            x: channel % self.columns * (width + self.gap),
            y: channel / self.columns * (height + self.gap),
            width,
            height,
        }
    }
}

/// Of `count` tiles with gaps between them. Saturates, for [`Indexed::blank`] to refuse.
fn extent(count: usize, tile: usize, gap: usize) -> usize {
    let gaps = count.saturating_sub(1).saturating_mul(gap);
    count.saturating_mul(tile).saturating_add(gaps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::{self, Golden};

    /// The maps called `name`, which the reference stores as (1,H,W,C), as (C,H,W).
    fn maps(golden: &Golden, name: &str) -> Array {
        let maps = golden.f32(name);
        let &[1, height, width, channels] = maps.shape() else {
            panic!("{name} has shape {:?}", maps.shape());
        };
        let values = maps.values();
        let planar = (0..channels)
            .flat_map(|channel| values[channel..].iter().step_by(channels).copied())
            .collect();
        Array::new([channels, height, width], planar)
    }

    fn book_grid(maps: &Array) -> Indexed {
        grid(maps, Style::Book, Colormap::Viridis, GRID_COLUMNS, 0).unwrap()
    }

    #[test]
    fn every_channel_is_shown_as_in_the_reference() {
        let golden = golden::open("keras/grid_cases.safetensors");
        for name in ["square30", "wide12"] {
            let picture = book_grid(&maps(&golden, name));
            let (shape, expected) = golden.u8(&format!("{name}/grid_keep_rest"));
            let size = [picture.height() as usize, picture.width() as usize];
            assert_eq!(size[..], shape);
            assert!(picture.pixels() == expected, "{name}");
        }
    }

    #[test]
    fn full_rows_are_the_books_grid() {
        let golden = golden::open("keras/grid_cases.safetensors");
        let picture = book_grid(&maps(&golden, "square30"));
        let (_, expected) = golden.u8("square30/grid_book");
        assert_eq!(picture.pixels()[..expected.len()], expected);
    }

    #[test]
    fn a_layer_of_the_books_model_comes_out_as_in_the_book() {
        let activations = golden::open("keras/book_chelsea.safetensors");
        let picture = book_grid(&maps(&activations, "conv2d_8/full"));
        let (_, expected) =
            golden::open("keras/book_chelsea_grids.safetensors").u8("conv2d_8/grid");
        assert_eq!(picture.pixels().len(), expected.len());
        // Single and double precision may part by one level.
        let worst = picture
            .pixels()
            .iter()
            .zip(&expected)
            .map(|(&ours, &theirs)| ours.abs_diff(theirs))
            .max();
        assert!(worst <= Some(1), "{worst:?}");
    }

    #[test]
    fn single_channels_are_tiles_of_the_books_grids() {
        let activations = golden::open("keras/book_chelsea.safetensors");
        let grids = golden::open("keras/book_chelsea_grids.safetensors");
        for layer in [
            "conv2d_5",
            "max_pooling2d_5",
            "conv2d_6",
            "conv2d_7",
            "conv2d_8",
        ] {
            let maps = activations.f32(&format!("{layer}/maps_top2"));
            let (_, channels) = activations.i64(&format!("{layer}/top2_channels"));
            let (_, expected) = grids.u8(&format!("{layer}/grid"));
            let &[2, height, width] = maps.shape() else {
                panic!("{layer} has shape {:?}", maps.shape());
            };
            let layout = Layout::new(128, [height, width], GRID_COLUMNS, 0).unwrap();
            for (index, &number) in channels.iter().enumerate() {
                let tile = layout.tile(number as usize);
                let rows = expected.chunks(layout.width()).skip(tile.y).take(height);
                let theirs = rows.flat_map(|row| &row[tile.x..tile.x + width]);

                let map = maps.at(index);
                let ours = channel(map, height, width, Style::Book, Colormap::Viridis).unwrap();
                let off = ours
                    .pixels()
                    .iter()
                    .zip(theirs)
                    .map(|(a, b)| a.abs_diff(*b));
                assert!(off.max() <= Some(1), "{layer}, channel {number}");
            }
        }
    }

    #[test]
    fn gaps_and_missing_channels_are_level_0() {
        let maps = Array::new([3, 1, 2], vec![1.0, 0.0, 0.0, 1.0, 1.0, 0.0]);
        let picture = grid(&maps, Style::MinMax, Colormap::Gray, 2, 1).unwrap();
        assert_eq!((picture.width(), picture.height()), (5, 3));
        let rows = [[255, 0, 0, 0, 255], [0; 5], [255, 0, 0, 0, 0]];
        assert_eq!(picture.pixels(), rows.as_flattened());
    }

    #[test]
    fn the_layout_says_where_a_channel_is() {
        let layout = Layout::new(20, [5, 9], 16, 2).unwrap();
        assert_eq!((layout.width(), layout.height()), (174, 12));
        let tile = layout.tile(17);
        assert_eq!((tile.x, tile.y, tile.width, tile.height), (11, 7, 9, 5));
    }

    #[test]
    fn shapes_that_make_no_grid_are_refused() {
        let refusal = |shape: &[usize], columns, gap| {
            let maps = Array::zeros(shape);
            let result = grid(&maps, Style::Book, Colormap::Gray, columns, gap);
            result.unwrap_err().to_string()
        };
        assert_eq!(
            refusal(&[2, 2], 16, 0),
            "a grid shows maps of shape (C,H,W), not [2, 2]"
        );
        assert_eq!(
            refusal(&[1, 2, 2], 0, 0),
            "a grid needs at least one column"
        );
        assert!(refusal(&[0, 2, 2], 16, 0).contains("is empty"));
        assert!(refusal(&[2, 2, 2], 16, usize::MAX).contains("is too large"));
        assert!(refusal(&[1, 2, 2], usize::MAX, 0).contains("is too large"));
    }

    #[test]
    fn a_channel_alone_is_a_picture_of_its_size() {
        let picture = channel(&[0.0, 1.0, 2.0], 1, 3, Style::MinMax, Colormap::Gray).unwrap();
        assert_eq!((picture.width(), picture.height()), (3, 1));
        assert_eq!(picture.pixels(), [0, 128, 255]);

        let short = channel(&[0.0], 1, 3, Style::MinMax, Colormap::Gray);
        let message = short.unwrap_err().to_string();
        assert_eq!(message, "a channel of 1x3 was given 1 values");
    }

    #[test]
    fn a_vector_is_a_strip_or_nearly_a_square() {
        let size = |length: usize| {
            let values: Vec<f32> = (0..length).map(|value| value as f32).collect();
            let picture = vector(&values, Colormap::Viridis).unwrap();
            (picture.width(), picture.height())
        };
        assert_eq!(size(1), (1, 1));
        assert_eq!(size(10), (10, 1));
        assert_eq!(size(512), (32, 16));
        assert_eq!(size(1000), (40, 25));
        assert_eq!(size(1001), (32, 32));
        assert_eq!(size(4096), (64, 64));
        assert!(vector(&[], Colormap::Viridis).is_err());
    }

    #[test]
    fn a_vectors_values_run_from_left_to_right() {
        let mut values = vec![0.0; 17];
        values[5] = 1.0;
        let picture = vector(&values, Colormap::Viridis).unwrap();
        assert_eq!((picture.width(), picture.height()), (5, 4));
        let bright = picture.pixels().iter().position(|&level| level == 255);
        assert_eq!(bright, Some(5));
    }
}
