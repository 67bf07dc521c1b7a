//! The explorer without threads and without a model: events in, requests and pictures out.

mod filters;
mod haste;
mod heat;
mod screens;
mod walk;

use std::path::PathBuf;
use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use image::RgbImage;
use ratatui::layout::Size;

use super::filters::{Growth, PatternKey};
use super::heat::HeatKey;
use super::outline::{LayerRow, Outline};
use super::painter::{Drawer, Painting, paint};
use super::protocol::{
    Activation, ClassRow, Event, ImageId, Job, Outcome, Photo, Purpose, Request, Ticket,
};
use super::saver::SaveOrder;
use super::state::State;
use super::update::{begin, update};
use crate::array::Array;
use crate::explain::cam::Heatmap;
use crate::explain::filters::Pattern;
use crate::explain::{ChannelStatistics, statistics};
use crate::model::{ClassId, LayerId};
use crate::photo::Region;

/// A state, and what was asked for on its behalf.
struct Explorer {
    state: State,
    work: Vec<(Ticket, Purpose, Job)>,
    forgotten: Vec<Purpose>,
    painted: Vec<Event>,
    saves: Vec<SaveOrder>,
}

impl Explorer {
    /// Nothing is open.
    fn new(width: u16, height: u16) -> Self {
        let images = vec![
            PathBuf::from("photos/chelsea.png"),
            PathBuf::from("photos/china.jpg"),
        ];
        let size = Size::new(width, height);
        let state = State::new(
            PathBuf::from("weights/net.h5"),
            images,
            PathBuf::from("out"),
            size,
        );
        let mut explorer = Self {
            state,
            work: Vec::new(),
            forgotten: Vec::new(),
            painted: Vec::new(),
            saves: Vec::new(),
        };
        let requests = begin(&mut explorer.state);
        explorer.take(requests);
        explorer
    }

    /// Everything that was asked for is there.
    fn settled(width: u16, height: u16) -> Self {
        let mut explorer = Self::new(width, height);
        explorer.settle();
        explorer
    }

    fn take(&mut self, requests: Vec<Request>) {
        for request in requests {
            match request {
                Request::Work(ticket, purpose, job) => {
                    self.work.retain(|(_, other, _)| *other != purpose);
                    self.work.push((ticket, purpose, job));
                }
                Request::Forget(purpose) => {
                    self.work.retain(|(_, other, _)| *other != purpose);
                    self.forgotten.push(purpose);
                }
                Request::Paint(order) => {
                    let painting = paint(&order, &mut Drawer::default())
                        .map(Arc::new)
                        .map_err(|error| error.to_string());
                    self.painted.push(Event::Painted(order.ticket, painting));
                }
                Request::Save(order) => self.saves.push(order),
            }
        }
    }

    fn happen(&mut self, event: Event) {
        let requests = update(&mut self.state, event);
        self.take(requests);
    }

    /// Does what was asked for, until there is nothing left.
    fn settle(&mut self) {
        for _ in 0..100 {
            if self.painted.is_empty() && self.work.is_empty() {
                return;
            }
            for event in std::mem::take(&mut self.painted) {
                self.happen(event);
            }
            self.work_off();
        }
        panic!("there is always more to do: {:?}", self.work);
    }

    /// Does the most urgent job.
    fn work_off(&mut self) {
        self.work.sort_by_key(|(_, purpose, _)| *purpose);
        if !self.work.is_empty() {
            let (ticket, _, job) = self.work.remove(0);
            self.happen(Event::Answer(ticket, job, Ok(outcome(job))));
        }
    }

    fn press(&mut self, keys: &str) {
        for character in keys.chars() {
            self.code(KeyCode::Char(character));
        }
    }

    fn code(&mut self, code: KeyCode) {
        self.happen(Event::Key(KeyEvent::new(code, KeyModifiers::NONE)));
    }

    fn jobs(&self) -> Vec<Job> {
        self.work.iter().map(|(_, _, job)| *job).collect()
    }

    fn shown(&self) -> &Painting {
        self.state.shown.as_ref().unwrap()
    }
}

