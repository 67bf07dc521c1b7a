//! Graphs of well-known nets against what their frameworks report.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use ::safetensors::SafeTensors;

use super::*;
use crate::formats::safetensors;
use crate::formats::tensors::{Data, Tensor};
use crate::formats::tests::shipped_file;
use crate::model::{LayerId, Op, Parameter, Values};

/// Weights that nobody reads.
struct Nothing;

impl Values for Nothing {
    fn read(&self, _: usize, _: &mut [f32]) -> Result<()> {
        panic!("a graph is made without reading weights")
    }
}

fn table(shapes: impl IntoIterator<Item = (String, Vec<usize>)>) -> Tensors {
    let mut table = Tensors::new("net.safetensors", "test");
    for (name, shape) in shapes {
        let data = Data::Floats(Arc::new(Nothing));
        table.insert(name, Tensor { shape, data });
    }
    table
}

/// The shape of each layer's activation, by name.
fn shapes(model: &Model, size: [usize; 2]) -> HashMap<&str, Vec<usize>> {
    let rows = model.summary(size).rows;
    rows.into_iter()
        .map(|row| (model.layer(row.layer).name.as_str(), row.shape.unwrap()))
        .collect()
}

fn golden(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    std::fs::read(folder.join(name)).unwrap()
}

#[test]
fn efficientnet_lite0_has_pytorchs_layers_and_shapes() {
    #[derive(serde::Deserialize)]
    struct Row {
        name: String,
        kind: String,
        shape: Vec<usize>,
    }
    let bytes = golden("torch/efficientnet_lite0__chelsea.safetensors");
    let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    let rows = &metadata.metadata().as_ref().unwrap()["layers"];
    let rows: Vec<Row> = serde_json::from_str(rows).unwrap();

    let tensors = safetensors::tensors(&shipped_file("efficientnet_lite0.safetensors")).unwrap();
    let model = build("efficientnet-lite0", &tensors).unwrap();
    let summary = model.summary([224, 224]);
    // The reference has no hook on the dropout, which does nothing.
    let layers = model
        .layers
        .iter()
        .zip(&summary.rows)
        .filter(|(layer, _)| layer.kind != "Dropout");
    assert_eq!(model.layers.len(), rows.len() + 1);
    for (row, (layer, found)) in rows.iter().zip(layers) {
        assert_eq!(layer.name, row.name);
        let kinds: &[&str] = match row.kind.as_str() {
            "conv" => &["Conv2d"],
            "bn" => &["BatchNorm2d"],
            "act" => &["ReLU6"],
            "block" => &["MBConvBlock"],
            "pool" => &["AdaptiveAvgPool2d"],
            _ => &["Linear"],
        };
        assert!(kinds.contains(&layer.kind.as_str()), "{}", layer.name);
        let shape = found.shape.as_deref().unwrap();
        assert_eq!(shape, &row.shape[1..], "{}", layer.name);
    }
    assert_eq!(summary.trainable, 4_652_008);
    let added = |layer: &&crate::model::Layer| matches!(model.node(layer.output).op, Op::Merge(_));
    let skips: Vec<&str> = model
        .layers
        .iter()
        .filter(added)
        .map(|layer| layer.name.as_str())
        .collect();
    let expected = [2, 4, 6, 7, 9, 10, 12, 13, 14].map(|block| format!("_blocks.{block}"));
    assert_eq!(skips, expected);
}

#[test]
fn efficientnet_lite0_takes_other_sizes_and_numbers_of_classes() {
    let shipped = safetensors::tensors(&shipped_file("efficientnet_lite0.safetensors")).unwrap();
    let mut other = table(
        shipped
            .names()
            .map(|name| (name.to_owned(), shipped.get(name).unwrap().shape.clone())),
    );
    for (name, shape) in [("_fc.weight", vec![5, 1280]), ("_fc.bias", vec![5])] {
        let data = Data::Floats(Arc::new(Nothing));
        other.insert(name, Tensor { shape, data });
    }
    assert_eq!(recognise(&other), Some("efficientnet_lite0"));
    let model = build("efficientnet_lite0", &other).unwrap();
    assert!(model.labels.is_none());
    let shapes = shapes(&model, [160, 192]);
    assert_eq!(shapes["_head_act"], [1280, 5, 6]);
    assert_eq!(shapes["_fc"], [5]);
}

