//! Heatmaps against Keras's and pytorch-grad-cam's.

use super::{channels_first, close, engine, largest, layer, upload};
use crate::array::Array;
use crate::engine::{Engine, Run};
use crate::explain::cam::{Dialect, Heatmap, Reduction, Score, Settings, heatmaps};
use crate::explain::predictions;
use crate::golden::{self, Golden};
use crate::model::{ClassId, LayerId};

const VGG: &str = "weights/vgg16_cats_dogs.safetensors";
const LITE: &str = "weights/efficientnet_lite0.safetensors";
const BOOK: &str = "weights/cats_and_dogs_small_2.h5";

fn run(engine: &Engine, input: &Array) -> Run {
    engine.forward(&[upload(input)], &[]).expect("computable")
}

fn made(
    engine: &Engine,
    run: &mut Run,
    layers: &[LayerId],
    classes: &[usize],
    settings: Settings,
) -> Vec<Heatmap> {
    let classes: Vec<ClassId> = classes.iter().copied().map(ClassId).collect();
    heatmaps(engine, run, layers, &classes, settings).expect("computable")
}

/// To a share of the reference's largest value.
#[track_caller]
fn same(found: &[f32], golden: &Golden, key: &str, tolerance: f32) {
    let wanted = golden.f32(key);
    close(
        found,
        wanted.values(),
        largest(wanted.values()),
        tolerance,
        key,
    );
}

/// Both classes in one sweep. Keras's own softmax gradient is off by 1.7e-4 where the cat's p is 0.9998: `_exact` is
/// the closed form in f64.
#[test]
fn the_books_on_vgg16() {
    let golden = golden::open("keras/vgg_chelsea_gradcam.safetensors");
    let image = golden::open("keras/vgg_chelsea.safetensors").f32("input");
    let engine = engine(VGG);
    let mut run = run(&engine, &channels_first(&image));
    let conv = layer(&engine, "block5_conv3");
    let book = Dialect::Book.settings();
    assert_eq!(book.score, Score::Probability);
    for (score, tolerance) in [(Score::Logit, 1e-5), (Score::Probability, 5e-4)] {
        let settings = Settings { score, ..book };
        let found = made(&engine, &mut run, &[conv], &[0, 1], settings);
        for (heatmap, name) in found.iter().zip(["cat", "dog"]) {
            let key = |what: &str| format!("gradcam_{}_{name}/{what}", score.name());
            same(&heatmap.weights, &golden, &key("pooled"), tolerance);
            same(&heatmap.weights, &golden, &key("pooled_exact"), 2e-6);
            same(heatmap.raw.values(), &golden, &key("raw"), tolerance);
            same(heatmap.heat.values(), &golden, &key("heatmap"), tolerance);
            same(heatmap.heat.values(), &golden, &key("heatmap_exact"), 1e-5);
            assert_eq!(heatmap.heat.shape(), [14, 14]);
            let score = match score {
                Score::Logit => heatmap.logit,
                Score::Probability => heatmap.probability,
            };
            let wanted = f64::from(golden.f32(&key("score")).values()[0]);
            assert!((score - wanted).abs() < 1e-5 * wanted.abs().max(0.01));
        }
    }
}

/// Two layers in one sweep; the second is linear, so that its map has negative values.
#[test]
fn pytorch_grad_cams_on_efficientnet() {
    for photo in ["chelsea", "panda"] {
        let golden = golden::open(&format!("torch/efficientnet_lite0__{photo}.safetensors"));
        let engine = engine(LITE);
        let mut run = run(&engine, &golden.f32("input"));
        let class: usize = golden.note("target_class").parse().expect("a number");
        let layers = ["_head_act", "_blocks.10"].map(|name| layer(&engine, name));
        let settings = Dialect::PytorchGradCam.settings();
        let found = made(&engine, &mut run, &layers, &[class], settings);
        let [head, middle] = &found[..] else {
            panic!("{} heatmaps", found.len())
        };
        same(&head.weights, &golden, "cam.GradCAM.weights", 1e-4);
        same(head.raw.values(), &golden, "cam.GradCAM.raw", 1e-5);
        same(middle.raw.values(), &golden, "cam_mid.GradCAM.raw", 1e-4);
        assert!(middle.min < 0.0 && middle.negative_share > 0.0);
        let heat = head.heat.values();
        assert_eq!(heat.iter().copied().fold(f32::INFINITY, f32::min), 0.0);
        assert!((1.0 - largest(heat)).abs() < 1e-6);
        let label = golden.note("target_label");
        assert_eq!(engine.model().class_name(head.class), label);
    }
}

