//! The state, drawn. Nothing here changes anything.

mod channels;
mod classes;
mod footer;
mod help;
mod layers;
mod notes;
mod number;
mod pane;
mod picture;
mod status;
mod title;

use super::state::State;
use super::theme::Theme;
use crate::terminal::{ColorDepth, Frame};

/// How things look on this terminal.
#[derive(Clone, Debug)]
pub struct Looks {
    /// Of everything but pictures.
    pub theme: Theme,
    /// Of pictures.
    pub depth: ColorDepth,
}

/// Draws the whole screen on a blank frame of the state's size.
pub fn view(state: &State, looks: &Looks, frame: &mut Frame) {
    let panes = state.panes();
    picture::draw(state, looks, panes.picture, frame);
    let buffer = &mut *frame.buffer;
    title::draw(state, &looks.theme, panes.title, buffer);
    layers::draw(state, &looks.theme, panes.layers, buffer);
    classes::draw(state, &looks.theme, panes.classes, buffer);
    channels::draw(state, &looks.theme, panes.channels, buffer);
    notes::draw(state, &looks.theme, panes.notes, buffer);
    status::draw(state, &looks.theme, panes.status, buffer);
    footer::draw(state, &looks.theme, panes.footer, buffer);
    if let Some(top) = state.help {
        let area = help::draw(top, &looks.theme, buffer);
        frame.uncover(area);
    }
}
