//! Where the channels of a layer are in a grid on the screen.
//!
//! Between the tiles, and around them all, one cell stays free for the frame of the cursor.

use ratatui::layout::{Position, Rect, Size};

use crate::terminal::{Canvas, Protocol};

/// A tile with fewer pixels says nothing, unless the map itself has no more.
const FEWEST_PIXELS: usize = 196;

/// A map that has these is shown as it is, where there is no room for more.
const FEWEST_OWN_PIXELS: usize = 36;

/// The same where pixels are small.
const FEWEST_SMALL_PIXELS: usize = 1024;

/// The tiles of a grid: all of one size, in rows, which scroll where not all are in the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tiles {
    /// How many tiles there are.
    pub channels: usize,
    /// (height, width) of a tile in pixels.
    pub pixels: [usize; 2],
    /// The same in cells; the last ones may not be full.
    pub cells: Size,
    /// In a row.
    pub columns: usize,
    /// Rows that are in the room at the same time.
    pub rows_in_room: usize,
    left: u16,
}

impl Tiles {
    /// For `channels` maps of `size` (height, width) in a room of a canvas's cells. The tiles are as large as they can be with
    /// all of them in the room, but not smaller than can be made out. Nothing if not even one is in the room.
    pub fn new(channels: usize, size: [usize; 2], room: Size, canvas: Canvas) -> Option<Self> {
        let inner = Size::new(room.width.saturating_sub(2), room.height.saturating_sub(2));
        if channels == 0 || size.contains(&0) || inner.width == 0 || inner.height == 0 {
            return None;
        }
        // A row of tiles may have to be one picture.
        let widest = canvas.largest[1] / u32::from(canvas.cell[1].max(1));
        let widest = u16::try_from(widest).unwrap_or(u16::MAX);
        let inner = Size::new(inner.width.min(widest), inner.height);
        let arrange = |pixels: [usize; 2]| {
            let cells = cells(pixels, canvas)?;
            let fits = cells.width <= inner.width && cells.height <= inner.height;
            let columns = usize::from((inner.width + 1) / (cells.width + 1)).min(channels);
            let rows_in_room = usize::from((room.height - 1) / (cells.height + 1));
            let used = columns as u16 * (cells.width + 1) + 1;
            let left = room.width.saturating_sub(used) / 2;
            fits.then_some(Self {
                channels,
                pixels,
                cells,
                columns,
                rows_in_room,
                left,
            })
        };
        let widest = usize::from(inner.width) * usize::from(canvas.cell[1]);
        let fitting = || candidates(size, widest).filter_map(arrange);
        let clear = |tiles: &Self| {
            let pixels = tiles.pixels[0] * tiles.pixels[1];
            match canvas.protocol {
                Protocol::HalfBlocks | Protocol::Quadrants => {
                    let own = tiles.pixels == size && pixels >= FEWEST_OWN_PIXELS;
                    own || pixels >= FEWEST_PIXELS
                }
                _ => pixels >= FEWEST_SMALL_PIXELS,
            }
        };
        fitting()
            .find(|tiles| clear(tiles) && tiles.columns * tiles.rows_in_room >= channels)
            .or_else(|| fitting().filter(clear).last())
            .or_else(|| fitting().next())
    }

    /// All rows.
    pub fn rows(&self) -> usize {
        self.channels.div_ceil(self.columns)
    }

    /// The row of a channel.
    pub fn row(&self, channel: usize) -> usize {
        channel / self.columns
    }

    /// The channels that are in the room when `first_row` is on top.
    pub fn visible(&self, first_row: usize) -> std::ops::Range<usize> {
        let start = (first_row * self.columns).min(self.channels);
        start..(start + self.rows_in_room * self.columns).min(self.channels)
    }

    /// Where a visible channel is; `room` is the one that the tiles were made for.
    pub fn area(&self, channel: usize, first_row: usize, room: Position) -> Rect {
        let cells = self.cells;
        let column = (channel % self.columns) as u16;
        let row = self.row(channel).saturating_sub(first_row) as u16;
        let x = room.x + self.left + 1 + column * (cells.width + 1);
        let y = room.y + 1 + row * (cells.height + 1);
        Rect::new(x, y, cells.width, cells.height)
    }
}

/// Nothing if there are no such many.
fn cells([height, width]: [usize; 2], canvas: Canvas) -> Option<Size> {
    let [down, across] = canvas.cell.map(usize::from);
    let width = width.div_ceil(across).try_into().ok()?;
    let height = height.next_multiple_of(canvas.step());
    Some(Size::new(width, height.div_ceil(down).try_into().ok()?))
}

