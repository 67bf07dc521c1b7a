//! kitty's graphics protocol: PNG files sent once, and parts of them placed over the cells.
//!
//! What stands on the screen is compared with what is to stand there: a placement that stays is not touched, one
//! that moves keeps its name, so that the terminal moves it, and the old ones go after the new ones have come.
//! <https://sw.kovidgoyal.net/kitty/graphics-protocol/>

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};
use std::sync::{Arc, Weak};

use ratatui::layout::Position;

use super::frame::Placed;
use super::passthrough::wrapped;
use super::transmission::Transmission;
use crate::picture::Tile;

/// What the pictures that a terminal holds may take there, in bytes of four a pixel.
const BUDGET: usize = 96 << 20;

/// The end of a picture that was broken off; nothing if none was.
const LAST_PIECE: &[u8] = b"\x1b_Gm=0,q=2;\x1b\\";

/// As many pictures can be told apart by the characters of one run of the program.
const MOST: usize = 1000;

/// What the terminal holds and shows.
#[derive(Debug, Default)]
pub(super) struct Kitty {
    held: Vec<Held>,
    shown: Vec<Shown>,
    last_placement: u32,
    clock: u64,
}

#[derive(Debug)]
struct Held {
    id: u32,
    /// Gone when nobody can ask for it again.
    picture: Weak<Transmission>,
    by_characters: bool,
    memory: usize,
    used: u64,
}

/// A part of a picture where it stands, by the name that the terminal knows it by.
#[derive(Clone, Copy, Debug)]
struct Shown {
    spot: Spot,
    placement: u32,
}

/// A part of a picture and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Spot {
    image: u32,
    window: Tile,
    at: Position,
    above: bool,
    /// (columns, rows) that it fills, if its pixels aren't the terminal's.
    cells: Option<(u16, u16)>,
}

impl Kitty {
    /// Whether the pictures that are placed are not those wanted.
    pub(super) fn differs(&self, wanted: &[Placed]) -> bool {
        let shown: HashSet<Spot> = self.shown.iter().map(|shown| shown.spot).collect();
        let wanted: HashSet<Spot> = wanted.iter().filter_map(Spot::of).collect();
        shown != wanted
    }

    /// Sends what the terminal doesn't hold yet, unless it is brought through tmux. Nothing is seen of it, so that it
    /// needn't be part of a synchronized update, which terminals end by themselves when it takes long.
    pub(super) fn send(&mut self, wanted: &[Placed], out: &mut impl Write) -> io::Result<()> {
        self.clock += 1;
        for placed in wanted {
            self.hold(&placed.picture, out)?;
        }
        Ok(())
    }

    /// Puts everything in its place, over what was there. Returns what takes away what isn't wanted any more.
    pub(super) fn place(&mut self, wanted: &[Placed], out: &mut impl Write) -> io::Result<Vec<u8>> {
        let mut old: HashMap<Spot, u32> = (self.shown.drain(..))
            .map(|shown| (shown.spot, shown.placement))
            .collect();
        let spots: Vec<Spot> = wanted.iter().filter_map(Spot::of).collect();
        let mut moved = Vec::new();
        for spot in spots {
            match old.remove(&spot) {
                Some(placement) => self.shown.push(Shown { spot, placement }),
                None => moved.push(spot),
            }
        }
        for spot in moved {
            let same = |other: &Spot| (other.image, other.window) == (spot.image, spot.window);
            let again = old.keys().copied().find(same);
            let placement = again.and_then(|spot| old.remove(&spot)).unwrap_or_else(|| {
                self.last_placement = self.last_placement.wrapping_add(1).max(1);
                self.last_placement
            });
            spot.put(placement, out)?;
            self.shown.push(Shown { spot, placement });
        }
        let mut farewell = Vec::new();
        for (gone, placement) in old {
            let image = gone.image;
            write!(farewell, "\x1b_Ga=d,d=i,i={image},p={placement},q=2\x1b\\")?;
        }
        self.forget(&mut farewell)?;
        Ok(farewell)
    }

