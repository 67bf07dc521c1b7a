//! What the explorer knows: plain data, changed by [`update`](super::update::update) alone.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ratatui::layout::Size;

use super::cache::Cache;
use super::filters::{Filters, Growth, PatternKey};
use super::heat::{Heat, HeatKey};
use super::outline::{LayerRow, Outline};
use super::painter::{Detail, PaintKey, Painting, Subject, is_layered};
use super::panes::Panes;
use super::protocol::{Activation, ClassRow, Form, ImageId, Job, Photo, Purpose, Ticket};
use super::search::Search;
use super::tiles::Tiles;
use crate::explain::cam::Heatmap;
use crate::explain::filters::Recipe;
use crate::model::{ChannelId, LayerId};
use crate::picture::{Colormap, Style};
use crate::terminal::Canvas;

/// Bytes of activations that are kept for coming back to.
pub(super) const ACTIVATIONS: usize = 256 << 20;

/// Bytes of painted pictures.
const PAINTINGS: usize = 32 << 20;

/// Bytes of photos.
const PHOTOS: usize = 128 << 20;

/// Bytes of heatmaps.
const HEATMAPS: usize = 16 << 20;

/// Bytes of patterns: the numbers and the pictures of some 700.
const PATTERNS: usize = 256 << 20;

/// Classes shown beside the picture.
pub(super) const TOP: usize = 5;

/// Which pane has the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    /// The list.
    Layers,
    /// The picture.
    Picture,
}

/// What the picture shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// The table of all layers, beside what the network sees.
    Summary,
    /// What the network sees.
    Photo,
    /// All channels of a layer.
    Grid,
    /// One of them.
    Channel,
    /// Where the evidence for a class lies in the photo.
    Heatmap,
    /// A channel, and the pattern that its filter looks for.
    Filter,
    /// The patterns of all filters of a layer.
    Patterns,
}

/// A line for the user, until the next key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Something went well.
    Notice(String),
    /// Something went wrong.
    Error(String),
}

/// Why the explorer ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The user wants it.
    Quit,
    /// It can't go on; the message says why.
    Failed(String),
    /// The system wants it.
    Signal(i32),
    /// The terminal is gone.
    Lost,
}

/// What becomes of the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// Others get it.
    Begins,
    /// It is the explorer's again.
    Ends,
}

/// Everything.
#[derive(Clone, Debug)]
pub struct State {
    /// The model's file.
    pub model: PathBuf,
    /// The images' files.
    pub images: Vec<PathBuf>,
    /// Where pictures are saved.
    pub output_dir: PathBuf,
    /// Of the terminal, in cells.
    pub size: Size,
    /// What pictures are drawn with.
    pub canvas: Canvas,
    /// Whether pictures take long to come to the terminal.
    pub slow: bool,
    /// Ticks until the user is at rest, having looked for another picture.
    pub restless: usize,
    /// Once the model is open.
    pub outline: Option<Outline>,
    /// Which pane has the keys.
    pub focus: Focus,
    /// What the picture shows.
    pub view: View,
    /// The image at hand.
    pub image: ImageId,
    /// The layer at hand.
    pub layer: LayerId,
    /// The channel at hand of each layer, 0 if it isn't there.
    pub channels: HashMap<LayerId, ChannelId>,
    /// The first line of the list in the room.
    pub list_top: usize,
    /// The first row of the grid in the room.
    pub grid_top: usize,
    /// The heatmap at hand.
    pub heat: Heat,
    /// The patterns at hand.
    pub filters: Filters,
    /// What is being looked for.
    pub search: Option<Search>,
    /// The view to go back to from a channel, if it isn't the grid.
    pub came_from: Option<View>,
    /// How levels are coloured.
    pub colormap: Colormap,
    /// How channels of a grid become levels.
    pub grid_style: Style,
    /// How a single channel becomes levels.
    pub channel_style: Style,
    /// For the user.
    pub message: Option<Message>,
    /// The first line of the help in the room, while it is open.
    pub help: Option<usize>,
    /// Counts the ticks.
    pub ticks: usize,
    /// Set when the explorer is to give the terminal back for a while, or has got it again.
    pub pause: Option<Pause>,
    /// Set when the explorer is to end.
    pub exit: Option<Exit>,
    /// The painting in the pane; it may be an older one.
    pub shown: Option<Arc<Painting>>,
    /// The image of the classes in their pane; it may be an older one.
    pub answered: Option<ImageId>,
    pub(super) activations: Cache<(ImageId, LayerId), Activation>,
    pub(super) photos: Cache<ImageId, Photo>,
    pub(super) classes: HashMap<ImageId, Vec<ClassRow>>,
    pub(super) heatmaps: Cache<HeatKey, Arc<Heatmap>>,
    pub(super) patterns: Cache<PatternKey, Arc<Growth>>,
    /// Layers whose patterns on disk are known.
    pub(super) shelved: HashSet<(LayerId, Recipe)>,
    /// Counts what has become of patterns.
    pub(super) grown: usize,
    pub(super) paintings: Cache<PaintKey, Arc<Painting>>,
    pub(super) pending: HashMap<Purpose, (Ticket, Job)>,
    pub(super) painting: Option<(Ticket, PaintKey)>,
    pub(super) failures: HashMap<Job, String>,
    pub(super) unpaintable: Option<(PaintKey, String)>,
    pub(super) last_ticket: Ticket,
    /// The picture that is to be saved as soon as it is there.
    pub(super) saved_soon: Option<PaintKey>,
}

