//! The numbers of Keras, PyTorch, pytorch-grad-cam and captum, for the shipped models and small fixtures.
//!
//! Tolerances are shares of the largest absolute value of the layer. Two implementations in f32 differ by
//! about 1e-5 of it, because they sum in different orders; [`TOLERANCE`] leaves room for other processors.

mod cam;
mod cam_advice;
mod cam_places;
mod filters;
mod filters_shelf;
mod gradients;
mod keras;
mod torch;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::array::Array;
use crate::engine::{Device, Engine, Run, Tensor};
use crate::formats;
use crate::golden::Golden;
use crate::model::{LayerId, NodeId};

const TOLERANCE: f32 = 1e-4;

fn path(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

fn engine(relative: &str) -> Engine {
    let model = formats::open(&path(relative)).expect("a shipped file");
    Engine::new(Arc::new(model), Device::CPU)
}

fn upload(array: &Array) -> Tensor {
    Tensor::upload(array, Device::CPU).expect("memory")
}

/// From Keras's axes to ours: (N,H,W,C) to (N,C,H,W); other ranks stay.
fn channels_first(array: &Array) -> Array {
    let &[n, h, w, c] = array.shape() else {
        return array.clone();
    };
    let mut values = Vec::with_capacity(array.values().len());
    for image in 0..n {
        for channel in 0..c {
            values.extend(array.at(image)[channel..].iter().step_by(c).take(h * w));
        }
    }
    Array::new([n, c, h, w], values)
}

fn layer(engine: &Engine, name: &str) -> LayerId {
    engine
        .model()
        .find_layer(name)
        .expect("a layer of this name")
}

fn output(engine: &Engine, name: &str) -> NodeId {
    engine.model().layer(layer(engine, name)).output
}

fn value(engine: &Engine, run: &mut Run, name: &str) -> Array {
    engine
        .value(run, output(engine, name))
        .and_then(|value| value.read())
        .expect("a value")
}

fn largest(values: &[f32]) -> f32 {
    values
        .iter()
        .fold(0.0, |largest: f32, value| largest.max(value.abs()))
}

/// Compares to a share of `scale`, by default the largest of `wanted`.
#[track_caller]
fn close(found: &[f32], wanted: &[f32], scale: f32, tolerance: f32, what: &str) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    for (index, (found, wanted)) in found.iter().zip(wanted).enumerate() {
        assert!(
            (found - wanted).abs() <= tolerance * scale,
            "{what}[{index}]: {found}, reference {wanted}"
        );
    }
}

/// Mean, standard deviation and extremes of every channel of a layer against `LAYER/mean` and so on.
fn same_statistics(golden: &Golden, name: &str, activation: &Array) {
    let found = super::statistics(&activation.clone().reshaped(&activation.shape()[1..]));
    let scale = largest(activation.values());
    let column =
        |of: fn(&super::ChannelStatistics) -> f32| found.iter().map(of).collect::<Vec<f32>>();
    for (key, values) in [
        ("mean", column(|s| s.mean as f32)),
        ("std", column(|s| s.std as f32)),
        ("min", column(|s| s.min)),
        ("max", column(|s| s.max)),
    ] {
        let what = format!("{name}/{key}");
        close(&values, golden.f32(&what).values(), scale, TOLERANCE, &what);
    }
}

fn same_maps(golden: &Golden, key: &str, channels: &[usize], activation: &Array) {
    let wanted = golden.f32(key);
    let maps = activation.clone().reshaped(&activation.shape()[1..]);
    for (index, &channel) in channels.iter().enumerate() {
        close(
            maps.at(channel),
            wanted.at(index),
            largest(activation.values()),
            TOLERANCE,
            key,
        );
    }
}

/// The difference's length as a share of the reference's.
fn relative_l2(found: &[f32], wanted: &[f32]) -> f64 {
    let square = |values: &mut dyn Iterator<Item = f32>| {
        values.map(|v| f64::from(v).powi(2)).sum::<f64>().sqrt()
    };
    square(&mut found.iter().zip(wanted).map(|(a, b)| a - b)) / square(&mut wanted.iter().copied())
}
