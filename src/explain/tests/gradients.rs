//! The engine's gradients at the input against Keras and captum.

use super::{channels_first, engine, output, upload, value};
use crate::array::Array;
use crate::engine::{Engine, ReluRule, Run};
use crate::golden;
use crate::model::NodeId;

fn gradient(
    engine: &Engine,
    run: &mut Run,
    score: NodeId,
    cotangent: &Array,
    at: NodeId,
    rule: ReluRule,
) -> Array {
    let found = engine
        .vjp(run, score, &upload(cotangent), &[at], rule)
        .expect("computable");
    found[0].read().expect("computed")
}

fn one_hot(count: usize, class: usize) -> Array {
    let mut values = vec![0.0; count];
    values[class] = 1.0;
    Array::new([1, count], values)
}

fn relative_l2(found: &[f32], wanted: &[f32]) -> f64 {
    let square = |values: &mut dyn Iterator<Item = f32>| {
        values.map(|v| f64::from(v).powi(2)).sum::<f64>().sqrt()
    };
    square(&mut found.iter().zip(wanted).map(|(a, b)| a - b)) / square(&mut wanted.iter().copied())
}

/// ReLU ties switch between implementations, so gradients at the input are compared as a whole: 1% in L2.
#[test]
fn gradients_at_the_photo() {
    let golden = golden::open("torch/efficientnet_lite0__chelsea.safetensors");
    let engine = engine("weights/efficientnet_lite0.safetensors");
    let mut run = engine
        .forward(&[upload(&golden.f32("input"))], &[])
        .expect("computable");
    let class: usize = golden.note("target_class").parse().expect("a number");
    let logits = engine.model().head.expect("a head").logits;
    for (key, rule) in [
        ("gradient", ReluRule::Gradient),
        ("GuidedBackprop_relu6", ReluRule::Guided),
        ("Deconvolution_relu6", ReluRule::Deconvnet),
    ] {
        let g = gradient(
            &engine,
            &mut run,
            logits,
            &one_hot(1000, class),
            engine.model().inputs[0],
            rule,
        );
        let thinned: Vec<f32> = (0..3 * 112 * 112)
            .map(|i| g.values()[i / 12544 * 50176 + i / 112 % 112 * 2 * 224 + i % 112 * 2])
            .collect();
        let error = relative_l2(&thinned, golden.f32(&format!("attr.{key}.s2")).values());
        assert!(error < 1e-2, "{key}: {error}");
    }
}

/// The first step of the book's gradient ascent on a filter, at another size than the model's.
#[test]
fn the_first_step_towards_a_filters_pattern() {
    let golden = golden::open("keras/filter_block3_conv1_f0.safetensors");
    let engine = engine("weights/vgg16_cats_dogs.safetensors");
    let start = channels_first(&golden.f32("start").reshaped([1, 150, 150, 3]));
    let mut run = engine.forward(&[upload(&start)], &[]).expect("computable");
    let conv = output(&engine, "block3_conv1");
    let activation = value(&engine, &mut run, "block3_conv1");
    let [_, channels, height, width] = activation.shape()[..] else {
        panic!("{:?}", activation.shape())
    };
    let size = height * width;
    let loss = activation.values()[..size]
        .iter()
        .map(|&v| f64::from(v))
        .sum::<f64>()
        / size as f64;
    let wanted = f64::from(golden.f32("losses").values()[0]);
    assert!(
        (loss - wanted).abs() < 1e-4 * wanted,
        "{loss}, reference {wanted}"
    );
    let mut cotangent = vec![0.0; channels * size];
    cotangent[..size].fill(1.0 / size as f32);
    let cotangent = Array::new([1, channels, height, width], cotangent);
    let g = gradient(
        &engine,
        &mut run,
        conv,
        &cotangent,
        engine.model().inputs[0],
        ReluRule::Gradient,
    );
    let mean_square = g
        .values()
        .iter()
        .map(|&v| f64::from(v).powi(2))
        .sum::<f64>()
        / g.values().len() as f64;
    let rms = mean_square.sqrt();
    let wanted = f64::from(golden.f32("grad_rms").values()[0]);
    assert!(
        (rms - wanted).abs() < 1e-3 * wanted,
        "{rms}, reference {wanted}"
    );
    let stepped: Vec<f32> = start
        .values()
        .iter()
        .zip(g.values())
        .map(|(x, g)| (f64::from(*x) + f64::from(*g) / (rms + 1e-5)) as f32)
        .collect();
    let wanted = channels_first(&golden.f32("image_after_1").reshaped([1, 150, 150, 3]));
    let step = |image: &[f32]| {
        image
            .iter()
            .zip(start.values())
            .map(|(a, b)| a - b)
            .collect::<Vec<f32>>()
    };
    let error = relative_l2(&step(&stepped), &step(wanted.values()));
    assert!(error < 1e-2, "{error}");
}
