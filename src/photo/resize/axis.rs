//! The weights of a separable filter along one axis.

use std::f64::consts::PI;
use std::ops::Range;

use crate::model::Filter;

/// Fractional bits of a weight. 8 bits of the 32 are a sample's, one is the sign, and one is left for sums
/// beyond 255, which the filters with negative lobes reach.
pub(super) const PRECISION: u32 = 32 - 8 - 2;

/// A filter as a function of the distance in samples.
#[derive(Clone, Copy)]
pub(super) struct Kernel {
    weight: fn(f64) -> f64,
    /// The distance from which on the weight is zero.
    support: f64,
}

impl Kernel {
    /// The kernel of a filter; the nearest neighbour has none.
    pub fn of(filter: Filter) -> Option<Self> {
        let (weight, support): (fn(f64) -> f64, f64) = match filter {
            Filter::Nearest => return None,
            Filter::Box => (rectangle, 0.5),
            Filter::Bilinear => (triangle, 1.0),
            Filter::Bicubic => (cubic, 2.0),
            Filter::Lanczos => (lanczos, 3.0),
        };
        Some(Self { weight, support })
    }
}

/// Half open, so that a sample on a border counts once.
fn rectangle(x: f64) -> f64 {
    if x > -0.5 && x <= 0.5 { 1.0 } else { 0.0 }
}

fn triangle(x: f64) -> f64 {
    (1.0 - x.abs()).max(0.0)
}

/// Keys's cubic convolution with a = -0.5.
fn cubic(x: f64) -> f64 {
    let x = x.abs();
    if x < 1.0 {
        (1.5 * x - 2.5) * x * x + 1.0
    } else if x < 2.0 {
        -0.5 * (((x - 5.0) * x + 8.0) * x - 4.0)
    } else {
        0.0
    }
}

/// A sinc windowed by the middle lobe of a sinc three times as wide.
fn lanczos(x: f64) -> f64 {
    if (-3.0..3.0).contains(&x) {
        sinc(x) * sinc(x / 3.0)
    } else {
        0.0
    }
}

fn sinc(x: f64) -> f64 {
    let x = x * PI;
    if x == 0.0 { 1.0 } else { x.sin() / x }
}

/// For each output along an axis: the source samples it is made of, and their weights.
pub(super) struct Axis {
    outputs: Vec<Output>,
    weights: Vec<i32>,
}

struct Output {
    first: usize,
    weights: Range<usize>,
}

impl Axis {
    /// Weights for resizing `from` samples to `to`, of which only the outputs `kept` are wanted. Where the axis shrinks,
    /// the kernel is widened by the same factor.
    ///
    /// Every operation on `f64` here is in Pillow's order: the box filter's edges depend on the last bit.
    pub fn new(from: usize, to: usize, kept: Range<usize>, kernel: Kernel) -> Self {
        let scale = from as f64 / to as f64;
        let widening = scale.max(1.0);
        let support = kernel.support * widening;
        let inverse = 1.0 / widening;
        let mut outputs = Vec::with_capacity(kept.len());
        let mut weights = Vec::new();
        let mut exact = Vec::new();
        for output in kept {
            let center = (output as f64 + 0.5) * scale;
            // A cast truncates, and turns what is below zero into zero.
            let first = (center - support + 0.5) as usize;
            let end = ((center + support + 0.5) as usize).min(from);
            exact.clear();
            exact.extend((first..end).map(|sample| {
                let distance = sample as f64 - center + 0.5;
                (kernel.weight)(distance * inverse)
            }));
            let sum: f64 = exact.iter().sum();
            let start = weights.len();
            weights.extend(exact.iter().map(|weight| fixed(weight / sum)));
            let weights = start..weights.len();
            outputs.push(Output { first, weights });
        }
        Self { outputs, weights }
    }

    /// How many outputs there are.
    pub fn len(&self) -> usize {
        self.outputs.len()
    }

    /// Each output's first source sample and the weights from there on.
    pub fn outputs(&self) -> impl Iterator<Item = (usize, &[i32])> {
        let outputs = self.outputs.iter();
        outputs.map(|output| (output.first, &self.weights[output.weights.clone()]))
    }

    /// Which source samples any output needs. From here on the first of them counts as number zero.
    pub fn rebase(&mut self) -> Range<usize> {
        let firsts = self.outputs.iter().map(|output| output.first);
        let start = firsts.min().unwrap_or(0);
        let ends = self.outputs().map(|(first, weights)| first + weights.len());
        let end = ends.max().unwrap_or(start);
        for output in &mut self.outputs {
            output.first -= start;
        }
        start..end
    }
}

/// Half a unit is added away from zero, and the cast truncates. Weights that are all zero have no sum to be divided
/// by; the cast makes zeros of them.
fn fixed(weight: f64) -> i32 {
    let scaled = weight * f64::from(1 << PRECISION);
    (scaled + 0.5_f64.copysign(scaled)) as i32
}
