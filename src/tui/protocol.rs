//! What the explorer's threads tell each other: plain data, no handles and no closures.

use std::sync::Arc;

use crossterm::event::KeyEvent;
use image::RgbImage;
use ratatui::layout::Size;

use super::filters::{Growth, PatternKey};
use super::heat::HeatKey;
use super::outline::Outline;
use super::painter::{PaintOrder, Painting};
use super::saver::SaveOrder;
use crate::array::Array;
use crate::explain::ChannelStatistics;
use crate::explain::cam::Heatmap;
use crate::explain::filters::Recipe;
use crate::model::{ChannelId, ClassId, LayerId};
use crate::photo::Region;
use crate::terminal::Notice;

/// Which of the images that were given, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageId(pub usize);

/// Tells requests apart: a newer one has a larger number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// What a result is for. There is at most one request for each: a newer one makes the older stale. The most
/// urgent comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// What the user looks at.
    Picture,
    /// The answer of the network.
    Classes,
    /// What the user may look at next.
    Ahead,
}

impl Purpose {
    /// Every purpose, the most urgent first.
    pub const ALL: [Self; 3] = [Self::Picture, Self::Classes, Self::Ahead];
}

/// Something to be computed by the one who has the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Job {
    /// Read the model's file.
    Open,
    /// Read an image and bring it to the model's input size.
    Photo(ImageId),
    /// A layer's activation.
    Activation(ImageId, LayerId),
    /// The classes.
    Classes(ImageId),
    /// Where the evidence for a class lies.
    Heatmap(HeatKey),
    /// The patterns of a layer that were made before, and kept on disk.
    Shelf(LayerId, Recipe),
    /// A filter's pattern; what there is of it is told on the way.
    Pattern(PatternKey),
}

/// What [`update`](super::update::update) wants done elsewhere.
#[derive(Clone, Debug)]
pub enum Request {
    /// To the worker.
    Work(Ticket, Purpose, Job),
    /// To the worker: what was asked for this purpose isn't needed any more.
    Forget(Purpose),
    /// To the painter; only the newest counts.
    Paint(PaintOrder),
    /// To the saver; each one counts.
    Save(SaveOrder),
}

/// What happens to the explorer.
#[derive(Clone, Debug)]
pub enum Event {
    /// A key was pressed.
    Key(KeyEvent),
    /// Text was pasted.
    Paste(String),
    /// The terminal has another size, in cells, and so may have its cells: (height, width) in pixels.
    Resize(Size, Option<[u16; 2]>),
    /// Time passes; comes only while something is awaited.
    Tick,
    /// A job was done, or failed; the message is fit to be shown.
    Answer(Ticket, Job, Result<Outcome, String>),
    /// A pattern has grown, and isn't finished yet.
    Grown(PatternKey, Arc<Growth>),
    /// A picture was painted, or failed.
    Painted(Ticket, Result<Arc<Painting>, String>),
    /// Files were written, in words; or not.
    Saved(Result<String, String>),
    /// The system asks for something.
    Signal(Notice),
    /// What was drawn has been written; the terminal may be ready for more.
    Taken,
    /// The terminal answers; what it says between its marks.
    Answered(String),
    /// What is known of the way to the terminal.
    Link {
        /// Whether pictures take long to come.
        slow: bool,
    },
    /// The terminal is gone.
    Lost,
}

/// The result of a job.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Of [`Job::Open`].
    Opened(Box<Outline>),
    /// Of [`Job::Photo`].
    Photo(Photo),
    /// Of [`Job::Activation`].
    Activation(Activation),
    /// Of [`Job::Classes`], best first.
    Classes(Vec<ClassRow>),
    /// Of [`Job::Heatmap`].
    Heatmap(Arc<Heatmap>),
    /// Of [`Job::Shelf`].
    Shelf(Vec<(ChannelId, Arc<Growth>)>),
    /// Of [`Job::Pattern`].
    Pattern(Arc<Growth>),
}

/// What the network is shown.
#[derive(Clone, Debug)]
pub struct Photo {
    /// (height, width) of the file's picture; nothing if it held a tensor.
    pub original: Option<[usize; 2]>,
    /// At the network's input size, before the arithmetic.
    pub fitted: Arc<RgbImage>,
    /// After it: (C,H,W).
    pub input: Arc<Array>,
    /// What a heatmap is laid over: the file's picture, or the tensor seen as one.
    pub full: Arc<RgbImage>,
    /// The part of it that the network sees.
    pub region: Region,
}

impl Photo {
    /// Memory that it takes.
    pub fn bytes(&self) -> usize {
        self.full.as_raw().len() + self.fitted.as_raw().len() + 4 * self.input.values().len()
    }
}

/// What a layer holds for an image.
#[derive(Clone, Debug)]
pub struct Activation {
    /// Without batch: (C,H,W), or (N) for a vector.
    pub values: Arc<Array>,
    /// One for each channel; one for the whole of a vector.
    pub channels: Arc<[ChannelStatistics]>,
    /// Over all values.
    pub whole: ChannelStatistics,
    /// What it took to compute.
    pub seconds: f64,
}

/// The axes that matter for drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Feature maps.
    Maps {
        /// How many.
        channels: usize,
        /// (height, width) of each.
        size: [usize; 2],
    },
    /// Values without a place in the picture.
    Vector,
}

impl Form {
    /// Of an activation's shape without batch. A matrix is one map.
    pub fn of(shape: &[usize]) -> Self {
        match *shape {
            [channels, height, width] => Self::Maps {
                channels,
                size: [height, width],
            },
            [height, width] => Self::Maps {
                channels: 1,
                size: [height, width],
            },
            _ => Self::Vector,
        }
    }
}

/// A class of the network's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassRow {
    /// Which.
    pub class: ClassId,
    /// Its label, or its number in words.
    pub name: String,
    /// Other names it goes by.
    pub synonyms: Vec<String>,
    /// In 0..=1.
    pub probability: f64,
}
