//! From a key to the finished frame, on a random walk through what is computed already.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::spread::{COLUMNS, Spread, kibibytes, milliseconds, row};
use super::terminal::{DOWN, ENTER, ESCAPE, Kind, LEFT, RIGHT, Terminal, UP};

const MODEL: &str = "weights/cats_and_dogs_small_2.h5";

/// The convolutions and pools at its beginning, which have channels.
const LAYERS: usize = 8;

/// A step that has come to nothing by then leads nowhere: past the last channel, for instance.
const PATIENCE: Duration = Duration::from_millis(500);

pub fn measure(kind: Kind, steps: usize) -> Result<()> {
    let mut terminal = Terminal::explorer(kind, &[MODEL, "demo/chelsea.png"])?;
    terminal.opened()?;
    // Through all layers' grids, so that they are computed.
    terminal.step(ENTER, PATIENCE)?;
    for _ in 1..LAYERS {
        terminal.step("]", PATIENCE)?;
    }
    let mut walk = Walk {
        layer: LAYERS - 1,
        in_channel: false,
        dice: Dice(5),
    };
    let mut frames = Vec::new();
    for _ in 0..steps {
        frames.extend(terminal.step(walk.next(), PATIENCE)?);
    }
    terminal.quit()?;
    let nowhere = steps - frames.len();
    ensure!(
        nowhere * 3 < steps,
        "{nowhere} of {steps} steps led nowhere: the keys mean something else than this benchmark thinks"
    );
    row(&format!("{steps} steps through {MODEL}"), COLUMNS);
    Spread::of(frames.iter().map(|frame| frame.time))?.print(
        &format!("from key to finished frame ({nowhere} led nowhere)"),
        milliseconds,
    );
    Spread::of(frames.iter().map(|frame| frame.bytes))?.print("written for it", kibibytes);
    Ok(())
}

/// Where the walk is, as far as that decides what the next key may be.
struct Walk {
    layer: usize,
    /// Rather than in the grid.
    in_channel: bool,
    dice: Dice,
}

impl Walk {
    fn next(&mut self) -> &'static str {
        let keys: &[&str] = if self.in_channel {
            &[LEFT, RIGHT, RIGHT, "[", "]", ESCAPE]
        } else {
            &[LEFT, RIGHT, RIGHT, UP, DOWN, "[", "]", ENTER]
        };
        loop {
            let key = keys[self.dice.below(keys.len())];
            match key {
                "[" if self.layer == 0 => continue,
                "]" if self.layer + 1 == LAYERS => continue,
                "[" => self.layer -= 1,
                "]" => self.layer += 1,
                ENTER | ESCAPE => self.in_channel = !self.in_channel,
                _ => {}
            }
            return key;
        }
    }
}

/// The same numbers in every run (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        (mixed % count as u64) as usize
    }
}
