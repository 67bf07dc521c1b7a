//! From arrays to pictures of the screen's size, on a thread of its own.

mod heat;
mod key;
mod maps;
mod painting;
mod patterns;

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread;

use image::RgbImage;
use ratatui::layout::Size;

pub use self::heat::is_layered;
pub use self::key::{Detail, PaintKey, Subject};
use self::maps::{no_maps, paint_channel, paint_grid, paint_photo, paint_vector};
pub use self::painting::{Painting, Places, Sheet};
pub use self::patterns::Drawer;
use super::filters::Growth;
use super::heat::Layout;
use super::protocol::{Event, Ticket};
use super::rescue::rescued;
use crate::array::Array;
use crate::error::Result;
use crate::explain::cam::Heatmap;
use crate::photo::Region;
use crate::picture::{Overlay, Picture};
use crate::terminal::Cutout;

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
    let [tallest, widest] = key.canvas.largest.map(|side| side as usize);
    let height = (down * usize::from(key.room.height)).min(tallest);
    let room = [
        (height - height % key.canvas.step()).max(1),
        (across * usize::from(key.room.width)).min(widest),
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
            if heat::is_layered(key) {
                return heat::layered(key, &heat.heat, overlay, photo, *region, room, drawer);
            }
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
        .map(|picture| Sheet::new(Cutout::whole(picture), key.canvas, key.detail));
    Ok(Painting {
        key: *key,
        sheets: sheets.collect::<Result<_>>()?,
        tiles: None,
        places: Places::Beside,
    })
}

