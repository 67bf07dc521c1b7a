//! At which layers heatmaps can be made, and which one is taken when none is named.

use std::sync::Arc;

use super::path;
use crate::array::Array;
use crate::engine::{Device, Engine, Tensor};
use crate::explain::cam::{default_layer, heatmaps, prepare};
use crate::formats;
use crate::model::{
    Activation, BatchNorm, Builder, ClassId, Conv, Layout, Merge, Model, NodeId, Op, Padding,
    Parameter, Pool, PoolKind, Preprocessing,
};

fn parameter(shape: &[usize]) -> Parameter {
    let count = shape.iter().product();
    Parameter::new("w", shape, Arc::new(vec![0.125_f32; count]))
}

fn conv(out: usize, from: usize) -> Op {
    Op::Conv(Conv {
        weight: parameter(&[out, from, 3, 3]),
        bias: None,
        stride: [1, 1],
        padding: Padding::Same,
        dilation: [1, 1],
        groups: 1,
    })
}

fn norm(channels: usize) -> Op {
    Op::BatchNorm(BatchNorm {
        gamma: None,
        beta: None,
        mean: parameter(&[channels]),
        variance: parameter(&[channels]),
        epsilon: 1e-3,
        axis: 1,
    })
}

fn pool(kind: PoolKind) -> Op {
    Op::Pool(Pool {
        kind,
        window: [2, 2],
        stride: [2, 2],
        padding: Padding::VALID,
        count_padding: false,
    })
}

fn relu() -> Op {
    Op::Activation(Activation::RELU)
}

fn global(keep: bool) -> Op {
    let kind = PoolKind::Average;
    Op::GlobalPool { kind, keep }
}

fn reshape(shape: &[usize]) -> Op {
    let shape = shape.iter().copied().map(Some).collect();
    Op::Reshape { shape }
}

fn dense(from: usize) -> Op {
    Op::Dense {
        weight: parameter(&[from, 2]),
        bias: None,
    }
}

/// A network for pictures of 8x8, from its layers between the input and the logits.
fn model(body: impl FnOnce(&mut Builder, NodeId) -> NodeId) -> Model {
    let mut builder = Builder::default();
    let shape = vec![Some(3), None, None];
    let input = builder.layer("image", "Input", [Op::Input { shape }], &[]);
    let output = body(&mut builder, input);
    let mut model = Model {
        name: "test".into(),
        format: "test".into(),
        architecture: None,
        layout: Layout::ChannelsFirst,
        nodes: builder.nodes,
        layers: builder.layers,
        inputs: vec![input],
        outputs: vec![output],
        head: None,
        labels: None,
        preprocessing: Preprocessing::book([8, 8]),
        assumptions: Vec::new(),
    };
    model.head = model.find_head();
    model
}

fn chosen(model: &Model) -> String {
    let layer = default_layer(model, &model.own_shapes()).expect("a layer");
    model.layer(layer).name.clone()
}

/// What making a heatmap at a layer is answered with.
fn refusal(model: &Model, layer: &str) -> String {
    let engine = Engine::new(Arc::new(model.clone()), Device::CPU);
    let [height, width] = model.input_size();
    let input = Array::zeros([1, 3, height, width]);
    let input = Tensor::upload(&input, Device::CPU).expect("memory");
    let mut run = engine.forward(&[input], &[]).expect("computable");
    let layer = model.find_layer(layer).expect("a layer");
    prepare(&engine, &mut run, &[layer])
        .expect_err("no place for a heatmap")
        .to_string()
}

#[test]
fn the_last_maps_of_each_model() {
    for (file, layer) in [
        ("weights/vgg16_cats_dogs.safetensors", "block5_conv3"),
        ("weights/cats_and_dogs_small_2.h5", "conv2d_8"),
        ("weights/efficientnet_lite0.safetensors", "_head_act"),
        // Behind it the axes are turned and flattened.
        ("tests/golden/keras/fixtures/fx_nested_k2.h5", "leaky"),
        // Behind it the maps are only enlarged and pooled.
        ("tests/golden/keras/fixtures/fx_mixed_k2.h5", "prelu"),
    ] {
        let model = formats::open(&path(file)).expect("shipped");
        assert_eq!(chosen(&model), layer, "{file}");
    }
}

#[test]
fn a_block_comes_with_its_sum_and_branches_with_their_concatenation() {
    let residual = model(|b, input| {
        let conv1 = b.layer("conv1", "Conv", [conv(4, 3), norm(4), relu()], &[input]);
        let conv2 = b.layer("conv2", "Conv", [conv(4, 4)], &[conv1]);
        let bn2 = b.layer("bn2", "BatchNorm", [norm(4)], &[conv2]);
        let add = b.layer("block", "Block", [Op::Merge(Merge::Add)], &[bn2, conv1]);
        let act = b.layer("block.relu", "ReLU", [relu()], &[add]);
        let drop = b.layer("drop", "Dropout", [], &[act]);
        b.layer("fc", "Linear", [global(false), dense(4)], &[drop])
    });
    assert_eq!(chosen(&residual), "block.relu");

    let branches = model(|b, input| {
        let left = b.layer("left", "Conv", [conv(4, 3), relu()], &[input]);
        let right = b.layer("right", "Conv", [conv(2, 3), relu()], &[input]);
        let both = b.layer("both", "Concat", [Op::Concat { axis: 1 }], &[left, right]);
        let pooled = b.layer("pool", "Pool", [pool(PoolKind::Average)], &[both]);
        b.layer("fc", "Linear", [global(false), dense(6)], &[pooled])
    });
    assert_eq!(chosen(&branches), "both");
}

