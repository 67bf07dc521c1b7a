//! Cards, good and bad.

use std::fs;

use tempfile::tempdir;

use super::*;
use crate::model::{Builder, ChannelOrder, Filter, Fit, Layout, Preprocessing};

fn parse(text: &str) -> Result<Card> {
    Card::parse(Path::new("net.toml"), text)
}

fn refusal(text: &str) -> String {
    match parse(text) {
        Ok(card) => panic!("{text} was read: {card:?}"),
        Err(error) => error.to_string(),
    }
}

/// A model of one input with the book's preprocessing.
fn model(channels: usize) -> Model {
    let mut graph = Builder::default();
    let shape = vec![Some(channels), None, None];
    let input = graph.node(Op::Input { shape }, []);
    Model {
        name: "net".into(),
        format: "test".into(),
        architecture: None,
        layout: Layout::ChannelsLast,
        nodes: graph.nodes,
        layers: graph.layers,
        inputs: vec![input],
        outputs: vec![input],
        head: None,
        labels: None,
        preprocessing: Preprocessing::book([150, 150]),
        assumptions: vec!["preprocessing: the book's".into(), "input size: 150".into()],
    }
}

#[test]
fn a_full_card_replaces_all_conventions() {
    let card = parse(
        r#"
        architecture = "vgg16"
        labels = ["cat", "dog"]
        license = "CC0"
        [input]
        size = [200, 300]
        fit = "center-crop"
        crop-fraction = 0.875
        filter = "lanczos"
        channels = "bgr"
        scale = "1/255"
        mean = [0.4, 0.5, 0.6]
        std = 0.25
        "#,
    )
    .unwrap();
    assert_eq!(card.architecture.as_deref(), Some("vgg16"));
    let mut model = model(3);
    card.apply(&mut model).unwrap();
    let expected = Preprocessing {
        size: [200, 300],
        fit: Fit::CenterCrop { fraction: 0.875 },
        filter: Filter::Lanczos,
        channels: ChannelOrder::Bgr,
        scale: 1.0 / 255.0,
        mean: [0.4, 0.5, 0.6],
        std: [0.25; 3],
    };
    assert_eq!(model.preprocessing, expected);
    assert_eq!(model.labels.unwrap().name(0), Some("cat"));
    assert_eq!(
        model.assumptions,
        [
            "preprocessing and labels: from net.toml",
            "licence: CC0 (says net.toml)"
        ]
    );
}

#[test]
fn a_partial_card_leaves_the_rest_and_says_what_it_changed() {
    let mut model = model(3);
    let card = parse("[input]\nsize = 64\nscale = 1\n").unwrap();
    card.apply(&mut model).unwrap();
    assert_eq!(model.preprocessing.size, [64, 64]);
    assert_eq!(model.preprocessing.filter, Filter::Nearest);
    assert_eq!(
        model.assumptions,
        [
            "preprocessing: the book's",
            "preprocessing's size and preprocessing's scale: from net.toml"
        ]
    );
}

#[test]
fn an_empty_card_changes_nothing() {
    let mut changed = model(3);
    parse("").unwrap().apply(&mut changed).unwrap();
    assert_eq!(changed.assumptions, model(3).assumptions);
}