/// How many pixels each of two pictures beside each other may be wide, with a gap of a cell or two between them.
fn beside(room: Size, across: usize) -> usize {
    across * usize::from((room.width / 2).saturating_sub(1).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::cam::Dialect;
    use crate::model::{ChannelId, ClassId, LayerId};
    use crate::picture::{Colormap, Style, Tile};
    use crate::terminal::{Canvas, Protocol};
    use crate::tui::heat::HeatKey;
    use crate::tui::protocol::ImageId;

    fn order(subject: Subject, source: Source, room: Size) -> PaintOrder {
        PaintOrder {
            ticket: Ticket(1),
            key: PaintKey {
                subject,
                colormap: Colormap::Viridis,
                room,
                canvas: Canvas::HALF_BLOCKS,
                detail: Detail::Full,
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

    fn canvas(protocol: Protocol) -> Canvas {
        Canvas {
            protocol,
            cell: [20, 10],
            ..Canvas::HALF_BLOCKS
        }
    }

    /// Ten channels of 32x32 in a room of two by two: 4x2 cells each.
    fn grid(canvas: Canvas, detail: Detail) -> Painting {
        let values = Array::new([10, 32, 32], (0..10_240).map(|i| i as f32).collect());
        let source = Source::Values(Arc::new(values));
        let grid = Subject::Grid(IMAGE, LAYER, Style::MinMax);
        let mut order = order(grid, source, Size::new(12, 7));
        order.key.canvas = canvas;
        order.key.detail = detail;
        let painting = paint(&order, &mut Drawer::default()).unwrap();
        let tiles = painting.tiles.unwrap();
        assert_eq!(
            (tiles.pixels, tiles.columns, tiles.rows_in_room),
            ([32, 32], 2, 2)
        );
        painting
    }

    fn sizes(painting: &Painting) -> Vec<[usize; 2]> {
        painting.sheets.iter().map(Sheet::size).collect()
    }

    #[test]
    fn a_grid_is_sent_in_pages_of_whole_cells() {
        let painting = grid(canvas(Protocol::Kitty), Detail::Full);
        // Two tiles of four cells with one between them.
        assert_eq!(sizes(&painting), [[80, 90], [80, 90], [40, 90]]);
        let row = |y, width, height| Tile {
            x: 0,
            y,
            width,
            height,
        };
        assert_eq!(painting.row(1), Some((0, row(40, 90, 40))));
        assert_eq!(painting.row(4), Some((2, row(0, 90, 40))));
        assert_eq!((painting.row(5), painting.tile(3)), (None, None));

        // Of 10x20 pixels 3x6 are left.
        let rough = grid(canvas(Protocol::Kitty), Detail::Rough);
        assert_eq!(sizes(&rough), [[24, 27], [24, 27], [12, 27]]);
        assert_eq!(rough.row(1), Some((0, row(12, 27, 12))));
    }

    #[test]
    fn characters_show_tiles_one_by_one() {
        let tmux = Canvas {
            tmux: true,
            ..canvas(Protocol::Kitty)
        };
        let painting = grid(tmux, Detail::Full);
        assert_eq!(sizes(&painting), [[80, 80], [80, 80], [40, 80]]);
        let tile = |x, y, side| Tile {
            x,
            y,
            width: side,
            height: side,
        };
        assert_eq!(painting.tile(3), Some((0, tile(40, 40, 32))));
        assert_eq!(painting.tile(4), Some((1, tile(0, 0, 32))));
        assert_eq!(painting.tile(9), Some((2, tile(40, 0, 32))));
        assert_eq!(painting.row(0), None);
        let rough = grid(tmux, Detail::Rough);
        assert_eq!(sizes(&rough), [[24, 24], [24, 24], [12, 24]]);
        assert_eq!(rough.tile(3), Some((0, tile(12, 12, 12))));
    }

    #[test]
    fn what_has_no_windows_is_drawn_in_rows() {
        for protocol in [Protocol::Sixel, Protocol::Iterm2] {
            let painting = grid(canvas(protocol), Detail::Full);
            // Two tiles of four cells with one between them.
            assert_eq!(sizes(&painting), [[40, 90]; 5]);
            assert_eq!((painting.tile(3), &painting.places), (None, &Places::Rows));
        }
    }

    #[test]
    fn on_the_way_a_heatmap_is_a_veil() {
        let heat = Heatmap {
            layer: LAYER,
            class: ClassId(0),
            settings: Dialect::Book.settings(),
            raw: Array::zeros([2, 2]),
            heat: Array::new([2, 2], vec![0.0, 0.3, 0.6, 1.0]),
            weights: Vec::new(),
            min: 0.0,
            max: 1.0,
            negative_share: 0.0,
            dead_channels: 0,
            probability: 0.5,
            logit: 0.0,
            advice: None,
        };
        let photo = RgbImage::from_fn(400, 300, |x, y| image::Rgb([x as u8, y as u8, 9]));
        let key = HeatKey {
            image: IMAGE,
            layer: LAYER,
            class: ClassId(0),
            settings: Dialect::Book.settings(),
        };
        let subject = Subject::Heatmap(key, Dialect::Book, 40, Layout::Overlay);
        let source = Source::Heatmap {
            heat: Arc::new(heat),
            region: Region::whole(&photo),
            photo: Arc::new(photo),
        };
        let mut order = order(subject, source, Size::new(40, 20));
        order.key.canvas = canvas(Protocol::Kitty);
        let drawer = &mut Drawer::default();
        let exact = paint(&order, drawer).unwrap();
        assert_eq!(
            (sizes(&exact), &exact.places),
            (vec![[300, 400]], &Places::Beside)
        );
        order.key.detail = Detail::Rough;
        let first = paint(&order, drawer).unwrap();
        assert_eq!(
            (sizes(&first), &first.places),
            (vec![[300, 400], [90, 120]], &Places::Above)
        );
        let second = paint(&order, drawer).unwrap();
        assert_eq!(first.sheets[0], second.sheets[0]);
        assert_ne!(first.sheets[1], second.sheets[1]);
        order.key.canvas.tmux = true;
        assert_eq!(paint(&order, drawer).unwrap().places, Places::Beside);
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
