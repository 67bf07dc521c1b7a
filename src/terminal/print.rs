//! Pictures among the lines of a shell's output, which scroll with it.

use std::sync::Arc;

use image::imageops::{self, FilterType};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Color;
use ratatui::widgets::Widget;

use super::blocks::Blocks;
use super::canvas::{Canvas, Protocol};
use super::color::ColorDepth;
use super::cutout::Cutout;
use super::frame::Placed;
use super::placeholders::stamp;
use super::transmission::{Transmission, kitty};
use super::png;
use crate::error::Result;
use crate::model::Filter;
use crate::photo::resize::pillow;
use crate::picture::{Picture, Tile};

/// Small pictures are enlarged to nearly so many columns.
const COLUMNS: u16 = 64;

/// A picture as what a program prints, ending with a line of its own: small ones enlarged by whole factors, those that
/// are wider than the terminal's `columns` shrunk.
///
/// # Errors
/// If the picture is empty.
pub fn printed(
    picture: &Picture,
    canvas: Canvas,
    depth: ColorDepth,
    columns: u16,
) -> Result<Vec<u8>> {
    let picture = sized(picture, canvas, columns);
    let cutout = Cutout::whole(picture);
    let mut bytes = match canvas.protocol {
        Protocol::Quadrants | Protocol::HalfBlocks => {
            return Ok(characters(cutout.picture(), canvas, depth));
        }
        Protocol::Kitty if canvas.tmux => return by_characters(&cutout, canvas),
        // Without a name: it replaces no picture that was printed before.
        Protocol::Kitty => kitty("a=T,f=100,q=2", &png::encode(&cutout)?, false),
        Protocol::Iterm2 | Protocol::Sixel => {
            Transmission::new(&cutout, canvas, canvas.cell)?.bytes
        }
    };
    bytes.push(b'\n');
    Ok(bytes)
}

fn sized(picture: &Picture, canvas: Canvas, columns: u16) -> Picture {
    let across = usize::from(canvas.cell[1]);
    let [height, width] = [picture.height() as usize, picture.width() as usize];
    let room = across * usize::from(columns.max(1));
    let factor = (across * usize::from(columns.min(COLUMNS))) / width.max(1);
    if width > room {
        let height = (height * room).div_ceil(width);
        pillow(&picture.to_rgb(), [height, room], Filter::Box).into()
    } else if factor > 1 {
        match picture {
            Picture::Indexed(levels) => levels.enlarged(factor).into(),
            Picture::Rgb(photo) => {
                let [height, width] = [height * factor, width * factor];
                imageops::resize(photo, width as u32, height as u32, FilterType::Nearest).into()
            }
        }
    } else {
        picture.clone()
    }
}

/// kitty's picture in tmux: lines of characters that stand for it.
fn by_characters(cutout: &Cutout, canvas: Canvas) -> Result<Vec<u8>> {
    let picture = Arc::new(Transmission::new(cutout, canvas, canvas.cell)?);
    let [height, width] = cutout.size();
    let [down, across] = canvas.cell.map(usize::from);
    let area = Rect::new(
        0,
        0,
        width.div_ceil(across) as u16,
        height.div_ceil(down) as u16,
    );
    let mut buffer = Buffer::empty(area);
    let mut bytes = picture.bytes.clone();
    stamp(
        &Placed {
            picture,
            window: Tile {
                x: 0,
                y: 0,
                width,
                height,
            },
            area,
            above: false,
        },
        &mut buffer,
    );
    bytes.extend(lines(&buffer));
    Ok(bytes)
}

fn characters(picture: &Picture, canvas: Canvas, depth: ColorDepth) -> Vec<u8> {
    let [down, across] = canvas.cell.map(u32::from);
    let columns = picture.width().div_ceil(across) as u16;
    let rows = picture.height().div_ceil(down) as u16;
    let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
    Blocks::new(picture, canvas, depth).render(buffer.area, &mut buffer);
    lines(&buffer)
}

