//! kitty's graphics protocol: PNG files sent once, and parts of them placed over the cells.
//!
//! What stands on the screen is compared with what is to stand there: a placement that stays is not touched, one
//! that moves keeps its name, so that the terminal moves it, and the old ones go after the new ones have come.
//! <https://sw.kovidgoyal.net/kitty/graphics-protocol/>

use std::io::{self, Write};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ratatui::layout::Position;

use super::frame::Placed;
use crate::error::Result;
use crate::picture::{Format, Picture, Tile, encode};

/// The longest piece of base64 that the protocol allows.
const CHUNK: usize = 4096;

/// What the pictures that a terminal holds may take there, in bytes of four a pixel.
const BUDGET: usize = 96 << 20;

/// A picture as the bytes that bring it to the terminal.
#[derive(Debug, PartialEq, Eq)]
pub struct Transmission {
    id: u32,
    bytes: Vec<u8>,
    /// (height, width) in pixels.
    size: [usize; 2],
}

impl Transmission {
    /// Encodes a picture: 8 bits a pixel and a palette where it has one.
    ///
    /// # Errors
    /// If the picture is empty.
    pub fn new(picture: &Picture) -> Result<Self> {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let id = LAST.fetch_add(1, Ordering::Relaxed).wrapping_add(1).max(1);
        let text = STANDARD.encode(encode(picture, Format::Png, &[])?);
        let mut bytes = Vec::with_capacity(text.len() + text.len() / 256 + 64);
        let mut chunks = text.as_bytes().chunks(CHUNK).peekable();
        let mut control = format!("a=t,f=100,i={id},q=2,");
        while let Some(chunk) = chunks.next() {
            let more = u8::from(chunks.peek().is_some());
            bytes.extend_from_slice(format!("\x1b_G{control}m={more};").as_bytes());
            bytes.extend_from_slice(chunk);
            bytes.extend_from_slice(b"\x1b\\");
            "q=2,".clone_into(&mut control);
        }
        Ok(Self {
            id,
            bytes,
            size: [picture.height() as usize, picture.width() as usize],
        })
    }

    /// (height, width) in pixels.
    pub fn size(&self) -> [usize; 2] {
        self.size
    }

    /// On the wire.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Never: even an empty picture has a file.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

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
    memory: usize,
    used: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shown {
    image: u32,
    placement: u32,
    window: Tile,
    at: Position,
}

impl Kitty {
    /// Whether the pictures that are shown are not those wanted.
    pub(super) fn differs(&self, wanted: &[Placed]) -> bool {
        wanted.len() != self.shown.len()
            || wanted
                .iter()
                .any(|placed| !self.shown.iter().any(|shown| shown.is(placed)))
    }

    /// Sends what the terminal doesn't hold yet. Nothing is seen of it, so that it needn't be part of a synchronized
    /// update: terminals end one by themselves when it takes long, and kitty 0.26 loses pieces of pictures in it.
    pub(super) fn send(&mut self, wanted: &[Placed], out: &mut impl Write) -> io::Result<()> {
        self.clock += 1;
        for placed in wanted {
            self.hold(&placed.picture, out)?;
        }
        Ok(())
    }

    /// Puts everything in its place, over what was there. Returns what takes away what isn't wanted any more.
    pub(super) fn place(&mut self, wanted: &[Placed], out: &mut impl Write) -> io::Result<Vec<u8>> {
        let (mut next, mut moved): (Vec<Shown>, Vec<&Placed>) = (Vec::new(), Vec::new());
        let mut old = std::mem::take(&mut self.shown);
        for placed in wanted {
            match old.iter().position(|shown| shown.is(placed)) {
                Some(index) => next.push(old.swap_remove(index)),
                None => moved.push(placed),
            }
        }
        for placed in moved {
            let again = old
                .iter()
                .position(|old| old.image == placed.picture.id && old.window == placed.window);
            let placement = again.map_or_else(
                || {
                    self.last_placement = self.last_placement.wrapping_add(1).max(1);
                    self.last_placement
                },
                |index| old.swap_remove(index).placement,
            );
            let shown = Shown {
                image: placed.picture.id,
                placement,
                window: placed.window,
                at: placed.area.as_position(),
            };
            shown.put(out)?;
            next.push(shown);
        }
        self.shown = next;
        let mut farewell = Vec::new();
        for gone in old {
            write!(
                farewell,
                "\x1b_Ga=d,d=i,i={},p={},q=2\x1b\\",
                gone.image, gone.placement
            )?;
        }
        self.forget(&mut farewell)?;
        Ok(farewell)
    }

