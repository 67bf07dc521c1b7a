//! What pictures are drawn with, and how many pixels a cell has for it.

use std::env;

use crossterm::terminal::window_size;

use super::probe::Traits;

/// How pictures are brought to a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// kitty's: PNG files that the terminal holds, placed over the cells.
    Kitty,
    /// iTerm2's: PNG and JPEG files, drawn where the cursor is.
    Iterm2,
    /// DEC's: rows of six pixels in up to 256 colours, drawn where the cursor is.
    Sixel,
    /// Four parts of a cell in two colours.
    Quadrants,
    /// Two pixels a cell, in any terminal; without colours, characters.
    HalfBlocks,
}

impl Protocol {
    /// Every protocol, the best first.
    pub const ALL: [Self; 5] = [
        Self::Kitty,
        Self::Iterm2,
        Self::Sixel,
        Self::Quadrants,
        Self::HalfBlocks,
    ];

    /// As the command line has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kitty => "kitty",
            Self::Iterm2 => "iterm2",
            Self::Sixel => "sixel",
            Self::Quadrants => "quadrants",
            Self::HalfBlocks => "halfblocks",
        }
    }

    /// Whether pictures are characters.
    pub fn is_text(self) -> bool {
        matches!(self, Self::Quadrants | Self::HalfBlocks)
    }
}

/// What pictures are drawn with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Canvas {
    /// How.
    pub protocol: Protocol,
    /// (height, width) of a cell in pixels.
    pub cell: [u16; 2],
    /// Whether tmux stands between the program and the terminal: what it doesn't know is wrapped for it, and kitty's
    /// pictures are placed by characters that it can move.
    pub tmux: bool,
    /// How many colours a sixel picture may have.
    pub colors: u16,
    /// (height, width) of the largest sixel picture, in pixels.
    pub largest: [u32; 2],
    /// Red, green and blue of what is around the pictures, where it is known.
    pub background: Option<[u8; 3]>,
}

/// Of a terminal that shows pictures but doesn't tell its cells' size.
const USUAL_CELL: [u16; 2] = [18, 9];

/// What tmux says where it doesn't know, such as after its `resize-window`.
const TMUX_GUESS: [u16; 2] = [32, 16];

/// No terminal's largest picture is smaller; what says so is mistaken.
const LEAST_LARGEST: u32 = 256;

impl Canvas {
    /// What every terminal can show.
    pub const HALF_BLOCKS: Self = Self {
        protocol: Protocol::HalfBlocks,
        cell: [2, 1],
        tmux: false,
        colors: 256,
        largest: [u32::MAX; 2],
        background: None,
    };

    /// For a protocol on a terminal.
    pub fn new(protocol: Protocol, traits: &Traits) -> Self {
        let cell = match protocol {
            Protocol::HalfBlocks => [2, 1],
            // Square pixels, of which a character shows its four parts' means.
            Protocol::Quadrants => [4, 2],
            _ => traits.cell.unwrap_or(USUAL_CELL),
        };
        let wrapped = matches!(protocol, Protocol::Kitty | Protocol::Iterm2);
        let most = u32::from(Self::HALF_BLOCKS.colors);
        Self {
            protocol,
            cell,
            tmux: wrapped && traits.tmux().is_some(),
            colors: traits.registers.unwrap_or(most).clamp(16, most) as u16,
            largest: match (protocol, traits.largest) {
                (Protocol::Sixel, Some(largest)) => largest.map(|side| side.max(LEAST_LARGEST)),
                _ => Self::HALF_BLOCKS.largest,
            },
            background: traits.background,
        }
    }

    /// Rows of pixels that are drawn together: what isn't a multiple of it takes room all the same.
    pub fn step(&self) -> usize {
        match self.protocol {
            Protocol::Sixel => 6,
            _ => 1,
        }
    }

    /// After the terminal's letters may have changed their size.
    #[must_use]
    pub fn with_cell(self, cell: Option<[u16; 2]>) -> Self {
        match cell {
            Some(cell) if !self.protocol.is_text() => Self { cell, ..self },
            _ => self,
        }
    }
}

/// (height, width) of a cell in pixels, if the terminal's size says so.
pub fn cell_of_window() -> Option<[u16; 2]> {
    let window = window_size().ok()?;
    let height = window.height.checked_div(window.rows)?;
    let width = window.width.checked_div(window.columns)?;
    let guessed = [height, width] == TMUX_GUESS && env::var_os("TMUX").is_some();
    sensible([height, width]).filter(|_| !guessed)
}

/// Cells that a picture can be drawn in.
pub(super) fn sensible(cell: [u16; 2]) -> Option<[u16; 2]> {
    cell.iter()
        .all(|side| (2..=200).contains(side))
        .then_some(cell)
}

#[cfg(test)]
mod tests {
    use super::super::multiplexer::{Multiplexer, Tmux};
    use super::*;

    #[test]
    fn a_canvas_is_what_the_terminal_has() {
        let plain = Traits::default();
        assert_eq!(
            Canvas::new(Protocol::HalfBlocks, &plain),
            Canvas::HALF_BLOCKS
        );
        assert_eq!(Canvas::new(Protocol::Kitty, &plain).cell, USUAL_CELL);
        assert_eq!(Canvas::new(Protocol::Quadrants, &plain).cell, [4, 2]);
        let able = Traits {
            cell: Some([20, 10]),
            background: Some([1, 2, 3]),
            ..plain
        };
        let canvas = Canvas::new(Protocol::Sixel, &able);
        assert_eq!(canvas.cell, [20, 10]);
        assert_eq!(canvas.background, Some([1, 2, 3]));
    }

    #[test]
    fn colours_of_sixel_pictures_are_within_bounds() {
        for (registers, colors) in [
            (None, 256),
            (Some(4), 16),
            (Some(64), 64),
            (Some(65536), 256),
        ] {
            let traits = Traits {
                registers,
                ..Traits::default()
            };
            assert_eq!(Canvas::new(Protocol::Sixel, &traits).colors, colors);
        }
    }

    #[test]
    fn only_what_tmux_doesnt_know_is_wrapped() {
        let traits = Traits {
            multiplexer: Some(Multiplexer::Tmux(Tmux::default())),
            ..Traits::default()
        };
        let wrapped = Protocol::ALL.map(|protocol| Canvas::new(protocol, &traits).tmux);
        assert_eq!(wrapped, [true, true, false, false, false]);
    }

    #[test]
    fn larger_letters_are_followed_where_they_matter() {
        let cell = Some([30, 15]);
        assert_eq!(Canvas::HALF_BLOCKS.with_cell(cell), Canvas::HALF_BLOCKS);
        let kitty = Canvas {
            protocol: Protocol::Kitty,
            cell: [18, 9],
            ..Canvas::HALF_BLOCKS
        };
        assert_eq!(kitty.with_cell(cell).cell, [30, 15]);
        assert_eq!(kitty.with_cell(None).cell, [18, 9]);
    }
}
