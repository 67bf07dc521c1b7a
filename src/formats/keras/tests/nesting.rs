//! Models in models, and whose weights are whose.

use super::*;

/// Two nested levels; the inner model is called twice.
fn nested(trainable: bool) -> Value {
    let inner = functional(
        "inner",
        json!([
            input("i2", json!([null, 8, 8, 4])),
            conv("c", json!([[["i2", 0, 0, {}]]])),
            entry(
                "BatchNormalization",
                "bn",
                json!({"axis": [3]}),
                json!([[["c", 0, 0, {}]]])
            ),
        ]),
        json!([["i2", 0, 0]]),
        json!([["bn", 0, 0]]),
    );
    let mut inner = inner;
    inner["name"] = json!("inner");
    inner["config"]["trainable"] = json!(trainable);
    // Keras 2 counts a model's calls from 1.
    inner["inbound_nodes"] = json!([[["in", 0, 0, {}]], [["inner", 1, 0, {}]]]);
    functional(
        "net",
        json!([input("in", json!([null, 8, 8, 4])), inner]),
        json!([["in", 0, 0]]),
        json!([["inner", 2, 0]]),
    )
}

const VECTOR: &[usize] = &[4];

#[test]
fn a_nested_model_stands_in_front_of_its_layers() {
    let listed: &[(&str, &[usize])] = &[
        ("c/kernel:0", KERNEL),
        ("bn/gamma:0", VECTOR),
        ("bn/beta:0", VECTOR),
        ("bn/moving_mean:0", VECTOR),
        ("bn/moving_variance:0", VECTOR),
    ];
    let model = model_of(&nested(true), 2, &[("inner", listed)]).unwrap();
    let found: Vec<_> = model
        .layers
        .iter()
        .map(|l| (l.name.as_str(), l.kind.as_str(), l.depth))
        .collect();
    assert_eq!(
        found,
        [
            ("in", "InputLayer", 0),
            ("inner", "Functional", 0),
            ("inner/i2", "InputLayer", 1),
            ("inner/c", "Conv2D", 1),
            ("inner/bn", "BatchNormalization", 1),
            ("inner#1", "Functional", 0),
            ("inner#1/i2", "InputLayer", 1),
            ("inner#1/c", "Conv2D", 1),
            ("inner#1/bn", "BatchNormalization", 1),
        ]
    );
    let outer = layer(&model, "inner");
    assert_eq!(
        (outer.nodes.len(), outer.output),
        (3, layer(&model, "inner/bn").output)
    );
    assert!(outer.nested);
    let summary = model.summary([8, 8]);
    assert_eq!((summary.total, summary.trainable), (32, 24));
    // A frozen model freezes what is in it.
    let model = model_of(&nested(false), 2, &[("inner", listed)]).unwrap();
    assert_eq!(model.summary([8, 8]).trainable, 0);
}

/// The weights that the three batch norms in a nested model get of twelve; the one in the middle is frozen.
fn batch_norms(names: &[&str]) -> Outcome<[Vec<String>; 3]> {
    let layers = json!([
        {"class_name": "InputLayer", "config": {"name": "i", "batch_input_shape": [null, 8, 8, 4]}},
        {"class_name": "BatchNormalization", "config": {"name": "a"}},
        {"class_name": "BatchNormalization", "config": {"name": "b", "trainable": false}},
        {"class_name": "BatchNormalization", "config": {"name": "c"}},
    ]);
    let inner = json!({"class_name": "Sequential", "config": {"name": "s", "layers": layers}});
    let config = json!({"class_name": "Sequential", "config": [inner]});
    let listed: Vec<(&str, &[usize])> = names.iter().map(|&name| (name, VECTOR)).collect();
    let model = model_of(&config, 2, &[("s", &listed)])?;
    let of = |name: &str| {
        let parameters = parameters(&model, name);
        let names = parameters.iter().map(|parameter| parameter.name.clone());
        names.collect()
    };
    Ok(["s/a", "s/b", "s/c"].map(of))
}

const VARIABLES: [&str; 4] = ["gamma", "beta", "moving_mean", "moving_variance"];

