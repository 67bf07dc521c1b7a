//! Layers one by one: what their options become, and which make a layer unknown or the file wrong.

use super::*;
use crate::model::{Activation, Border, Conv, HeadKind, Layout, Padding, UpsampleMode};

/// The model of one layer on (8,6,4) feature maps.
fn one(class: &str, config: Value, keras: u32, weights: &[(&str, &[usize])]) -> Outcome<Model> {
    let config = sequential(&[8, 6, 4], &[(class, config)]);
    model_of(&config, keras, &[("l0", weights)])
}

/// The op of a layer that becomes one node.
fn op(class: &str, config: Value, keras: u32) -> Op {
    let model = one(class, config, keras, &[]).unwrap();
    let [op] = ops(&model, "l0")[..] else {
        panic!("{:?}", ops(&model, "l0"));
    };
    op.clone()
}

fn activation(class: &str, config: Value, keras: u32) -> Activation {
    match op(class, config, keras) {
        Op::Activation(activation) => activation,
        other => panic!("{other:?}"),
    }
}

/// The type under which an unknown layer is shown.
fn unknown(class: &str, config: Value) -> String {
    let model = one(class, config, 3, &[("l0/thing:0", &[4])]).unwrap();
    assert!(matches!(ops(&model, "l0")[..], [Op::Unknown { .. }]));
    assert_eq!(parameters(&model, "l0").len(), 1);
    layer(&model, "l0").kind.clone()
}

#[test]
fn the_hard_sigmoid_depends_on_the_version() {
    let config = json!({"activation": "hard_sigmoid"});
    let slope = |keras| activation("Activation", config.clone(), keras);
    assert_eq!(slope(2), Activation::HardSigmoid { slope: 0.2 });
    assert_eq!(slope(3), Activation::HardSigmoid { slope: 1.0 / 6.0 });
}

#[test]
fn activations_come_as_names_and_as_objects() {
    let cases = [
        (json!("relu6"), Activation::RELU6),
        (json!("swish"), Activation::Silu),
        (
            json!({"class_name": "function", "config": "relu6"}),
            Activation::RELU6,
        ),
        (
            json!({"class_name": "LeakyReLU", "config": {"alpha": 0.5}}),
            Activation::leaky(0.5),
        ),
        (
            json!({"class_name": "LeakyReLU", "config": {"negative_slope": 0.5}}),
            Activation::leaky(0.5),
        ),
        (
            json!({"class_name": "ELU", "config": {"alpha": {"class_name": "__numpy__", "config": {"value": 0.25}}}}),
            Activation::Elu { alpha: 0.25 },
        ),
    ];
    for (value, wanted) in cases {
        let config = json!({"activation": value});
        assert_eq!(activation("Activation", config, 3), wanted, "{value}");
    }
}

#[test]
fn rectifiers_keep_all_their_options() {
    let config = json!({"max_value": 6.0, "negative_slope": 0.125, "threshold": 0.5});
    let wanted = Activation::Relu {
        max: Some(6.0),
        slope: 0.125,
        threshold: 0.5,
    };
    assert_eq!(activation("ReLU", config, 2), wanted);
    let open = json!({"max_value": null});
    assert_eq!(activation("ReLU", open, 2), Activation::RELU);
    assert_eq!(
        activation("LeakyReLU", json!({}), 2),
        Activation::leaky(0.3)
    );
}

#[test]
fn a_linear_activation_adds_no_node_and_a_softmax_one() {
    let dense = |activation: Value| {
        let config = sequential(
            &[5],
            &[("Dense", json!({"units": 3, "activation": activation}))],
        );
        model_of(
            &config,
            2,
            &[("l0", &[("l0/kernel:0", &[5, 3]), ("l0/bias:0", &[3])])],
        )
        .unwrap()
    };
    for linear in [json!("linear"), Value::Null] {
        let model = dense(linear);
        assert_eq!(ops(&model, "l0").len(), 1);
        assert_eq!(model.head.unwrap().kind, HeadKind::Logits);
    }
    let model = dense(json!("softmax"));
    assert!(matches!(
        ops(&model, "l0")[..],
        [Op::Dense { .. }, Op::Softmax { axis: 1 }]
    ));
    let head = model.head.unwrap();
    assert_eq!(
        (head.kind, head.logits),
        (HeadKind::Softmax, layer(&model, "l0").nodes[0])
    );
}

