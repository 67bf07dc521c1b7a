//! Pictures as cells of text: two pixels in each, one above the other.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

use super::ColorDepth;
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

/// Draws a window of a picture, one pixel a cell across and two down, from the area's upper left corner on. What
/// doesn't fit is left out. Without colours a cell is a character that is as dark as its pixels.
#[derive(Clone, Copy, Debug)]
pub struct HalfBlocks<'a> {
    picture: &'a Picture,
    window: Tile,
    depth: ColorDepth,
}

impl<'a> HalfBlocks<'a> {
    /// All of a picture.
    pub fn new(picture: &'a Picture, depth: ColorDepth) -> Self {
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

impl Widget for HalfBlocks<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        let Tile {
            x: left,
            y: top,
            width,
            height,
        } = self.window;
        for row in 0..height.div_ceil(2).min(usize::from(area.height)) {
            let upper = top + 2 * row;
            // A picture of odd height ends in the middle of a cell.
            let lower = Some(upper + 1).filter(|lower| *lower < top + height);
            for column in 0..width.min(usize::from(area.width)) {
                let x = left + column;
                let cell = &mut buffer[(area.x + column as u16, area.y + row as u16)];
                if let Some(color) = self.depth.color(color_at(self.picture, x, upper)) {
                    cell.set_symbol("▀").set_fg(color);
                    if let Some(color) =
                        lower.and_then(|y| self.depth.color(color_at(self.picture, x, y)))
                    {
                        cell.set_bg(color);
                    }
                } else {
                    let upper = brightness(self.picture, x, upper);
                    let lower = lower.map_or(upper, |y| brightness(self.picture, x, y));
                    cell.set_symbol(RAMP[(upper + lower) * RAMP.len() / 512]);
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
        let blocks = HalfBlocks::new(&picture, depth);
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
}