/// A small network: an input, two convolutions, one of them in a nested model, a layer of an unknown type that
/// nothing depends on, and a head.
fn outline() -> Outline {
    let row = |name: &str, kind: &str, shape: &[usize], text: &str| LayerRow {
        name: name.to_owned(),
        label: name.rsplit('/').next().unwrap().to_owned(),
        kind: kind.to_owned(),
        depth: usize::from(name.contains('/')),
        shape: Ok(shape.to_vec()),
        shape_text: text.to_owned(),
        computes: kind != "Input",
        parameters: if kind.starts_with("Conv") {
            "9,248".to_owned()
        } else {
            String::new()
        },
        macs: if kind.starts_with("Conv") {
            "7.25 M".to_owned()
        } else {
            String::new()
        },
        window: if kind.starts_with("Conv") {
            "3x3/1".to_owned()
        } else {
            String::new()
        },
        field: if shape.len() == 3 {
            "3".to_owned()
        } else {
            String::new()
        },
        heat: shape.len() == 3 && kind != "Input",
        inputs: if kind == "Input" {
            String::new()
        } else {
            "input".to_owned()
        },
    };
    let mut layers = vec![
        row("input", "Input", &[3, 30, 30], "30x30x3"),
        row("stem", "Functional", &[32, 28, 28], "28x28x32"),
        row("stem/conv2d", "Conv2D", &[32, 28, 28], "28x28x32"),
        row("conv2d_1", "Conv2D", &[300, 7, 7], "7x7x300"),
        row("lambda", "Lambda", &[], "?"),
        row("flatten", "Flatten", &[14700], "14700"),
        row("dense", "Dense", &[3], "3"),
    ];
    layers[4].shape =
        Err("layer 'lambda': convscope doesn't know layers of type Lambda".to_owned());
    Outline {
        format: "Keras 2.13.1 (HDF5)".to_owned(),
        architecture: None,
        preprocessing: "30x30 RGB, squashed (nearest), pixels / 255".to_owned(),
        assumptions: vec!["preprocessing: the book's, for want of a card".to_owned()],
        totals: "18,496 parameters, 14.50 M MACs".to_owned(),
        device: "cpu".to_owned(),
        layers,
        head: Some(LayerId(6)),
        classes: 3,
        heat_layer: Some(LayerId(3)),
        no_heat: String::new(),
    }
}

/// The same numbers whenever they are asked for; channel 1 of each layer is dead.
fn outcome(job: Job) -> Outcome {
    match job {
        Job::Open => Outcome::Opened(Box::new(outline())),
        Job::Photo(ImageId(index)) => Outcome::Photo(Photo {
            original: Some([300, 451]),
            fitted: Arc::new(RgbImage::from_fn(30, 30, |x, y| {
                image::Rgb([8 * x as u8, 8 * y as u8, 100 * index as u8])
            })),
            input: Arc::new(Array::zeros([3, 30, 30])),
            full: Arc::new(RgbImage::from_fn(451, 300, |x, y| {
                image::Rgb([x as u8, y as u8, 100 * index as u8])
            })),
            region: Region {
                left: 0,
                top: 0,
                width: 451,
                height: 300,
            },
        }),
        Job::Activation(ImageId(image), layer) => {
            let shape = outline().layers[layer.0].shape.clone().unwrap();
            let plane: usize = shape[1..].iter().product();
            let value = |index: usize| {
                let channel = index / plane;
                if channel == 1 {
                    0.0
                } else {
                    (index * (channel + image + 1) % 17) as f32
                }
            };
            let values = Array::new(
                shape.clone(),
                (0..shape.iter().product()).map(value).collect(),
            );
            Outcome::Activation(Activation {
                channels: statistics(&values).into(),
                whole: ChannelStatistics::of(values.values()),
                values: Arc::new(values),
                seconds: 0.012,
            })
        }
        Job::Shelf(..) => Outcome::Shelf(Vec::new()),
        Job::Pattern(key) => Outcome::Pattern(Arc::new(growth(key, 40))),
        Job::Heatmap(key) => Outcome::Heatmap(Arc::new(heatmap(key))),
        Job::Classes(ImageId(index)) => {
            let names = [["cat", "dog", "bird"], ["boathouse", "palace", "dog"]][index];
            let row = |(class, (name, probability)): (usize, (&str, f64))| ClassRow {
                class: ClassId(class),
                synonyms: vec![format!("{name} of old")],
                name: name.to_owned(),
                probability,
            };
            Outcome::Classes(
                names
                    .into_iter()
                    .zip([0.9, 0.0996, 0.0004])
                    .enumerate()
                    .map(row)
                    .collect(),
            )
        }
    }
}

/// Evidence in one corner; the channels with the highest numbers push most.
fn heatmap(key: HeatKey) -> Heatmap {
    let heat = Array::new([2, 2], vec![1.0, 0.0, 0.5, 0.0]);
    Heatmap {
        layer: key.layer,
        class: key.class,
        settings: key.settings,
        raw: heat.clone(),
        heat,
        weights: (0..32).map(|channel| channel as f32 - 20.0).collect(),
        min: -2.0,
        max: 4.0,
        negative_share: 0.25,
        dead_channels: 1,
        probability: 0.9,
        logit: 3.5,
        advice: (key.class.0 == 2).then(|| "all evidence is negative".to_owned()),
    }
}

/// A pattern after some of its 40 steps.
fn growth(key: PatternKey, done: usize) -> Growth {
    let shade = (8 * key.channel.0 + done) as u8;
    Growth {
        pattern: Pattern {
            image: Array::zeros([3, 30, 30]),
            losses: vec![0.0; done],
            dead: false,
        },
        picture: RgbImage::from_pixel(30, 30, image::Rgb([shade, 0, 0])),
        done,
        of: 40,
    }
}
