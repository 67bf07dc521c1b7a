//! [`open`] on the files that ship with convscope, and on files that are no models.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::tempdir;

use super::*;

pub(super) fn shipped_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("weights")
        .join(name)
}

/// A safetensors file of `f32` tensors.
pub(super) fn safetensors_bytes(tensors: &[(&str, &[usize], &[f32])]) -> Vec<u8> {
    let mut header = serde_json::Map::new();
    let mut data = Vec::new();
    for (name, shape, values) in tensors {
        let begin = data.len();
        data.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        let entry = serde_json::json!({
            "dtype": "F32", "shape": shape, "data_offsets": [begin, data.len()],
        });
        header.insert((*name).to_owned(), entry);
    }
    let header = serde_json::Value::Object(header).to_string();
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.bytes());
    bytes.extend(data);
    bytes
}

#[test]
fn the_shipped_imagenet_classifier_opens_with_its_card() {
    let model = open(&shipped_file("efficientnet_lite0.safetensors")).unwrap();
    assert_eq!(model.architecture.as_deref(), Some("efficientnet_lite0"));
    assert_eq!(model.summary([224, 224]).trainable, 4_652_008);
    assert_eq!(model.head.unwrap().kind, HeadKind::Logits);
    let labels = model.labels.as_ref().unwrap();
    assert_eq!(labels.0.len(), 1000);
    assert_eq!(labels.name(285), Some("Egyptian cat"));
    assert_eq!(
        model.preprocessing.describe(),
        "224x224 RGB, squashed (bilinear), (pixels - 127) / 128"
    );
    assert_eq!(
        model.assumptions[..2],
        [
            "architecture: efficientnet_lite0, from efficientnet_lite0.toml",
            "preprocessing and labels: from efficientnet_lite0.toml",
        ]
    );
}

#[test]
fn the_shipped_vgg16_opens_with_its_card() {
    let model = open(&shipped_file("vgg16_cats_dogs.safetensors")).unwrap();
    assert_eq!(model.name, "vgg16_cats_dogs");
    assert_eq!(model.summary([224, 224]).total, 14_714_688 + 1_026);
    assert_eq!(model.head.unwrap().kind, HeadKind::Softmax);
    assert_eq!(model.labels.as_ref().unwrap().name(1), Some("dog"));
    assert_eq!(
        model.preprocessing.describe(),
        "224x224 BGR, squashed (nearest), pixels - (103.939, 116.779, 123.68)"
    );
}

#[test]
fn the_shipped_keras_model_opens_with_its_card() {
    let model = open(&shipped_file("cats_and_dogs_small_2.h5")).unwrap();
    assert_eq!(model.architecture, None);
    assert_eq!(model.summary([150, 150]).total, 3_453_121);
    assert_eq!(model.head.unwrap().kind, HeadKind::Sigmoid);
    assert_eq!(model.labels.as_ref().unwrap().name(0), Some("cat"));
    assert_eq!(
        model.preprocessing.describe(),
        "150x150 RGB, squashed (nearest), pixels / 255"
    );
    assert_eq!(
        model.assumptions[0],
        "preprocessing and labels: from cats_and_dogs_small_2.toml"
    );
}

#[test]
fn without_a_card_a_known_net_is_recognised_and_says_so() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("mine.safetensors");
    fs::copy(shipped_file("efficientnet_lite0.safetensors"), &path).unwrap();
    let model = open(&path).unwrap();
    assert_eq!(model.name, "mine");
    assert_eq!(model.labels.as_ref().unwrap().0.len(), 1000);
    assert_eq!(
        model.assumptions,
        [
            "architecture: efficientnet_lite0, from the names of its tensors",
            "preprocessing: the usual one of efficientnet_lite0",
            "labels: ImageNet's, as there are 1000 classes",
        ]
    );
}

#[test]
fn unknown_weights_say_what_a_card_must_hold() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("mine.safetensors");
    fs::write(&path, safetensors_bytes(&[("w", &[2], &[1.0, 2.0])])).unwrap();
    let message = open(&path).unwrap_err().to_string();
    assert!(
        message.contains("mine.safetensors: holds 1 tensors"),
        "{message}"
    );
    assert!(message.contains("mine.toml"), "{message}");
    assert!(message.contains("vgg16"), "{message}");
}

#[test]
fn the_wrong_number_of_labels_is_refused() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("vgg.safetensors");
    fs::copy(shipped_file("vgg16_cats_dogs.safetensors"), &path).unwrap();
    fs::write(
        folder.path().join("vgg.toml"),
        "labels = ['cat', 'dog', 'cow']",
    )
    .unwrap();
    let message = open(&path).unwrap_err().to_string();
    assert!(
        message.ends_with("vgg.toml: 3 labels, and the model tells 2 classes apart"),
        "{message}"
    );
}

#[test]
fn what_is_no_model_is_named() {
    let folder = tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo");
    let cases = [
        (demo.join("chelsea.png"), "is a picture (PNG), not a model"),
        (demo.join("koala.jpg"), "is a picture (JPEG), not a model"),
        (
            shipped_file("vgg16_cats_dogs.toml"),
            "is the card of a model",
        ),
        (shipped_file("imagenet_labels.txt"), "is not a model"),
        (file("empty.h5", b""), "is empty"),
        (
            file("net.onnx", b"\x08\x08\x12\x07pytorch"),
            "is an ONNX model",
        ),
        (folder.path().to_path_buf(), "is a folder"),
        (folder.path().join("missing.h5"), "No such file"),
        (PathBuf::from("/dev/null"), "is not a file"),
    ];
    for (path, expected) in cases {
        let message = open(&path).unwrap_err().to_string();
        let start = format!("{}: ", path.display());
        assert!(message.starts_with(&start), "{message}");
        assert!(message.contains(expected), "{message}");
    }
}
