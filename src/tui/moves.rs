//! Where the keys lead: between panes, views, layers, channels and images.

use super::filters;
use super::heat;
use super::keymap::Action;
use super::protocol::ImageId;
use super::search::Search;
use super::state::{Focus, Message, State, View};
use crate::model::{ChannelId, LayerId};

/// A screenful of channels where only one is shown.
const CHANNEL_PAGE: usize = 16;

/// A screenful of the help.
const HELP_PAGE: usize = 8;

/// Follows a key that moves, zooms, or changes how things are shown.
pub(super) fn act(state: &mut State, action: Action) {
    match action {
        Action::SwitchPane => {
            state.focus = if state.focus == Focus::Layers {
                Focus::Picture
            } else {
                Focus::Layers
            };
        }
        Action::ZoomIn => zoom_in(state),
        Action::Back => back(state),
        Action::ShowSummary => {
            state.view = View::Summary;
            state.focus = Focus::Layers;
        }
        Action::ShowPhoto => show(state, View::Photo),
        Action::ShowGrid => show(state, View::Grid),
        Action::ShowChannel => show(state, View::Channel),
        Action::ShowHeatmap => {
            heat::show(state);
            if state.view == View::Heatmap {
                state.focus = Focus::Picture;
            }
        }
        Action::ShowFilter => filters::show(state, View::Filter),
        Action::ShowPatterns => filters::show(state, View::Patterns),
        Action::Recipe | Action::Pause | Action::WholeLayer => {
            if state.shows_patterns() {
                filters::act(state, action);
            } else {
                let words = "that key is for patterns: 5 or 6 shows them";
                state.message = Some(Message::Notice(words.to_owned()));
            }
        }
        Action::FindClass => find_class(state),
        Action::Score
        | Action::Dialect
        | Action::Layout
        | Action::MoreOpaque
        | Action::LessOpaque => {
            if state.view == View::Heatmap {
                heat::act(state, action);
            } else {
                let words = "that key is for heatmaps: 4 shows one";
                state.message = Some(Message::Notice(words.to_owned()));
            }
        }
        Action::PreviousLayer if state.view == View::Heatmap => heat::step_layer(state, false),
        Action::NextLayer if state.view == View::Heatmap => heat::step_layer(state, true),
        Action::PreviousLayer => step_layer(state, Action::Up),
        Action::NextLayer => step_layer(state, Action::Down),
        Action::PreviousImage => turn_image(state, -1),
        Action::NextImage => turn_image(state, 1),
        Action::Style => match state.view {
            View::Summary | View::Photo => {
                state.message = Some(Message::Notice("a photo has no style".to_owned()));
            }
            View::Heatmap => {
                let words = "a heatmap has no style; d changes how it is made";
                state.message = Some(Message::Notice(words.to_owned()));
            }
            View::Patterns => {
                let words = "patterns have no style; r changes how they are made";
                state.message = Some(Message::Notice(words.to_owned()));
            }
            View::Grid => state.grid_style = state.grid_style.next(),
            View::Channel | View::Filter => state.channel_style = state.channel_style.next(),
        },
        _ => match (state.focus, state.view) {
            (Focus::Layers, _) if matches!(action, Action::Left | Action::Right) => {}
            (Focus::Layers, View::Heatmap) => match action {
                Action::Up => heat::step_layer(state, false),
                Action::Down => heat::step_layer(state, true),
                _ => {}
            },
            (Focus::Layers, _) => step_layer(state, action),
            (Focus::Picture, View::Heatmap) => heat::step(state, action),
            (Focus::Picture, _) if state.shows_classes() => heat::step_class(state, action),
            (Focus::Picture, View::Summary | View::Photo) => step_image(state, action),
            (Focus::Picture, _) => step_channel(state, action),
        },
    }
}

/// The first line of the help after a key, up to `last`; nothing if the key closes it.
pub(super) fn scrolled(action: Action, top: usize, last: usize) -> Option<usize> {
    let top = match action {
        Action::Up => top.saturating_sub(1),
        Action::Down => top + 1,
        Action::PageUp => top.saturating_sub(HELP_PAGE),
        Action::PageDown => top + HELP_PAGE,
        Action::First => 0,
        Action::Last => last,
        _ => return None,
    };
    Some(top.min(last))
}

fn zoom_in(state: &mut State) {
    match (state.focus, state.view) {
        (Focus::Layers, View::Heatmap | View::Filter | View::Patterns) => {
            state.focus = Focus::Picture;
        }
        (Focus::Layers, _) => {
            state.focus = Focus::Picture;
            state.view = View::Grid;
        }
        (Focus::Picture, View::Heatmap) => heat::enter_channel(state),
        (Focus::Picture, View::Summary) => state.view = View::Photo,
        (Focus::Picture, View::Photo) => state.view = View::Grid,
        (Focus::Picture, View::Grid) => show(state, View::Channel),
        (Focus::Picture, View::Patterns) => state.view = View::Filter,
        (Focus::Picture, View::Channel | View::Filter) => {}
    }
}

