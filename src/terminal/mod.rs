//! Between pictures and a terminal: what it can show, how pictures become cells, and the screen itself with its
//! way back to the shell. Nothing here knows models.

mod color;
mod halfblocks;
mod screen;
mod signals;

pub use color::ColorDepth;
pub use halfblocks::{HalfBlocks, Pixels};
pub use screen::{Screen, is_alive};
pub use signals::watch as watch_signals;
