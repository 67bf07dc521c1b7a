//! The engine's gradients at the input against Keras and captum.

use super::{engine, relative_l2, upload};
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
