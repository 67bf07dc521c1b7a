//! The heatmap at hand: which class, as which system makes it, and how it is laid over the photo.

use std::sync::Arc;

use super::keymap::Action;
use super::protocol::{ClassRow, ImageId};
use super::state::{Message, State, View};
use crate::explain::cam::{Dialect, Heatmap, Score, Settings};
use crate::model::{ChannelId, ClassId, LayerId};
use crate::picture::{Colormap, Overlay};

/// Channels that are listed as those that push the class most.
pub(super) const LISTED: usize = 8;

/// A step of the opacity, in hundredths.
const OPACITY_STEP: u8 = 10;

/// What the heatmap view shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Layout {
    /// The heatmap over the photo.
    #[default]
    Overlay,
    /// The photo, and the heatmap over it, beside each other.
    SideBySide,
    /// The heatmap alone, at the layer's resolution.
    Alone,
}

impl Layout {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Overlay => "over the photo",
            Self::SideBySide => "beside the photo",
            Self::Alone => "alone",
        }
    }

    fn next(self) -> Self {
        match self {
            Self::Overlay => Self::SideBySide,
            Self::SideBySide => Self::Alone,
            Self::Alone => Self::Overlay,
        }
    }
}

/// What the user has chosen; what isn't chosen is as the dialect has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heat {
    /// The image's top class if it isn't chosen.
    pub class: Option<ClassId>,
    /// Whose numbers are matched.
    pub dialect: Dialect,
    /// What is differentiated.
    pub score: Option<Score>,
    /// Through which the heatmap is seen.
    pub colormap: Option<Colormap>,
    /// Its weight, in hundredths.
    pub opacity: Option<u8>,
    /// What is shown.
    pub layout: Layout,
    /// Which of the channels that push the class most.
    pub rank: usize,
}

/// A heatmap, apart from how it is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HeatKey {
    /// Of which image.
    pub image: ImageId,
    /// At which layer.
    pub layer: LayerId,
    /// For which class.
    pub class: ClassId,
    /// How it is made.
    pub settings: Settings,
}

impl Heat {
    /// How the heatmap is made.
    pub fn settings(&self) -> Settings {
        let settings = self.dialect.settings();
        Settings {
            score: self.score.unwrap_or(settings.score),
            ..settings
        }
    }

    /// How it is laid over the photo.
    pub fn overlay(&self) -> Overlay {
        let overlay = Overlay::of(self.dialect);
        Overlay {
            colormap: self.colormap.unwrap_or(overlay.colormap),
            alpha: self
                .opacity
                .map_or(overlay.alpha, |opacity| f64::from(opacity) / 100.0),
            ..overlay
        }
    }

    /// In hundredths.
    pub fn opacity(&self) -> u8 {
        self.opacity
            .unwrap_or((100.0 * self.overlay().alpha).round() as u8)
    }
}

impl State {
    /// The class that is explained: the one chosen, else the image's top one; nothing before the answer is there.
    pub fn class(&self) -> Option<&ClassRow> {
        let rows = self.answer()?;
        let chosen = rows.iter().find(|row| Some(row.class) == self.heat.class);
        chosen.or(rows.first())
    }

    /// The heatmap that is asked for; nothing before the classes are there.
    pub fn heat_key(&self) -> Option<HeatKey> {
        Some(HeatKey {
            image: self.image,
            layer: self.layer,
            class: self.class()?.class,
            settings: self.heat.settings(),
        })
    }

    /// The heatmap at hand, if it is there.
    pub fn heatmap(&self) -> Option<&Arc<Heatmap>> {
        self.heatmaps.peek(&self.heat_key()?)
    }

    /// The channels that push the class most, with their weights, largest first.
    pub fn pushing(&self) -> Vec<(ChannelId, f32)> {
        let heatmap = self.heatmap();
        heatmap.map_or_else(Vec::new, |heatmap| heatmap.top_channels(LISTED))
    }
}

