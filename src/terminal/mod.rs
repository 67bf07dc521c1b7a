//! Between pictures and a terminal: what it can show, how pictures become cells, and the screen itself with its
//! way back to the shell. Nothing here knows models.

mod blocks;
mod brand;
mod canvas;
mod choice;
mod color;
mod courier;
mod cutout;
mod frame;
mod inline;
mod kitty;
mod multiplexer;
mod outbox;
mod pace;
mod palette;
mod passthrough;
mod ping;
mod placeholders;
mod png;
mod print;
mod probe;
mod screen;
mod signals;
mod sixel;
mod transmission;

pub use blocks::Blocks;
pub use brand::Brand;
pub use canvas::{Canvas, Protocol, cell_of_window};
pub use choice::{Choice, Finding, Hint};
pub use color::ColorDepth;
pub use cutout::Cutout;
pub use frame::{Frame, Placed};
pub use multiplexer::{Multiplexer, Tmux};
pub use print::print;
pub use probe::{CellSource, Traits};
pub use screen::{Screen, awaits_answer, is_alive};
pub use signals::{Notice, watch as watch_signals};
pub use transmission::Transmission;

/// A variable of the environment that says something.
fn variable(name: &str) -> Option<String> {
    let value = std::env::var_os(name)?.to_string_lossy().into_owned();
    Some(value).filter(|value| !value.is_empty())
}
