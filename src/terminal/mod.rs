//! Between pictures and a terminal: what it can show, how pictures become cells, and the screen itself with its
//! way back to the shell. Nothing here knows models.

mod blocks;
mod canvas;
mod color;
mod cutout;
mod frame;
mod inline;
mod kitty;
mod outbox;
mod pace;
mod palette;
mod passthrough;
mod ping;
mod placeholders;
mod png;
mod probe;
mod screen;
mod signals;
mod sixel;
mod transmission;

pub use blocks::Blocks;
pub use canvas::{Canvas, Protocol, cell_of_window};
pub use color::ColorDepth;
pub use cutout::Cutout;
pub use frame::{Frame, Placed};
pub use probe::{Traits, in_multiplexer};
pub use screen::{Screen, awaits_answer, is_alive};
pub use signals::{Notice, watch as watch_signals};
pub use transmission::Transmission;