/// Sizes for a tile in pixels, from large to small: whole multiples of the map, then smaller ones of its proportions.
fn candidates([height, width]: [usize; 2], widest: usize) -> impl Iterator<Item = [usize; 2]> {
    let enlarged = (1..=widest / width)
        .rev()
        .map(move |factor| [height * factor, width * factor]);
    let shrunk = (1..=widest.min(width.saturating_sub(1)))
        .rev()
        .map(move |across| {
            let down = (height * across + width / 2) / width;
            [down.max(1), across]
        });
    enlarged.chain(shrunk)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALVES: Canvas = Canvas::HALF_BLOCKS;
    const KITTY: Canvas = Canvas {
        protocol: Protocol::Kitty,
        cell: [18, 9],
        ..Canvas::HALF_BLOCKS
    };

    fn tiles(channels: usize, side: usize, width: u16, height: u16) -> Tiles {
        Tiles::new(channels, [side, side], Size::new(width, height), HALVES).unwrap()
    }

    #[test]
    fn small_pixels_make_small_tiles() {
        let found =
            |channels, side| Tiles::new(channels, [side, side], Size::new(98, 38), KITTY).unwrap();
        // 8 columns of 8x4 cells: all 64 are in the room at their own size.
        let tiles = found(64, 72);
        assert_eq!((tiles.pixels, tiles.cells), ([72, 72], Size::new(8, 4)));
        assert!(tiles.columns * tiles.rows_in_room >= 64);
        // Five-fold: four-fold would have fewer than 32x32 pixels.
        assert_eq!(found(2048, 7).pixels, [35, 35]);
        assert_eq!(found(1, 150).pixels, [600, 600]);
    }

    #[test]
    fn rows_are_no_wider_than_a_picture_may_be() {
        let canvas = Canvas {
            protocol: Protocol::Sixel,
            cell: [18, 9],
            largest: [1000, 300],
            ..Canvas::HALF_BLOCKS
        };
        let tiles = Tiles::new(64, [36, 36], Size::new(98, 38), canvas).unwrap();
        let cells = usize::from(tiles.cells.width);
        assert!(tiles.columns * (cells + 1) - 1 <= 300 / 9);
        assert!((tiles.columns + 1) * (cells + 1) - 1 > 300 / 9);
    }

    #[test]
    fn few_channels_are_large() {
        let found = tiles(3, 150, 80, 30);
        assert_eq!(
            (found.pixels, found.columns, found.rows_in_room),
            ([26, 26], 2, 2)
        );
        let found = tiles(1, 150, 80, 30);
        assert_eq!(found.pixels, [56, 56]);
    }

    #[test]
    fn all_channels_are_in_the_room_if_they_can_be_made_out() {
        let found = tiles(12, 148, 88, 38);
        assert!(found.columns * found.rows_in_room >= 12);
        assert_eq!(found.pixels, [20, 20]);
    }

    #[test]
    fn many_channels_scroll() {
        let found = tiles(2048, 56, 88, 38);
        assert_eq!(
            (found.pixels, found.columns, found.rows_in_room),
            ([14, 14], 5, 4)
        );
        assert_eq!(found.rows(), 410);
        assert_eq!(found.visible(409), 2045..2048);
    }

    #[test]
    fn small_maps_are_shown_by_whole_factors() {
        assert_eq!(tiles(1280, 7, 88, 38).pixels, [7, 7]);
        assert_eq!(tiles(1280, 1, 88, 38).pixels, [14, 14]);
        assert_eq!(tiles(12, 7, 88, 38).pixels, [14, 14]);
    }

    #[test]
    fn a_small_room_has_small_tiles() {
        let found = tiles(64, 72, 30, 5);
        assert_eq!((found.pixels, found.rows_in_room), ([6, 6], 1));
        assert_eq!(Tiles::new(64, [72, 72], Size::new(2, 9), HALVES), None);
        assert_eq!(Tiles::new(0, [72, 72], Size::new(80, 24), HALVES), None);
    }

    #[test]
    fn tiles_and_the_gaps_around_them_stay_inside() {
        for (channels, size, width, height) in [
            (64, [72, 72], 48, 19),
            (512, [1, 300], 80, 24),
            (9, [90, 3], 300, 90),
            (2048, [7, 7], 33, 6),
        ] {
            let room = Rect::new(3, 2, width, height);
            for canvas in [HALVES, KITTY] {
                let tiles = Tiles::new(channels, size, room.as_size(), canvas).unwrap();
                let visible = tiles.visible(0);
                assert!(!visible.is_empty());
                let mut taken = std::collections::HashSet::new();
                for channel in visible {
                    let area = tiles.area(channel, 0, room.as_position());
                    let frame = Rect::new(area.x - 1, area.y - 1, area.width + 2, area.height + 2);
                    assert_eq!(frame.intersection(room), frame, "{tiles:?} {channel}");
                    assert!(area.positions().all(|position| taken.insert(position)));
                }
            }
        }
    }
}
