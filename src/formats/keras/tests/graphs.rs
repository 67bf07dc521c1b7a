//! How layers are put together: calls, sharing, order, and the spellings of different versions.

use super::*;
use crate::model::ChannelOrder;

#[test]
fn a_layer_called_twice_is_two_layers_with_one_weight() {
    let config = functional(
        "net",
        json!([
            input("in", json!([null, 8, 8, 4])),
            conv("c", json!([[["in", 0, 0, {}]], [["c", 0, 0, {}]]])),
        ]),
        json!([["in", 0, 0]]),
        json!([["c", 1, 0]]),
    );
    let model = model_of(&config, 2, &[("c", &[("c/kernel:0", KERNEL)])]).unwrap();
    let names: Vec<_> = model
        .layers
        .iter()
        .map(|layer| layer.name.as_str())
        .collect();
    assert_eq!(names, ["in", "c", "c#1"]);
    assert_eq!(model.outputs, [layer(&model, "c#1").output]);
    let [first, second] = ["c", "c#1"].map(|name| parameters(&model, name)[0].identity());
    assert_eq!(first, second);
    assert_eq!(model.summary([8, 8]).total, 16);
}

#[test]
fn layers_are_in_an_order_that_can_be_computed() {
    let config = functional(
        "net",
        json!([
            entry(
                "Add",
                "last",
                json!({}),
                json!([[["b", 0, 0, {}], ["a", 0, 0, {}]]])
            ),
            conv("b", json!([[["a", 0, 0, {}]]])),
            conv("a", json!([[["in", 0, 0, {}]]])),
            input("in", json!([null, 8, 8, 4])),
        ]),
        json!([["in", 0, 0]]),
        json!([["last", 0, 0]]),
    );
    let weights: Listed = &[
        ("a", &[("a/kernel:0", KERNEL)]),
        ("b", &[("b/kernel:0", KERNEL)]),
    ];
    let model = model_of(&config, 2, weights).unwrap();
    let names: Vec<_> = model
        .layers
        .iter()
        .map(|layer| layer.name.as_str())
        .collect();
    assert_eq!(names, ["in", "a", "b", "last"]);
    let inputs = &model.node(layer(&model, "last").output).inputs;
    assert_eq!(
        *inputs,
        [layer(&model, "b").output, layer(&model, "a").output]
    );
}

#[test]
fn circles_and_references_to_nothing_are_errors() {
    let net = |a: Value, outputs: Value| {
        let layers = json!([
            input("in", json!([null, 8, 8, 4])),
            conv("a", a),
            conv("b", json!([[["a", 0, 0, {}]]])),
        ]);
        let config = functional("net", layers, json!([["in", 0, 0]]), outputs);
        let weights: Listed = &[
            ("a", &[("a/kernel:0", KERNEL)]),
            ("b", &[("b/kernel:0", KERNEL)]),
        ];
        model_of(&config, 2, weights).map(|_| ()).unwrap_err()
    };
    let end = || json!([["b", 0, 0]]);
    assert_eq!(
        net(json!([[["b", 0, 0, {}]]]), end()),
        "has layers that wait for each other in a circle: a, b"
    );
    assert_eq!(
        net(json!([[["nobody", 0, 0, {}]]]), end()),
        "layer 'a' refers to a layer 'nobody' that isn't there"
    );
    assert_eq!(
        net(json!([[["in", 7, 0, {}]]]), end()),
        "layer 'a' refers to call 6 of 'in', which is called 1 time(s)"
    );
    assert_eq!(
        net(json!([[["in", 0, 3, {}]]]), end()),
        "layer 'a' refers to an output 3 of 'in', which isn't there"
    );
    assert_eq!(
        net(json!([[["in", 0, 0, {}]]]), json!([])),
        "names no inputs or no outputs"
    );
    assert_eq!(
        net(json!([["in"]]), end()),
        "layer 'a' expected 'inbound_nodes' to say which layers feed it, found \"in\""
    );
}

