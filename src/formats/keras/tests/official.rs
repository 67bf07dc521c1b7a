//! Files of weights alone: Keras's official ones, at their full size, and others.

use std::fs;

use tempfile::{TempDir, tempdir};

use super::*;
use crate::formats;
use crate::model::HeadKind;

/// A file in the official layout, in a folder that must live as long.
fn official(name: &str) -> (TempDir, PathBuf) {
    let folder = tempdir().unwrap();
    let path = folder.path().join(format!("{name}.h5"));
    runs::unpack(&fixture(&format!("{name}.runs")), &path);
    (folder, path)
}

/// Opens such a file. It is removed at once: what is open stays readable.
fn open(name: &str) -> Model {
    let (_folder, path) = official(name);
    formats::open(&path).unwrap()
}

/// The number of parameters that Keras reports for each.
const FILES: [(&str, &str, usize); 4] = [
    ("vgg16_official", "vgg16", 138_357_544),
    ("vgg16_official_notop", "vgg16", 14_714_688),
    ("vgg19_official", "vgg19", 143_667_240),
    ("vgg19_official_notop", "vgg19", 20_024_384),
];

#[test]
fn the_official_files_are_recognised_and_fed_as_keras_does() {
    for (name, architecture, parameters) in FILES {
        let model = open(name);
        assert_eq!(model.architecture.as_deref(), Some(architecture), "{name}");
        assert_eq!(model.name, name);
        assert_eq!(model.format, "Keras weights (HDF5)");
        assert_eq!(
            model.preprocessing.describe(),
            "224x224 BGR, squashed (nearest), pixels - (103.939, 116.779, 123.68)"
        );
        assert_eq!(model.summary([224, 224]).total, parameters, "{name}");
        assert_eq!(
            model.assumptions[..2],
            [
                format!("architecture: {architecture}, from the names of its tensors"),
                format!("preprocessing: the usual one of {architecture}"),
            ]
        );
        assert!(
            model
                .assumptions
                .iter()
                .all(|line| !line.starts_with("tensors")),
            "{:?}",
            model.assumptions
        );
    }
}

#[test]
fn with_top_the_classes_are_imagenets() {
    for name in ["vgg16_official", "vgg19_official"] {
        let model = open(name);
        assert_eq!(model.head.unwrap().kind, HeadKind::Softmax);
        let labels = model.labels.as_ref().unwrap();
        assert_eq!(labels.0.len(), 1000);
        // The book's elephant.
        assert_eq!(labels.name(386), Some("African elephant"));
        assert_eq!(labels.name(101), Some("tusker"));
        let shapes = shapes(&model);
        let last: Vec<(&str, &[usize])> = shapes[shapes.len() - 5..]
            .iter()
            .map(|(name, shape)| (name.as_str(), shape.as_deref().unwrap()))
            .collect();
        let wanted: [(&str, &[usize]); 5] = [
            ("block5_pool", &[512, 7, 7]),
            ("flatten", &[25_088]),
            ("fc1", &[4096]),
            ("fc2", &[4096]),
            ("predictions", &[1000]),
        ];
        assert_eq!(last, wanted);
    }
}

#[test]
fn without_top_it_ends_in_feature_maps_of_any_size() {
    for (name, layers) in [
        ("vgg16_official_notop", 1 + 13 + 5),
        ("vgg19_official_notop", 1 + 16 + 5),
    ] {
        let model = open(name);
        assert_eq!(model.layers.len(), layers);
        assert_eq!(model.head, None);
        assert_eq!(model.labels, None);
        let rows = model.summary([150, 200]).rows;
        assert_eq!(rows[layers - 1].shape, Some(vec![512, 4, 6]));
    }
}

#[test]
fn the_weights_are_read_where_they_lie() {
    let model = open("vgg16_official");
    let weights = parameters(&model, "predictions");
    assert_eq!(weights[0].name, "predictions/kernel");
    assert_eq!(weights[0].stored, [4096, 1000]);
    // h5py's `f["predictions/predictions_b_1:0"][:3]`.
    let biases = values(weights[1]);
    assert_eq!(biases[..3], FIRST_BIASES);
    // A kernel is zero but for three taps in each of 48 channels.
    let kernel = values(parameters(&model, "block5_conv3")[0]);
    let taps = kernel.iter().filter(|value| **value != 0.0).count();
    assert!((48 * 2..=48 * 3).contains(&taps), "{taps}");
}

const FIRST_BIASES: [f32; 3] = [0.477_576_97, 0.545_518_93, -0.371_979_1];

#[test]
fn other_nets_are_refused_by_the_names_of_their_layers() {
    let nets = formats::architectures::names()
        .collect::<Vec<_>>()
        .join(", ");
    assert_eq!(
        message(&fixture("fx_nested_k2_weights.h5")),
        format!(
            "holds 16 tensors and no graph, and their layers (block/bc1, block/bc2, c3, fc, prob, stem/bn1, stem/c1) fit no net that convscope knows; a file \
             fx_nested_k2_weights.toml beside it should say architecture = \"NAME\", one of {nets}"
        )
    );
    let layers = "their layers (deconv, dilated, dw, dw_bn, prelu, probs, pw, sep, ... and 2 more) fit no net";
    let text = message(&fixture("fx_mixed_k2_weights.h5"));
    assert!(text.contains(layers), "{text}");
}

#[test]
fn a_card_can_name_the_net_and_the_file_must_then_be_of_it() {
    let (_folder, path) = official("vgg16_official_notop");
    let card = path.with_extension("toml");
    let preprocessing = "architecture = 'vgg16'\n[input]\nsize = [150, 200]\nchannels = 'rgb'";
    fs::write(&card, preprocessing).unwrap();
    let model = formats::open(&path).unwrap();
    assert_eq!(model.input_size(), [150, 200]);
    assert_eq!(
        model.assumptions[0],
        "architecture: vgg16, from vgg16_official_notop.toml"
    );

    fs::write(&card, "architecture = 'vgg19'").unwrap();
    let text = formats::open(&path).unwrap_err().to_string();
    let wanted = "is no vgg19: tensor 'block3_conv4/kernel' [3, 3, 256, 256] is missing";
    assert!(text.ends_with(wanted), "{text}");
}