fn back(state: &mut State) {
    match (state.focus, state.view) {
        (Focus::Picture, View::Channel) => {
            state.view = state.came_from.take().unwrap_or(View::Grid);
        }
        (Focus::Picture, View::Filter) => state.view = View::Patterns,
        (Focus::Picture, _) => state.focus = Focus::Layers,
        (Focus::Layers, _) => state.view = View::Summary,
    }
}

fn show(state: &mut State, view: View) {
    if view == View::Channel && state.outline.is_some() && state.channel_count() == 0 {
        let name = state.row().map(|row| row.name.clone()).unwrap_or_default();
        state.message = Some(Message::Notice(format!(
            "{name} has no channels to be shown one by one"
        )));
        return;
    }
    state.view = view;
    state.came_from = None;
    if state.panes().picture.is_empty() {
        state.focus = Focus::Picture;
    }
}

fn find_class(state: &mut State) {
    if state.answer().is_some() {
        state.search = Some(Search::default());
    } else {
        let words = "there are no classes to look for yet";
        state.message = Some(Message::Notice(words.to_owned()));
    }
}

fn step_layer(state: &mut State, action: Action) {
    let Some(count) = state.outline.as_ref().map(|outline| outline.layers.len()) else {
        return;
    };
    let page = state.panes().list_height(state.view).max(1);
    let Some(layer) = step(state.layer.0, count, action, 1, page) else {
        return;
    };
    state.layer = LayerId(layer);
    // The photo is no layer's picture.
    if state.view == View::Photo {
        state.view = View::Grid;
    }
}

fn step_channel(state: &mut State, action: Action) {
    let count = state.channel_count();
    let tiles = state
        .tiles()
        .filter(|_| matches!(state.view, View::Grid | View::Patterns));
    let (line, page) = match tiles {
        Some(tiles) => (tiles.columns, tiles.columns * tiles.rows_in_room.max(1)),
        None => (1, CHANNEL_PAGE),
    };
    let Some(channel) = step(state.channel().0, count, action, line, page) else {
        return;
    };
    state.channels.insert(state.layer, ChannelId(channel));
}

fn step_image(state: &mut State, action: Action) {
    match action {
        Action::Left | Action::Up | Action::PageUp => turn_image(state, -1),
        Action::Right | Action::Down | Action::PageDown => turn_image(state, 1),
        Action::First => state.image = ImageId(0),
        Action::Last => state.image = ImageId(state.images.len().saturating_sub(1)),
        _ => {}
    }
}

/// Round and round.
fn turn_image(state: &mut State, by: isize) {
    if state.images.len() < 2 {
        let words = "there is no other image: name several on the command line";
        state.message = Some(Message::Notice(words.to_owned()));
    }
    let count = state.images.len().max(1) as isize;
    state.image = ImageId((state.image.0 as isize + by).rem_euclid(count) as usize);
}

/// From `index` of `count` things in lines of `line`: nothing if the key leads nowhere. A screenful ends at the first
/// or last; so does a step down into a line that isn't full.
fn step(index: usize, count: usize, action: Action, line: usize, page: usize) -> Option<usize> {
    let last = count.checked_sub(1)?;
    let to = match action {
        Action::Up => index.checked_sub(line)?,
        Action::Down if index / line < last / line => (index + line).min(last),
        Action::Left => index.checked_sub(1)?,
        Action::Right => index + 1,
        Action::PageUp => index.saturating_sub(page),
        Action::PageDown => (index + page).min(last),
        Action::First => 0,
        Action::Last => last,
        _ => return None,
    };
    (to <= last).then_some(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_stay_inside() {
        let go = |index, action| step(index, 20, action, 8, 16);
        assert_eq!(go(3, Action::Down), Some(11));
        assert_eq!(go(3, Action::Up), None);
        assert_eq!(go(15, Action::Down), Some(19));
        assert_eq!(go(16, Action::Down), None);
        assert_eq!(go(19, Action::Right), None);
        assert_eq!(go(7, Action::Right), Some(8));
        assert_eq!(go(15, Action::PageDown), Some(19));
        assert_eq!(go(15, Action::PageUp), Some(0));
        assert_eq!(go(5, Action::Last), Some(19));
        assert_eq!(step(0, 0, Action::Last, 1, 1), None);
    }
}