impl State {
    /// At the start: nothing is open yet.
    pub fn new(model: PathBuf, images: Vec<PathBuf>, output_dir: PathBuf, size: Size) -> Self {
        Self {
            model,
            images,
            output_dir,
            size,
            canvas: Canvas::HALF_BLOCKS,
            slow: false,
            restless: 0,
            outline: None,
            focus: Focus::Layers,
            view: View::Summary,
            image: ImageId(0),
            layer: LayerId(0),
            channels: HashMap::new(),
            list_top: 0,
            grid_top: 0,
            heat: Heat::default(),
            filters: Filters::default(),
            search: None,
            came_from: None,
            colormap: Colormap::default(),
            grid_style: Style::Book,
            channel_style: Style::MinMax,
            message: None,
            help: None,
            ticks: 0,
            pause: None,
            exit: None,
            shown: None,
            answered: None,
            activations: Cache::new(ACTIVATIONS),
            photos: Cache::new(PHOTOS),
            classes: HashMap::new(),
            heatmaps: Cache::new(HEATMAPS),
            patterns: Cache::new(PATTERNS),
            shelved: HashSet::new(),
            grown: 0,
            paintings: Cache::new(PAINTINGS),
            pending: HashMap::new(),
            painting: None,
            failures: HashMap::new(),
            unpaintable: None,
            last_ticket: Ticket::default(),
            saved_soon: None,
        }
    }

    /// How the screen is divided.
    pub fn panes(&self) -> Panes {
        let outline = self.outline.as_ref();
        let classes = outline.map_or(TOP, |outline| outline.classes);
        Panes::new(self.size, self.focus, self.view, classes)
    }

    /// The name of a file without its folder and ending.
    pub fn stem(path: &Path) -> String {
        path.file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    }

    /// The file of the image at hand.
    pub fn image_path(&self) -> Option<&Path> {
        self.images.get(self.image.0).map(PathBuf::as_path)
    }

    /// The row of the layer at hand.
    pub fn row(&self) -> Option<&LayerRow> {
        self.outline.as_ref()?.layer(self.layer)
    }

    /// What is known of the layer at hand for the image at hand.
    pub fn activation(&self) -> Option<&Activation> {
        self.activations.peek(&(self.image, self.layer))
    }

    /// The photo at hand, if it was read.
    pub fn photo(&self) -> Option<&Photo> {
        self.photos.peek(&self.image)
    }

    /// The form of the layer at hand: of this image if it is known, else of one of the model's own input size.
    pub fn form(&self) -> Option<Form> {
        if let Some(activation) = self.activation() {
            return Some(Form::of(activation.values.shape()));
        }
        let shape = self.row()?.shape.as_ref().ok()?;
        Some(Form::of(shape))
    }

    /// How many channels the layer at hand has; none for a vector.
    pub fn channel_count(&self) -> usize {
        match self.form() {
            Some(Form::Maps { channels, .. }) => channels,
            _ => 0,
        }
    }

    /// The channel at hand.
    pub fn channel(&self) -> ChannelId {
        let channel = self
            .channels
            .get(&self.layer)
            .map_or(0, |channel| channel.0);
        ChannelId(channel.min(self.channel_count().saturating_sub(1)))
    }

    /// Whether the picture is the photo, and no layer's.
    pub fn shows_photo(&self) -> bool {
        matches!(self.view, View::Summary | View::Photo)
    }

    /// Whether the picture's place is taken by the list of classes.
    pub fn shows_classes(&self) -> bool {
        let head = self.outline.as_ref().and_then(|outline| outline.head);
        matches!(self.view, View::Grid | View::Channel) && head == Some(self.layer)
    }

    /// The classes of the image at hand.
    pub fn answer(&self) -> Option<&[ClassRow]> {
        self.classes.get(&self.image).map(Vec::as_slice)
    }

    /// The tiles of the grid, as the pane has room for them.
    pub fn tiles(&self) -> Option<Tiles> {
        match self.form()? {
            Form::Maps { channels, size } => {
                let size = if self.view == View::Patterns {
                    self.pattern_size()
                } else {
                    size
                };
                Tiles::new(channels, size, self.panes().picture_room(), self.canvas)
            }
            Form::Vector => None,
        }
    }

    /// The style that is in use.
    pub fn style(&self) -> Style {
        if self.view == View::Channel {
            self.channel_style
        } else {
            self.grid_style
        }
    }