    /// Whether the terminal wasn't told to forget a picture.
    pub(super) fn holds(&self, id: u32) -> bool {
        self.held.iter().any(|held| held.id == id)
    }

    /// Forgets everything, the terminal too.
    pub(super) fn clear(&mut self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(&self.farewell())?;
        self.held.clear();
        self.shown.clear();
        Ok(())
    }

    /// What makes the terminal forget every picture. In tmux other programs have pictures there as well.
    pub(super) fn farewell(&self) -> Vec<u8> {
        let (named, placed): (Vec<&Held>, Vec<&Held>) =
            self.held.iter().partition(|held| held.by_characters);
        let mut bytes = Vec::new();
        if !named.is_empty() {
            bytes.extend(wrapped(LAST_PIECE));
            bytes.extend(named.into_iter().flat_map(Held::farewell));
        }
        if !placed.is_empty() {
            bytes.extend_from_slice(LAST_PIECE);
            bytes.extend_from_slice(b"\x1b_Ga=d,d=A,q=2\x1b\\");
        }
        bytes
    }

    fn hold(&mut self, picture: &Arc<Transmission>, out: &mut impl Write) -> io::Result<()> {
        if let Some(held) = self.held.iter_mut().find(|held| held.id == picture.id) {
            held.used = self.clock;
            return Ok(());
        }
        if !picture.by_characters {
            out.write_all(&picture.bytes)?;
        }
        let [height, width] = picture.size();
        self.held.push(Held {
            id: picture.id,
            picture: Arc::downgrade(picture),
            by_characters: picture.by_characters,
            memory: 4 * height * width,
            used: self.clock,
        });
        Ok(())
    }

    /// What can't come back goes; then what wasn't shown for longest, until the rest is within the budget.
    fn forget(&mut self, out: &mut impl Write) -> io::Result<()> {
        let wanted = |held: &mut Held| held.used == self.clock || held.picture.strong_count() > 0;
        for held in self.held.extract_if(.., |held| !wanted(held)) {
            out.write_all(&held.farewell())?;
        }
        self.held.sort_by_key(|held| std::cmp::Reverse(held.used));
        let mut total: usize = self.held.iter().map(|held| held.memory).sum();
        while (total > BUDGET || self.held.len() > MOST)
            && let Some(last) = self.held.pop_if(|held| held.used != self.clock)
        {
            total -= last.memory;
            out.write_all(&last.farewell())?;
        }
        Ok(())
    }
}

impl Held {
    fn farewell(&self) -> Vec<u8> {
        let bytes = format!("\x1b_Ga=d,d=I,i={},q=2\x1b\\", self.id).into_bytes();
        if self.by_characters {
            wrapped(&bytes)
        } else {
            bytes
        }
    }
}

impl Spot {
    /// Nothing if characters place it.
    fn of(placed: &Placed) -> Option<Self> {
        let picture = &placed.picture;
        if picture.by_characters {
            return None;
        }
        let mut window = placed.window;
        let cells = picture.stretched.then(|| {
            // Whole cells of it fill whole cells.
            let [down, across] = picture.cell.map(usize::from);
            window.width = across * usize::from(placed.area.width);
            window.height = down * usize::from(placed.area.height);
            (placed.area.width, placed.area.height)
        });
        Some(Self {
            image: picture.id,
            window,
            at: placed.area.as_position(),
            above: placed.above,
            cells,
        })
    }

