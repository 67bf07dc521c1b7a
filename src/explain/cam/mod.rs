//! Grad-CAM: where in the picture the evidence for a class lies.
//!
//! With A the activation of a layer (C,h,w), y the class's score and g = dy/dA, each channel weighs the mean of its
//! gradient, `w_c = mean(g_c)`, and the map is `sum_c w_c A_c`: Selvaraju et al. 2017. [`Settings`] hold what
//! systems do differently, [`Dialect`] the systems whose numbers are matched.
//!
//! Only the network's tail behind the layer is differentiated. A [`Run`] keeps what that takes: another class of the
//! same image costs one backward sweep through the tail, and several classes and layers share one sweep.

mod advice;
mod places;
mod reduce;
mod score;
mod settings;

pub use places::{default_layer, possible_layers};
pub use settings::{Dialect, Normalization, Reduction, Score, Settings};

use advice::Findings;
use places::Places;
use reduce::{Range, normalized, pooled, weighted};
use score::{Cotangent, cotangent, slope};

use super::{ChannelStatistics, Prediction, predictions};
use crate::array::Array;
use crate::engine::{Engine, ReluRule, Run, Tensor};
use crate::error::{Error, Result};
use crate::model::{ChannelId, ClassId, Head, LayerId, Model, volume};

/// Gradients of one sweep may take about this many bytes on the device; more classes take more sweeps.
const SWEEP: usize = 128 << 20;

/// Where one layer sees evidence for one class.
#[derive(Clone, Debug)]
pub struct Heatmap {
    /// At which layer.
    pub layer: LayerId,
    /// For which class.
    pub class: ClassId,
    /// How it was made.
    pub settings: Settings,
    /// (h,w), before ReLU and normalisation.
    pub raw: Array,
    /// (h,w), to be shown: 0 to 1, or -1 to 1 without a ReLU. All zeros where there is nothing to show.
    pub heat: Array,
    /// The mean gradient of the score at each channel.
    pub weights: Vec<f32>,
    /// Smallest raw value.
    pub min: f64,
    /// Largest raw value.
    pub max: f64,
    /// The negative values' share of the sum of all raw magnitudes, 0 to 1.
    pub negative_share: f64,
    /// Channels whose map is constant.
    pub dead_channels: usize,
    /// Of the class, in 0..=1.
    pub probability: f64,
    /// The class's value before the softmax or sigmoid.
    pub logit: f64,
    /// Why it is blank or says little, and what would say more.
    pub advice: Option<String>,
}

impl Heatmap {
    /// The `count` channels of the largest weights, largest first.
    pub fn top_channels(&self, count: usize) -> Vec<(ChannelId, f32)> {
        let weights = self.weights.iter().copied().enumerate();
        let mut channels: Vec<(ChannelId, f32)> = weights
            .map(|(channel, weight)| (ChannelId(channel), weight))
            .collect();
        channels.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        channels.truncate(count);
        channels
    }
}

/// Checks that heatmaps can be made at `layers`, and computes in one pass what they need, the class scores included.
/// A run that first computed the scores alone would pass through the network twice.
///
/// # Errors
/// As [`heatmaps`].
pub fn prepare(engine: &Engine, run: &mut Run, layers: &[LayerId]) -> Result<()> {
    if run.batch() != 1 {
        return Err(Error::request(format!(
            "a heatmap is made for one image, and {} were given",
            run.batch()
        )));
    }
    let places = Places::of(engine.model(), run.shapes())?;
    for &layer in layers {
        places.check(layer)?;
    }
    // One after the other, so that each is made from those before it, and none twice.
    for node in places.tail(layers) {
        engine.value(run, node)?;
    }
    Ok(())
}