    /// Forgets everything, the terminal too.
    pub(super) fn clear(&mut self, out: &mut impl Write) -> io::Result<()> {
        self.held.clear();
        self.shown.clear();
        out.write_all(DELETE_ALL)
    }

    fn hold(&mut self, picture: &Arc<Transmission>, out: &mut impl Write) -> io::Result<()> {
        if let Some(held) = self.held.iter_mut().find(|held| held.id == picture.id) {
            held.used = self.clock;
            return Ok(());
        }
        out.write_all(&picture.bytes)?;
        self.held.push(Held {
            id: picture.id,
            picture: Arc::downgrade(picture),
            memory: 4 * picture.size[0] * picture.size[1],
            used: self.clock,
        });
        Ok(())
    }

    /// What can't come back goes; then what wasn't shown for longest, until the rest is within the budget.
    fn forget(&mut self, out: &mut impl Write) -> io::Result<()> {
        let mut gone = Vec::new();
        self.held.retain(|held| {
            let wanted = held.used == self.clock || held.picture.strong_count() > 0;
            if !wanted {
                gone.push(held.id);
            }
            wanted
        });
        for id in gone {
            write!(out, "\x1b_Ga=d,d=I,i={id},q=2\x1b\\")?;
        }
        self.held.sort_by_key(|held| std::cmp::Reverse(held.used));
        let mut total: usize = self.held.iter().map(|held| held.memory).sum();
        while total > BUDGET
            && let Some(last) = self.held.pop_if(|held| held.used != self.clock)
        {
            total -= last.memory;
            write!(out, "\x1b_Ga=d,d=I,i={},q=2\x1b\\", last.id)?;
        }
        Ok(())
    }
}

/// All pictures of this page of the terminal, shown or not.
pub(super) const DELETE_ALL: &[u8] = b"\x1b_Ga=d,d=A,q=2\x1b\\";

impl Shown {
    fn is(&self, placed: &Placed) -> bool {
        self.image == placed.picture.id
            && self.window == placed.window
            && self.at == placed.area.as_position()
    }

    /// Over the cells, without moving the cursor (C).
    fn put(&self, out: &mut impl Write) -> io::Result<()> {
        let Tile {
            x,
            y,
            width,
            height,
        } = self.window;
        write!(
            out,
            "\x1b[{};{}H\x1b_Ga=p,i={},p={},x={x},y={y},w={width},h={height},C=1,q=2\x1b\\",
            self.at.y + 1,
            self.at.x + 1,
            self.image,
            self.placement,
        )
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;

    use super::*;
    use crate::picture::{Colormap, Indexed};

    fn picture(side: u32) -> Arc<Transmission> {
        let levels = (0..side * side).map(|index| (index * 7 % 251) as u8);
        let picture = Indexed::new(side, side, levels.collect(), Colormap::Viridis);
        Arc::new(Transmission::new(&picture.into()).unwrap())
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
    fn a_picture_is_sent_in_pieces_that_make_its_file() {
        let picture = picture(300);
        let text = String::from_utf8(picture.bytes.clone()).unwrap();
        let pieces: Vec<&str> = text.split_terminator("\x1b\\").collect();
        assert!(pieces.len() > 2);
        let mut file = String::new();
        for (index, piece) in pieces.iter().enumerate() {
            let (control, data) = piece
                .strip_prefix("\x1b_G")
                .unwrap()
                .split_once(';')
                .unwrap();
            assert_eq!(control.starts_with("a=t,f=100,"), index == 0);
            assert_eq!(control.ends_with("m=1"), index + 1 < pieces.len());
            assert!(data.len() <= CHUNK);
            file.push_str(data);
        }
        let decoded = image::load_from_memory(&STANDARD.decode(file).unwrap()).unwrap();
        assert_eq!((decoded.width(), decoded.height()), (300, 300));
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
