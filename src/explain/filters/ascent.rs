//! One ascent: from noise, step by step, to the picture that excites a unit.

use std::sync::Arc;

use super::prefix::Prefix;
use super::random::Random;
use super::recipe::{LUCID_RATE, LUCID_START, Noise};
use super::{Objective, Settings, Unit};
use crate::array::Array;
use crate::engine::{Engine, Feed, Glimpse, ReluRule, Spectrum, Tensor};
use crate::error::{Error, Result};
use crate::model::{ChannelOrder, NodeId, Preprocessing};

/// How many starts are tried before a filter counts as dead.
const ATTEMPTS: u64 = 4;

/// Gradients whose root mean square is less are none: no rounding error of a living filter is so small.
const NOTHING: f64 = 1e-12;

/// A finished ascent, or what there is of one.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    /// (C,h,w): for the book's recipes the network's input as it is, for lucid red, green and blue in 0..=1.
    pub image: Array,
    /// What was climbed: before the first step, after each, and so after the last.
    pub losses: Vec<f64>,
    /// The filter had no gradient, whatever it started from: the image is noise and means nothing.
    pub dead: bool,
}

/// How far an ascent is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Steps that are made.
    pub done: usize,
    /// Steps in all.
    pub of: usize,
    /// What is climbed, before the step that was made last; after it, once all are made.
    pub loss: f64,
    /// Root of the mean square of the gradient at the network's input in the last step.
    pub grad_rms: f64,
    /// Starts that had no gradient and were given up.
    pub restarts: usize,
}

/// An ascent under way. Values stay on the device between steps.
#[derive(Debug)]
pub struct Ascent {
    /// Of the part of the network that the objective depends on.
    engine: Engine,
    input: NodeId,
    output: NodeId,
    /// The objective is the output's product with this.
    cotangent: Tensor,
    settings: Settings,
    /// Channels of the picture.
    planes: usize,
    feed: Feed,
    /// What tells this unit's random numbers from others'.
    seeds: [u64; 3],
    /// The start that is being climbed from, counted from 0.
    attempt: u64,
    random: Random,
    place: Place,
    losses: Vec<f64>,
    grad_rms: f64,
    dead: bool,
}

/// What is changed at each step.
#[derive(Debug)]
enum Place {
    /// (1,C,h,w), the network's input.
    Pixels(Tensor),
    Spectrum(Spectrum),
}

impl Ascent {
    /// An ascent at its start. Weights are uploaded with the first step, and shared with `engine`.
    ///
    /// # Errors
    /// When the model has no such objective, it doesn't depend on one picture of 1 or 3 planes, or weights can't be
    /// read.
    pub fn new(engine: &Engine, objective: Objective, settings: &Settings) -> Result<Self> {
        let model = engine.model();
        let shapes = settings.shapes(model);
        let unit = objective.unit(model, &shapes)?;
        let Prefix {
            model: part,
            input,
            unit: narrowed,
        } = Prefix::of(model, &shapes, unit)?;
        let part = Arc::new(part);
        let shapes = settings.shapes(&part);
        let planes = settings.planes(&part);
        let feed = feed(&part.preprocessing, planes).ok_or_else(|| {
            Error::request(format!(
                "the model is fed {planes} planes, which are no picture; a pattern has 1 or 3"
            ))
        })?;
        let cotangent = cotangent(
            shapes.get(narrowed.node)?,
            narrowed,
            settings.recipe.border(),
        );
        let seeds = [settings.seed, unit.node.0 as u64, unit.index as u64];
        let random = Random::new(&[&seeds[..], &[0]].concat());
        let mut ascent = Self {
            engine: engine.beside(part),
            input,
            output: narrowed.node,
            cotangent: Tensor::upload(&cotangent, engine.device())?,
            settings: settings.clone(),
            planes,
            feed,
            seeds,
            attempt: 0,
            random,
            // Replaced right below.
            place: Place::Pixels(Tensor::upload(&Array::zeros([1]), engine.device())?),
            losses: Vec::with_capacity(settings.steps + 1),
            grad_rms: 0.0,
            dead: false,
        };
        ascent.place = ascent.start()?;
        Ok(ascent)
    }