/// A gate weighs channels by one value each for the whole picture; it has no places itself.
#[test]
fn a_gate_is_passed_by() {
    let gated = model(|b, input| {
        let body = b.layer("conv", "Conv", [conv(4, 3), relu()], &[input]);
        let squeezed = b.layer("squeeze", "Pool", [global(true)], &[body]);
        let gate = [conv(4, 4), Op::Activation(Activation::Sigmoid)];
        let gate = b.layer("gate", "Conv", gate, &[squeezed]);
        let scaled = b.layer("scaled", "Mul", [Op::Merge(Merge::Multiply)], &[body, gate]);
        b.layer("fc", "Linear", [global(false), dense(4)], &[scaled])
    });
    assert_eq!(chosen(&gated), "scaled");
    assert_eq!(
        refusal(&gated, "gate"),
        "layer 'gate': no heatmap can be made of its output (None, 4, 1, 1): rows and columns are lost in 'squeeze'; \
         the nearest layer that will do is 'conv'"
    );
}

/// ShuffleNet regroups channels, and rows and columns stay where they are.
#[test]
fn a_channel_shuffle_keeps_places() {
    let shuffled = model(|b, input| {
        let body = b.layer("conv", "Conv", [conv(4, 3), relu()], &[input]);
        let axes = vec![0, 2, 1, 3, 4];
        let shuffle = [
            reshape(&[2, 2, 8, 8]),
            Op::Permute { axes },
            reshape(&[4, 8, 8]),
        ];
        let shuffle = b.layer("shuffle", "Shuffle", shuffle, &[body]);
        let last = b.layer("last", "Conv", [conv(4, 4), relu()], &[shuffle]);
        b.layer("fc", "Linear", [global(false), dense(4)], &[last])
    });
    assert_eq!(chosen(&shuffled), "last");
}

#[test]
fn a_single_place_is_too_few() {
    let narrow = model(|b, input| {
        let wide = b.layer(
            "wide",
            "Conv",
            [conv(4, 3), relu(), pool(PoolKind::Max)],
            &[input],
        );
        let small = [pool(PoolKind::Max), pool(PoolKind::Max), conv(4, 4), relu()];
        let small = b.layer("small", "Conv", small, &[wide]);
        b.layer("fc", "Linear", [reshape(&[4]), dense(4)], &[small])
    });
    assert_eq!(chosen(&narrow), "wide");
    assert_eq!(
        refusal(&narrow, "small"),
        "layer 'small': no heatmap can be made of its output (None, 4, 1, 1): there is one place only; \
         the nearest layer that will do is 'wide'"
    );
}

#[test]
fn each_layer_that_will_not_do_says_why() {
    let turned = model(|b, input| {
        let body = b.layer("conv", "Conv", [conv(4, 3), relu()], &[input]);
        b.layer("aside", "Conv", [conv(4, 4)], &[body]);
        let axes = vec![0, 2, 3, 1];
        let turned = b.layer("turned", "Permute", [Op::Permute { axes }], &[body]);
        let flat = b.layer("flatten", "Flatten", [reshape(&[256])], &[turned]);
        b.layer("fc", "Linear", [dense(256)], &[flat])
    });
    assert_eq!(chosen(&turned), "conv");
    for (layer, why) in [
        (
            "turned",
            "its output (None, 8, 8, 4): its last two axes are not the picture's rows and columns; \
             the nearest layer that will do is 'conv'",
        ),
        (
            "flatten",
            "its output (None, 256): rows and columns are lost in it; the nearest layer that will do is 'conv'",
        ),
        (
            "fc",
            "its output (None, 2): rows and columns are lost in 'flatten'; the nearest layer that will do is 'conv'",
        ),
        (
            "aside",
            "the class scores don't depend on it; the nearest layer that will do is 'conv'",
        ),
    ] {
        let found = refusal(&turned, layer);
        assert!(found.starts_with(&format!("layer '{layer}': ")), "{found}");
        assert!(found.ends_with(why), "{found}");
    }
}

#[test]
fn models_without_classes_or_convolutions() {
    let no_head = model(|b, input| b.layer("conv", "Conv", [conv(4, 3)], &[input]));
    let message = default_layer(&no_head, &no_head.own_shapes()).expect_err("no head");
    assert!(message.to_string().contains("ends in layer 'conv'"));
    let found = refusal(&no_head, "conv");
    assert!(found.starts_with("the model has no classes"), "{found}");

    let no_conv = model(|b, input| b.layer("fc", "Linear", [global(false), dense(3)], &[input]));
    let message = default_layer(&no_conv, &no_conv.own_shapes()).expect_err("no convolution");
    assert!(message.to_string().contains("no feature maps"));
}

#[test]
fn classes_and_batches_that_do_not_fit() {
    let model = model(|b, input| {
        let body = b.layer("conv", "Conv", [conv(4, 3), relu()], &[input]);
        b.layer("fc", "Linear", [global(false), dense(4)], &[body])
    });
    let engine = Engine::new(Arc::new(model), Device::CPU);
    let conv = engine.model().find_layer("conv").expect("there");
    let attempt = |batch: usize, class: usize| {
        let input = Array::zeros([batch, 3, 8, 8]);
        let input = Tensor::upload(&input, Device::CPU).expect("memory");
        let mut run = engine.forward(&[input], &[]).expect("computable");
        let settings = crate::explain::cam::Settings::default();
        let found = heatmaps(&engine, &mut run, &[conv], &[ClassId(class)], settings);
        found.map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(attempt(1, 1), Ok(()));
    assert_eq!(
        attempt(1, 2),
        Err("no class 2: the model has 2 classes, 0 to 1".to_owned())
    );
    assert_eq!(
        attempt(2, 1),
        Err("a heatmap is made for one image, and 2 were given".to_owned())
    );
}
