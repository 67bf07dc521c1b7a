//! Feature maps, vectors and photos at the screen's size.

use image::RgbImage;

use super::painting::{Places, Sheet};
use super::{PaintKey, Painting};
use crate::array::Array;
use crate::error::{Error, Result};
use crate::model::{ChannelId, Filter};
use crate::photo::resize::pillow;
use crate::picture::{Colormap, Indexed, Style, Tile, is_constant, vector};
use crate::terminal::{Cutout, Protocol};
use crate::tui::fit::{fit, resize};
use crate::tui::protocol::Form;
use crate::tui::tiles::Tiles;

/// A stack of tiles as pages of `rows` rows, with `gap` columns of cells between the tiles.
fn pages(
    stack: &Indexed,
    tiles: Tiles,
    rows: usize,
    gap: usize,
    key: &PaintKey,
) -> Result<Vec<Sheet>> {
    let [height, width] = tiles.pixels;
    let [down, across] = key.canvas.cell.map(usize::from);
    let [tall, wide] = [
        down * usize::from(tiles.cells.height),
        across * (usize::from(tiles.cells.width) + gap),
    ];
    let per_page = tiles.columns * rows;
    let mut pages = Vec::new();
    for first in (0..tiles.channels).step_by(per_page) {
        let count = per_page.min(tiles.channels - first);
        let (columns, rows) = (tiles.columns.min(count), count.div_ceil(tiles.columns));
        let page_width = columns * wide - gap * across;
        let mut page = Indexed::blank(page_width, rows * tall, stack.colormap())?;
        let mut parts = Vec::with_capacity(count);
        for tile in 0..count {
            let (x, y) = (tile % tiles.columns * wide, tile / tiles.columns * tall);
            let levels = &stack.pixels()[(first + tile) * height * width..][..height * width];
            for (line, levels) in levels.chunks_exact(width).enumerate() {
                page.pixels_mut()[(y + line) * page_width + x..][..width].copy_from_slice(levels);
            }
            parts.push(Tile {
                x,
                y,
                width,
                height,
            });
        }
        let page = Cutout::new(page.into(), parts);
        pages.push(Sheet::new(page, key.canvas, key.detail)?);
    }
    Ok(pages)
}

pub(super) fn paint_photo(photo: &RgbImage, room: [usize; 2]) -> RgbImage {
    let size = [photo.height() as usize, photo.width() as usize];
    let fitted = fit(size, room);
    let filter = if fitted[0] >= size[0] {
        Filter::Nearest
    } else {
        Filter::Box
    };
    pillow(photo, fitted, filter)
}

pub(super) fn paint_channel(
    values: &Array,
    channel: ChannelId,
    style: Style,
    colormap: Colormap,
    room: [usize; 2],
) -> Result<Indexed> {
    let map = Map::of(values, channel.0)?;
    let to = fit(map.size, room);
    indexed(&map.levels(style, to), to, colormap)
}

pub(super) fn paint_vector(
    values: &Array,
    colormap: Colormap,
    room: [usize; 2],
) -> Result<Indexed> {
    let picture = vector(values.values(), colormap)?;
    let size = [picture.height() as usize, picture.width() as usize];
    let levels: Vec<f32> = picture.pixels().iter().copied().map(f32::from).collect();
    let to = fit(size, room);
    let levels = resize(&levels, size, to);
    let levels: Vec<u8> = levels
        .into_iter()
        .map(|level| level.round() as u8)
        .collect();
    indexed(&levels, to, colormap)
}

pub(super) fn paint_grid(values: &Array, style: Style, key: &PaintKey) -> Result<Painting> {
    let Form::Maps { channels, size } = Form::of(values.shape()) else {
        return Err(no_maps());
    };
    let Some(tiles) = Tiles::new(channels, size, key.room, key.canvas) else {
        return Err(Error::request("there is no room for the grid"));
    };
    let mut pixels = Vec::with_capacity(channels * tiles.pixels[0] * tiles.pixels[1]);
    for channel in 0..channels {
        let map = Map::of(values, channel)?;
        pixels.extend(map.levels(style, tiles.pixels));
    }
    let [height, width] = tiles.pixels;
    let stack = indexed(&pixels, [height * channels, width], key.colormap)?;
    let (sheets, places) = match key.canvas.protocol {
        Protocol::HalfBlocks | Protocol::Quadrants => {
            (vec![Sheet::Cells(stack.into())], Places::Stack)
        }
        Protocol::Kitty => {
            let rows = tiles.rows_in_room.max(1);
            // Through the gaps one sees the cursor; characters can't be seen through.
            let gap = usize::from(!key.canvas.tmux);
            (pages(&stack, tiles, rows, gap, key)?, Places::Pages { gap })
        }
        Protocol::Iterm2 | Protocol::Sixel => (pages(&stack, tiles, 1, 1, key)?, Places::Rows),
    };
    Ok(Painting {
        key: *key,
        sheets,
        tiles: Some(tiles),
        places,
    })
}

/// One channel of an activation.
struct Map<'a> {
    values: &'a [f32],
    size: [usize; 2],
}

impl<'a> Map<'a> {
    fn of(values: &'a Array, channel: usize) -> Result<Self> {
        match Form::of(values.shape()) {
            Form::Maps { channels, size } if channel < channels => {
                let volume = size[0] * size[1];
                Ok(Self {
                    values: &values.values()[channel * volume..][..volume],
                    size,
                })
            }
            _ => Err(no_maps()),
        }
    }

    /// At another size. What is constant stays so: rounding while shrinking must not make a pattern of it.
    fn levels(&self, style: Style, to: [usize; 2]) -> Vec<u8> {
        if is_constant(self.values) {
            return vec![0; to[0] * to[1]];
        }
        style.levels(&resize(self.values, self.size, to))
    }
}

pub(super) fn no_maps() -> Error {
    Error::request("the layer has no such feature map")
}

pub(super) fn indexed(
    pixels: &[u8],
    [height, width]: [usize; 2],
    colormap: Colormap,
) -> Result<Indexed> {
    let mut picture = Indexed::blank(width, height, colormap)?;
    picture.pixels_mut().copy_from_slice(pixels);
    Ok(picture)
}
