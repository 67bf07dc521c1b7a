//! The patterns that filters look for: which one is at hand, and what is known of a layer's.

use std::sync::Arc;

use image::RgbImage;

use super::keymap::Action;
use super::protocol::Job;
use super::state::{Focus, Message, State, View};
use crate::explain::filters::{Pattern, Recipe};
use crate::model::{ChannelId, LayerId};

/// What the user has chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filters {
    /// How patterns are made.
    pub recipe: Recipe,
    /// Nothing is made.
    pub paused: bool,
    /// The layer whose patterns are all made, one after the other.
    pub whole: Option<LayerId>,
}

/// A pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PatternKey {
    /// Of a filter of this layer.
    pub layer: LayerId,
    /// Which one.
    pub channel: ChannelId,
    /// How it is made.
    pub recipe: Recipe,
}

/// A pattern, or what there is of it so far.
#[derive(Clone, Debug, PartialEq)]
pub struct Growth {
    /// The numbers.
    pub pattern: Pattern,
    /// As it looks.
    pub picture: RgbImage,
    /// Steps that are made.
    pub done: usize,
    /// Steps in all.
    pub of: usize,
}

impl Growth {
    /// Whether nothing more comes.
    pub fn is_finished(&self) -> bool {
        self.done >= self.of || self.pattern.dead
    }

    /// Memory that it takes.
    pub fn bytes(&self) -> usize {
        self.picture.as_raw().len() + 4 * self.pattern.image.values().len()
    }
}

impl State {
    /// The pattern at hand.
    pub fn pattern_key(&self) -> PatternKey {
        self.pattern_of(self.channel())
    }

    /// The pattern of a channel of the layer at hand.
    pub fn pattern_of(&self, channel: ChannelId) -> PatternKey {
        PatternKey {
            layer: self.layer,
            channel,
            recipe: self.filters.recipe,
        }
    }

    /// What there is of the pattern at hand.
    pub fn growth(&self) -> Option<&Arc<Growth>> {
        self.patterns.peek(&self.pattern_key())
    }

    /// What there is of each of the layer's patterns.
    pub fn growths(&self) -> Vec<Option<Arc<Growth>>> {
        (0..self.channel_count())
            .map(|channel| {
                self.patterns
                    .peek(&self.pattern_of(ChannelId(channel)))
                    .cloned()
            })
            .collect()
    }

    /// (height, width) of the layer's patterns.
    pub fn pattern_size(&self) -> [usize; 2] {
        let known = self.growth().map(|growth| &growth.picture);
        known.map_or([self.filters.recipe.side(); 2], |picture| {
            [picture.height() as usize, picture.width() as usize]
        })
    }

    /// Whether patterns are shown.
    pub fn shows_patterns(&self) -> bool {
        matches!(self.view, View::Filter | View::Patterns)
    }

    fn is_finished(&self, key: &PatternKey) -> bool {
        self.patterns
            .peek(key)
            .is_some_and(|growth| growth.is_finished())
    }

    /// What the pattern views wait for.
    pub(super) fn pattern_job(&self) -> Option<Job> {
        let key = self.pattern_key();
        if !self.shelved.contains(&(key.layer, key.recipe)) {
            return Some(Job::Shelf(key.layer, key.recipe));
        }
        if self.view == View::Filter && !self.images.is_empty() && self.activation().is_none() {
            return Some(Job::Activation(self.image, self.layer));
        }
        let wanted = !self.filters.paused && !self.is_finished(&key);
        wanted.then_some(Job::Pattern(key))
    }

    /// Patterns that are made when nothing else is asked for: all of a layer if that is wanted, else the next one.
    pub(super) fn patterns_ahead(&self) -> Vec<Job> {
        if self.filters.paused {
            return Vec::new();
        }
        let (count, at) = (self.channel_count(), self.channel().0);
        let reach = if self.filters.whole == Some(self.layer) {
            count
        } else {
            2.min(count)
        };
        (0..reach)
            .map(|step| self.pattern_of(ChannelId((at + step) % count.max(1))))
            .find(|key| !self.is_finished(key))
            .map(Job::Pattern)
            .into_iter()
            .collect()
    }
}

/// Goes to one of the two views, if the layer at hand has filters to look at.
pub(super) fn show(state: &mut State, view: View) {
    if state.outline.is_none() {
        return;
    }
    if state.channel_count() == 0 {
        let name = state.row().map(|row| row.name.clone()).unwrap_or_default();
        state.message = Some(Message::Notice(format!("{name} has no filters to look at")));
        return;
    }
    state.view = view;
    state.came_from = None;
    state.focus = Focus::Picture;
}

/// Follows a key that changes what is made.
pub(super) fn act(state: &mut State, action: Action) {
    let filters = &mut state.filters;
    match action {
        Action::Pause => filters.paused = !filters.paused,
        Action::Recipe => {
            let all = Recipe::ALL;
            let at = all.iter().position(|recipe| *recipe == filters.recipe);
            filters.recipe = all[(at.unwrap_or(0) + 1) % all.len()];
        }
        Action::WholeLayer => {
            let whole = filters.whole == Some(state.layer);
            filters.whole = (!whole).then_some(state.layer);
            filters.paused = false;
        }
        _ => {}
    }
}
