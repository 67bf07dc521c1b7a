//! The engine beside libtorch called directly, as a table of medians. One thread; the two are timed in turn,
//! so that what else the machine does hits both alike. `make bench` runs it.

#![allow(deprecated, missing_docs)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use convscope::array::Array;
use convscope::engine::{Device, Engine, ReluRule, Tensor, set_threads};
use convscope::formats;
use convscope::model::{Model, NodeId, Op, Parameter};
use tch::{Kind, Tensor as Torch};

const ROUNDS: usize = 9;

fn main() {
    set_threads(1);
    println!(
        "{:<44} {:>10} {:>10} {:>7}",
        "one thread, medians", "engine", "libtorch", "ratio"
    );
    let vgg = open("weights/vgg16_cats_dogs.safetensors");
    let direct = Direct::new(&vgg);
    let engine = Engine::new(vgg.clone(), Device::CPU);
    let image = photo([3, 224, 224]);
    let input = Tensor::upload(&image, Device::CPU).expect("memory");
    let torch_input = Torch::from_slice(image.values()).view([1, 3, 224, 224]);

    let logits = vgg.head.expect("a head").logits;
    compare(
        "VGG16 forward, 224x224",
        || drop(engine.forward(std::slice::from_ref(&input), &[logits])),
        || drop(direct.forward(&torch_input, 18)),
    );
    let kept: Vec<NodeId> = vgg
        .pictured_layers()
        .iter()
        .map(|&id| vgg.layer(id).output)
        .collect();
    compare(
        "VGG16 forward, all layers kept",
        || drop(engine.forward(std::slice::from_ref(&input), &kept)),
        || drop(direct.all(&torch_input)),
    );

    let small = photo([3, 150, 150]);
    let small_input = Tensor::upload(&small, Device::CPU).expect("memory");
    let node = vgg
        .layer(vgg.find_layer("block3_conv1").expect("VGG16's"))
        .output;
    let mut cotangent = vec![0.0; 256 * 37 * 37];
    cotangent[..37 * 37].fill(1.0 / (37.0 * 37.0));
    let cotangent =
        Tensor::upload(&Array::new([1, 256, 37, 37], cotangent), Device::CPU).expect("memory");
    compare(
        "VGG16 block3_conv1, gradient at 150x150",
        || {
            let mut run = engine
                .forward(std::slice::from_ref(&small_input), &[])
                .expect("computable");
            drop(engine.vjp(
                &mut run,
                node,
                &cotangent,
                &[vgg.inputs[0]],
                ReluRule::Gradient,
            ));
        },
        || {
            let x = Torch::from_slice(small.values())
                .view([1, 3, 150, 150])
                .set_requires_grad(true);
            let y = direct.forward(&x, 9).narrow(1, 0, 1).mean(Kind::Float);
            drop(Torch::run_backward(&[y], &[&x], false, false));
        },
    );

    let lite = open("weights/efficientnet_lite0.safetensors");
    let engine = Engine::new(lite.clone(), Device::CPU);
    let logits = lite.head.expect("a head").logits;
    alone("EfficientNet-Lite0 forward, 224x224", || {
        drop(engine.forward(std::slice::from_ref(&input), &[logits]));
    });
    let head = lite
        .layer(lite.find_layer("_head_act").expect("its last convolution"))
        .output;
    let mut run = engine
        .forward(std::slice::from_ref(&input), &[head])
        .expect("computable");
    let mut one_hot = vec![0.0; 1000];
    one_hot[285] = 1.0;
    let one_hot = Tensor::upload(&Array::new([1, 1000], one_hot), Device::CPU).expect("memory");
    alone("EfficientNet-Lite0, one class at _head_act", || {
        drop(engine.vjp(&mut run, logits, &one_hot, &[head], ReluRule::Gradient));
    });
}

fn open(path: &str) -> Arc<Model> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    Arc::new(formats::open(&path).expect("a shipped model"))
}

/// Numbers of a photo's size; their values don't matter to the clock.
fn photo(shape: [usize; 3]) -> Array {
    let count = shape.iter().product();
    Array::new(
        [&[1], &shape[..]].concat(),
        (0..count)
            .map(|i| (i * 7919 % 251) as f32 - 125.0)
            .collect(),
    )
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e3
}

fn time(work: &mut impl FnMut()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn compare(what: &str, mut engine: impl FnMut(), mut direct: impl FnMut()) {
    engine();
    direct();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(time(&mut engine));
        theirs.push(time(&mut direct));
    }
    let (ours, theirs) = (median(ours), median(theirs));
    println!(
        "{what:<44} {ours:>7.1} ms {theirs:>7.1} ms {:>7.2}",
        ours / theirs
    );
}

fn alone(what: &str, mut engine: impl FnMut()) {
    engine();
    let times = (0..ROUNDS).map(|_| time(&mut engine)).collect();
    println!("{what:<44} {:>7.1} ms", median(times));
}

/// VGG16 as one would write it with libtorch: convolutions, rectifiers and pools, one after the other.
struct Direct {
    steps: Vec<Step>,
}

enum Step {
    Conv(Torch, Torch),
    Pool,
}

impl Direct {
    fn new(model: &Model) -> Self {
        let read = |parameter: &Parameter| {
            let mut values = vec![0.0; parameter.len()];
            parameter
                .values
                .read(0, &mut values)
                .expect("a shipped model");
            let stored: Vec<i64> = parameter.stored.iter().map(|&n| n as i64).collect();
            let order: Vec<i64> = parameter.order.iter().map(|&n| n as i64).collect();
            Torch::from_slice(&values)
                .view(&stored[..])
                .permute(&order[..])
                .contiguous()
        };
        let step = |op: &Op| match op {
            Op::Conv(conv) => Some(Step::Conv(read(&conv.weight), read(conv.bias.as_ref()?))),
            Op::Pool(_) => Some(Step::Pool),
            _ => None,
        };
        Self {
            steps: model
                .nodes
                .iter()
                .filter_map(|node| step(&node.op))
                .collect(),
        }
    }

    fn step(step: &Step, x: &Torch) -> Torch {
        match step {
            Step::Conv(weight, bias) => x
                .conv2d(weight, Some(bias), [1, 1], [1, 1], [1, 1], 1)
                .relu(),
            Step::Pool => x.max_pool2d([2, 2], [2, 2], [0, 0], [1, 1], false),
        }
    }

    /// The first `count` of the 18 convolutions and pools.
    fn forward(&self, x: &Torch, count: usize) -> Torch {
        self.steps[..count]
            .iter()
            .fold(x.shallow_clone(), |x, step| Self::step(step, &x))
    }

    fn all(&self, x: &Torch) -> Vec<Torch> {
        let mut x = x.shallow_clone();
        let mut kept = Vec::new();
        for step in &self.steps {
            x = Self::step(step, &x);
            kept.push(x.shallow_clone());
        }
        kept
    }
}