/// The lines of a buffer, each with its colours and back.
fn lines(buffer: &Buffer) -> Vec<u8> {
    let mut text = String::new();
    for row in buffer.content.chunks(usize::from(buffer.area.width.max(1))) {
        let mut colors = (Color::Reset, Color::Reset);
        for cell in row {
            if (cell.fg, cell.bg) != colors {
                colors = (cell.fg, cell.bg);
                text.push_str("\x1b[0");
                text.push_str(&parameters(38, cell.fg));
                text.push_str(&parameters(48, cell.bg));
                text.push('m');
            }
            text.push_str(cell.symbol());
        }
        if colors != (Color::Reset, Color::Reset) {
            text.push_str("\x1b[0m");
        }
        text.push('\n');
    }
    text.into_bytes()
}

/// Of a colour before (38) or behind (48) the letters.
fn parameters(place: u8, color: Color) -> String {
    match color {
        Color::Rgb(red, green, blue) => format!(";{place};2;{red};{green};{blue}"),
        Color::Indexed(index) => format!(";{place};5;{index}"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::{Colormap, Indexed};

    fn map(side: u32) -> Picture {
        let levels = (0..side * side).map(|index| index as u8).collect();
        Indexed::new(side, side, levels, Colormap::Gray).into()
    }

    fn canvas(protocol: Protocol, tmux: bool) -> Canvas {
        Canvas {
            protocol,
            cell: [20, 10],
            tmux,
            ..Canvas::HALF_BLOCKS
        }
    }

    fn text(picture: &Picture, canvas: Canvas, columns: u16) -> String {
        let bytes = printed(picture, canvas, ColorDepth::Full, columns).unwrap();
        String::from_utf8_lossy(&bytes).replace('\x1b', "^")
    }

    #[test]
    fn pictures_suit_the_terminals_width() {
        let kitty = canvas(Protocol::Kitty, false);
        assert_eq!(sized(&map(30), kitty, 80).width(), 630);
        assert_eq!(sized(&map(30), kitty, 20).width(), 180);
        assert_eq!(sized(&map(300), kitty, 20).width(), 200);
        assert_eq!(sized(&map(30), Canvas::HALF_BLOCKS, 80).width(), 60);
    }

    #[test]
    fn every_protocol_ends_with_a_line() {
        let kitty = text(&map(30), canvas(Protocol::Kitty, false), 80);
        assert!(kitty.starts_with("^_Ga=T,f=100,q=2,m=") && kitty.ends_with("^\\\n"));
        let sixel = text(&map(30), canvas(Protocol::Sixel, false), 80);
        assert!(sixel.starts_with("^P0;1q\"1;1;630;630") && sixel.ends_with("^\\\n"));
        let iterm2 = text(&map(30), canvas(Protocol::Iterm2, false), 80);
        assert!(iterm2.starts_with("^]1337;File=") && iterm2.ends_with("\x07\n"));
        // Ten cells of 20x10: five lines of ten characters.
        let tmux = text(&map(10), canvas(Protocol::Kitty, true), 10);
        assert_eq!(
            (
                tmux.matches('\n').count(),
                tmux.matches('\u{10eeee}').count()
            ),
            (5, 50)
        );
    }

    #[test]
    fn characters_have_colours_or_none() {
        let picture = map(2);
        let canvas = Canvas::HALF_BLOCKS;
        let bytes = |depth| printed(&picture, canvas, depth, 2).unwrap();
        let full = String::from_utf8(bytes(ColorDepth::Full)).unwrap();
        assert_eq!(
            full,
            "\x1b[0;38;2;0;0;0;48;2;2;2;2m▀\x1b[0;38;2;1;1;1;48;2;3;3;3m▀\x1b[0m\n"
        );
        assert_eq!(bytes(ColorDepth::Monochrome), b"  \n");
    }
}