#[test]
fn the_shipped_vgg16_has_kerass_layers_and_shapes() {
    let tensors = safetensors::tensors(&shipped_file("vgg16_cats_dogs.safetensors")).unwrap();
    assert_eq!(recognise(&tensors), Some("vgg16"));
    let model = build("vgg16", &tensors).unwrap();
    assert_eq!(model.summary([224, 224]).total, 14_714_688 + 1_026);
    let found = shapes(&model, [224, 224]);

    // (1,H,W,C), one for each convolution and pooling.
    let bytes = golden("keras/vgg_chelsea.safetensors");
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut compared = 0;
    for (name, tensor) in file.iter() {
        let Some(layer) = name.strip_suffix("/shape") else {
            continue;
        };
        let axes: Vec<usize> = tensor
            .data()
            .chunks_exact(8)
            .map(|bytes| u64::from_le_bytes(bytes.try_into().unwrap()) as usize)
            .collect();
        assert_eq!(found[layer], [axes[3], axes[1], axes[2]], "{layer}");
        compared += 1;
    }
    assert_eq!(compared, 18);
    let names: Vec<&str> = model
        .layers
        .iter()
        .map(|layer| layer.name.as_str())
        .collect();
    assert_eq!(names[..3], ["input", "block1_conv1", "block1_conv2"]);
    assert_eq!(
        names[18..],
        ["block5_pool", "global_average_pooling2d", "predictions"]
    );
    assert_eq!(model.layers[1].kind, "Conv2D");
    assert_eq!(model.layers[1].nodes.len(), 2);
    assert!(
        model
            .assumptions
            .iter()
            .all(|line| !line.starts_with("labels"))
    );
}

#[test]
fn kernels_are_read_from_height_width_in_out() {
    let tensors = safetensors::tensors(&shipped_file("vgg16_cats_dogs.safetensors")).unwrap();
    let model = build("vgg16", &tensors).unwrap();
    let id: LayerId = model.find_layer("block1_conv2").unwrap();
    let Op::Conv(conv) = &model.node(model.layer(id).nodes[0]).op else {
        panic!("no convolution");
    };
    assert_eq!(conv.weight.stored, [3, 3, 64, 64]);
    assert_eq!(conv.weight.shape(), [64, 64, 3, 3]);
    assert_eq!(conv.weight.name, "block1_conv2/kernel");
}

/// Keras's names for VGG, each in the form that `spell` gives it.
fn keras_vgg(
    convs: [usize; 5],
    dense: bool,
    spell: impl Fn(&str, &str) -> String,
) -> Vec<(String, Vec<usize>)> {
    let mut shapes = Vec::new();
    let mut inputs = 3;
    for (block, count) in convs.into_iter().enumerate() {
        let outputs = [64, 128, 256, 512, 512][block];
        for place in 1..=count {
            let layer = format!("block{}_conv{place}", block + 1);
            shapes.push((spell(&layer, "kernel"), vec![3, 3, inputs, outputs]));
            shapes.push((spell(&layer, "bias"), vec![outputs]));
            inputs = outputs;
        }
    }
    if dense {
        for (layer, inputs, outputs) in [
            ("fc1", 25088, 4096),
            ("fc2", 4096, 4096),
            ("predictions", 4096, 1000),
        ] {
            shapes.push((spell(layer, "kernel"), vec![inputs, outputs]));
            shapes.push((spell(layer, "bias"), vec![outputs]));
        }
    }
    shapes
}

#[test]
fn kerass_full_vgg16_in_any_spelling() {
    let plain = |layer: &str, leaf: &str| format!("{layer}/{leaf}");
    let suffixed = |layer: &str, leaf: &str| format!("{layer}/{leaf}:0");
    let grouped = |layer: &str, leaf: &str| format!("{layer}/{layer}/{leaf}:0");
    for spell in [&plain as &dyn Fn(&str, &str) -> String, &suffixed, &grouped] {
        let tensors = table(keras_vgg([2, 2, 3, 3, 3], true, spell));
        assert_eq!(recognise(&tensors), Some("vgg16"));
        let model = build("vgg16", &tensors).unwrap();
        assert_eq!(model.summary([224, 224]).total, 138_357_544);
        let shapes = shapes(&model, [224, 224]);
        assert_eq!(shapes["flatten"], [25_088]);
        assert_eq!(shapes["predictions"], [1000]);
        assert_eq!(model.labels.as_ref().unwrap().0.len(), 1000);
    }
}

