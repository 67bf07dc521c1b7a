//! The explorer in a terminal emulator: what it writes is decoded to pixels, and compared with what was meant.
//!
//! The program is the one that the environment variable `CONVSCOPE` names, else the repository's release build.

pub mod emulator;
pub mod expected;
pub mod terminal;

use std::env;
use std::path::PathBuf;

/// How pictures are to be brought to the terminal, and what may be lost on the way.
#[derive(Clone, Copy, Debug)]
pub struct Protocol {
    /// As `--protocol` has it.
    pub name: &'static str,
    /// Rows of pixels that are drawn together. What isn't a multiple of it takes room all the same.
    pub step: u32,
    /// How far a level of a feature map's red, green or blue may be off.
    pub levels: u8,
    /// How far a photo's levels may be off, on average over the picture.
    pub photo: f64,
}

/// kitty's: PNG files.
pub const KITTY: Protocol = Protocol {
    name: "kitty",
    step: 1,
    levels: 0,
    photo: 0.0,
};

/// Sixels: levels in percent, and 256 colours for a photo.
pub const SIXEL: Protocol = Protocol {
    name: "sixel",
    step: 6,
    levels: 2,
    photo: 8.0,
};

/// iTerm2's: files, which may be JPEG for photos.
pub const ITERM2: Protocol = Protocol {
    name: "iterm2",
    photo: 4.0,
    ..KITTY
};

/// The book's convnet.
pub const MODEL: &str = "weights/cats_and_dogs_small_2.h5";

/// The root of the repository.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Nothing, or else what is wrong.
pub fn expect(condition: bool, wrong: impl FnOnce() -> String) -> Result<(), String> {
    condition.then_some(()).ok_or_else(wrong)
}

fn program() -> PathBuf {
    let built = || root().join("target/release/convscope");
    env::var_os("CONVSCOPE").map_or_else(built, PathBuf::from)
}
