//! kitty's pictures placed by characters, which tmux moves and hides like any text. Each character stands for one cell
//! of a picture: marks over it say which row and column, its colour which picture.
//! <https://sw.kovidgoyal.net/kitty/graphics-protocol/#unicode-placeholders>

use ratatui::buffer::Buffer;
use ratatui::layout::Position;
use ratatui::style::{Color, Style};

use super::frame::Placed;

const PLACEHOLDER: char = '\u{10eeee}';

/// Marks that stand for 0, 1, 2 and so on: from where on, and how many follow each other.
const MARKS: [(u32, u32); 86] = [
    (0x305, 1),
    (0x30d, 2),
    (0x310, 1),
    (0x312, 1),
    (0x33d, 3),
    (0x346, 1),
    (0x34a, 3),
    (0x350, 3),
    (0x357, 1),
    (0x35b, 1),
    (0x363, 13),
    (0x483, 5),
    (0x592, 4),
    (0x597, 3),
    (0x59c, 6),
    (0x5a8, 2),
    (0x5ab, 2),
    (0x5af, 1),
    (0x5c4, 1),
    (0x610, 8),
    (0x657, 5),
    (0x65d, 2),
    (0x6d6, 7),
    (0x6df, 4),
    (0x6e4, 1),
    (0x6e7, 2),
    (0x6eb, 2),
    (0x730, 1),
    (0x732, 2),
    (0x735, 2),
    (0x73a, 1),
    (0x73d, 1),
    (0x73f, 3),
    (0x743, 1),
    (0x745, 1),
    (0x747, 1),
    (0x749, 2),
    (0x7eb, 7),
    (0x7f3, 1),
    (0x816, 4),
    (0x81b, 9),
    (0x825, 3),
    (0x829, 5),
    (0x951, 1),
    (0x953, 2),
    (0xf82, 2),
    (0xf86, 2),
    (0x135d, 3),
    (0x17dd, 1),
    (0x193a, 1),
    (0x1a17, 1),
    (0x1a75, 8),
    (0x1b6b, 1),
    (0x1b6d, 7),
    (0x1cd0, 3),
    (0x1cda, 2),
    (0x1ce0, 1),
    (0x1dc0, 2),
    (0x1dc3, 7),
    (0x1dcb, 2),
    (0x1dd1, 22),
    (0x1dfe, 1),
    (0x20d0, 2),
    (0x20d4, 4),
    (0x20db, 2),
    (0x20e1, 1),
    (0x20e7, 1),
    (0x20e9, 1),
    (0x20f0, 1),
    (0x2cef, 3),
    (0x2de0, 32),
    (0xa66f, 1),
    (0xa67c, 2),
    (0xa6f0, 2),
    (0xa8e0, 18),
    (0xaab0, 1),
    (0xaab2, 2),
    (0xaab7, 2),
    (0xaabe, 2),
    (0xaac1, 1),
    (0xfe20, 7),
    (0x10a0f, 1),
    (0x10a38, 1),
    (0x1d185, 5),
    (0x1d1aa, 4),
    (0x1d242, 3),
];

/// Puts the characters of a part of a picture in its place.
pub(super) fn stamp(placed: &Placed, buffer: &mut Buffer) {
    let picture = &placed.picture;
    let [down, across] = picture.cell.map(|side| usize::from(side).max(1));
    let first = [placed.window.y / down, placed.window.x / across];
    let style = Style::reset().fg(Color::Indexed(picture.id as u8));
    let Some(which) = mark((picture.id >> 24) as usize) else {
        return;
    };
    for Position { x, y } in placed.area.intersection(buffer.area).positions() {
        let row = mark(first[0] + usize::from(y - placed.area.y));
        let column = mark(first[1] + usize::from(x - placed.area.x));
        if let (Some(row), Some(column)) = (row, column) {
            let symbol: String = [PLACEHOLDER, row, column, which].iter().collect();
            buffer[(x, y)].set_symbol(&symbol).set_style(style);
        }
    }
}

/// Nothing beyond 296: no screen is so large.
fn mark(number: usize) -> Option<char> {
    let mut left = u32::try_from(number).ok()?;
    for (first, count) in MARKS {
        if left < count {
            return char::from_u32(first + left);
        }
        left -= count;
    }
    None
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ratatui::layout::Rect;

    use super::*;
    use crate::picture::{Colormap, Indexed, Tile};
    use crate::terminal::{Canvas, Cutout, Protocol, Transmission};

    #[test]
    fn there_are_as_many_marks_as_kitty_knows() {
        assert_eq!(
            (mark(0), mark(1), mark(2)),
            (Some('\u{305}'), Some('\u{30d}'), Some('\u{30e}'))
        );
        assert_eq!((mark(296), mark(297)), (Some('\u{1d244}'), None));
    }

    #[test]
    fn every_cell_says_what_it_shows() {
        let canvas = Canvas {
            protocol: Protocol::Kitty,
            cell: [20, 10],
            tmux: true,
            ..Canvas::HALF_BLOCKS
        };
        let map = Indexed::new(50, 60, vec![3; 3000], Colormap::Gray);
        let picture = Transmission::new(&Cutout::whole(map.into()), canvas, canvas.cell).unwrap();
        let id = picture.id;
        let mut buffer = Buffer::empty(Rect::new(0, 0, 8, 4));
        let placed = Placed {
            picture: Arc::new(picture),
            window: Tile {
                x: 20,
                y: 20,
                width: 30,
                height: 40,
            },
            area: Rect::new(4, 1, 3, 2),
            above: false,
        };
        stamp(&placed, &mut buffer);
        let cell = &buffer[(5, 2)];
        let which = mark((id >> 24) as usize).unwrap();
        let expected: String = [PLACEHOLDER, mark(2).unwrap(), mark(3).unwrap(), which]
            .iter()
            .collect();
        assert_eq!(
            (cell.symbol(), cell.fg),
            (expected.as_str(), Color::Indexed(id as u8))
        );
        assert_eq!(
            (buffer[(3, 1)].symbol(), buffer[(7, 1)].symbol()),
            (" ", " ")
        );
    }
}
