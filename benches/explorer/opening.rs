//! From the command to the first picture.

use anyhow::Result;

use super::spread::{Spread, milliseconds, row};
use super::terminal::{Kind, Terminal};

const MODELS: [&str; 3] = [
    "weights/cats_and_dogs_small_2.h5",
    "weights/efficientnet_lite0.safetensors",
    "weights/vgg16_cats_dogs.safetensors",
];

pub fn measure(kind: Kind, rounds: usize) -> Result<()> {
    row(
        &format!("opening with demo/chelsea.png, medians of {rounds}"),
        ["picture", "all there", "drawn by"],
    );
    for model in MODELS {
        let open = || {
            let mut terminal = Terminal::explorer(kind, &[model, "demo/chelsea.png"])?;
            let opening = terminal.opened()?;
            terminal.quit()?;
            Ok(opening)
        };
        // Brings the files into memory.
        let drawn_by = open()?.drawn_by;
        let openings = (0..rounds).map(|_| open()).collect::<Result<Vec<_>>>()?;
        let picture = Spread::of(openings.iter().map(|opening| opening.picture))?;
        let all = Spread::of(openings.iter().map(|opening| opening.all))?;
        row(
            model,
            [
                &milliseconds(picture.median),
                &milliseconds(all.median),
                drawn_by,
            ],
        );
    }
    Ok(())
}
