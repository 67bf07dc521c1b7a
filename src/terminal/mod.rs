//! Between pictures and a terminal: what it can show, how pictures become cells, and the screen itself with its
//! way back to the shell. Nothing here knows models.

mod canvas;
mod color;
mod frame;
mod halfblocks;
mod kitty;
mod probe;
mod screen;
mod signals;

pub use canvas::{Canvas, Protocol, cell_of_window};
pub use color::ColorDepth;
pub use frame::{Frame, Placed};
pub use halfblocks::HalfBlocks;
pub use kitty::Transmission;
pub use probe::{Traits, in_multiplexer};
pub use screen::{Screen, is_alive};
pub use signals::{Notice, watch as watch_signals};