/// Goes to the heatmap view: at the layer at hand if that was looked at, else at the last feature maps before the head.
pub(super) fn show(state: &mut State) {
    let Some(outline) = &state.outline else {
        return;
    };
    let Some(best) = outline.heat_layer else {
        let reason = outline.no_heat.clone();
        state.message = Some(Message::Notice(reason));
        return;
    };
    let possible = state.row().is_some_and(|row| row.heat);
    if state.view != View::Heatmap && (state.shows_photo() || !possible) {
        state.layer = best;
        let name = state.row().map(|row| row.name.clone()).unwrap_or_default();
        state.message = Some(Message::Notice(format!(
            "at {name}, the last feature maps before the classes; [ and ] walk to other layers"
        )));
    }
    state.view = View::Heatmap;
}

/// Follows a key that changes the heatmap at hand.
pub(super) fn act(state: &mut State, action: Action) {
    let heat = &mut state.heat;
    match action {
        Action::Score => {
            heat.score = Some(match heat.settings().score {
                Score::Logit => Score::Probability,
                Score::Probability => Score::Logit,
            });
        }
        Action::Dialect => {
            let all = Dialect::ALL;
            let index = all.iter().position(|dialect| *dialect == heat.dialect);
            *heat = Heat {
                dialect: all[(index.unwrap_or(0) + 1) % all.len()],
                class: heat.class,
                layout: heat.layout,
                ..Heat::default()
            };
        }
        Action::Layout => heat.layout = heat.layout.next(),
        Action::MoreOpaque => heat.opacity = Some((heat.opacity() + OPACITY_STEP).min(100)),
        Action::LessOpaque => heat.opacity = Some(heat.opacity().saturating_sub(OPACITY_STEP)),
        Action::Colormap => heat.colormap = Some(heat.overlay().colormap.next()),
        _ => {}
    }
}

/// Moves through the classes (up and down) and the channels that push the class (left and right).
pub(super) fn step(state: &mut State, action: Action) {
    let channels = state.pushing().len();
    let rank = state.heat.rank;
    match action {
        Action::Left => state.heat.rank = rank.saturating_sub(1),
        Action::Right => state.heat.rank = (rank + 1).min(channels.saturating_sub(1)),
        _ => step_class(state, action),
    }
}

/// Moves through the classes.
pub(super) fn step_class(state: &mut State, action: Action) {
    const PAGE: usize = 10;
    let Some((rows, class)) = state.answer().zip(state.class()) else {
        return;
    };
    let at = rows.iter().position(|row| row.class == class.class);
    let (at, last) = (at.unwrap_or(0), rows.len().saturating_sub(1));
    let to = match action {
        Action::Up => at.saturating_sub(1),
        Action::Down => at + 1,
        Action::PageUp => at.saturating_sub(PAGE),
        Action::PageDown => at + PAGE,
        Action::First => 0,
        Action::Last => last,
        _ => return,
    };
    let class = rows.get(to.min(last)).map(|row| row.class);
    choose(state, class);
}

/// Chooses the class that is explained.
pub(super) fn choose(state: &mut State, class: Option<ClassId>) {
    state.heat.class = class;
    state.heat.rank = 0;
}

/// Walks the heatmap up or down the network, over layers where there is none.
pub(super) fn step_layer(state: &mut State, down: bool) {
    let Some(outline) = &state.outline else {
        return;
    };
    let possible = |index: &usize| outline.layers[*index].heat;
    let at = state.layer.0;
    let next = if down {
        (at + 1..outline.layers.len()).find(possible)
    } else {
        (0..at).rev().find(possible)
    };
    if let Some(layer) = next {
        state.layer = LayerId(layer);
        state.heat.rank = 0;
    }
}

/// Goes to the channel at hand among those that push the class.
pub(super) fn enter_channel(state: &mut State) {
    let channels = state.pushing();
    if let Some((channel, _)) = channels.get(state.heat.rank) {
        state.channels.insert(state.layer, *channel);
        state.view = View::Channel;
        state.came_from = Some(View::Heatmap);
    }
}
