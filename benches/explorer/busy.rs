//! From a key to the screen's answer while the network computes.
//!
//! What comes first after a key is taken for its answer. With a spinner that moves every 100 ms and answers of about a
//! millisecond, one in a hundred may be the spinner.

use std::time::Duration;

use anyhow::{Context, Result};

use super::spread::{COLUMNS, Spread, milliseconds, row};
use super::terminal::{DOWN, Kind, TAB, Terminal, UP};

const MODEL: &str = "weights/vgg16_cats_dogs.safetensors";

const PHOTOS: [&str; 9] = [
    "demo/chelsea.png",
    "demo/china.jpg",
    "demo/coffee.jpg",
    "demo/flower.jpg",
    "demo/koala.jpg",
    "demo/macaw.jpg",
    "demo/panda.jpg",
    "demo/polar_bear.jpg",
    "demo/rocket.jpg",
];

/// Each changes what is seen, and together they lead back to where they began.
const KEYS: [&str; 6] = [DOWN, UP, TAB, TAB, "?", "?"];

/// From the first layer's grid to block5_conv3's, at once.
const TO_THE_LAYER: &str = "2Gkkk";

/// What begins a computation when there is none: the next photo, and if that is known, an earlier layer.
const FRESH: [&str; 2] = ["n", "["];

/// A computation shows itself by then.
const SPINNER: Duration = Duration::from_millis(150);

/// An answer that takes longer is none.
const PATIENCE: Duration = Duration::from_secs(5);

/// Between the end of an answer and the next key.
const PAUSE: Duration = Duration::from_millis(10);

pub fn measure(kind: Kind, presses: usize) -> Result<()> {
    let arguments: Vec<&str> = [MODEL].into_iter().chain(PHOTOS).collect();
    let mut terminal = Terminal::explorer(kind, &arguments)?;
    terminal.opened()?;
    terminal.press(TO_THE_LAYER)?;
    terminal.wait_for_spinner(SPINNER);
    let (mut times, mut idle) = (Vec::new(), 0);
    // Each round counts at least one key, unless there is nothing left to be computed.
    for _ in 0..presses {
        for key in FRESH {
            if !terminal.is_busy() {
                terminal.press(key)?;
                terminal.wait_for_spinner(SPINNER);
            }
        }
        for key in KEYS {
            let computing = terminal.is_busy();
            let pressed = terminal.press(key)?;
            let time = terminal.answered(pressed, PATIENCE);
            let time = time.with_context(|| format!("the key {key:?} was not answered"))?;
            if computing && times.len() < presses {
                times.push(time);
            } else {
                idle += 1;
            }
            terminal.wait_for_silence(PAUSE);
        }
        if times.len() == presses {
            break;
        }
    }
    terminal.quit()?;
    row(&format!("{presses} keys while {MODEL} computes"), COLUMNS);
    let what = format!(
        "from key to answer ({} while computing; {idle} others not counted)",
        times.len()
    );
    Spread::of(times)?.print(&what, milliseconds);
    Ok(())
}
