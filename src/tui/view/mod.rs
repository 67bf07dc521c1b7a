//! The state, drawn. Nothing here changes anything.

mod classes;
mod footer;
mod help;
mod layers;
mod number;
mod pane;
mod picture;
mod status;
mod title;

use ratatui::buffer::Buffer;

use super::state::State;
use super::theme::Theme;
use crate::terminal::ColorDepth;

/// How things look on this terminal.
#[derive(Clone, Debug)]
pub struct Looks {
    /// Of everything but pictures.
    pub theme: Theme,
    /// Of pictures.
    pub depth: ColorDepth,
}

/// Draws the whole screen on a blank buffer of the state's size.
pub fn view(state: &State, looks: &Looks, buffer: &mut Buffer) {
    let panes = state.panes();
    title::draw(state, &looks.theme, panes.title, buffer);
    layers::draw(state, &looks.theme, panes.layers, buffer);
    classes::draw(state, &looks.theme, panes.classes, buffer);
    picture::draw(state, looks, panes.picture, buffer);
    status::draw(state, &looks.theme, panes.status, buffer);
    footer::draw(state, &looks.theme, panes.footer, buffer);
    if let Some(top) = state.help {
        help::draw(top, &looks.theme, buffer);
    }
}
