//! From arrays to pictures of the screen's size, on a thread of its own.

mod heat;
mod patterns;

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread;

use image::RgbImage;
use ratatui::layout::Size;

pub use self::patterns::Drawer;
use super::filters::{Growth, PatternKey};
use super::fit::{fit, resize};
use super::heat::{HeatKey, Layout};
use super::protocol::{Event, Form, ImageId, Ticket};
use super::rescue::rescued;
use super::tiles::Tiles;
use crate::array::Array;
use crate::error::{Error, Result};
use crate::explain::cam::{Dialect, Heatmap};
use crate::explain::filters::Recipe;
use crate::model::{ChannelId, Filter, LayerId};
use crate::photo::Region;
use crate::photo::resize::pillow;
use crate::picture::{Colormap, Indexed, Overlay, Picture, Style, Tile, is_constant, vector};
use crate::terminal::{Canvas, Protocol, Transmission};

/// What a picture shows, how, and for which room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PaintKey {
    /// What.
    pub subject: Subject,
    /// Through which levels are seen.
    pub colormap: Colormap,
    /// In cells.
    pub room: Size,
    /// What it is drawn with.
    pub canvas: Canvas,
}

impl PaintKey {
    /// Whether it shows what the other did, only that it has grown since.
    pub fn replaces(&self, other: &Self) -> bool {
        self != other
            && match (self.subject, other.subject) {
                (Subject::Filter(_, key, ..), Subject::Filter(_, older, ..)) => key == older,
                (Subject::Patterns(layer, recipe, _), Subject::Patterns(of, by, _)) => {
                    (layer, recipe) == (of, by)
                }
                _ => false,
            }
    }
}

/// What a picture shows.
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
    /// A heatmap as a system lays it over the photo, with an opacity in hundredths.
    Heatmap(HeatKey, Dialect, u8, Layout),
    /// A channel beside its filter's pattern, which has grown for some steps.
    Filter(ImageId, PatternKey, usize, Style),
    /// The patterns of a layer, as they were at some time.
    Patterns(LayerId, Recipe, usize),
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
    /// A heatmap, the photo, and the part of it that the network sees.
    Heatmap {
        /// What is laid over.
        heat: Arc<Heatmap>,
        /// Over what.
        photo: Arc<RgbImage>,
        /// Where.
        region: Region,
    },
    /// A layer's values, if there is an image, and what there is of a pattern.
    Filter(Option<Arc<Array>>, Option<Arc<Growth>>),
    /// What there is of the pattern of each channel.
    Patterns(Vec<Option<Arc<Growth>>>),
}

/// A picture that fits its room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Painting {
    /// What it shows.
    pub key: PaintKey,
    /// What it is drawn from. Without tiles, pictures beside each other.
    pub sheets: Vec<Sheet>,
    /// Of a grid.
    pub tiles: Option<Tiles>,
    places: Places,
}

/// Pixels in the form that the terminal takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sheet {
    /// To be drawn as cells.
    Cells(Picture),
    /// To be sent to the terminal.
    Sent(Arc<Transmission>),
}

/// Where a grid's tiles are on its sheets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Places {
    /// On one sheet, one below the other.
    #[default]
    Stack,
    /// In rows and columns, as many rows on each sheet as are in the room, so that what isn't looked at isn't sent.
    Pages,
    /// Each on a sheet of its own, as far as they are there.
    Own(Vec<Option<usize>>),
}

impl Sheet {
    /// (height, width) in pixels.
    pub fn size(&self) -> [usize; 2] {
        match self {
            Self::Cells(picture) => [picture.height() as usize, picture.width() as usize],
            Self::Sent(picture) => picture.size(),
        }
    }

    fn new(picture: Picture, canvas: Canvas) -> Result<Self> {
        Ok(match canvas.protocol {
            Protocol::HalfBlocks => Self::Cells(picture),
            Protocol::Kitty => Self::Sent(Arc::new(Transmission::new(&picture)?)),
        })
    }

    fn bytes(&self) -> usize {
        let [height, width] = self.size();
        match self {
            Self::Cells(Picture::Indexed(_)) => height * width,
            Self::Cells(Picture::Rgb(_)) => 3 * height * width,
            Self::Sent(picture) => picture.len(),
        }
    }
}

impl Painting {
    /// The sheet that shows a channel of a grid, and the tile of the channel on it; nothing if it isn't there yet.
    pub fn tile(&self, channel: usize) -> Option<(usize, Tile)> {
        let tiles = self.tiles?;
        let [height, width] = tiles.pixels;
        let (sheet, column, row) = match &self.places {
            Places::Stack => (0, 0, channel),
            Places::Pages => {
                let (row, rows) = (channel / tiles.columns, tiles.rows_in_room.max(1));
                (row / rows, channel % tiles.columns, row % rows)
            }
            Places::Own(sheets) => ((*sheets.get(channel)?)?, 0, 0),
        };
        let tile = Tile {
            x: column * width,
            y: row * height,
            width,
            height,
        };
        Some((sheet, tile))
    }