/// Heatmaps of one image for every pair of a layer and a class: for the first layer all classes, then for the next.
/// `run` is a pass of one example; what it lacks is computed and kept in it, the values behind the layers included.
///
/// # Errors
/// When the model has no classifier or no such class, no heatmap can be made at a layer (saying why, and which would
/// do), or a layer can't be computed or holds values that aren't finite.
pub fn heatmaps(
    engine: &Engine,
    run: &mut Run,
    layers: &[LayerId],
    classes: &[ClassId],
    settings: Settings,
) -> Result<Vec<Heatmap>> {
    let mut work = Work::start(engine, run, layers, settings)?;
    for &class in classes {
        if class.0 >= work.answer.len() {
            return Err(Error::request(format!(
                "no class {}: the model has {} classes, 0 to {}",
                class.0,
                work.answer.len(),
                work.answer.len().saturating_sub(1)
            )));
        }
    }
    let cotangents: Vec<Cotangent> = classes.iter().map(|&class| work.cotangent(class)).collect();
    let weights = work.weights(layers, &cotangents)?;
    let mut found = Vec::with_capacity(layers.len() * classes.len());
    for (&layer, weights) in layers.iter().zip(weights) {
        let activation = work.activation(layer)?;
        let dead = dead_channels(&activation);
        for ((&class, cotangent), weights) in classes.iter().zip(&cotangents).zip(weights) {
            found.push(work.heatmap(layer, &activation, dead, class, cotangent, &weights)?);
        }
    }
    Ok(found)
}

/// One image in the network, ready for sweeps.
struct Work<'a> {
    engine: &'a Engine,
    model: &'a Model,
    run: &'a mut Run,
    head: Head,
    /// Units of the head.
    units: usize,
    /// Every class, in order.
    answer: Vec<Prediction>,
    settings: Settings,
}

impl<'a> Work<'a> {
    fn start(
        engine: &'a Engine,
        run: &'a mut Run,
        layers: &[LayerId],
        settings: Settings,
    ) -> Result<Self> {
        prepare(engine, run, layers)?;
        let model: &Model = engine.model();
        let head = model.classifier()?;
        let units = volume(run.shapes().get(head.logits)?);
        let mut answer = predictions(engine, run)?;
        answer.sort_by_key(|prediction| prediction.class);
        if answer
            .iter()
            .any(|prediction| !prediction.logit.is_finite())
        {
            return Err(Error::layer(
                model.layer_name(head.logits),
                "its values for this image aren't finite, so no class can be explained",
            ));
        }
        Ok(Self {
            engine,
            model,
            run,
            head,
            units,
            answer,
            settings,
        })
    }

    fn cotangent(&self, class: ClassId) -> Cotangent {
        cotangent(
            self.head.kind,
            &self.answer,
            self.units,
            class,
            self.settings.score,
        )
    }

    /// For each layer and each cotangent, the mean gradient at each channel, without the cotangent's scale.
    fn weights(
        &mut self,
        layers: &[LayerId],
        cotangents: &[Cotangent],
    ) -> Result<Vec<Vec<Vec<f64>>>> {
        let nodes: Vec<_> = layers
            .iter()
            .map(|&id| self.model.layer(id).output)
            .collect();
        let shapes = self.run.shapes();
        let largest = nodes.iter().filter_map(|&node| shapes.get(node).ok());
        let largest = largest.map(volume).max().unwrap_or(1).max(self.units);
        let at_once = (SWEEP / (4 * largest)).max(1);
        let mut found = vec![Vec::with_capacity(cotangents.len()); layers.len()];
        for part in cotangents.chunks(at_once) {
            let rows: Vec<f32> = part
                .iter()
                .flat_map(|each| each.row.iter().copied())
                .collect();
            let rows = Tensor::upload(
                &Array::new([part.len(), self.units], rows),
                self.engine.device(),
            )?;
            let gradients = self.engine.vjp(
                self.run,
                self.head.logits,
                &rows,
                &nodes,
                ReluRule::Gradient,
            )?;
            for (found, gradient) in found.iter_mut().zip(gradients) {
                let gradient = gradient.read()?;
                let channels = gradient.shape()[1];
                found.extend((0..part.len()).map(|class| pooled(gradient.at(class), channels)));
            }
        }
        Ok(found)
    }

