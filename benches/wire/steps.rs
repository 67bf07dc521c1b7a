//! What the whole program writes for a key: text, pictures and their places. In a pseudo-terminal of the benchmark of the
//! explorer, with a protocol forced.

use std::time::Duration;

use anyhow::Result;
use convscope::terminal::Protocol;

use super::spread::Spread;
use super::terminal::{DOWN, ENTER, Kind, LEFT, RIGHT, TAB, Terminal, UP};

/// A step that has come to nothing by then leads nowhere: past the last channel, for instance.
const PATIENCE: Duration = Duration::from_millis(500);

/// What comes by itself has come when nothing has been written for so long.
const SILENCE: Duration = Duration::from_millis(300);

/// A walk through a model with a photo.
struct Walk {
    files: [&'static str; 2],
    legs: &'static [Leg],
}

/// A key that is pressed so often.
struct Leg {
    key: &'static str,
    times: usize,
    /// Nothing if it isn't to be measured.
    what: Option<&'static str>,
    /// Only the later half counts: at first, what is on the screen already is walked through.
    late: bool,
}

const fn leg(key: &'static str, times: usize, what: &'static str) -> Leg {
    Leg {
        key,
        times,
        what: Some(what),
        late: false,
    }
}

const fn way(key: &'static str) -> Leg {
    Leg {
        key,
        times: 1,
        what: None,
        late: false,
    }
}

const fn scroll(key: &'static str, what: &'static str) -> Leg {
    Leg {
        late: true,
        ..leg(key, 36, what)
    }
}

const WALKS: [Walk; 3] = [
    Walk {
        files: ["weights/cats_and_dogs_small_2.h5", "demo/chelsea.png"],
        legs: &[
            leg(ENTER, 1, "a layer's grid: 32 maps of 148x148"),
            leg("]", 7, "the next layer's, seven times"),
            leg("[", 7, "back a layer, seven times"),
            way(ENTER),
            leg(RIGHT, 24, "the next channel, of 148x148"),
            leg(LEFT, 24, "back a channel"),
            way("]]"),
            leg(RIGHT, 24, "the next channel, of 72x72"),
        ],
    },
    Walk {
        files: ["weights/vgg16_cats_dogs.safetensors", "demo/chelsea.png"],
        legs: &[
            // To block5_conv3, of 512 channels.
            way("2Gkkk"),
            way(TAB),
            scroll(DOWN, "a grid scrolled by a row, the first time"),
            scroll(UP, "scrolled back by a row"),
        ],
    },
    Walk {
        files: [
            "weights/efficientnet_lite0.safetensors",
            "demo/polar_bear.jpg",
        ],
        legs: &[
            way("4"),
            leg(DOWN, 9, "the next class's heatmap, on the way"),
        ],
    },
];

pub struct Step {
    pub what: &'static str,
    pub bytes: Spread<usize>,
}

pub fn measure(protocol: Protocol) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    for walk in &WALKS {
        let arguments = [&walk.files[..], &["--protocol", protocol.name()]].concat();
        let mut terminal = Terminal::explorer(Kind::Kitty, &arguments)?;
        // No key: what comes by itself.
        terminal.step("", PATIENCE)?;
        terminal.wait_for_silence(SILENCE);
        for leg in walk.legs {
            let mut bytes = Vec::new();
            for _ in 0..leg.times {
                bytes.extend(terminal.step(leg.key, PATIENCE)?.map(|frame| frame.bytes));
            }
            let first = if leg.late { bytes.len() / 2 } else { 0 };
            if let Some(what) = leg.what {
                let bytes = Spread::of(bytes.drain(first..))?;
                steps.push(Step { what, bytes });
            }
        }
        terminal.quit()?;
    }
    Ok(steps)
}