#[test]
fn axes_are_those_of_channels_first() {
    let softmax = |axis: i64| match op("Softmax", json!({"axis": axis}), 3) {
        Op::Softmax { axis } => axis,
        other => panic!("{other:?}"),
    };
    assert_eq!([-1, 3, 1, 2, -3].map(softmax), [1, 1, 2, 3, 2]);
    let model = one(
        "BatchNormalization",
        json!({"axis": [3], "scale": false}),
        2,
        &[
            ("l0/beta:0", &[4]),
            ("l0/moving_mean:0", &[4]),
            ("l0/moving_variance:0", &[4]),
        ],
    )
    .unwrap();
    let Op::BatchNorm(norm) = ops(&model, "l0")[0] else {
        panic!();
    };
    assert_eq!(
        (norm.axis, norm.gamma.is_some(), norm.epsilon),
        (1, false, 1e-3)
    );
    let summary = model.summary([8, 6]);
    assert_eq!((summary.total, summary.trainable), (12, 4));
}

#[test]
fn flatten_sees_the_channels_of_a_pixel_first() {
    let model = one("Flatten", json!({}), 2, &[]).unwrap();
    let [Op::Permute { axes }, Op::Reshape { shape }] = ops(&model, "l0")[..] else {
        panic!("{:?}", ops(&model, "l0"));
    };
    assert_eq!((axes, shape), (&vec![0, 2, 3, 1], &vec![None]));
}

#[test]
fn reshape_and_permute_work_on_the_files_axes() {
    let shape = |class: &str, config: Value| {
        let model = one(class, config, 2, &[]).unwrap();
        let shapes = shapes(&model);
        model.show_shape(shapes[0].1.as_ref().unwrap())
    };
    assert_eq!(
        shape("Reshape", json!({"target_shape": [2, -1, 3]})),
        "(None, 2, 32, 3)"
    );
    assert_eq!(
        shape("Reshape", json!({"target_shape": [48, null]})),
        "(None, 48, 4)"
    );
    assert_eq!(
        shape("Permute", json!({"dims": [3, 1, 2]})),
        "(None, 4, 8, 6)"
    );
    assert!(matches!(
        op("Permute", json!({"dims": [2, 1, 3]}), 2),
        Op::Permute { axes } if axes == [0, 1, 3, 2]
    ));
}

#[test]
fn a_depthwise_kernel_has_a_group_for_each_channel() {
    let config = json!({"kernel_size": [3, 3], "depth_multiplier": 2, "use_bias": false, "padding": "same",
        "dilation_rate": [2, 2]});
    let model = one(
        "DepthwiseConv2D",
        config,
        2,
        &[("l0/depthwise_kernel:0", &[3, 3, 4, 2])],
    )
    .unwrap();
    let [
        Op::Conv(Conv {
            weight,
            groups,
            padding,
            dilation,
            ..
        }),
    ] = ops(&model, "l0")[..]
    else {
        panic!();
    };
    assert_eq!((weight.shape(), *groups), (vec![8, 1, 3, 3], 4));
    assert_eq!((*padding, *dilation), (Padding::Same, [2, 2]));
}

#[test]
fn dense_on_feature_maps_is_a_convolution_of_one_tap() {
    let weights: [(&str, &[usize]); 2] = [("l0/kernel:0", &[4, 7]), ("l0/bias:0", &[7])];
    let model = one("Dense", json!({"units": 7}), 2, &weights).unwrap();
    let [Op::Conv(conv)] = ops(&model, "l0")[..] else {
        panic!();
    };
    assert_eq!(conv.weight.shape(), [7, 4, 1, 1]);
    assert_eq!(shapes(&model)[0].1, Some(vec![7, 8, 6]));
}

#[test]
fn prelu_slopes_are_turned_to_channels_first() {
    let model = one(
        "PReLU",
        json!({"shared_axes": [1]}),
        2,
        &[("l0/alpha:0", &[1, 6, 4])],
    )
    .unwrap();
    let alpha = parameters(&model, "l0")[0];
    assert_eq!(alpha.shape(), [4, 1, 6]);
    assert!(shapes(&model)[0].1.is_some());
}