#[test]
fn nested_weights_go_by_their_names() {
    let mut names = Vec::new();
    // In an order that no Keras writes.
    for variable in ["moving_variance", "beta", "gamma", "moving_mean"] {
        for layer in ["c", "a", "b"] {
            names.push(format!("base/{layer}/{variable}:0"));
        }
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let found = batch_norms(&names).unwrap();
    let wanted = |layer: &str| VARIABLES.map(|variable| format!("base/{layer}/{variable}:0"));
    assert_eq!(found, ["a", "b", "c"].map(|layer| wanted(layer).to_vec()));
}

#[test]
fn nested_weights_without_useful_names_are_in_keras_order() {
    let names: Vec<String> = (0..12).map(|index| format!("w{index}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    // Trained: gamma and beta of a and c. Then the rest, layer by layer; b is frozen.
    assert_eq!(
        batch_norms(&names).unwrap(),
        [
            ["w0", "w1", "w4", "w5"],
            ["w6", "w7", "w8", "w9"],
            ["w2", "w3", "w10", "w11"]
        ]
    );
    assert_eq!(
        batch_norms(&names[..5]).unwrap_err(),
        "needs 12 weights for all its layers, and the file has 5 (w0, w1, w2, w3, w4)"
    );
}

#[test]
fn a_nested_model_is_unknown_where_its_weights_can_not_be_told_apart() {
    let layers = json!([
        {"class_name": "ReLU", "config": {"name": "r", "batch_input_shape": [null, 8, 8, 4]}},
        {"class_name": "Own>Layer", "config": {"name": "own"}},
    ]);
    let inner = json!({"class_name": "Sequential", "config": {"name": "s", "layers": layers}});
    let config = json!({"class_name": "Sequential", "config": [inner]});
    let kinds = |weight: &str| {
        let model = model_of(&config, 3, &[("s", &[(weight, VECTOR)])]).unwrap();
        assert_eq!(model.summary([8, 8]).total, 4);
        let kinds = model.layers.iter().map(|layer| layer.kind.clone());
        kinds.collect::<Vec<_>>()
    };
    assert_eq!(kinds("s/own/thing"), ["Sequential", "ReLU", "Own>Layer"]);
    assert_eq!(
        kinds("variable_7"),
        ["Sequential (weights that can't be told apart)"]
    );
}

#[test]
fn augmentation_does_nothing_and_scaling_behind_it_is_seen() {
    let config = sequential(
        &[8, 8, 3],
        &[
            ("RandomFlip", json!({})),
            (
                "Sequential",
                json!({"layers": [
                    {"class_name": "RandomRotation", "config": {"name": "r"}},
                    {"class_name": "Rescaling", "config": {"name": "scale", "scale": 0.1}},
                ]}),
            ),
        ],
    );
    let model = model_of(&config, 2, &[]).unwrap();
    assert!((model.preprocessing.scale - 1.0).abs() < 1e-12);
    assert!(
        model.assumptions[0].contains("'l1/scale'"),
        "{:?}",
        model.assumptions
    );
}

#[test]
fn endless_nesting_and_endless_calls_are_refused() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let error = network::read(&deep).map(|_| ()).unwrap_err();
    assert!(error.contains("recursion limit"), "{error}");
    let deep = format!("{{\"class_name\":\"Sequential\",\"config\":{deep}}}");
    assert!(network::read(&deep).is_err());
    // Twelve models, each calling the one within it four times, are sixteen million calls.
    let mut body = json!({"class_name": "Sequential", "config": {"name": "m", "layers": [
        {"class_name": "InputLayer", "config": {"name": "i", "batch_input_shape": [null, 8, 8, 4]}},
        {"class_name": "ReLU", "config": {"name": "r"}},
    ]}});
    for _ in 0..12 {
        body["name"] = json!("m");
        body["inbound_nodes"] = json!([
            [["i", 0, 0, {}]],
            [["m", 1, 0, {}]],
            [["m", 2, 0, {}]],
            [["m", 3, 0, {}]]
        ]);
        body = functional(
            "m",
            json!([input("i", json!([null, 8, 8, 4])), body]),
            json!([["i", 0, 0]]),
            json!([["m", 4, 0]]),
        );
    }
    let error = model_of(&body, 2, &[]).map(|_| ()).unwrap_err();
    assert!(error.contains("more than the 20000 times"), "{error}");
}
