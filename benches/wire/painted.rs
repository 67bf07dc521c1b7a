//! What a picture takes: bytes on the wire, and time to paint it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use convscope::picture::Tile;
use convscope::terminal::{Blocks, ColorDepth, Protocol};
use convscope::tui::painter::{
    Detail, Drawer, PaintOrder, Painting, Places, Sheet, is_layered, paint,
};
use ratatui::backend::{Backend as _, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::widgets::Widget as _;

use super::pictures::Case;
use super::spread::Spread;

/// A single picture is painted so often.
const ROUNDS: usize = 9;

pub struct Painted {
    pub bytes: Spread<usize>,
    pub time: Spread<Duration>,
}

/// All pictures of a case, each on a blank screen; but the terminal holds what it was sent for the ones before.
pub fn measure(case: &Case, protocol: Protocol) -> Result<Painted> {
    let order = |index| order(case, index, protocol);
    let mut drawer = Drawer::default();
    let count = case.shown.len();
    let rounds = if count == 1 { ROUNDS } else { 1 };
    paint(&order(count - 1), &mut drawer)?;
    let (mut bytes, mut times) = (Vec::new(), Vec::new());
    for index in (0..count).cycle().take(count * rounds) {
        let order = order(index);
        let start = Instant::now();
        let painting = paint(&order, &mut drawer)?;
        times.push(start.elapsed());
        if protocol.is_text() {
            let drawn = cells(&painting);
            let changes = Buffer::empty(drawn.area).diff(&drawn);
            let mut out = Vec::new();
            CrosstermBackend::new(&mut out).draw(changes.into_iter())?;
            bytes.push(out.len());
        } else {
            let held = usize::from(painting.places == Places::Above);
            let sheets = painting.sheets.iter().skip(held);
            bytes.push(sheets.map(sent).sum());
        }
    }
    Ok(Painted {
        bytes: Spread::of(bytes)?,
        time: Spread::of(times)?,
    })
}

/// The files that a terminal with kitty's protocol is given, each picture exact.
pub fn files(case: &Case) -> Result<Vec<Vec<u8>>> {
    let file = |index| {
        let painting = paint(
            &case.order(index, Protocol::Kitty, Detail::Full),
            &mut Drawer::default(),
        )?;
        let [Sheet::Sent(picture)] = &painting.sheets[..] else {
            bail!("{} is not one picture", case.what);
        };
        let text = std::str::from_utf8(picture.bytes())?;
        let pieces = text.split_terminator("\x1b\\");
        let data = pieces.map(|piece| piece.split_once(';').map(|(_, data)| data));
        let data: Option<String> = data.collect();
        Ok(STANDARD.decode(data.context("a piece without data")?)?)
    };
    (0..case.shown.len()).map(file).collect()
}

fn order(case: &Case, index: usize, protocol: Protocol) -> PaintOrder {
    let rough = case.order(index, protocol, Detail::Rough);
    if case.on_the_way && is_layered(&rough.key) {
        rough
    } else {
        case.order(index, protocol, Detail::Full)
    }
}

fn sent(sheet: &Sheet) -> usize {
    match sheet {
        Sheet::Cells(_) => 0,
        Sheet::Sent(picture) => picture.bytes().len(),
    }
}

/// The screen with a painting of cells.
fn cells(painting: &Painting) -> Buffer {
    let room = Rect::from((Position::ORIGIN, painting.key.room));
    let mut buffer = Buffer::empty(room);
    let [Sheet::Cells(picture)] = &painting.sheets[..] else {
        return buffer;
    };
    let mut draw = |window: Tile, area: Rect| {
        Blocks::new(picture, painting.key.canvas, ColorDepth::Full)
            .window(window)
            .render(area, &mut buffer);
    };
    if let Some(tiles) = painting.tiles {
        for channel in tiles.visible(0) {
            if let Some((_, window)) = painting.tile(channel) {
                draw(window, tiles.area(channel, 0, room.as_position()));
            }
        }
    } else {
        let whole = Tile {
            x: 0,
            y: 0,
            width: picture.width() as usize,
            height: picture.height() as usize,
        };
        draw(whole, room);
    }
    buffer
}
