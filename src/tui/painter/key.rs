//! What pictures show.

use ratatui::layout::Size;

use crate::explain::cam::Dialect;
use crate::explain::filters::Recipe;
use crate::model::{ChannelId, LayerId};
use crate::picture::{Colormap, Style};
use crate::terminal::Canvas;
use crate::tui::filters::PatternKey;
use crate::tui::heat::{HeatKey, Layout};
use crate::tui::protocol::ImageId;

/// What a picture shows, how, and for which room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PaintKey {
    /// What.
    pub subject: Subject,
    /// Through which levels are seen.
    pub colormap: Colormap,
    /// In cells.
    pub room: Size,
    /// What it is drawn with.
    pub canvas: Canvas,
    /// How exactly.
    pub detail: Detail,
}

/// How exactly a picture is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Detail {
    /// As it is.
    Full,
    /// In few bytes, for whoever is on the way to another picture.
    Rough,
}

impl PaintKey {
    /// Whether it shows what the other did, only that it has grown since.
    pub fn replaces(&self, other: &Self) -> bool {
        self != other
            && match (self.subject, other.subject) {
                (Subject::Filter(_, key, ..), Subject::Filter(_, older, ..)) => key == older,
                (Subject::Patterns(layer, recipe, _), Subject::Patterns(of, by, _)) => {
                    (layer, recipe) == (of, by)
                }
                _ => false,
            }
    }
}

/// What a picture shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// What the network is shown.
    Photo(ImageId),
    /// All channels of a layer.
    Grid(ImageId, LayerId, Style),
    /// One of them.
    Channel(ImageId, LayerId, ChannelId, Style),
    /// A layer without feature maps.
    Vector(ImageId, LayerId),
    /// A heatmap as a system lays it over the photo, with an opacity in hundredths.
    Heatmap(HeatKey, Dialect, u8, Layout),
    /// A channel beside its filter's pattern, which has grown for some steps.
    Filter(ImageId, PatternKey, usize, Style),
    /// The patterns of a layer, as they were at some time.
    Patterns(LayerId, Recipe, usize),
}