#[test]
fn a_convolutional_base_ends_in_feature_maps() {
    let tensors = table(keras_vgg([2, 2, 4, 4, 4], false, |layer, leaf| {
        format!("{layer}/{leaf}")
    }));
    assert_eq!(recognise(&tensors), Some("vgg19"));
    let model = build("vgg19", &tensors).unwrap();
    // Keras's number for VGG19 without top.
    assert_eq!(model.summary([224, 224]).total, 20_024_384);
    assert_eq!(model.find_head(), None);
    assert_eq!(shapes(&model, [150, 150])["block5_pool"], [512, 4, 4]);
}

/// A torchvision state dict of VGG.
fn torch_vgg(convs: [usize; 5], norm: bool) -> Vec<(String, Vec<usize>)> {
    let mut shapes = Vec::new();
    let mut inputs = 3;
    let mut index = 0;
    for (block, count) in convs.into_iter().enumerate() {
        let outputs = [64, 128, 256, 512, 512][block];
        for _ in 0..count {
            shapes.push((
                format!("features.{index}.weight"),
                vec![outputs, inputs, 3, 3],
            ));
            shapes.push((format!("features.{index}.bias"), vec![outputs]));
            index += 1;
            if norm {
                for leaf in ["weight", "bias", "running_mean", "running_var"] {
                    shapes.push((format!("features.{index}.{leaf}"), vec![outputs]));
                }
                shapes.push((format!("features.{index}.num_batches_tracked"), vec![]));
                index += 1;
            }
            index += 1;
            inputs = outputs;
        }
        index += 1;
    }
    for (index, inputs, outputs) in [(0, 25088, 4096), (3, 4096, 4096), (6, 4096, 1000)] {
        shapes.push((format!("classifier.{index}.weight"), vec![outputs, inputs]));
        shapes.push((format!("classifier.{index}.bias"), vec![outputs]));
    }
    shapes
}

#[test]
fn torchvisions_vggs_are_told_apart_and_have_its_numbers() {
    // The numbers of parameters in torchvision's table of models.
    let family = [
        ("vgg11", [1, 1, 2, 2, 2], false, 132_863_336),
        ("vgg11_bn", [1, 1, 2, 2, 2], true, 132_868_840),
        ("vgg13", [2, 2, 2, 2, 2], false, 133_047_848),
        ("vgg13_bn", [2, 2, 2, 2, 2], true, 133_053_736),
        ("vgg16", [2, 2, 3, 3, 3], false, 138_357_544),
        ("vgg16_bn", [2, 2, 3, 3, 3], true, 138_365_992),
        ("vgg19", [2, 2, 4, 4, 4], false, 143_667_240),
        ("vgg19_bn", [2, 2, 4, 4, 4], true, 143_678_248),
    ];
    for (name, convs, norm, parameters) in family {
        let tensors = table(torch_vgg(convs, norm));
        assert_eq!(recognise(&tensors), Some(name));
        let model = build(name, &tensors).unwrap();
        assert_eq!(model.summary([224, 224]).trainable, parameters, "{name}");
        assert_eq!(shapes(&model, [224, 224])["classifier.6"], [1000]);
        assert!(
            model
                .assumptions
                .iter()
                .all(|line| !line.starts_with("tensors"))
        );
    }
}

#[test]
fn torchvisions_vgg16_has_its_module_names() {
    let model = build("vgg16", &table(torch_vgg([2, 2, 3, 3, 3], false))).unwrap();
    let row = |index: usize| {
        let layer = &model.layers[index];
        (layer.name.as_str(), layer.kind.as_str())
    };
    assert_eq!(row(0), ("features.0", "Conv2d"));
    assert_eq!(row(1), ("features.1", "ReLU"));
    assert_eq!(row(4), ("features.4", "MaxPool2d"));
    assert_eq!(row(30), ("features.30", "MaxPool2d"));
    assert_eq!(row(31), ("avgpool", "AdaptiveAvgPool2d"));
    assert_eq!(row(33), ("classifier.1", "ReLU"));
    assert_eq!(row(38), ("classifier.6", "Linear"));
    assert_eq!(model.layers.len(), 39);

    let shapes = model.shapes(&model.input_shapes([192, 192]));
    let message = shapes.get(model.outputs[0]).unwrap_err().to_string();
    assert_eq!(
        message,
        "layer 'classifier.0': expects 25088 values per example, found [18432]"
    );
}

