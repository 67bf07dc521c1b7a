//! The patterns that filters look for: one enlarged, or those of a layer as they come.

use std::collections::HashMap;
use std::sync::Arc;

use image::RgbImage;

use super::{Detail, PaintKey, Painting, Places, Sheet};
use crate::error::{Error, Result};
use crate::explain::filters::Recipe;
use crate::model::{ChannelId, Filter, LayerId};
use crate::photo::resize::pillow;
use crate::terminal::{Cutout, Transmission};
use crate::tui::filters::{Growth, PatternKey};
use crate::tui::fit::{fill, fit};
use crate::tui::protocol::ImageId;
use crate::tui::tiles::Tiles;

/// Tiles that are kept: of a layer of many filters, all.
const KEPT: usize = 4096;

/// Tiles that were painted before: of a layer's patterns only those that have grown are painted anew, and sent.
#[derive(Debug, Default)]
pub struct Drawer {
    tiles: HashMap<PatternKey, Kept>,
    /// The photo under the last heatmap.
    photo: Option<(PhotoKey, Arc<Transmission>)>,
}

/// A photo at a size (height, width) in pixels.
type PhotoKey = (ImageId, [usize; 2]);

/// A tile, after how many steps, and at which size (height, width) in pixels.
type Kept = (usize, [usize; 2], Arc<Transmission>);

impl Drawer {
    /// The photo that was made before, or a new one.
    ///
    /// # Errors
    /// Those of `make`.
    pub(super) fn photo(
        &mut self,
        key: PhotoKey,
        make: impl FnOnce() -> Result<Transmission>,
    ) -> Result<Arc<Transmission>> {
        if let Some((known, photo)) = &self.photo
            && *known == key
        {
            return Ok(photo.clone());
        }
        let photo = Arc::new(make()?);
        self.photo = Some((key, photo.clone()));
        Ok(photo)
    }
}

/// A pattern that fits a room.
pub(super) fn enlarged(picture: &RgbImage, room: [usize; 2]) -> RgbImage {
    let size = [picture.height() as usize, picture.width() as usize];
    let whole = fit(size, room);
    let (to, filter) = if whole[0] > size[0] {
        (whole, Filter::Nearest)
    } else if whole == size {
        return picture.clone();
    } else {
        (fill(size, room), Filter::Box)
    };
    pillow(picture, to, filter)
}

/// All patterns of a layer, each on a sheet of its own.
pub(super) fn grid(
    key: &PaintKey,
    layer: LayerId,
    recipe: Recipe,
    growths: &[Option<Arc<Growth>>],
    drawer: &mut Drawer,
) -> Result<Painting> {
    let known = growths.iter().flatten().next();
    let size = known.map_or([recipe.side(); 2], |growth| {
        [
            growth.picture.height() as usize,
            growth.picture.width() as usize,
        ]
    });
    let Some(tiles) = Tiles::new(growths.len(), size, key.room, key.canvas) else {
        return Err(Error::request("there is no room for the patterns"));
    };
    if drawer.tiles.len() > KEPT {
        drawer.tiles.clear();
    }
    let mut sheets = Vec::new();
    let mut own = Vec::with_capacity(growths.len());
    for (channel, growth) in growths.iter().enumerate() {
        let Some(growth) = growth else {
            own.push(None);
            continue;
        };
        let pattern = PatternKey {
            layer,
            channel: ChannelId(channel),
            recipe,
        };
        let sheet = match drawer.tiles.get(&pattern) {
            Some((done, size, sent)) if (*done, *size) == (growth.done, tiles.pixels) => {
                Sheet::Sent(sent.clone())
            }
            _ => {
                let picture = pillow(&growth.picture, tiles.pixels, Filter::Box);
                Sheet::new(Cutout::whole(picture.into()), key.canvas, Detail::Full)?
            }
        };
        if let Sheet::Sent(sent) = &sheet {
            let kept = (growth.done, tiles.pixels, sent.clone());
            drawer.tiles.insert(pattern, kept);
        }
        own.push(Some(sheets.len()));
        sheets.push(sheet);
    }
    Ok(Painting {
        key: *key,
        sheets,
        tiles: Some(tiles),
        places: Places::Own(own),
    })
}