    /// What the picture is asked to show; nothing if the pane shows text, or isn't there.
    pub fn wanted(&self) -> Option<PaintKey> {
        let room = self.panes().picture_room();
        if room.area() == 0
            || self.obstacle().is_some()
            || self.outline.is_none()
            || self.shows_classes()
        {
            return None;
        }
        let (image, layer) = (self.image, self.layer);
        let colormap = match self.view {
            // A photo has its own colours.
            View::Summary | View::Photo => Colormap::default(),
            View::Heatmap => self.heat.overlay().colormap,
            _ => self.colormap,
        };
        let subject = match (self.view, self.form()) {
            (View::Summary | View::Photo, _) => Subject::Photo(image),
            (View::Heatmap, _) => Subject::Heatmap(
                self.heat_key()?,
                self.heat.dialect,
                self.heat.opacity(),
                self.heat.layout,
            ),
            (_, None) => return None,
            (_, Some(Form::Vector)) => Subject::Vector(image, layer),
            (View::Grid, _) => Subject::Grid(image, layer, self.grid_style),
            (View::Filter, _) => Subject::Filter(
                image,
                self.pattern_key(),
                self.growth().map_or(0, |growth| growth.done),
                self.channel_style,
            ),
            (View::Patterns, _) => Subject::Patterns(layer, self.filters.recipe, self.grown),
            (View::Channel, _) => {
                Subject::Channel(image, layer, self.channel(), self.channel_style)
            }
        };
        let full = PaintKey {
            subject,
            colormap,
            room,
            canvas: self.canvas,
            detail: Detail::Full,
        };
        Some(self.in_haste(full))
    }

    /// The rough picture in place of the exact one, while the user is on the way to another one and the exact one would
    /// take long.
    fn in_haste(&self, full: PaintKey) -> PaintKey {
        let rough = PaintKey {
            detail: Detail::Rough,
            ..full
        };
        let long = self.slow || is_layered(&rough);
        if self.restless > 0 && long && self.paintings.peek(&full).is_none() {
            rough
        } else {
            full
        }
    }

    /// Why there is no picture, if it can't be had.
    pub fn trouble(&self) -> Option<&str> {
        let unpaintable = self
            .unpaintable
            .as_ref()
            .filter(|(key, _)| self.wanted() == Some(*key));
        self.obstacle()
            .or(unpaintable.map(|(_, reason)| reason.as_str()))
    }

    /// Why a picture can't even be asked for.
    fn obstacle(&self) -> Option<&str> {
        if self.images.is_empty() && !self.shows_patterns() {
            return Some("No image was given: name one or more on the command line.");
        }
        if let (false, Some(row)) = (self.shows_photo(), self.row())
            && let Err(reason) = &row.shape
        {
            return Some(reason);
        }
        let failure = self.picture_job().and_then(|job| self.failures.get(&job));
        failure.map(String::as_str)
    }

    /// Whether the picture isn't yet the one asked for.
    pub fn picture_is_busy(&self) -> bool {
        if self.outline.is_none() {
            return true;
        }
        if self.shows_classes() {
            return self.classes_are_busy();
        }
        if self.view == View::Heatmap && self.trouble().is_none() && self.heat_key().is_none() {
            return true;
        }
        if self.shows_patterns() && self.pattern_job().is_some() && self.trouble().is_none() {
            return true;
        }
        let shown = self.shown.as_ref().map(|shown| shown.key);
        self.trouble().is_none() && self.wanted().is_some_and(|key| shown != Some(key))
    }

    /// Whether the classes aren't yet those of the image at hand.
    pub fn classes_are_busy(&self) -> bool {
        let job = self.classes_job();
        job.is_some_and(|job| self.answer().is_none() && !self.failures.contains_key(&job))
    }

    /// Why there are no classes, if they can't be had.
    pub fn classes_failure(&self) -> Option<&str> {
        self.failures.get(&self.classes_job()?).map(String::as_str)
    }

    /// Whether the user waits for something.
    pub fn is_busy(&self) -> bool {
        self.picture_is_busy() || self.classes_are_busy()
    }

    /// Whether something is to happen by itself as time passes.
    pub fn awaits_time(&self) -> bool {
        let rough = |key: PaintKey| key.detail == Detail::Rough;
        self.is_busy() || (self.restless > 0 && self.wanted().is_some_and(rough))
    }

    /// What the picture depends on.
    pub(super) fn picture_job(&self) -> Option<Job> {
        if self.outline.is_none() {
            return Some(Job::Open);
        }
        match self.view {
            View::Filter | View::Patterns if self.row()?.shape.is_ok() => self.pattern_job(),
            _ if self.images.is_empty() => None,
            View::Summary | View::Photo => Some(Job::Photo(self.image)),
            View::Heatmap if self.photo().is_none() => Some(Job::Photo(self.image)),
            View::Heatmap => Some(
                self.heat_key()
                    .map_or(Job::Classes(self.image), Job::Heatmap),
            ),
            _ if self.row()?.shape.is_err() => None,
            _ => Some(Job::Activation(self.image, self.layer)),
        }
    }

    /// What the classes depend on.
    pub(super) fn classes_job(&self) -> Option<Job> {
        let head = self.outline.as_ref()?.head?;
        let possible = !self.images.is_empty() && self.outline.as_ref()?.layer(head)?.shape.is_ok();
        possible.then_some(Job::Classes(self.image))
    }
}