/// captum's numbers are the sums themselves, which the map before normalisation holds.
#[test]
fn captums_keeps_the_sign() {
    let golden = golden::open("torch/efficientnet_lite0__chelsea.safetensors");
    let engine = engine(LITE);
    let mut run = run(&engine, &golden.f32("input"));
    let settings = Dialect::Captum.settings();
    let layer = layer(&engine, "_blocks.10");
    let found = made(&engine, &mut run, &[layer], &[285], settings).remove(0);
    same(found.raw.values(), &golden, "cam_mid.GradCAM.raw", 1e-4);
    assert_eq!(largest(found.heat.values()), 1.0);
    let scale = largest(found.raw.values());
    for (heat, raw) in found.heat.values().iter().zip(found.raw.values()) {
        assert!((heat - raw / scale).abs() < 1e-6);
    }
}

/// What a run holds already changes nothing, nor does what is computed beside it.
#[test]
fn one_run_serves_all_classes_and_layers() {
    let golden = golden::open("torch/efficientnet_lite0__panda.safetensors");
    let engine = engine(LITE);
    let input = golden.f32("input");
    let layers = ["_head_act", "_blocks.14"].map(|name| layer(&engine, name));
    let settings = Settings::default();
    let mut shared = run(&engine, &input);
    predictions(&engine, &mut shared).expect("a head");
    // So many classes that they take more than one sweep.
    let all: Vec<usize> = (0..1000).collect();
    let together = made(&engine, &mut shared, &layers, &all, settings);
    assert_eq!(together.len(), 2000);
    for (index, &layer) in layers.iter().enumerate() {
        for class in [0, 388, 999] {
            let alone = made(
                &engine,
                &mut run(&engine, &input),
                &[layer],
                &[class],
                settings,
            );
            let beside = &together[1000 * index + class];
            assert_eq!((beside.layer, beside.class), (layer, ClassId(class)));
            // Matrix products of other sizes sum in another order.
            let scale = largest(alone[0].weights.as_slice());
            close(&beside.weights, &alone[0].weights, scale, 1e-5, "weights");
            close(
                beside.heat.values(),
                alone[0].heat.values(),
                1.0,
                1e-4,
                "heat",
            );
        }
    }
}

/// Class 1 is the unit, class 0 its complement: what speaks for one speaks against the other.
#[test]
fn a_single_sigmoid_unit_has_two_classes() {
    let image = golden::open("keras/book_chelsea.safetensors").f32("input");
    let engine = engine(BOOK);
    let mut run = run(&engine, &channels_first(&image));
    let conv = layer(&engine, "conv2d_8");
    let book = Settings::default();
    let [cat, dog] = &made(&engine, &mut run, &[conv], &[0, 1], book)[..] else {
        panic!("two heatmaps")
    };
    assert!((cat.probability - 0.9137).abs() < 1e-4);
    assert!((cat.probability + dog.probability - 1.0).abs() < 1e-12);
    assert_eq!((cat.min, cat.max), (-dog.max, -dog.min));
    assert!((cat.negative_share + dog.negative_share - 1.0).abs() < 1e-12);
    assert_eq!(cat.dead_channels, 54);
    // The probability's gradient is p (1 - p) times the logit's, and the heatmap the same.
    let logit = Settings {
        score: Score::Logit,
        ..book
    };
    let by_logit = made(&engine, &mut run, &[conv], &[0], logit).remove(0);
    close(cat.heat.values(), by_logit.heat.values(), 1.0, 1e-6, "heat");
    let slope = cat.probability * (1.0 - cat.probability);
    assert!((cat.max - slope * by_logit.max).abs() < 1e-6 * cat.max);
}

/// Sum or mean is a matter of scale.
#[test]
fn a_mean_is_the_sum_over_the_channels() {
    let image = golden::open("keras/book_chelsea.safetensors").f32("input");
    let engine = engine(BOOK);
    let mut run = run(&engine, &channels_first(&image));
    let conv = layer(&engine, "conv2d_6");
    let mean = made(&engine, &mut run, &[conv], &[1], Settings::default()).remove(0);
    let settings = Settings {
        reduction: Reduction::Sum,
        ..Settings::default()
    };
    let sum = made(&engine, &mut run, &[conv], &[1], settings).remove(0);
    assert_eq!(sum.heat, mean.heat);
    assert!((sum.max / mean.max - 64.0).abs() < 1e-9);
    let top = mean.top_channels(3);
    assert!(top[0].1 >= top[1].1 && top[1].1 >= top[2].1);
    assert_eq!(
        top[0].1,
        mean.weights.iter().copied().fold(f32::MIN, f32::max)
    );
    assert_eq!(mean.weights[top[0].0.0], top[0].1);
}
