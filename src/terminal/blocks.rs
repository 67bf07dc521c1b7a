//! Pictures as cells of text: two pixels in each, one above the other, or four parts of two colours.

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

use super::{Canvas, ColorDepth, Protocol};
use crate::picture::{Indexed, Picture, Tile};

/// From nothing to full, for terminals without colours.
const RAMP: [&str; 10] = [" ", ".", ":", "-", "=", "+", "*", "#", "%", "@"];

/// The caller sees to it that the pixel exists.
fn color_at(picture: &Picture, x: usize, y: usize) -> [u8; 3] {
    match picture {
        Picture::Indexed(levels) => levels.colormap().palette()[usize::from(level(levels, x, y))],
        Picture::Rgb(photo) => photo.get_pixel(x as u32, y as u32).0,
    }
}

/// 0..=255. A feature map's is its level, whatever the palette: some palettes are brightest in the middle.
fn brightness(picture: &Picture, x: usize, y: usize) -> usize {
    match picture {
        Picture::Indexed(levels) => usize::from(level(levels, x, y)),
        Picture::Rgb(photo) => {
            let [red, green, blue] = photo.get_pixel(x as u32, y as u32).0.map(usize::from);
            (299 * red + 587 * green + 114 * blue) / 1000
        }
    }
}

fn level(picture: &Indexed, x: usize, y: usize) -> u8 {
    picture.pixels()[y * picture.width() as usize + x]
}

/// The four parts of a cell: a bit each for upper left, upper right, lower left, lower right.
const QUADRANTS: [&str; 16] = [
    " ", "▘", "▝", "▀", "▖", "▌", "▞", "▛", "▗", "▚", "▐", "▜", "▄", "▙", "▟", "█",
];

/// Draws a window of a picture from the area's upper left corner on: one pixel a cell across and two down, or two across
/// and four down where the canvas has quadrants. What doesn't fit is left out. Without colours a cell is a character
/// that is as dark as its pixels.
#[derive(Clone, Copy, Debug)]
pub struct Blocks<'a> {
    picture: &'a Picture,
    window: Tile,
    canvas: Canvas,
    depth: ColorDepth,
}

impl<'a> Blocks<'a> {
    /// All of a picture.
    pub fn new(picture: &'a Picture, canvas: Canvas, depth: ColorDepth) -> Self {
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let window = Tile {
            x: 0,
            y: 0,
            width,
            height,
        };
        Self {
            picture,
            window,
            canvas,
            depth,
        }
    }

    /// Only a part of the picture; what of it lies outside is left out.
    #[must_use]
    pub fn window(mut self, window: Tile) -> Self {
        let (width, height) = (
            self.picture.width() as usize,
            self.picture.height() as usize,
        );
        self.window = Tile {
            width: window.width.min(width.saturating_sub(window.x)),
            height: window.height.min(height.saturating_sub(window.y)),
            ..window
        };
        self
    }
}

impl Blocks<'_> {
    /// The mean over pixels (x, y to y + rows) of the window that are there; nothing if none is.
    fn mean(&self, x: usize, y: usize, rows: usize) -> Option<[u8; 3]> {
        let Tile {
            x: left,
            y: top,
            width,
            height,
        } = self.window;
        let end = (y + rows).min(height);
        if x >= width || y >= end {
            return None;
        }
        let mut sums = [0_usize; 3];
        for y in y..end {
            let color = color_at(self.picture, left + x, top + y);
            for (sum, part) in sums.iter_mut().zip(color) {
                *sum += usize::from(part);
            }
        }
        Some(sums.map(|sum| (sum / (end - y)) as u8))
    }

    /// A cell of half-blocks.
    fn halves(&self, x: usize, y: usize, cell: &mut Cell) {
        // A picture of odd height ends in the middle of a cell.
        let [upper, lower] = [y, y + 1].map(|y| self.mean(x, y, 1));
        let color = |part: Option<[u8; 3]>| part.and_then(|rgb| self.depth.color(rgb));
        if let Some(upper) = color(upper) {
            cell.set_symbol("▀").set_fg(upper);
            if let Some(lower) = color(lower) {
                cell.set_bg(lower);
            }
        }
    }

    /// A cell of quadrants: of all ways to give its four parts two colours the one that comes nearest.
    fn quadrants(&self, x: usize, y: usize, cell: &mut Cell) {
        let parts = [(x, y), (x + 1, y), (x, y + 2), (x + 1, y + 2)];
        let parts = parts.map(|(x, y)| self.mean(x, y, 2));
        let there = (0..4).filter(|&part| parts[part].is_some());
        let there = there.fold(0, |mask, part| mask | 1 << part);
        let chosen = if there == 0b1111 {
            // The other half of the masks are these with colours swapped.
            (0..8).min_by_key(|mask| error(&parts, *mask) + error(&parts, 0b1111 ^ mask))
        } else {
            Some(0b1111 ^ there)
        };
        let behind = chosen.unwrap_or_default();
        let color = |mask| mean(&parts, mask).and_then(|rgb| self.depth.color(rgb));
        if let Some(front) = color(there & !behind) {
            cell.set_symbol(QUADRANTS[there & !behind]).set_fg(front);
            if let Some(back) = color(behind) {
                cell.set_bg(back);
            }
        }
    }

    /// A character as dark as the pixels.
    fn shade(&self, x: usize, y: usize, rows: usize, cell: &mut Cell) {
        let Tile {
            x: left,
            y: top,
            height,
            ..
        } = self.window;
        let end = (y + rows).min(height);
        let sum: usize = (y..end)
            .map(|y| brightness(self.picture, left + x, top + y))
            .sum();
        cell.set_symbol(RAMP[sum * RAMP.len() / (256 * (end - y))]);
    }
}