    /// One step up. Does nothing once all are made.
    ///
    /// # Errors
    /// When the network can't be computed, its values aren't finite, or the work was called off: then the ascent is
    /// where it was, and a later call goes on.
    pub fn step(&mut self) -> Result<Progress> {
        while !self.is_finished() {
            let (loss, grad_rms) = self.climb()?;
            if !loss.is_finite() || !grad_rms.is_finite() {
                return Err(Error::layer(
                    self.engine.model().layer_name(self.output),
                    "its values or gradients aren't finite, so that there is no way up",
                ));
            }
            self.grad_rms = grad_rms;
            self.losses.push(loss);
            if grad_rms >= NOTHING {
                break;
            }
            self.start_over()?;
        }
        if self.is_finished() && !self.dead && self.losses.len() == self.settings.steps {
            self.losses.push(self.loss()?);
        }
        Ok(self.progress())
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        Progress {
            done: self.losses.len().min(self.settings.steps),
            of: self.settings.steps,
            loss: self.losses.last().copied().unwrap_or_default(),
            grad_rms: self.grad_rms,
            restarts: self.attempt as usize,
        }
    }

    /// Whether all steps are made, or the filter is dead.
    pub fn is_finished(&self) -> bool {
        self.dead || self.losses.len() >= self.settings.steps
    }

    /// What it does.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What there is of the pattern.
    ///
    /// # Errors
    /// When a computation on the device failed.
    pub fn pattern(&self) -> Result<Pattern> {
        let picture = match &self.place {
            Place::Pixels(pixels) => pixels.read()?,
            Place::Spectrum(spectrum) => spectrum.picture()?.read()?,
        };
        let shape = picture.shape()[1..].to_vec();
        Ok(Pattern {
            image: picture.reshaped(shape),
            losses: self.losses.clone(),
            dead: self.dead,
        })
    }

    /// Climbs to the end.
    ///
    /// # Errors
    /// As [`Self::step`].
    pub fn finish(mut self) -> Result<Pattern> {
        while !self.is_finished() {
            self.step()?;
        }
        self.pattern()
    }

    /// The loss and the gradient's root mean square before the step; without a gradient there is no step.
    fn climb(&mut self) -> Result<(f64, f64)> {
        let place = &mut self.place;
        let part = Part {
            engine: &self.engine,
            input: self.input,
            output: self.output,
            cotangent: &self.cotangent,
        };
        match place {
            Place::Pixels(pixels) => {
                let (loss, gradient) = part.gradient(pixels)?;
                let size = gradient.root_mean_square()?;
                if size >= NOTHING && size.is_finite() {
                    let count = gradient.shape().iter().product();
                    *pixels = pixels.plus(&gradient, self.settings.recipe.divisor(size, count))?;
                }
                Ok((loss, size))
            }
            Place::Spectrum(spectrum) => {
                let glimpse = glimpse(&mut self.random, self.settings.input_size());
                let mut found = (0.0, 0.0);
                spectrum.climb(glimpse, &self.feed, LUCID_RATE, |seen| {
                    let (loss, gradient) = part.gradient(seen)?;
                    let size = gradient.root_mean_square()?;
                    found = (loss, size);
                    Ok((size >= NOTHING && size.is_finite()).then_some(gradient))
                })?;
                Ok(found)
            }
        }
    }

    /// The loss where it stands; for lucid, of the picture held still.
    fn loss(&self) -> Result<f64> {
        let seen;
        let input = match &self.place {
            Place::Pixels(pixels) => pixels,
            Place::Spectrum(spectrum) => {
                let still = Glimpse {
                    size: self.settings.input_size(),
                    offset: [0.0; 2],
                    zoom: 1.0,
                    angle: 0.0,
                };
                seen = spectrum.seen(still, &self.feed)?;
                &seen
            }
        };
        let inputs = std::slice::from_ref(input);
        let mut run = self.engine.forward(inputs, &[self.output])?;
        self.engine
            .value(&mut run, self.output)?
            .dot(&self.cotangent)
    }

    fn start_over(&mut self) -> Result<()> {
        if self.settings.start.is_some() || self.attempt + 1 >= ATTEMPTS {
            self.dead = true;
            return Ok(());
        }
        self.attempt += 1;
        self.random = Random::new(&[&self.seeds[..], &[self.attempt]].concat());
        self.losses.clear();
        self.place = self.start()?;
        Ok(())
    }