#[test]
fn borders_and_enlargement() {
    let border = Border {
        top: 1,
        bottom: 2,
        left: 0,
        right: 3,
    };
    let config = json!({"padding": [[1, 2], [0, 3]]});
    assert!(matches!(op("ZeroPadding2D", config, 2), Op::Pad { border: b, .. } if b == border));
    let config = json!({"cropping": [[1, 2], [0, 3]]});
    assert!(matches!(op("Cropping2D", config, 2), Op::Crop(b) if b == border));
    let config = json!({"size": [2, 3], "interpolation": "bilinear"});
    let Op::Upsample { factor, mode } = op("UpSampling2D", config, 2) else {
        panic!();
    };
    assert_eq!((factor, mode), ([2, 3], UpsampleMode::Bilinear));
}

#[test]
fn measured_normalization_is_a_constant_and_keeps_its_weights() {
    let weights: [(&str, &[usize]); 3] = [
        ("l0/mean:0", &[4]),
        ("l0/variance:0", &[4]),
        ("l0/count:0", &[]),
    ];
    let model = one("Normalization", json!({"axis": [-1]}), 2, &weights).unwrap();
    let output = layer(&model, "l0").output;
    let Op::Affine {
        scale, shift, axis, ..
    } = &model.node(output).op
    else {
        panic!();
    };
    // Mean and variance are 0, 1, 2, 3 both; a variance of 0 counts as a deviation of 1e-7.
    assert_eq!((scale[0], shift[0], *axis), (1e7, -0.0, 1));
    assert!((scale[3] - 1.0 / 3_f32.sqrt()).abs() < 1e-7);
    assert!((shift[3] + 3_f32.sqrt()).abs() < 1e-6);
    assert_eq!(model.summary([8, 6]).total, 9);
    assert!(shapes(&model)[0].1.is_some());
    assert!((model.preprocessing.scale - 1.0).abs() < 1e-12);
}

#[test]
fn layer_normalization_over_all_axes_of_an_example() {
    let weights: [(&str, &[usize]); 2] = [("l0/gamma:0", &[8, 6, 4]), ("l0/beta:0", &[8, 6, 4])];
    let model = one(
        "LayerNormalization",
        json!({"axis": [1, 2, 3]}),
        2,
        &weights,
    )
    .unwrap();
    let Op::LayerNorm(norm) = ops(&model, "l0")[0] else {
        panic!();
    };
    assert_eq!(norm.axes, [1, 2, 3]);
    assert_eq!(norm.gamma.as_ref().unwrap().shape(), [4, 8, 6]);
}

#[test]
fn a_channels_first_model_is_read_as_it_is() {
    let config = sequential(
        &[4, 8, 6],
        &[
            (
                "Conv2D",
                json!({"filters": 2, "kernel_size": [3, 3], "data_format": "channels_first", "use_bias": false}),
            ),
            (
                "BatchNormalization",
                json!({"axis": 1, "scale": false, "center": false}),
            ),
            ("Flatten", json!({"data_format": "channels_first"})),
        ],
    );
    let weights: Listed = &[
        ("l0", &[("l0/kernel:0", &[3, 3, 4, 2])]),
        (
            "l1",
            &[("l1/moving_mean:0", &[2]), ("l1/moving_variance:0", &[2])],
        ),
    ];
    let model = model_of(&config, 2, weights).unwrap();
    assert_eq!(model.layout, Layout::ChannelsFirst);
    let found: Vec<_> = shapes(&model)
        .into_iter()
        .map(|(_, shape)| shape.unwrap())
        .collect();
    assert_eq!(found, [vec![2, 6, 4], vec![2, 6, 4], vec![48]]);
    // The pixels' channels come first in its vector too.
    assert!(matches!(ops(&model, "l2")[0], Op::Permute { axes } if axes == &[0, 2, 3, 1]));
}

