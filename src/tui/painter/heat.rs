//! Heatmaps, over the photo or alone.

use image::RgbImage;

use super::maps::{indexed, no_maps};
use super::painting::coarse;
use super::patterns::Drawer;
use super::{Detail, PaintKey, Painting, Places, Sheet, Subject};
use std::sync::Arc;

use crate::array::Array;
use crate::error::Result;
use crate::model::Filter;
use crate::photo::Region;
use crate::photo::resize::pillow;
use crate::picture::{Indexed, Overlay, Picture, Resize, Tile};
use crate::terminal::{Cutout, Protocol, Transmission};
use crate::tui::fit::{fill, fit};
use crate::tui::heat::Layout;

/// The pictures to be drawn beside each other, each of which has `room` (height, width).
pub(super) fn paint(
    heat: &Array,
    overlay: Overlay,
    photo: &RgbImage,
    region: Region,
    layout: Layout,
    room: [usize; 2],
) -> Result<Vec<Picture>> {
    Ok(match layout {
        Layout::Alone => vec![alone(heat, overlay, room)?],
        Layout::Overlay => vec![laid(heat, overlay, photo, region, room)?.1.into()],
        Layout::SideBySide => {
            let (plain, heat) = laid(heat, overlay, photo, region, room)?;
            vec![plain.into(), heat.into()]
        }
    })
}

/// Whether the terminal lays a veil over the photo, which is nearly the same and takes few bytes; for whoever is on the
/// way to another heatmap.
pub fn is_layered(key: &PaintKey) -> bool {
    let over = matches!(key.subject, Subject::Heatmap(.., Layout::Overlay));
    let able = key.canvas.protocol == Protocol::Kitty && !key.canvas.tmux;
    over && able && key.detail == Detail::Rough
}

/// The photo, which the terminal may hold already, and the heatmap as a veil.
pub(super) fn layered(
    key: &PaintKey,
    heat: &Array,
    overlay: Overlay,
    photo: &RgbImage,
    region: Region,
    room: [usize; 2],
    drawer: &mut Drawer,
) -> Result<Painting> {
    let Subject::Heatmap(heat_key, ..) = key.subject else {
        return Err(no_maps());
    };
    let from = [photo.height() as usize, photo.width() as usize];
    let to = fill(from, room);
    let below = drawer.photo((heat_key.image, to), || {
        let fitted = fitted(photo, to);
        // Few colours take a quarter of the bytes, and the exact picture follows.
        let few = Cutout::whole(fitted.into()).with_colors(256);
        Transmission::new(&few, key.canvas, key.canvas.cell)
    })?;
    let cell = coarse(key.canvas);
    let [tall, wide] = [0, 1].map(|axis| {
        let pixels = to[axis] * usize::from(cell[axis]);
        pixels.div_ceil(usize::from(key.canvas.cell[axis]))
    });
    let part = region.scaled(from, [tall, wide]);
    let levels = overlay.levels(heat, [part.height as usize, part.width as usize])?;
    // In a veil nobody can tell more apart.
    let levels: Vec<u8> = levels.iter().map(|level| level / 8 * 8 + 4).collect();
    let mut veil = Indexed::blank(wide, tall, overlay.colormap)?;
    let part = Tile {
        x: part.left as usize,
        y: part.top as usize,
        width: part.width as usize,
        height: part.height as usize,
    };
    for (row, line) in levels.chunks_exact(part.width).enumerate() {
        veil.pixels_mut()[(part.y + row) * wide + part.x..][..part.width].copy_from_slice(line);
    }
    let opacity = (255.0 * overlay.alpha).round() as u8;
    let veil = Cutout::new(veil.into(), vec![part]).with_opacity(opacity);
    let veil = Transmission::new(&veil, key.canvas, cell)?;
    Ok(Painting {
        key: *key,
        sheets: vec![Sheet::Sent(below), Sheet::Sent(Arc::new(veil))],
        tiles: None,
        places: Places::Above,
    })
}

fn fitted(photo: &RgbImage, to: [usize; 2]) -> RgbImage {
    let filter = if to[0] > photo.height() as usize {
        Filter::Bilinear
    } else {
        Filter::Box
    };
    pillow(photo, to, filter)
}

/// A photo that fits a room, and a heatmap over it.
fn laid(
    heat: &Array,
    overlay: Overlay,
    photo: &RgbImage,
    region: Region,
    room: [usize; 2],
) -> Result<(RgbImage, RgbImage)> {
    let from = [photo.height() as usize, photo.width() as usize];
    let to = fill(from, room);
    let photo = fitted(photo, to);
    let over = overlay.lay(heat, &photo, region.scaled(from, to))?;
    Ok((photo, over))
}

/// A heatmap as the layer has it, each value a square.
fn alone(heat: &Array, overlay: Overlay, room: [usize; 2]) -> Result<Picture> {
    let [height, width] = *heat.shape() else {
        return Err(no_maps());
    };
    let to = fit([height, width], room);
    let squares = Overlay {
        resize: Resize::Nearest,
        ..overlay
    };
    let levels = squares.levels(heat, to)?;
    Ok(indexed(&levels, to, overlay.colormap)?.into())
}