#[test]
fn mistakes_are_named_with_their_line() {
    let cases = [
        (
            "architecture = 'vgg16'\nlable = []",
            "line 2: unknown field `lable`",
        ),
        ("[input]\nsice = 3", "line 2: unknown field `sice`"),
        (
            "[input]\nfit = 'stretch'",
            "line 2: unknown variant `stretch`",
        ),
        (
            "[input]\nsize = 'big'",
            "line 2: expected [height, width] or one number",
        ),
        (
            "[input]\nsize = [1, 2, 3]",
            "line 2: expected [height, width] or one number",
        ),
        (
            "[input]\nsize = -5",
            "line 2: expected [height, width] or one number",
        ),
        (
            "[input]\nsize = 0",
            "size: sides go from 1 to 8192, found [0, 0]",
        ),
        (
            "[input]\nsize = [9000, 8]",
            "size: sides go from 1 to 8192, found [9000, 8]",
        ),
        (
            "[input]\nscale = 'much'",
            "scale: expected a number, or text such as \"1/255\"",
        ),
        (
            "[input]\nscale = '1/0'",
            "scale: expected a finite number other than 0, found inf",
        ),
        (
            "[input]\nmean = nan",
            "mean: expected a finite number, found NaN",
        ),
        (
            "[input]\nmean = [1, 2]",
            "line 2: expected one number, or a list",
        ),
        (
            "[input]\nstd = [1, 1, 0]",
            "std: expected a finite number other than 0, found 0",
        ),
        (
            "[input]\ncrop-fraction = 2",
            "crop-fraction: expected more than 0 and at most 1, found 2",
        ),
        ("labels = 3", "line 1: expected a list of names"),
        ("labels = []", "labels names no classes"),
        (
            "labels = [\"a\\u001b[2J\"]",
            "label 0 has control characters",
        ),
        ("source = \"\\u0007\"", "source has control characters"),
        ("sha256 = 'abc'", "sha256 should have 64 hexadecimal digits"),
        ("= 3", "line 1"),
    ];
    for (text, expected) in cases {
        let message = refusal(text);
        assert!(message.starts_with("net.toml: "), "{message}");
        assert!(message.contains(expected), "{text}: {message}");
        assert!(!message.contains('\n'), "{message}");
    }
}

#[test]
fn labels_come_from_beside_the_card_only() {
    let folder = tempdir().unwrap();
    fs::create_dir(folder.path().join("inner")).unwrap();
    fs::write(folder.path().join("secret.txt"), "a\nb\n").unwrap();
    fs::write(
        folder.path().join("inner/names.txt"),
        "n02123045 tabby, cat\ndog\n",
    )
    .unwrap();
    let card = folder.path().join("inner/net.toml");
    let read = |name: &str| Card::parse(&card, &format!("labels = '{name}'"));

    let labels = read("names.txt").unwrap().labels.unwrap();
    assert_eq!(labels.name(0), Some("tabby"));
    for outside in ["../secret.txt", "/etc/passwd", "..", "", "./../secret.txt"] {
        let message = read(outside).unwrap_err().to_string();
        assert!(
            message.contains("should be a file beside the card"),
            "{message}"
        );
    }
    let message = read("missing.txt").unwrap_err().to_string();
    assert!(
        message.contains("inner/missing.txt: No such file"),
        "{message}"
    );
}

#[test]
fn a_card_is_found_by_the_models_stem() {
    let folder = tempdir().unwrap();
    let model = folder.path().join("net.h5");
    assert!(Card::beside(&model).unwrap().is_none());
    fs::write(folder.path().join("net.toml"), "licence = 'MIT'").unwrap();
    let card = Card::beside(&model).unwrap().unwrap();
    assert_eq!(card.licence.as_deref(), Some("MIT"));

    fs::write(folder.path().join("net.toml"), vec![b'#'; (1 << 20) + 1]).unwrap();
    let message = Card::beside(&model).unwrap_err().to_string();
    assert!(message.contains("larger than 1 MiB"), "{message}");
    fs::write(folder.path().join("net.toml"), [0xff, 0xfe]).unwrap();
    let message = Card::beside(&model).unwrap_err().to_string();
    assert!(message.contains("UTF-8"), "{message}");
}

#[test]
fn a_card_that_contradicts_the_model_is_refused() {
    let card = parse("[input]\nchannels = 'grey'").unwrap();
    let message = card.apply(&mut model(3)).unwrap_err().to_string();
    assert!(
        message.contains("1 plane(s), and the model takes 3"),
        "{message}"
    );
    card.apply(&mut model(1)).unwrap();

    let card = parse("[input]\ncrop-fraction = 0.5").unwrap();
    let message = card.apply(&mut model(3)).unwrap_err().to_string();
    assert!(message.contains("crop-fraction needs fit"), "{message}");
}

#[test]
fn deep_nesting_is_an_error_and_not_a_full_stack() {
    let deep = format!("labels = {}", "[".repeat(100_000));
    assert!(refusal(&deep).contains("is not a model's card"));
    let deep = format!("labels = {}", "{a=".repeat(100_000));
    assert!(refusal(&deep).contains("is not a model's card"));
}
