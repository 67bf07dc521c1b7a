//! Heatmaps, over the photo or alone.

use image::RgbImage;

use super::{indexed, no_maps};
use crate::array::Array;
use crate::error::Result;
use crate::model::Filter;
use crate::photo::Region;
use crate::photo::resize::pillow;
use crate::picture::{Overlay, Picture, Resize};
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
    let filter = if to[0] > from[0] {
        Filter::Bilinear
    } else {
        Filter::Box
    };
    let photo = pillow(photo, to, filter);
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