    fn start(&mut self) -> Result<Place> {
        let (planes, [height, width]) = (self.planes, self.settings.size);
        let device = self.engine.device();
        let random = &mut self.random;
        let Some(Noise { low, range }) = self.settings.recipe.noise() else {
            let shape = [planes, height, width / 2 + 1, 2];
            let count = shape.iter().product();
            let values = (0..count).map(|_| LUCID_START * random.normal() as f32);
            let start = Array::new(shape, values.collect());
            return Ok(Place::Spectrum(Spectrum::new(
                &start,
                [height, width],
                device,
            )?));
        };
        let shape = [1, planes, height, width];
        let pixels = if let Some(start) = &self.settings.start {
            start.clone().reshaped(shape)
        } else {
            let count = shape.iter().product();
            let values = (0..count).map(|_| random.uniform() as f32 * range + low);
            Array::new(shape, values.collect())
        };
        Ok(Place::Pixels(Tensor::upload(&pixels, device)?))
    }
}

/// What a gradient is made from.
struct Part<'a> {
    engine: &'a Engine,
    input: NodeId,
    output: NodeId,
    cotangent: &'a Tensor,
}

impl Part<'_> {
    /// The objective at an input, and its gradient there.
    fn gradient(&self, input: &Tensor) -> Result<(f64, Tensor)> {
        let (value, gradient) = self.engine.gradient(
            std::slice::from_ref(input),
            self.output,
            self.cotangent,
            self.input,
            ReluRule::Gradient,
        )?;
        Ok((value.dot(self.cotangent)?, gradient))
    }
}

/// 1 over the number of places that count, at those; for a vector, 1 at the unit. (1, shape).
fn cotangent(shape: &[usize], unit: Unit, border: usize) -> Array {
    let mut values = Array::zeros([&[1], shape].concat());
    let &[_, height, width] = shape else {
        values.values_mut()[unit.index] = unit.sign;
        return values;
    };
    // A map that is all border counts as a whole.
    let border = if height.min(width) > 2 * border {
        border
    } else {
        0
    };
    let places = (height - 2 * border) * (width - 2 * border);
    let share = unit.sign / places as f32;
    let plane = &mut values.values_mut()[unit.index * height * width..][..height * width];
    for line in plane
        .chunks_exact_mut(width)
        .skip(border)
        .take(height - 2 * border)
    {
        line[border..width - border].fill(share);
    }
    values
}

/// From a picture in 0..=1 to what the network is fed: `(255 x scale - mean) / std`, and the network's order of
/// planes. None for a number of planes that is no picture.
fn feed(preprocessing: &Preprocessing, planes: usize) -> Option<Feed> {
    let order = match (planes, preprocessing.channels) {
        (1, _) => vec![0],
        (3, ChannelOrder::Bgr) => vec![2, 1, 0],
        (3, _) => vec![0, 1, 2],
        _ => return None,
    };
    let Preprocessing {
        scale, mean, std, ..
    } = preprocessing;
    Some(Feed {
        order,
        factor: std
            .iter()
            .take(planes)
            .map(|std| 255.0 * scale / std)
            .collect(),
        shift: mean
            .iter()
            .zip(std)
            .take(planes)
            .map(|(mean, std)| -mean / std)
            .collect(),
    })
}

/// lucid's usual transformations: a jitter of 8 pixels, a scale of 0.9 to 1.1, a turn of at most 10 degrees, and a
/// jitter of 4, here as one resampling.
fn glimpse(random: &mut Random, size: [usize; 2]) -> Glimpse {
    let mut jitter = |pixels: usize| random.below(pixels + 1) as f64 - pixels as f64 / 2.0;
    let before = [jitter(8), jitter(8)];
    let after = [jitter(4), jitter(4)];
    let zoom = 1.0 + (random.below(11) as f64 - 5.0) / 50.0;
    // lucid's list has -10 to 10, and five zeros more.
    let degrees = match random.below(26) {
        pick @ 0..=20 => pick as f64 - 10.0,
        _ => 0.0,
    };
    let angle = Glimpse::degrees(degrees);
    let (sin, cos) = angle.sin_cos();
    let [down, right] = after;
    Glimpse {
        size,
        offset: [
            before[0] + (sin * right + cos * down) / zoom,
            before[1] + (cos * right - sin * down) / zoom,
        ],
        zoom,
        angle,
    }
}