    /// Memory that the pixels take.
    pub fn bytes(&self) -> usize {
        self.sheets.iter().map(Sheet::bytes).sum()
    }
}

/// Starts the thread. It ends when the returned sender is dropped.
///
/// # Errors
/// If the system has no thread left.
pub fn start(events: Sender<Event>) -> io::Result<Sender<PaintOrder>> {
    let (sender, orders) = mpsc::channel::<PaintOrder>();
    let work = move || {
        let mut drawer = Drawer::default();
        while let Ok(order) = orders.recv() {
            // Only the newest is still wanted.
            let order = orders.try_iter().last().unwrap_or(order);
            let painted = rescued(|| paint(&order, &mut drawer));
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

/// Paints a picture; what was sent before is taken from the drawer.
///
/// # Errors
/// If there is nothing to be seen of it, or no room.
pub fn paint(order: &PaintOrder, drawer: &mut Drawer) -> Result<Painting> {
    let PaintOrder { key, source, .. } = order;
    let [down, across] = key.canvas.cell.map(usize::from);
    let room = [
        down * usize::from(key.room.height),
        across * usize::from(key.room.width),
    ];
    let pictures: Vec<Picture> = match (key.subject, source) {
        (_, Source::Photo(photo)) => vec![paint_photo(photo, room).into()],
        (
            Subject::Heatmap(_, dialect, opacity, layout),
            Source::Heatmap {
                heat,
                photo,
                region,
            },
        ) => {
            let overlay = Overlay {
                colormap: key.colormap,
                alpha: f64::from(opacity) / 100.0,
                ..Overlay::of(dialect)
            };
            let room = match layout {
                Layout::SideBySide => [room[0], beside(key.room, across)],
                _ => room,
            };
            heat::paint(&heat.heat, overlay, photo, *region, layout, room)?
        }
        (Subject::Filter(_, pattern, _, style), Source::Filter(values, growth)) => {
            let half = [room[0], beside(key.room, across)];
            let map = values
                .as_ref()
                .map(|values| paint_channel(values, pattern.channel, style, key.colormap, half));
            let map = map.transpose()?.map(Picture::from);
            let growth = growth.as_ref();
            let growth = growth.map(|growth| patterns::enlarged(&growth.picture, half).into());
            map.into_iter().chain(growth).collect()
        }
        (Subject::Patterns(layer, recipe, _), Source::Patterns(growths)) => {
            return patterns::grid(key, layer, recipe, growths, drawer);
        }
        (Subject::Channel(_, _, channel, style), Source::Values(values)) => {
            vec![paint_channel(values, channel, style, key.colormap, room)?.into()]
        }
        (Subject::Grid(_, _, style), Source::Values(values)) => {
            return paint_grid(values, style, key);
        }
        (_, Source::Values(values)) => vec![paint_vector(values, key.colormap, room)?.into()],
        _ => return Err(no_maps()),
    };
    let sheets = pictures
        .into_iter()
        .map(|picture| Sheet::new(picture, key.canvas));
    Ok(Painting {
        key: *key,
        sheets: sheets.collect::<Result<_>>()?,
        tiles: None,
        places: Places::default(),
    })
}

/// How many pixels each of two pictures beside each other may be wide, with a gap of a cell or two between them.
fn beside(room: Size, across: usize) -> usize {
    across * usize::from((room.width / 2).saturating_sub(1).max(1))
}

/// A stack of tiles as sheets of rows and columns.
fn pages(stack: &Indexed, tiles: Tiles) -> Result<Vec<Sheet>> {
    let [height, width] = tiles.pixels;
    let per_page = tiles.columns * tiles.rows_in_room.max(1);
    let mut pages = Vec::new();
    for first in (0..tiles.channels).step_by(per_page) {
        let count = per_page.min(tiles.channels - first);
        let across = tiles.columns * width;
        let down = count.div_ceil(tiles.columns) * height;
        let mut page = Indexed::blank(across, down, stack.colormap())?;
        let lines = stack.pixels()[first * height * width..].chunks_exact(width);
        for (line, levels) in lines.take(count * height).enumerate() {
            let (tile, y) = (line / height, line % height);
            let start = (tile / tiles.columns * height + y) * across + tile % tiles.columns * width;
            page.pixels_mut()[start..start + width].copy_from_slice(levels);
        }
        pages.push(Sheet::Sent(Arc::new(Transmission::new(&page.into())?)));
    }
    Ok(pages)
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
    colormap: Colormap,
    room: [usize; 2],
) -> Result<Indexed> {
    let map = Map::of(values, channel.0)?;
    let to = fit(map.size, room);
    indexed(&map.levels(style, to), to, colormap)
}

fn paint_vector(values: &Array, colormap: Colormap, room: [usize; 2]) -> Result<Indexed> {
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

fn paint_grid(values: &Array, style: Style, key: &PaintKey) -> Result<Painting> {
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
        Protocol::HalfBlocks => (vec![Sheet::Cells(stack.into())], Places::Stack),
        Protocol::Kitty => (pages(&stack, tiles)?, Places::Pages),
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

fn no_maps() -> Error {
    Error::request("the layer has no such feature map")
}

fn indexed(pixels: &[u8], [height, width]: [usize; 2], colormap: Colormap) -> Result<Indexed> {
    let mut picture = Indexed::blank(width, height, colormap)?;
    picture.pixels_mut().copy_from_slice(pixels);
    Ok(picture)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(subject: Subject, source: Source, room: Size) -> PaintOrder {
        PaintOrder {
            ticket: Ticket(1),
            key: PaintKey {
                subject,
                colormap: Colormap::Viridis,
                room,
                canvas: Canvas::HALF_BLOCKS,
            },
            source,
        }
    }

    fn painted(subject: Subject, values: Array, room: Size) -> Painting {
        paint(
            &order(subject, Source::Values(Arc::new(values)), room),
            &mut Drawer::default(),
        )
        .unwrap()
    }

    fn picture(painting: &Painting) -> &Picture {
        match &painting.sheets[..] {
            [Sheet::Cells(picture)] => picture,
            other => panic!("half-blocks are drawn as cells: {other:?}"),
        }
    }

    fn pixels(painting: &Painting) -> &[u8] {
        match picture(painting) {
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
        let tile = Tile {
            x: 0,
            y: 16,
            width: 8,
            height: 8,
        };
        assert_eq!(painting.tile(2), Some((0, tile)));
        let pixels = pixels(&painting);
        assert_eq!(
            (pixels[0], pixels[63], pixels[128], pixels[191]),
            (0, 255, 255, 0)
        );
        assert!(pixels[64..128].iter().all(|&level| level == 0));
    }

    #[test]
    fn a_grid_is_sent_in_pages() {
        let kitty = Canvas {
            protocol: Protocol::Kitty,
            cell: [20, 10],
        };
        let values = Array::new([10, 32, 32], (0..10_240).map(|i| i as f32).collect());
        let source = Source::Values(Arc::new(values));
        let grid = Subject::Grid(IMAGE, LAYER, Style::MinMax);
        let mut order = order(grid, source, Size::new(12, 7));
        order.key.canvas = kitty;
        let painting = paint(&order, &mut Drawer::default()).unwrap();
        let tiles = painting.tiles.unwrap();
        // 4x2 cells each: two beside each other, two rows in the room.
        assert_eq!(
            (tiles.pixels, tiles.columns, tiles.rows_in_room),
            ([32, 32], 2, 2)
        );
        let sizes: Vec<_> = painting.sheets.iter().map(Sheet::size).collect();
        assert_eq!(sizes, [[64, 64], [64, 64], [32, 64]]);
        let tile = |x, y| Tile {
            x,
            y,
            width: 32,
            height: 32,
        };
        assert_eq!(painting.tile(3), Some((0, tile(32, 32))));
        assert_eq!(painting.tile(4), Some((1, tile(0, 0))));
        assert_eq!(painting.tile(9), Some((2, tile(32, 0))));
    }

    #[test]
    fn a_channel_fills_its_room() {
        let subject = Subject::Channel(IMAGE, LAYER, ChannelId(1), Style::MinMax);
        let values = Array::new([2, 1, 2], vec![9.0, 9.0, 0.0, 1.0]);
        let painting = painted(subject, values, Size::new(7, 9));
        let picture = picture(&painting);
        assert_eq!((picture.width(), picture.height()), (6, 3));
        assert_eq!(pixels(&painting)[..6], [0, 0, 0, 255, 255, 255]);
    }

    #[test]
    fn a_vector_and_a_photo_fit_too() {
        let room = Size::new(40, 10);
        let painting = painted(Subject::Vector(IMAGE, LAYER), Array::zeros([6272]), room);
        let vector = picture(&painting);
        assert!(vector.width() <= 40 && vector.height() <= 20);
        let source = Source::Photo(Arc::new(RgbImage::new(150, 150)));
        let order = order(Subject::Photo(IMAGE), source, room);
        let painting = paint(&order, &mut Drawer::default()).unwrap();
        let photo = picture(&painting);
        assert_eq!((photo.width(), photo.height()), (20, 20));
    }

    #[test]
    fn what_cant_be_painted_is_an_error() {
        let source = Source::Values(Arc::new(Array::zeros([2, 4, 4])));
        let missing = Subject::Channel(IMAGE, LAYER, ChannelId(2), Style::Book);
        let drawer = &mut Drawer::default();
        let small = order(missing, source.clone(), Size::new(9, 9));
        assert!(paint(&small, drawer).is_err());
        let grid = Subject::Grid(IMAGE, LAYER, Style::Book);
        assert!(paint(&order(grid, source, Size::new(2, 2)), drawer).is_err());
    }
}