#[test]
fn what_is_missing_or_misshapen_is_named() {
    let edit = |change: &dyn Fn(&mut Vec<(String, Vec<usize>)>)| {
        let mut shapes = torch_vgg([2, 2, 3, 3, 3], false);
        change(&mut shapes);
        let tensors = table(shapes);
        build("vgg16", &tensors).map_err(|error| error.to_string())
    };
    let message = edit(&|shapes| shapes.retain(|(name, _)| name != "features.28.weight"));
    assert_eq!(
        message.unwrap_err(),
        "net.safetensors: is no vgg16: tensor 'features.28.weight' [512, 512, 3, 3] is missing"
    );
    let message = edit(&|shapes| shapes[0].1 = vec![64, 3, 5, 5]);
    assert_eq!(
        message.unwrap_err(),
        "net.safetensors: is no vgg16: tensor 'features.0.weight': expected the shape [64, 3, 3, 3], \
         found [64, 3, 5, 5]"
    );
    let model = edit(&|shapes| shapes.push(("extra.weight".into(), vec![7]))).unwrap();
    assert_eq!(
        model.assumptions.last().unwrap(),
        "tensors: 1 of the file are not used: extra.weight"
    );
    let message = build("resnet9000", &table([])).unwrap_err().to_string();
    assert!(message.contains("'resnet9000' is unknown; known are efficientnet_lite0"));
}

/// All values of a parameter in the order of the shape that the op documents.
fn ordered(parameter: &Parameter) -> Vec<f32> {
    let mut stored = vec![0.0; parameter.len()];
    parameter.values.read(0, &mut stored).unwrap();
    let [rows, columns] = parameter.shape()[..] else {
        return stored;
    };
    if parameter.order == [0, 1] {
        return stored;
    }
    (0..rows * columns)
        .map(|i| stored[i % columns * rows + i / columns])
        .collect()
}

/// What the layer's dense op makes of `features`.
fn dense(model: &Model, layer: &str, features: &[f32]) -> Vec<f64> {
    let layer = model.layer(model.find_layer(layer).unwrap());
    let ops = layer.nodes.iter().map(|&id| &model.node(id).op);
    let found = ops.filter_map(|op| match op {
        Op::Dense { weight, bias } => Some((weight, bias.as_ref()?)),
        _ => None,
    });
    let (weight, bias) = found.last().unwrap();
    let (weight, bias) = (ordered(weight), ordered(bias));
    (0..bias.len())
        .map(|unit| {
            let products = features.iter().enumerate().map(|(index, feature)| {
                f64::from(*feature) * f64::from(weight[index * bias.len() + unit])
            });
            products.sum::<f64>() + f64::from(bias[unit])
        })
        .collect()
}

fn close(found: &[f64], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    let largest = expected
        .iter()
        .fold(0.0_f32, |max, value| max.max(value.abs()));
    for (found, expected) in found.iter().zip(expected) {
        // The reference summed in f32.
        let tolerance = 1e-5 * f64::from(largest);
        assert!(
            (found - f64::from(*expected)).abs() < tolerance,
            "{found} {expected}"
        );
    }
}

fn golden_floats(bytes: &[u8], name: &str) -> Vec<f32> {
    let file = SafeTensors::deserialize(bytes).unwrap();
    let data = file.tensor(name).unwrap().data();
    let values = data.chunks_exact(4);
    values
        .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
        .collect()
}

#[test]
fn dense_weights_turn_kerass_features_into_its_logits() {
    let bytes = golden("keras/vgg_chelsea.safetensors");
    let tensors = safetensors::tensors(&shipped_file("vgg16_cats_dogs.safetensors")).unwrap();
    let model = build("vgg16", &tensors).unwrap();
    let features = golden_floats(&bytes, "gap");
    close(
        &dense(&model, "predictions", &features),
        &golden_floats(&bytes, "logits"),
    );
}

#[test]
fn linear_weights_turn_pytorchs_features_into_its_logits() {
    let bytes = golden("torch/efficientnet_lite0__chelsea.safetensors");
    let tensors = safetensors::tensors(&shipped_file("efficientnet_lite0.safetensors")).unwrap();
    let model = build("efficientnet_lite0", &tensors).unwrap();
    // The features are the means of the last maps, of which the reference has the mean of every layer.
    let means = golden_floats(&bytes, "stats.mean");
    let features = &means[63_024..63_024 + 1280];
    close(
        &dense(&model, "_fc", features),
        &golden_floats(&bytes, "logits"),
    );
}
