//! Pictures that are drawn where the cursor is, and that the terminal then treats like text: sixels, and iTerm2's.
//!
//! What is written over them is gone for good; so whatever stands on the screen as it should is left alone, and what
//! isn't wanted any more goes by having its cells written again.

use std::io::{self, Write};

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect};

use super::frame::Placed;

/// No cell looks like this, so that every one is written where this was.
const UNKNOWN: &str = "\u{fffd}";

/// What stands on the screen.
#[derive(Debug, Default)]
pub(super) struct Inline {
    shown: Vec<Placed>,
}

impl Inline {
    /// Compares with what is wanted, and returns what is to be drawn. The cells of what goes are made to be written again
    /// in the buffer of what is shown.
    pub(super) fn prepare(&mut self, wanted: Vec<Placed>, shown: &mut Buffer) -> Vec<Placed> {
        let (mut stay, mut come): (Vec<Placed>, Vec<Placed>) =
            wanted.into_iter().partition(|placed| {
                self.shown
                    .iter()
                    .any(|old| old.picture.id == placed.picture.id && old.area == placed.area)
            });
        let gone = self.shown.drain(..).filter(|old| {
            let stays = stay.iter().any(|placed| placed.area == old.area);
            // A picture with the same holes covers the old one.
            let covered = come.iter().any(|placed| {
                placed.area == old.area
                    && placed.picture.size() == old.picture.size()
                    && placed.picture.parts == old.picture.parts
            });
            !stays && !covered
        });
        let gone: Vec<Rect> = gone.map(|old| old.area).collect();
        for area in &gone {
            for position in area.intersection(shown.area).positions() {
                shown[position].set_symbol(UNKNOWN);
            }
        }
        // What shared cells with it is lost as well.
        let mut index = 0;
        while index < stay.len() {
            if gone.iter().any(|area| area.intersects(stay[index].area)) {
                come.push(stay.swap_remove(index));
            } else {
                index += 1;
            }
        }
        self.shown = stay;
        come
    }

    /// Draws what comes, after all text has been. Returns the cells of text within it, which have to be written again.
    pub(super) fn draw<'a>(
        &mut self,
        come: Vec<Placed>,
        text: &'a Buffer,
        out: &mut impl Write,
    ) -> io::Result<Vec<(u16, u16, &'a Cell)>> {
        let mut again = Vec::new();
        for placed in &come {
            let (x, y) = (placed.area.x + 1, placed.area.y + 1);
            write!(out, "\x1b[{y};{x}H")?;
            out.write_all(placed.picture.bytes())?;
            let cells = placed.area.intersection(text.area).positions();
            let cells = cells.map(|Position { x, y }| (x, y, &text[(x, y)]));
            again.extend(cells.filter(|(.., cell)| cell.symbol() != " "));
        }
        self.shown.extend(come);
        Ok(again)
    }

    /// Whether there is anything on the screen.
    pub(super) fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// Forgets everything: the screen was cleared.
    pub(super) fn clear(&mut self) {
        self.shown.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::picture::{Colormap, Indexed, Tile};
    use crate::terminal::{Canvas, Cutout, Protocol, Transmission};

    fn picture(parts: &[usize]) -> Arc<Transmission> {
        let canvas = Canvas {
            protocol: Protocol::Sixel,
            cell: [6, 3],
            ..Canvas::HALF_BLOCKS
        };
        let map = Indexed::new(12, 6, vec![7; 72], Colormap::Gray);
        let part = |x: &usize| Tile {
            x: *x,
            y: 0,
            width: 3,
            height: 6,
        };
        let cutout = Cutout::new(map.into(), parts.iter().map(part).collect());
        Arc::new(Transmission::new(&cutout, canvas, canvas.cell).unwrap())
    }

    fn placed(picture: &Arc<Transmission>, y: u16) -> Placed {
        Placed {
            picture: picture.clone(),
            window: Tile {
                x: 0,
                y: 0,
                width: 12,
                height: 6,
            },
            area: Rect::new(2, y, 4, 1),
            above: false,
        }
    }

    /// What is drawn, and how many cells are to be written again.
    fn step(inline: &mut Inline, wanted: &[Placed]) -> (String, usize) {
        let mut shown = Buffer::empty(Rect::new(0, 0, 10, 5));
        // A frame in which nothing changes leaves everything as it is.
        let before = inline.shown.clone();
        let same = inline.prepare(before.clone(), &mut shown);
        assert!(same.is_empty() && inline.shown.len() == before.len());
        let come = inline.prepare(wanted.to_vec(), &mut shown);
        let mut out = Vec::new();
        let text = Buffer::with_lines(["", "  |"]);
        let again = inline.draw(come, &text, &mut out).unwrap();
        assert!(again.iter().all(|(x, y, _)| (*x, *y) == (2, 1)));
        let again = shown.content.iter().filter(|cell| cell.symbol() == UNKNOWN);
        (String::from_utf8(out).unwrap(), again.count())
    }

    #[test]
    fn what_stands_right_is_left_alone() {
        let (first, second) = (picture(&[0, 6]), picture(&[0, 6]));
        let mut inline = Inline::default();
        let (drawn, again) = step(&mut inline, &[placed(&first, 1), placed(&second, 3)]);
        assert!(drawn.starts_with("\x1b[2;3H\x1bP") && drawn.contains("\x1b[4;3H\x1bP"));
        assert_eq!(again, 0);
        let (drawn, again) = step(&mut inline, &[placed(&first, 1), placed(&second, 3)]);
        assert_eq!((drawn.as_str(), again), ("", 0));
        let (drawn, again) = step(&mut inline, &[placed(&first, 1)]);
        assert_eq!((drawn.as_str(), again), ("", 4));
        assert!(!inline.is_empty());
    }

    #[test]
    fn only_what_has_the_same_holes_covers_the_old() {
        let (old, alike, other) = (picture(&[0, 6]), picture(&[0, 6]), picture(&[3]));
        let mut inline = Inline::default();
        step(&mut inline, &[placed(&old, 1)]);
        let (drawn, again) = step(&mut inline, &[placed(&alike, 1)]);
        assert!(drawn.contains("\x1bP") && again == 0);
        let (drawn, again) = step(&mut inline, &[placed(&other, 1)]);
        assert!(drawn.contains("\x1bP") && again == 4);
    }

    #[test]
    fn what_shares_cells_with_what_goes_is_drawn_again() {
        let (below, above) = (picture(&[0]), picture(&[9]));
        let mut inline = Inline::default();
        let mut lower = placed(&below, 1);
        lower.area.height = 2;
        step(&mut inline, &[lower.clone(), placed(&above, 2)]);
        let (drawn, again) = step(&mut inline, &[lower]);
        assert!(drawn.contains("\x1bP") && again == 4);
    }
}