#[test]
fn what_isnt_known_is_shown_with_its_weights() {
    let cases = [
        ("Lambda", json!({}), "Lambda"),
        ("Conv3D", json!({}), "Conv3D"),
        ("MyOwn>Layer", json!({}), "MyOwn>Layer"),
        (
            "UpSampling2D",
            json!({"interpolation": "bicubic"}),
            "UpSampling2D (interpolation=bicubic)",
        ),
        (
            "Activation",
            json!({"activation": "glu"}),
            "Activation (activation=glu)",
        ),
        (
            "MaxPooling2D",
            json!({"padding": "causal"}),
            "MaxPooling2D (padding=causal)",
        ),
        (
            "MaxPooling2D",
            json!({"data_format": "channels_sideways"}),
            "MaxPooling2D (data_format=channels_sideways)",
        ),
        (
            "LayerNormalization",
            json!({"rms_scaling": true}),
            "LayerNormalization (rms_scaling=true)",
        ),
        ("Resizing", json!({"height": 4}), "Resizing"),
    ];
    for (class, config, kind) in cases {
        assert_eq!(unknown(class, config), kind);
    }
}

#[test]
fn what_makes_no_sense_is_an_error_that_names_the_layer() {
    let conv = |change: Value| {
        let mut config = json!({"filters": 2, "kernel_size": [3, 3]});
        config
            .as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        let weights: [(&str, &[usize]); 2] = [("l0/kernel:0", &[3, 3, 4, 2]), ("l0/bias:0", &[2])];
        one("Conv2D", config, 2, &weights)
    };
    assert!(conv(json!({})).is_ok());
    let sizes = "to be one or two whole numbers from 1 to 65536";
    let cases = [
        (
            json!({"strides": [0, 1]}),
            format!("expected 'strides' {sizes}, found [0,1]"),
        ),
        (
            json!({"strides": -1}),
            format!("expected 'strides' {sizes}, found -1"),
        ),
        (
            json!({"strides": 1e300}),
            format!("expected 'strides' {sizes}, found 1e+300"),
        ),
        (
            json!({"strides": [1, 2, 3]}),
            format!("expected 'strides' {sizes}, found [1,2,3]"),
        ),
        (
            json!({"dilation_rate": 4_000_000_000_u64}),
            format!("expected 'dilation_rate' {sizes}, found 4000000000"),
        ),
        (
            json!({"kernel_size": [5, 3]}),
            "weight 'l0/kernel:0' should have the shape (5, 3, any, 2), found (3, 3, 4, 2)"
                .to_owned(),
        ),
        (
            json!({"use_bias": false}),
            "needs 1 weight(s) (kernel), and the file has 2 (l0/kernel:0, l0/bias:0)".to_owned(),
        ),
        (
            json!({"use_bias": "yes"}),
            "expected 'use_bias' to be true or false, found \"yes\"".to_owned(),
        ),
        (
            json!({"filters": "many"}),
            "expected 'filters' to be a whole number from 1 to 65536, found \"many\"".to_owned(),
        ),
    ];
    for (change, wanted) in cases {
        assert_eq!(conv(change).unwrap_err(), format!("layer 'l0' {wanted}"));
    }
    let wrong = one("Permute", json!({"dims": [1, 1, 2]}), 2, &[]).unwrap_err();
    assert_eq!(wrong, "layer 'l0' can't order its axes as [1, 1, 2]");
    let wrong = one("Concatenate", json!({"axis": 9}), 2, &[]).unwrap_err();
    assert_eq!(
        wrong,
        "layer 'l0' works along axis 9, which its input of rank 4 lacks"
    );
}

#[test]
fn shapes_that_dont_fit_are_told_by_the_layer_they_don_t_fit() {
    let weights: [(&str, &[usize]); 2] = [("l0/kernel:0", &[3, 3, 5, 2]), ("l0/bias:0", &[2])];
    let config = json!({"filters": 2, "kernel_size": 3});
    let model = one("Conv2D", config, 2, &weights).unwrap();
    let found = model.shapes(&model.input_shapes([8, 6]));
    let error = found.get(model.outputs[0]).unwrap_err().to_string();
    assert!(
        error.starts_with("layer 'l0': expects 5 channels"),
        "{error}"
    );
}
