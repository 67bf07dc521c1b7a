//! What is measured: real maps of shipped models, and a heatmap over a photo.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use convscope::array::Array;
use convscope::engine::{Device, Engine};
use convscope::explain::cam::{self, Dialect, Settings};
use convscope::explain::{self, activations};
use convscope::formats;
use convscope::model::{ChannelId, ClassId, LayerId};
use convscope::photo::{self, Region};
use convscope::picture::{Colormap, Style};
use convscope::terminal::{Canvas, Protocol};
use convscope::tui::heat::{HeatKey, Layout};
use convscope::tui::painter::{Detail, PaintKey, PaintOrder, Source, Subject};
use convscope::tui::protocol::{ImageId, Ticket};
use ratatui::layout::Size;

/// So many channels are stepped through, and so many classes.
const CHANNELS: usize = 24;
const CLASSES: usize = 10;

const IMAGE: ImageId = ImageId(0);

/// Pictures that are shown one after the other in the same place.
pub struct Case {
    pub what: &'static str,
    /// In letters that a file name may have.
    pub name: &'static str,
    /// (height, width) of a cell in pixels.
    pub cell: [u16; 2],
    pub room: Size,
    /// (columns, rows) that the picture alone covers.
    pub cells: [u16; 2],
    /// Whether it is shown to someone who is on the way elsewhere, to a terminal that can lay it over what it has.
    pub on_the_way: bool,
    pub shown: Vec<(Subject, Source)>,
}

impl Case {
    pub fn order(&self, index: usize, protocol: Protocol, detail: Detail) -> PaintOrder {
        let (subject, source) = self.shown[index].clone();
        let cell = match protocol {
            Protocol::HalfBlocks => Canvas::HALF_BLOCKS.cell,
            // Sixels come by six: a cell that takes a tile as the others' do.
            Protocol::Sixel => [self.cell[0].next_multiple_of(6), self.cell[1]],
            _ => self.cell,
        };
        let colormap = match subject {
            Subject::Heatmap(..) => Colormap::Jet,
            _ => Colormap::Viridis,
        };
        PaintOrder {
            ticket: Ticket(0),
            key: PaintKey {
                subject,
                colormap,
                room: self.room,
                canvas: Canvas {
                    protocol,
                    cell,
                    ..Canvas::HALF_BLOCKS
                },
                detail,
            },
            source,
        }
    }
}

pub fn cases() -> Result<Vec<Case>> {
    let vgg = "weights/vgg16_cats_dogs.safetensors";
    let book = "weights/cats_and_dogs_small_2.h5";
    let small = Arc::new(maps(vgg, "block2_conv2", Some([128, 128]))?);
    let large = Arc::new(maps(book, "conv2d_5", None)?);
    let grid = (
        Subject::Grid(IMAGE, LayerId(0), Style::Book),
        Source::Values(small.clone()),
    );
    Ok(vec![
        Case {
            what: "grid of 128 maps of 64x64, 1024x512",
            name: "grid",
            cell: [16, 8],
            // With a cell around each tile.
            room: Size::new(16 * 9 + 1, 8 * 5 + 1),
            cells: [128, 32],
            on_the_way: false,
            shown: vec![grid],
        },
        Case {
            what: "a channel of 64x64, enlarged to 576x576",
            name: "channel-64",
            cell: [18, 9],
            room: Size::new(64, 32),
            cells: [64, 32],
            on_the_way: false,
            shown: channels(&small),
        },
        Case {
            what: "a channel of 148x148, enlarged to 592x592",
            name: "channel-148",
            cell: [18, 9],
            room: Size::new(66, 33),
            cells: [66, 33],
            on_the_way: false,
            shown: channels(&large),
        },
        Case {
            what: "a heatmap over a photo, 1024x768",
            name: "heatmap",
            cell: [16, 8],
            room: Size::new(128, 48),
            cells: [128, 48],
            on_the_way: false,
            shown: heatmaps()?,
        },
        Case {
            what: "the same for the next class, on the way",
            name: "veil",
            cell: [16, 8],
            room: Size::new(128, 48),
            cells: [128, 48],
            on_the_way: true,
            shown: heatmaps()?,
        },
    ])
}

fn channels(maps: &Arc<Array>) -> Vec<(Subject, Source)> {
    let subject = |channel| Subject::Channel(IMAGE, LayerId(0), ChannelId(channel), Style::MinMax);
    (0..CHANNELS)
        .map(|channel| (subject(channel), Source::Values(maps.clone())))
        .collect()
}

/// A layer's feature maps of a cat, which the network sees at its own size if none is given.
fn maps(model: &str, layer: &str, size: Option<[usize; 2]>) -> Result<Array> {
    let model = Arc::new(formats::open(&path(model))?);
    let mut preprocessing = model.preprocessing.clone();
    preprocessing.size = size.unwrap_or(preprocessing.size);
    let layer = model.find_layer(layer)?;
    let engine = Engine::new(model, Device::CPU);
    let photo = photo::open(&path("demo/chelsea.png"), true)?;
    let input = explain::feed(&engine, &photo::prepare(&photo.image, &preprocessing))?;
    let mut found = None;
    activations(&engine, &input, &[layer], |_, maps| {
        found = Some(maps);
        Ok(())
    })?;
    found.context("the layer was not computed")
}

/// For a photo's best classes.
fn heatmaps() -> Result<Vec<(Subject, Source)>> {
    let model = Arc::new(formats::open(&path(
        "weights/efficientnet_lite0.safetensors",
    ))?);
    let layer = cam::default_layer(&model, &model.own_shapes())?;
    let photo = photo::open(&path("demo/polar_bear.jpg"), true)?;
    let region = Region::seen(&photo.image, &model.preprocessing);
    let input = photo::prepare(&photo.image, &model.preprocessing);
    let engine = Engine::new(model, Device::CPU);
    let mut run = engine.forward(&explain::feed(&engine, &input)?, &[])?;
    let best = explain::predictions(&engine, &mut run)?;
    let classes: Vec<ClassId> = best.iter().map(|each| each.class).take(CLASSES).collect();
    let settings = Settings::default();
    let found = cam::heatmaps(&engine, &mut run, &[layer], &classes, settings)?;
    let photo = Arc::new(photo.image);
    let shown = found.into_iter().map(|heatmap| {
        let key = HeatKey {
            image: IMAGE,
            layer,
            class: heatmap.class,
            settings,
        };
        let subject = Subject::Heatmap(key, Dialect::Book, 40, Layout::Overlay);
        let source = Source::Heatmap {
            heat: Arc::new(heatmap),
            photo: photo.clone(),
            region,
        };
        (subject, source)
    });
    Ok(shown.collect())
}

fn path(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}
