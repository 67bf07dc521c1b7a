//! A slow line: the arrow keys are held, then let go.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::spread::{kibibytes, milliseconds, row};
use super::terminal::{ENTER, Kind, LEFT, RIGHT, Terminal};

const MODEL: &str = "weights/cats_and_dogs_small_2.h5";

/// Bytes a second: one megabit.
const RATE: usize = 125_000;

/// Between two repetitions of a key that is held.
const REPEAT: Duration = Duration::from_millis(33);

/// After which nothing comes any more: longer than the explorer waits before it shows all there is to see.
const SILENCE: Duration = Duration::from_millis(600);

/// What a picture may take on such a line.
const PATIENCE: Duration = Duration::from_secs(5);

pub fn measure(kind: Kind, hold: Duration) -> Result<()> {
    let mut terminal = Terminal::at_rate(kind, &[MODEL, "demo/chelsea.png"], Some(RATE))?;
    terminal.opened()?;
    for _ in 0..2 {
        let pressed = terminal.press(ENTER)?;
        terminal.answered(pressed, PATIENCE).context("no view")?;
        terminal.wait_for_silence(SILENCE);
    }
    let (began, mut came) = (Instant::now(), 0);
    let mut keys = [RIGHT; 25].into_iter().chain([LEFT; 25]).cycle();
    while began.elapsed() < hold {
        came += terminal.received();
        terminal.press(keys.next().unwrap_or(RIGHT))?;
        thread::sleep(REPEAT);
    }
    came += terminal.received();
    let let_go = terminal.press(RIGHT)?;
    terminal
        .answered(let_go, PATIENCE)
        .context("the key led nowhere")?;
    terminal.wait_for_silence(SILENCE);
    let last = terminal.last().context("nothing came")?;
    let title = format!("arrow keys held for {} s at 1 Mbit/s", hold.as_secs());
    row(&title, ["after", "while held", "after"]);
    let what = "from letting go to the exact picture, and what was written";
    let (while_held, after) = (kibibytes(came), kibibytes(terminal.received()));
    row(what, [&milliseconds(last - let_go), &while_held, &after]);
    terminal.quit()
}
