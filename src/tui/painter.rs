//! From arrays to pictures of the screen's size, on a thread of its own.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread;

use image::RgbImage;
use ratatui::layout::Size;

use super::fit::{fit, resize};
use super::protocol::{Event, Form, ImageId, Ticket};
use super::rescue::rescued;
use super::tiles::Tiles;
use crate::array::Array;
use crate::error::{Error, Result};
use crate::model::{ChannelId, Filter, LayerId};
use crate::photo::resize::pillow;
use crate::picture::{Colormap, Indexed, Picture, Style, Tile, is_constant, vector};

/// What a picture shows, and for which room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PaintKey {
    /// What.
    pub subject: Subject,
    /// In cells.
    pub room: Size,
}

/// What a picture shows. The colormap isn't part of it: it is applied when drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// What the network is shown.
    Photo(ImageId),
    /// All channels of a layer.
    Grid(ImageId, LayerId, Style),
    /// One of them.
    Channel(ImageId, LayerId, ChannelId, Style),
    /// A layer without feature maps.
    Vector(ImageId, LayerId),
}

/// A picture to be painted.
#[derive(Clone, Debug)]
pub struct PaintOrder {
    /// Which request this is.
    pub ticket: Ticket,
    /// What is shown.
    pub key: PaintKey,
    /// What it is made from.
    pub source: Source,
}

/// What a picture is made from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A photo.
    Photo(Arc<RgbImage>),
    /// A layer's values.
    Values(Arc<Array>),
}

/// A picture that fits its room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Painting {
    /// What it shows.
    pub key: PaintKey,
    /// Of a grid: its tiles, one below the other.
    pub picture: Picture,
    /// Of a grid.
    pub tiles: Option<Tiles>,
}

impl Painting {
    /// The tile of a channel in the picture of a grid.
    pub fn tile(&self, channel: usize) -> Tile {
        let [height, width] = self.tiles.map_or([0, 0], |tiles| tiles.pixels);
        Tile {
            x: 0,
            y: channel * height,
            width,
            height,
        }
    }

    /// Memory that the pixels take.
    pub fn bytes(&self) -> usize {
        let pixels = self.picture.width() as usize * self.picture.height() as usize;
        match self.picture {
            Picture::Indexed(_) => pixels,
            Picture::Rgb(_) => 3 * pixels,
        }
    }
}

/// Starts the thread. It ends when the returned sender is dropped.
///
/// # Errors
/// If the system has no thread left.
pub fn start(events: Sender<Event>) -> io::Result<Sender<PaintOrder>> {
    let (sender, orders) = mpsc::channel::<PaintOrder>();
    let work = move || {
        while let Ok(order) = orders.recv() {
            // Only the newest is still wanted.
            let order = orders.try_iter().last().unwrap_or(order);
            let painted = rescued(|| paint(&order));
            let painted = painted.and_then(|painted| painted.map_err(|error| error.to_string()));
            if events
                .send(Event::Painted(order.ticket, painted.map(Arc::new)))
                .is_err()
            {
                return;
            }
        }
    };
    thread::Builder::new()
        .name("painter".to_owned())
        .spawn(work)?;
    Ok(sender)
}

/// Paints a picture.
///
/// # Errors
/// If there is nothing to be seen of it, or no room.
pub fn paint(order: &PaintOrder) -> Result<Painting> {
    let PaintOrder { key, source, .. } = order;
    let room = [
        2 * usize::from(key.room.height),
        usize::from(key.room.width),
    ];
    let (picture, tiles) = match (key.subject, source) {
        (_, Source::Photo(photo)) => (Picture::Rgb(paint_photo(photo, room)), None),
        (Subject::Channel(_, _, channel, style), Source::Values(values)) => (
            Picture::Indexed(paint_channel(values, channel, style, room)?),
            None,
        ),
        (Subject::Grid(_, _, style), Source::Values(values)) => {
            let (picture, tiles) = paint_grid(values, style, key.room)?;
            (Picture::Indexed(picture), Some(tiles))
        }
        (_, Source::Values(values)) => (Picture::Indexed(paint_vector(values, room)?), None),
    };
    Ok(Painting {
        key: *key,
        picture,
        tiles,
    })
}

fn paint_photo(photo: &RgbImage, room: [usize; 2]) -> RgbImage {
    let size = [photo.height() as usize, photo.width() as usize];
    let fitted = fit(size, room);
    let filter = if fitted[0] >= size[0] {
        Filter::Nearest
    } else {
        Filter::Box
    };
    pillow(photo, fitted, filter)
}

fn paint_channel(
    values: &Array,
    channel: ChannelId,
    style: Style,
    room: [usize; 2],
) -> Result<Indexed> {
    let map = Map::of(values, channel.0)?;
    let to = fit(map.size, room);
    indexed(&map.levels(style, to), to)
}