#[test]
fn a_sequential_of_keras_2_0_is_a_bare_list_without_an_input() {
    let config = json!({"class_name": "Sequential", "config": [
        {"class_name": "Conv2D", "config": {"name": "c", "filters": 4, "kernel_size": [1, 1], "use_bias": false,
            "batch_input_shape": [32, 8, 8, 4]}},
        {"class_name": "Flatten", "config": {"name": "f"}},
    ]});
    let model = model_of(&config, 2, &[("c", &[("c_W:0", KERNEL)])]).unwrap();
    assert_eq!(model.layers.len(), 2);
    assert_eq!(shapes(&model)[1].1, Some(vec![256]));
    assert_eq!(model.input_shapes([8, 8]), [[4, 8, 8]]);
    let mut without = config;
    without["config"][0]["config"]["batch_input_shape"] = Value::Null;
    assert_eq!(
        model_of(&without, 2, &[]).map(|_| ()).unwrap_err(),
        "layer 'input' doesn't tell its shape"
    );
}

#[test]
fn keras_3_spells_calls_in_its_own_way() {
    let tensor = |name: &str| json!({"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, 0], "shape": [null, 8, 8, 4]}});
    let call = |args: Value| json!([{"args": args, "kwargs": {"mask": null, "training": false}}]);
    let config = functional(
        "net",
        json!([
            {"class_name": "InputLayer", "name": "in", "config": {"batch_shape": [null, 8, 8, 4]}, "inbound_nodes": []},
            entry("Multiply", "m", json!({}), call(json!([tensor("in"), 0.5]))),
            entry("Subtract", "s", json!({}), call(json!([1.0, tensor("m")]))),
            entry("Add", "a", json!({}), call(json!([[tensor("s"), tensor("in")]]))),
        ]),
        json!(["in", 0, 0]),
        json!(["a", 0, 0]),
    );
    let model = model_of(&config, 3, &[]).unwrap();
    let affine = |name: &str| match ops(&model, name)[..] {
        [Op::Affine { scale, shift, .. }] => (scale[0], shift[0]),
        ref other => panic!("{other:?}"),
    };
    assert_eq!((affine("m"), affine("s")), ((0.5, 0.0), (-1.0, 1.0)));
    let inputs = &model.node(model.outputs[0]).inputs;
    assert_eq!(
        *inputs,
        [layer(&model, "s").output, layer(&model, "in").output]
    );
}

#[test]
fn tensorflow_functions_of_keras_2() {
    let function = |name: &str, function: &str, inbound: Value| {
        entry("TFOpLambda", name, json!({"function": function}), inbound)
    };
    let config = functional(
        "net",
        json!([
            input("in", json!([null, 8, 8, 4])),
            function(
                "plus",
                "__operators__.add",
                json!([["in", 0, 0, {"y": 3.0, "name": null}]])
            ),
            function("relu", "nn.relu6", json!([["plus", 0, 0, {"name": null}]])),
            function(
                "times",
                "math.multiply",
                json!([["relu", 0, 0, {"y": ["in", 0, 0]}]])
            ),
            function(
                "minus",
                "math.subtract",
                json!([["_CONSTANT_VALUE", -1, 1.0, {"y": ["times", 0, 0]}]])
            ),
            function("odd", "math.erfinv", json!([["minus", 0, 0, {}]])),
        ]),
        json!([["in", 0, 0]]),
        json!([["odd", 0, 0]]),
    );
    let model = model_of(&config, 2, &[]).unwrap();
    assert!(matches!(ops(&model, "plus")[..], [Op::Affine { shift, .. }] if shift == &[3.0]));
    assert!(matches!(ops(&model, "relu")[..], [Op::Activation(_)]));
    assert_eq!(model.node(layer(&model, "times").output).inputs.len(), 2);
    assert!(matches!(ops(&model, "minus")[..], [Op::Affine { scale, .. }] if scale == &[-1.0]));
    assert_eq!(
        layer(&model, "odd").kind,
        "TFOpLambda (function=math.erfinv)"
    );
}

#[test]
fn an_image_turned_round_in_the_network_is_prepared_that_way() {
    let slice = json!([{"class_name": "__ellipsis__"}, {"start": null, "stop": null, "step": -1}]);
    let net = |also: &str| {
        functional(
            "net",
            json!([
                input("in", json!([null, 8, 8, 3])),
                entry(
                    "SlicingOpLambda",
                    "bgr",
                    json!({"function": "__operators__.getitem"}),
                    json!([["in", 0, 0, {"slice_spec": slice}]])
                ),
                entry(
                    "TFOpLambda",
                    "mean",
                    json!({"function": "nn.bias_add"}),
                    json!([["bgr", 0, 0, {"bias": [-103.9, -116.8, -123.7], "data_format": "NHWC"}]])
                ),
                entry(
                    "Add",
                    "add",
                    json!({}),
                    json!([[["mean", 0, 0, {}], [also, 0, 0, {}]]])
                ),
            ]),
            json!([["in", 0, 0]]),
            json!([["add", 0, 0]]),
        )
    };
    let model = model_of(&net("mean"), 2, &[]).unwrap();
    assert_eq!(model.preprocessing.channels, ChannelOrder::Bgr);
    assert!((model.preprocessing.scale - 1.0).abs() < 1e-12);
    assert!(shapes(&model).iter().all(|(_, shape)| shape.is_some()));
    // Where the image is read in its own order too, there is no such way.
    let model = model_of(&net("in"), 2, &[]).unwrap();
    assert_eq!(model.preprocessing.channels, ChannelOrder::Rgb);
    assert!(matches!(ops(&model, "bgr")[..], [Op::Unknown { .. }]));
}

#[test]
fn inputs_may_be_grey_open_or_several() {
    let config = sequential(&[28, 28, 1], &[("Flatten", json!({}))]);
    let model = model_of(&config, 2, &[]).unwrap();
    assert_eq!(
        model.preprocessing.describe(),
        "28x28 grey, squashed (nearest), pixels / 255"
    );
    let config = functional(
        "net",
        json!([
            input("a", json!([null, null, null, 3])),
            input("b", json!([null, 7])),
            entry(
                "GlobalAveragePooling2D",
                "g",
                json!({}),
                json!([[["a", 0, 0, {}]]])
            ),
            entry(
                "Concatenate",
                "c",
                json!({"axis": -1}),
                json!([[["g", 0, 0, {}], ["b", 0, 0, {}]]])
            ),
        ]),
        json!([["b", 0, 0], ["a", 0, 0]]),
        json!({"out": ["c", 0, 0], "pooled": ["g", 0, 0]}),
    );
    let model = model_of(&config, 2, &[]).unwrap();
    assert_eq!((model.inputs.len(), model.outputs.len()), (2, 2));
    assert_eq!(model.input_shapes([50, 60]), [vec![7], vec![3, 50, 60]]);
    assert_eq!(model.preprocessing.size, [224, 224]);
    assert!(model.assumptions[0].starts_with("input size: 224x224"));
}

#[test]
fn configurations_that_are_none() {
    let cases = [
        ("{", "has a model_config that isn't proper JSON"),
        ("{}", "has a model_config without 'class_name'"),
        (
            r#"{"class_name": "MyModel", "config": {}}"#,
            "holds a model of the class 'MyModel', whose structure is in its program",
        ),
        (
            r#"{"class_name": "Sequential", "config": []}"#,
            "has no layers",
        ),
        (
            r#"{"class_name": "Sequential", "config": [{"class_name": "ReLU", "config": {"name": "a\u001bb"}}]}"#,
            "has a layer (number 0) whose name convscope can't use: 'a\\u{1b}b'",
        ),
        (
            r#"{"class_name": "Sequential", "config": [{"class_name": "ReLU"}]}"#,
            "has a layer (number 0) without a name",
        ),
        (
            r#"{"class_name": "Sequential", "config": [5]}"#,
            "has a layer (number 0) without 'class_name'",
        ),
        (
            r#"{"class_name": "Sequential", "config": [
                {"class_name": "ReLU", "config": {"name": "a"}}, {"class_name": "ReLU", "config": {"name": "a"}}]}"#,
            "has two layers 'a'",
        ),
    ];
    for (json, wanted) in cases {
        let error = network::read(json).map(|_| ()).unwrap_err();
        assert!(error.starts_with(wanted), "{error}");
    }
}

#[test]
fn files_of_keras_1_and_of_theano_are_refused() {
    assert_eq!(major(Some("2.1.6-tf")), Ok(2));
    assert_eq!(major(Some("3.0.0")), Ok(3));
    assert_eq!(major(None), Ok(2));
    assert!(
        major(Some("1.2.2"))
            .unwrap_err()
            .contains("was written by Keras 1.2.2")
    );
}