    /// Over the cells, without moving the cursor (C).
    fn put(&self, placement: u32, out: &mut impl Write) -> io::Result<()> {
        let Tile {
            x,
            y,
            width,
            height,
        } = self.window;
        write!(
            out,
            "\x1b[{};{}H\x1b_Ga=p,i={},p={placement},x={x},y={y},w={width},h={height},",
            self.at.y + 1,
            self.at.x + 1,
            self.image,
        )?;
        if let Some((columns, rows)) = self.cells {
            write!(out, "c={columns},r={rows},")?;
        }
        if self.above {
            write!(out, "z=1,")?;
        }
        write!(out, "C=1,q=2\x1b\\")
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;

    use super::*;
    use crate::picture::{Colormap, Indexed};
    use crate::terminal::{Canvas, Cutout, Protocol};

    const CANVAS: Canvas = Canvas {
        protocol: Protocol::Kitty,
        cell: [8, 8],
        ..Canvas::HALF_BLOCKS
    };

    fn picture(side: u32) -> Arc<Transmission> {
        let levels = (0..side * side).map(|index| (index * 7 % 251) as u8);
        let picture = Indexed::new(side, side, levels.collect(), Colormap::Viridis);
        let cutout = Cutout::whole(picture.into());
        Arc::new(Transmission::new(&cutout, CANVAS, CANVAS.cell).unwrap())
    }

    fn placed(picture: &Arc<Transmission>, column: usize, x: u16) -> Placed {
        Placed {
            picture: picture.clone(),
            window: Tile {
                x: 8 * column,
                y: 0,
                width: 8,
                height: 8,
            },
            area: Rect::new(x, 3, 1, 1),
            above: false,
        }
    }

    /// What is sent to come to `wanted`, without what the pictures themselves take.
    fn steps(kitty: &mut Kitty, wanted: &[Placed]) -> (String, String) {
        let mut out = Vec::new();
        kitty.send(wanted, &mut out).unwrap();
        let farewell = kitty.place(wanted, &mut out).unwrap();
        (
            String::from_utf8(out).unwrap(),
            String::from_utf8(farewell).unwrap(),
        )
    }

    #[test]
    fn only_what_changes_is_sent() {
        let mut kitty = Kitty::default();
        let picture = picture(16);
        let both = [placed(&picture, 0, 2), placed(&picture, 1, 5)];
        let (sent, farewell) = steps(&mut kitty, &both);
        assert_eq!(sent.matches("a=t").count(), 1);
        assert_eq!(sent.matches("a=p").count(), 2);
        assert!(sent.contains("\x1b[4;6H") && farewell.is_empty());
        assert!(!kitty.differs(&both));

        // One moves, keeping its name; the other goes.
        let moved = [placed(&picture, 1, 9)];
        assert!(kitty.differs(&moved));
        let (sent, farewell) = steps(&mut kitty, &moved);
        assert!(!sent.contains("a=t") && sent.contains("p=2,x=8") && sent.contains("\x1b[4;10H"));
        assert!(farewell.contains("d=i") && farewell.contains("p=1"));

        // What comes back isn't sent again.
        let (sent, _) = steps(&mut kitty, &both);
        assert!(!sent.contains("a=t") && sent.matches("a=p").count() == 2);
    }

    #[test]
    fn the_terminal_isnt_filled() {
        let mut kitty = Kitty::default();
        let mut gone = 0;
        let first = picture(1024);
        steps(&mut kitty, &[placed(&first, 0, 0)]);
        let others: Vec<_> = (0..40).map(|_| picture(1024)).collect();
        for other in &others {
            let (_, farewell) = steps(&mut kitty, &[placed(other, 0, 0)]);
            gone += farewell.matches("d=I").count();
        }
        let held: usize = kitty.held.iter().map(|held| held.memory).sum();
        assert!(held <= BUDGET && gone + kitty.held.len() == 41, "{gone}");
        // The first one went, and is sent again when it is wanted.
        let (sent, _) = steps(&mut kitty, &[placed(&first, 0, 0)]);
        assert!(sent.contains("a=t"));
    }

    #[test]
    fn what_cant_come_back_isnt_held() {
        let mut kitty = Kitty::default();
        let stays = picture(16);
        for _ in 0..9 {
            let passing = picture(16);
            steps(&mut kitty, &[placed(&stays, 0, 0), placed(&passing, 0, 9)]);
        }
        steps(&mut kitty, &[]);
        assert_eq!(kitty.held.len(), 1);
        let (sent, _) = steps(&mut kitty, &[placed(&stays, 0, 0)]);
        assert!(!sent.contains("a=t"));
    }
}