fn paint_vector(values: &Array, room: [usize; 2]) -> Result<Indexed> {
    let picture = vector(values.values(), Colormap::default())?;
    let size = [picture.height() as usize, picture.width() as usize];
    let levels: Vec<f32> = picture.pixels().iter().copied().map(f32::from).collect();
    let to = fit(size, room);
    let levels = resize(&levels, size, to);
    let levels: Vec<u8> = levels
        .into_iter()
        .map(|level| level.round() as u8)
        .collect();
    indexed(&levels, to)
}

fn paint_grid(values: &Array, style: Style, room: Size) -> Result<(Indexed, Tiles)> {
    let Form::Maps { channels, size } = Form::of(values.shape()) else {
        return Err(no_maps());
    };
    let Some(tiles) = Tiles::new(channels, size, room) else {
        return Err(Error::request("there is no room for the grid"));
    };
    let mut pixels = Vec::with_capacity(channels * tiles.pixels[0] * tiles.pixels[1]);
    for channel in 0..channels {
        let map = Map::of(values, channel)?;
        pixels.extend(map.levels(style, tiles.pixels));
    }
    let [height, width] = tiles.pixels;
    Ok((indexed(&pixels, [height * channels, width])?, tiles))
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

fn no_maps() -> Error {
    Error::request("the layer has no such feature map")
}

/// In the default colormap, which is replaced when drawing.
fn indexed(pixels: &[u8], [height, width]: [usize; 2]) -> Result<Indexed> {
    let mut picture = Indexed::blank(width, height, Colormap::default())?;
    picture.pixels_mut().copy_from_slice(pixels);
    Ok(picture)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn painted(subject: Subject, values: Array, room: Size) -> Painting {
        let source = Source::Values(Arc::new(values));
        paint(&PaintOrder {
            ticket: Ticket(1),
            key: PaintKey { subject, room },
            source,
        })
        .unwrap()
    }

    fn pixels(painting: &Painting) -> &[u8] {
        match &painting.picture {
            Picture::Indexed(picture) => picture.pixels(),
            Picture::Rgb(_) => panic!("feature maps are indexed"),
        }
    }

    const IMAGE: ImageId = ImageId(0);
    const LAYER: LayerId = LayerId(3);

    #[test]
    fn a_grid_is_its_tiles_one_below_the_other() {
        // Channel 1 is constant.
        let values: Vec<f32> = (0..64)
            .map(|i| i as f32)
            .chain([5.0; 64])
            .chain((0..64).map(|i| -(i as f32)))
            .collect();
        let grid = Subject::Grid(IMAGE, LAYER, Style::MinMax);
        let painting = painted(grid, Array::new([3, 8, 8], values), Size::new(30, 6));
        let tiles = painting.tiles.unwrap();
        assert_eq!((tiles.pixels, tiles.columns), ([8, 8], 3));
        assert_eq!(
            painting.tile(2),
            Tile {
                x: 0,
                y: 16,
                width: 8,
                height: 8
            }
        );
        let pixels = pixels(&painting);
        assert_eq!(
            (pixels[0], pixels[63], pixels[128], pixels[191]),
            (0, 255, 255, 0)
        );
        assert!(pixels[64..128].iter().all(|&level| level == 0));
    }

    #[test]
    fn a_channel_fills_its_room() {
        let subject = Subject::Channel(IMAGE, LAYER, ChannelId(1), Style::MinMax);
        let values = Array::new([2, 1, 2], vec![9.0, 9.0, 0.0, 1.0]);
        let painting = painted(subject, values, Size::new(7, 9));
        assert_eq!(
            (painting.picture.width(), painting.picture.height()),
            (6, 3)
        );
        assert_eq!(pixels(&painting)[..6], [0, 0, 0, 255, 255, 255]);
    }

    #[test]
    fn a_vector_and_a_photo_fit_too() {
        let painting = painted(
            Subject::Vector(IMAGE, LAYER),
            Array::zeros([6272]),
            Size::new(40, 10),
        );
        assert!(painting.picture.width() <= 40 && painting.picture.height() <= 20);
        let source = Source::Photo(Arc::new(RgbImage::new(150, 150)));
        let key = PaintKey {
            subject: Subject::Photo(IMAGE),
            room: Size::new(40, 10),
        };
        let painting = paint(&PaintOrder {
            ticket: Ticket(1),
            key,
            source,
        })
        .unwrap();
        assert_eq!(
            (painting.picture.width(), painting.picture.height()),
            (20, 20)
        );
    }

    #[test]
    fn what_cant_be_painted_is_an_error() {
        let source = Source::Values(Arc::new(Array::zeros([2, 4, 4])));
        let order = |subject, room| PaintOrder {
            ticket: Ticket(1),
            key: PaintKey { subject, room },
            source: source.clone(),
        };
        let missing = Subject::Channel(IMAGE, LAYER, ChannelId(2), Style::Book);
        assert!(paint(&order(missing, Size::new(9, 9))).is_err());
        assert!(
            paint(&order(
                Subject::Grid(IMAGE, LAYER, Style::Book),
                Size::new(2, 2)
            ))
            .is_err()
        );
    }
}
