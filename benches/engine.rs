//! The engine beside libtorch called directly, as a table of medians. One thread; the two are timed in turn,
//! so that what else the machine does hits both alike. `make bench` runs it; words behind `--` choose the lines that have
//! them all: `cargo bench --bench engine -- block3_conv1 pattern`.

#![allow(deprecated, missing_docs)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use convscope::array::Array;
use convscope::engine::{Device, Engine, ReluRule, Run, Tensor, set_threads};
use convscope::explain;
use convscope::explain::cam::{self, Settings};
use convscope::explain::filters::{Ascent, Objective, Options};
use convscope::formats;
use convscope::model::{
    Activation, ChannelId, ClassId, Model, Node, NodeId, Op, Parameter, Values,
};
use convscope::photo;
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
    let image = noise([3, 224, 224]);
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

    let small = noise([3, 150, 150]);
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

    for (name, count) in [("block1_conv1", 1), ("block3_conv1", 7)] {
        patterns(&vgg, &direct, name, count);
    }

    let lite = open("weights/efficientnet_lite0.safetensors");
    let engine = Engine::new(lite.clone(), Device::CPU);
    let logits = lite.head.expect("a head").logits;
    alone("EfficientNet-Lite0 forward, 224x224", || {
        drop(engine.forward(std::slice::from_ref(&input), &[logits]));
    });
    class_change("Grad-CAM, EfficientNet-Lite0", lite);
    class_change("Grad-CAM, VGG16 with two classes", vgg.clone());
    class_change("Grad-CAM, VGG16 of 138 M parameters", full(&vgg));
}

/// The book's pattern of one filter, 40 steps at 150x150, from its start to the picture on the host; beside what one
/// would write with libtorch and its autograd for the same `count` steps of the network: channels innermost, rectifiers
/// in place, and of the last convolution only the one filter.
fn patterns(vgg: &Arc<Model>, direct: &Direct, name: &str, count: usize) {
    const STEPS: usize = 40;
    let engine = Engine::new(vgg.clone(), Device::CPU);
    let objective = Objective::Channel {
        layer: vgg.find_layer(name).expect("VGG16's"),
        channel: ChannelId(0),
    };
    let settings = Options::default();
    let settings = settings.settle(vgg, objective).expect("VGG16 takes any");
    let start = || Ascent::new(&engine, objective, &settings).expect("computable");
    let image = start().pattern().expect("on the host").image;
    let innermost = |x: &Torch| {
        let turned = x.permute([0, 2, 3, 1]).contiguous();
        turned.permute([0, 3, 1, 2])
    };
    let mut steps: Vec<Step> = direct.steps[..count]
        .iter()
        .map(|step| match step {
            Step::Conv(weight, bias) => Step::Conv(innermost(weight), bias.shallow_clone()),
            Step::Pool => Step::Pool,
        })
        .collect();
    if let Some(Step::Conv(weight, bias)) = steps.last_mut() {
        *weight = innermost(&weight.narrow(0, 0, 1));
        *bias = bias.narrow(0, 0, 1);
    }
    let forward = |x: &Torch| {
        let end = steps.iter().fold(x.shallow_clone(), |x, step| match step {
            Step::Conv(weight, bias) => x
                .conv2d(weight, Some(bias), [1, 1], [1, 1], [1, 1], 1)
                .relu_(),
            Step::Pool => x.max_pool2d([2, 2], [2, 2], [0, 0], [1, 1], false),
        });
        end.mean(Kind::Float)
    };
    compare_in(
        5,
        &format!("VGG16 {name}, a filter's pattern"),
        || drop(start().finish().expect("computable")),
        || {
            let mut x = innermost(&Torch::from_slice(image.values()).view([1, 3, 150, 150]));
            let mut losses = Vec::with_capacity(STEPS + 1);
            for _ in 0..STEPS {
                let leaf = x.set_requires_grad(true);
                let loss = forward(&leaf);
                let gradient = Torch::run_backward(&[&loss], &[&leaf], false, false).remove(0);
                losses.push(loss.double_value(&[]));
                let size = gradient.square().mean(Kind::Float).sqrt() + 1e-5;
                x = leaf.detach() + gradient / size;
            }
            losses.push(tch::no_grad(|| forward(&x)).double_value(&[]));
            drop(x.contiguous());
        },
    );
}

/// A photo's first heatmap, and one for each further class at the same layer, all of it on the host at the end. What a
/// heatmap says depends on the photo, and so does the time to find out why it is blank: this one is real.
fn class_change(what: &str, model: Arc<Model>) {
    let cat = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo/chelsea.png");
    let cat = photo::open(&cat, true).expect("a shipped photo");
    let input = photo::prepare(&cat.image, &model.preprocessing);
    let layer = cam::default_layer(&model, &model.own_shapes()).expect("a convolution");
    let engine = Engine::new(model, Device::CPU);
    let inputs = explain::feed(&engine, &input).expect("memory");
    let start = || engine.forward(&inputs, &[]).expect("computable");
    let best: Vec<ClassId> = explain::predictions(&engine, &mut start())
        .expect("a head")
        .iter()
        .map(|prediction| prediction.class)
        .take(10)
        .collect();
    let mut turn = 0;
    let mut next = |run: &mut Run| {
        turn += 1;
        let class = best[turn % best.len()];
        let found = cam::heatmaps(&engine, run, &[layer], &[class], Settings::default());
        drop(found.expect("computable"));
    };
    alone(&format!("{what}, first"), || next(&mut start()));
    let mut run = start();
    alone(&format!("{what}, next class"), || next(&mut run));
}

/// VGG16 with its three dense layers, as published; their weights are made up.
fn full(base: &Model) -> Arc<Model> {
    struct MadeUp;
    impl Values for MadeUp {
        fn read(&self, start: usize, out: &mut [f32]) -> convscope::error::Result<()> {
            for (index, value) in out.iter_mut().enumerate() {
                *value = ((start + index) * 7919 % 251) as f32 / 25100.0 - 0.005;
            }
            Ok(())
        }
    }
    let mut model = base.clone();
    let pooled = model.layer(model.find_layer("block5_pool").expect("VGG16's"));
    let mut last = pooled.output;
    let mut add = |op: Op| {
        model.nodes.push(Node {
            op,
            inputs: vec![last],
        });
        last = NodeId(model.nodes.len() - 1);
    };
    add(Op::Reshape { shape: vec![None] });
    for (from, to) in [(25088, 4096), (4096, 4096), (4096, 1000)] {
        let weight = Parameter::new("weight", [from, to], Arc::new(MadeUp));
        add(Op::Dense { weight, bias: None });
        if to == 4096 {
            add(Op::Activation(Activation::RELU));
        }
    }
    model.outputs = vec![last];
    model.head = model.find_head();
    model.labels = None;
    Arc::new(model)
}

fn open(path: &str) -> Arc<Model> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    Arc::new(formats::open(&path).expect("a shipped model"))
}

/// Numbers of a photo's size; their values don't matter to the clock.
fn noise(shape: [usize; 3]) -> Array {
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

fn compare(what: &str, engine: impl FnMut(), direct: impl FnMut()) {
    compare_in(ROUNDS, what, engine, direct);
}

fn wanted(what: &str) -> bool {
    let words = std::env::args().skip(1);
    let mut words = words.filter(|word| !word.starts_with('-'));
    words.all(|word| what.contains(&word))
}

fn compare_in(rounds: usize, what: &str, mut engine: impl FnMut(), mut direct: impl FnMut()) {
    if !wanted(what) {
        return;
    }
    engine();
    direct();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
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
    if !wanted(what) {
        return;
    }
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