    /// (C,h,w).
    fn activation(&mut self, layer: LayerId) -> Result<Array> {
        let value = self
            .engine
            .value(self.run, self.model.layer(layer).output)?
            .read()?;
        if value.values().iter().any(|value| !value.is_finite()) {
            return Err(Error::layer(
                &self.model.layer(layer).name,
                "its values for this image aren't finite",
            ));
        }
        let shape = value.shape()[1..].to_vec();
        Ok(value.reshaped(shape))
    }

    fn heatmap(
        &mut self,
        layer: LayerId,
        activation: &Array,
        dead_channels: usize,
        class: ClassId,
        cotangent: &Cotangent,
        weights: &[f64],
    ) -> Result<Heatmap> {
        let map = self.map(activation, weights);
        if map.iter().any(|value| !value.is_finite()) {
            return Err(Error::layer(
                &self.model.layer(layer).name,
                "its gradients for this image aren't finite",
            ));
        }
        let Cotangent { scale, .. } = *cotangent;
        let plane = [activation.shape()[1], activation.shape()[2]];
        let scaled = |values: &[f64]| values.iter().map(|value| (scale * value) as f32).collect();
        let range = Range::of(&map);
        let Prediction {
            probability, logit, ..
        } = self.answer[class.0];
        let name = self.model.class_name(class);
        let findings = Findings {
            settings: self.settings,
            head: self.head.kind,
            class: &name,
            probability,
            slope: slope(self.head.kind, &self.answer, class, self.settings.score),
            range: Range {
                min: scale * range.min,
                max: scale * range.max,
                ..range
            },
            channels: weights.len(),
            dead: dead_channels,
        };
        let nearest = if findings.wants_another_layer() {
            self.nearest(layer, cotangent)?
        } else {
            None
        };
        let nearest = nearest.map(|id| self.model.layer(id).name.as_str());
        Ok(Heatmap {
            layer,
            class,
            settings: self.settings,
            raw: Array::new(plane, scaled(&map)),
            heat: Array::new(plane, normalized(&map, scale, self.settings)),
            weights: scaled(weights),
            min: findings.range.min,
            max: findings.range.max,
            negative_share: range.negative,
            dead_channels,
            probability,
            logit,
            advice: findings.words(nearest),
        })
    }

    fn map(&self, activation: &Array, weights: &[f64]) -> Vec<f64> {
        let mut map = weighted(activation.values(), weights);
        if self.settings.reduction == Reduction::Mean {
            let count = weights.len() as f64;
            for value in &mut map {
                *value /= count;
            }
        }
        map
    }

    /// The layer nearest to `layer` whose map has something positive.
    fn nearest(&mut self, layer: LayerId, cotangent: &Cotangent) -> Result<Option<LayerId>> {
        let candidates = Places::of(self.model, self.run.shapes())?.alternatives(layer);
        // Each time twice as many layers: a sweep that goes further back passes the later ones again.
        let mut rest = &candidates[..];
        let mut count = 1;
        while !rest.is_empty() {
            let (layers, others) = rest.split_at(count.min(rest.len()));
            (rest, count) = (others, 2 * count);
            prepare(self.engine, self.run, layers)?;
            let weights = self.weights(layers, std::slice::from_ref(cotangent))?;
            for (&layer, weights) in layers.iter().zip(&weights) {
                let activation = self.activation(layer)?;
                if Range::of(&self.map(&activation, &weights[0])).max > 0.0 {
                    return Ok(Some(layer));
                }
            }
        }
        Ok(None)
    }
}

fn dead_channels(activation: &Array) -> usize {
    (0..activation.shape()[0])
        .filter(|&channel| ChannelStatistics::of(activation.at(channel)).dead())
        .count()
}