/// The mean of the parts that a mask names.
fn mean(parts: &[Option<[u8; 3]>; 4], mask: usize) -> Option<[u8; 3]> {
    let named = (0..4).filter(|part| mask >> part & 1 == 1);
    let named: Vec<[u8; 3]> = named.filter_map(|part| parts[part]).collect();
    let count = named.len();
    (count > 0).then(|| {
        [0, 1, 2].map(|channel| {
            let sum: usize = named.iter().map(|rgb| usize::from(rgb[channel])).sum();
            (sum / count) as u8
        })
    })
}

/// How far these parts are from their mean.
fn error(parts: &[Option<[u8; 3]>; 4], mask: usize) -> u32 {
    let Some(mean) = mean(parts, mask) else {
        return 0;
    };
    let named = (0..4).filter(|part| mask >> part & 1 == 1);
    let far = |rgb: [u8; 3]| -> u32 {
        let squares = rgb
            .iter()
            .zip(mean)
            .map(|(a, b)| u32::from(a.abs_diff(b)).pow(2));
        squares.sum()
    };
    named.filter_map(|part| parts[part]).map(far).sum()
}

impl Widget for Blocks<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        let [down, across] = self.canvas.cell.map(|side| usize::from(side.max(1)));
        let Tile { width, height, .. } = self.window;
        for row in 0..height.div_ceil(down).min(usize::from(area.height)) {
            for column in 0..width.div_ceil(across).min(usize::from(area.width)) {
                let (x, y) = (across * column, down * row);
                let cell = &mut buffer[(area.x + column as u16, area.y + row as u16)];
                if self.depth == ColorDepth::Monochrome {
                    self.shade(x, y, down, cell);
                } else if self.canvas.protocol == Protocol::Quadrants {
                    self.quadrants(x, y, cell);
                } else {
                    self.halves(x, y, cell);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ratatui::style::Color;

    use super::*;
    use crate::picture::Colormap;

    fn picture() -> Picture {
        Picture::Indexed(Indexed::new(
            3,
            3,
            vec![0, 10, 20, 100, 110, 120, 200, 250, 255],
            Colormap::Gray,
        ))
    }

    fn drawn(depth: ColorDepth, window: Option<Tile>) -> Buffer {
        let picture = picture();
        let mut buffer = Buffer::empty(Rect::new(0, 0, 4, 3));
        let blocks = Blocks::new(&picture, Canvas::HALF_BLOCKS, depth);
        let blocks = window.map_or(blocks, |window| blocks.window(window));
        blocks.render(Rect::new(1, 1, 9, 9), &mut buffer);
        buffer
    }

    fn grey(level: u8) -> Color {
        Color::Rgb(level, level, level)
    }

    #[test]
    fn a_cell_holds_two_pixels() {
        let buffer = drawn(ColorDepth::Full, None);
        let cell = &buffer[(2, 1)];
        assert_eq!(
            (cell.symbol(), cell.fg, cell.bg),
            ("▀", grey(10), grey(110))
        );
        let last = &buffer[(3, 2)];
        assert_eq!(
            (last.symbol(), last.fg, last.bg),
            ("▀", grey(255), Color::Reset)
        );
        assert_eq!(buffer[(0, 0)].symbol(), " ");
    }

    #[test]
    fn a_window_shows_a_part() {
        let buffer = drawn(
            ColorDepth::Full,
            Some(Tile {
                x: 1,
                y: 1,
                width: 9,
                height: 1,
            }),
        );
        let cell = &buffer[(1, 1)];
        assert_eq!((cell.fg, cell.bg), (grey(110), Color::Reset));
        assert_eq!(buffer[(3, 1)].symbol(), " ");
        assert_eq!(buffer[(1, 2)].symbol(), " ");
    }

    #[test]
    fn without_colours_there_are_characters() {
        let buffer = drawn(ColorDepth::Monochrome, None);
        let row = |y: u16| (1..4).map(|x| buffer[(x, y)].symbol()).collect::<String>();
        assert_eq!(row(1), ".::");
        assert_eq!(row(2), "#@@");
        assert!(
            buffer
                .content
                .iter()
                .all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset)
        );
    }

    #[test]
    fn four_parts_share_two_colours() {
        let canvas = Canvas {
            protocol: Protocol::Quadrants,
            cell: [4, 2],
            ..Canvas::HALF_BLOCKS
        };
        // Dark at the upper left and the lower right; the last cell is half there.
        let levels = [[0, 200, 9], [0, 200, 9], [200, 0, 9], [200, 0, 9]];
        let map = Indexed::new(3, 4, levels.concat(), Colormap::Gray);
        let picture = Picture::from(map);
        let mut buffer = Buffer::empty(Rect::new(0, 0, 3, 1));
        Blocks::new(&picture, canvas, ColorDepth::Full).render(buffer.area, &mut buffer);
        let cell = &buffer[(0, 0)];
        let colors = (cell.symbol(), cell.fg, cell.bg);
        assert!(
            colors == ("▞", grey(200), grey(0)) || colors == ("▚", grey(0), grey(200)),
            "{colors:?}"
        );
        let half = &buffer[(1, 0)];
        assert_eq!(
            (half.symbol(), half.fg, half.bg),
            ("▌", grey(9), Color::Reset)
        );
        assert_eq!(buffer[(2, 0)].symbol(), " ");
    }
}
