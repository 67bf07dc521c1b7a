//! The explorer in a pseudo-terminal: the real program, driven by keys.

mod ends;
mod heat;
mod kitty;
mod patterns;
mod pictures;
mod slow;
mod terminal;
mod walk;
