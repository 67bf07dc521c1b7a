//! Pictures among the lines of a shell's output, which scroll with it.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use image::imageops::{self, FilterType};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Color;
use ratatui::widgets::Widget;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::stdio::stdin;

use super::blocks::Blocks;
use super::canvas::{Canvas, Protocol};
use super::color::ColorDepth;
use super::courier::Courier;
use super::cutout::Cutout;
use super::frame::Placed;
use super::placeholders::stamp;
use super::png;
use super::transmission::{Transmission, kitty};
use crate::model::Filter;
use crate::photo::resize::pillow;
use crate::picture::{Picture, Tile};

/// Small pictures are enlarged to nearly so many columns.
const COLUMNS: u16 = 64;

/// What a picture may take to come through tmux.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long an answer is waited for before it is seen to what is due.
const WAIT: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 20_000_000,
};

/// Prints a picture, ending with a line of its own: small ones enlarged by whole factors, those that are wider than
/// `columns` shrunk. `answered` says whether there is a terminal that answers.
///
/// # Errors
/// If the picture is empty, or the terminal is gone.
pub fn print(
    picture: &Picture,
    canvas: Canvas,
    depth: ColorDepth,
    columns: u16,
    answered: bool,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let cutout = Cutout::whole(sized(picture, canvas, columns));
    let mut bytes = match canvas.protocol {
        Protocol::Quadrants | Protocol::HalfBlocks => characters(cutout.picture(), canvas, depth),
        Protocol::Kitty if canvas.tmux => {
            let picture = Arc::new(Transmission::new(&cutout, canvas, canvas.cell)?);
            if answered {
                carry(&picture, out)?;
            } else {
                out.write_all(&picture.bytes)?;
            }
            by_characters(picture)
        }
        // Without a name: it replaces no picture that was printed before.
        Protocol::Kitty => kitty("a=T,f=100,q=2", &png::encode(&cutout)?, false),
        Protocol::Iterm2 | Protocol::Sixel => {
            Transmission::new(&cutout, canvas, canvas.cell)?.bytes
        }
    };
    if !bytes.ends_with(b"\n") {
        bytes.push(b'\n');
    }
    out.write_all(&bytes)?;
    Ok(out.flush()?)
}

/// Brings a picture through tmux, which may drop it a few times.
fn carry(picture: &Arc<Transmission>, out: &mut impl Write) -> io::Result<()> {
    enable_raw_mode()?;
    let carried = converse(picture, out);
    disable_raw_mode()?;
    if carried? {
        return Ok(());
    }
    // Nobody answers: it may come all the same.
    out.write_all(&picture.bytes)
}

/// Returns whether the picture has come.
fn converse(picture: &Arc<Transmission>, out: &mut impl Write) -> io::Result<bool> {
    let start = Instant::now();
    let mut courier = Courier::default();
    courier.touch(start);
    courier.want(vec![picture.clone()], |_| true);
    let mut bytes = courier.next(start);
    let mut heard = Vec::new();
    while courier.is_busy() {
        out.write_all(&bytes)?;
        out.flush()?;
        if start.elapsed() > PATIENCE {
            return Ok(false);
        }
        let input = stdin();
        let mut piece = [0; 256];
        if poll(&mut [PollFd::new(&input, PollFlags::IN)], Some(&WAIT))? > 0 {
            let count = rustix::io::read(input, &mut piece)?;
            heard.extend_from_slice(&piece[..count]);
        }
        bytes = courier.next(Instant::now());
        while let Some((said, end)) = answer(&heard) {
            bytes.extend(courier.answered(&said, Instant::now()));
            heard.drain(..end);
        }
    }
    Ok(true)
}

/// What stands between `ESC _` and `ESC \`, and where that ends.
fn answer(heard: &[u8]) -> Option<(String, usize)> {
    let find = |what: &[u8], from: usize| {
        let mut windows = heard.get(from..)?.windows(what.len());
        Some(from + windows.position(|window| window == what)?)
    };
    let start = find(b"\x1b_", 0)? + 2;
    let end = find(b"\x1b\\", start)?;
    let said = String::from_utf8_lossy(&heard[start..end]).into_owned();
    Some((said, end + 2))
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
fn by_characters(picture: Arc<Transmission>) -> Vec<u8> {
    let [height, width] = picture.size();
    let [down, across] = picture.cell.map(usize::from);
    let area = Rect::new(
        0,
        0,
        width.div_ceil(across) as u16,
        height.div_ceil(down) as u16,
    );
    let mut buffer = Buffer::empty(area);
    let window = Tile {
        x: 0,
        y: 0,
        width,
        height,
    };
    let placed = Placed {
        picture,
        window,
        area,
        above: false,
    };
    stamp(&placed, &mut buffer);
    lines(&buffer)
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
        let mut bytes = Vec::new();
        print(
            picture,
            canvas,
            ColorDepth::Full,
            columns,
            false,
            &mut bytes,
        )
        .unwrap();
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
        let bytes = |depth| {
            let mut bytes = Vec::new();
            print(&picture, canvas, depth, 2, false, &mut bytes).unwrap();
            bytes
        };
        let full = String::from_utf8(bytes(ColorDepth::Full)).unwrap();
        assert_eq!(
            full,
            "\x1b[0;38;2;0;0;0;48;2;2;2;2m▀\x1b[0;38;2;1;1;1;48;2;3;3;3m▀\x1b[0m\n"
        );
        assert_eq!(bytes(ColorDepth::Monochrome), b"  \n");
    }
}
