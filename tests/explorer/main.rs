//! The explorer in a pseudo-terminal: the real program, driven by keys.

mod ends;
mod terminal;
mod walk;
