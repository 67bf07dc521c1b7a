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
    assert!(model.is_nested(outer));
    let summary = model.summary([8, 8]);
    assert_eq!((summary.total, summary.trainable), (32, 24));
    // A frozen model freezes what is in it.
    let model = model_of(&nested(false), 2, &[("inner", listed)]).unwrap();
    assert_eq!(model.summary([8, 8]).trainable, 0);
}

#[test]
fn a_nested_models_weights_go_by_name_and_else_by_order() {
    let two = |names: [&str; 10], keras: u32, frozen: bool| {
        let layers = json!([
            {"class_name": "InputLayer", "config": {"name": "i", "batch_input_shape": [null, 8, 8, 4]}},
            {"class_name": "Conv2D", "config": {"name": "c", "filters": 4, "kernel_size": 1, "use_bias": false}},
            {"class_name": "BatchNormalization", "config": {"name": "a", "trainable": !frozen}},
            {"class_name": "BatchNormalization", "config": {"name": "b"}},
            {"class_name": "Conv2D", "config": {"name": "d", "filters": 4, "kernel_size": 1, "use_bias": false}},
        ]);
        let inner = json!({"class_name": "Sequential", "name": "s", "config": {"name": "s", "layers": layers}});
        let config = json!({"class_name": "Sequential", "config": [inner]});
        let shape = |index: usize| {
            if index == 0 || index == 9 {
                KERNEL
            } else {
                VECTOR
            }
        };
        let listed: Vec<(&str, &[usize])> =
            (0..10).map(|index| (names[index], shape(index))).collect();
        let model = model_of(&config, keras, &[("s", &listed)]).unwrap();
        ["s/a", "s/b"].map(|name| {
            parameters(&model, name)
                .iter()
                .map(|parameter| parameter.name.clone())
                .collect::<Vec<_>>()
        })
    };
    // By name, whatever the order.
    let names = [
        "c/kernel:0",
        "b/gamma:0",
        "b/beta:0",
        "a/moving_variance:0",
        "a/moving_mean:0",
        "a/gamma:0",
        "a/beta:0",
        "b/moving_mean:0",
        "b/moving_variance:0",
        "d/kernel:0",
    ];
    let wanted = ["gamma", "beta", "moving_mean", "moving_variance"];
    let [a, b] = two(names, 2, false);
    assert_eq!(a, wanted.map(|variable| format!("a/{variable}:0")));
    assert_eq!(b, wanted.map(|variable| format!("b/{variable}:0")));
    // Without names the trained ones come first; the second kernel is one of them.
    let config = nested(true);
    let listed: &[(&str, &[usize])] = &[
        ("w0", KERNEL),
        ("w1", VECTOR),
        ("w2", VECTOR),
        ("w3", VECTOR),
        ("w4", VECTOR),
    ];
    let model = model_of(&config, 2, &[("inner", listed)]).unwrap();
    let found: Vec<_> = parameters(&model, "inner/bn")
        .iter()
        .map(|p| p.name.as_str())
        .collect();
    assert_eq!(found, ["w1", "w2", "w3", "w4"]);
    let few: &[(&str, &[usize])] = &listed[..4];
    assert_eq!(
        model_of(&config, 2, &[("inner", few)])
            .map(|_| ())
            .unwrap_err(),
        "needs 5 weights for all its layers, and the file has 4 (w0, w1, w2, w3)"
    );
}

#[test]
fn nested_weights_without_useful_names_are_in_keras_order() {
    let layers = json!([
        {"class_name": "InputLayer", "config": {"name": "i", "batch_input_shape": [null, 8, 8, 4]}},
        {"class_name": "BatchNormalization", "config": {"name": "a"}},
        {"class_name": "BatchNormalization", "config": {"name": "b", "trainable": false}},
        {"class_name": "BatchNormalization", "config": {"name": "c"}},
    ]);
    let inner =
        json!({"class_name": "Sequential", "name": "s", "config": {"name": "s", "layers": layers}});
    let config = json!({"class_name": "Sequential", "config": [inner]});
    let names: Vec<String> = (0..12).map(|index| format!("w{index}")).collect();
    let listed: Vec<(&str, &[usize])> = names.iter().map(|name| (name.as_str(), VECTOR)).collect();
    let model = model_of(&config, 2, &[("s", &listed)]).unwrap();
    let of = |name: &str| -> Vec<String> {
        parameters(&model, name)
            .iter()
            .map(|parameter| parameter.name.clone())
            .collect()
    };
    // Trained: gamma and beta of a and c. Then the rest, layer by layer; b is frozen.
    assert_eq!(of("s/a"), ["w0", "w1", "w4", "w5"]);
    assert_eq!(of("s/b"), ["w6", "w7", "w8", "w9"]);
    assert_eq!(of("s/c"), ["w2", "w3", "w10", "w11"]);
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
