//! Naming layers, inferring shapes, describing a network.

use std::sync::Arc;

use super::{
    Activation, Border, Builder, Conv, HeadKind, LayerId, Layout, Merge, Model, NodeId, Op,
    Padding, Parameter, Pool, PoolKind, Preprocessing,
};

fn parameter(shape: &[usize]) -> Parameter {
    Parameter::new("w", shape, Arc::new(vec![0.0_f32; shape.iter().product()]))
}

fn conv(out: usize, input: usize) -> Op {
    Op::Conv(Conv {
        weight: parameter(&[out, input, 3, 3]),
        bias: Some(parameter(&[out])),
        stride: [1, 1],
        padding: Padding::Same,
        dilation: [1, 1],
        groups: 1,
    })
}

fn pool() -> Op {
    Op::Pool(Pool {
        kind: PoolKind::Max,
        window: [2, 2],
        stride: [2, 2],
        padding: Padding::VALID,
        count_padding: false,
    })
}

fn dense(from: usize, to: usize) -> Op {
    Op::Dense {
        weight: parameter(&[from, to]),
        bias: Some(parameter(&[to])),
    }
}

/// `conv1` (with its rectifier), `pool1`, `conv2`, `add` of the two convolutions' pooled outputs, `flatten`, `fc`.
fn model(size: usize) -> Model {
    let mut builder = Builder::default();
    let input = builder.node(
        Op::Input {
            shape: vec![Some(3), None, None],
        },
        [],
    );
    let conv1 = builder.layer(
        "conv1",
        "Conv2D",
        [conv(4, 3), Op::Activation(Activation::RELU)],
        &[input],
    );
    let pool1 = builder.layer("pool1", "MaxPooling2D", [pool()], &[conv1]);
    let conv2 = builder.layer("conv2", "Conv2D", [conv(4, 4)], &[pool1]);
    let add = builder.layer("add", "Add", [Op::Merge(Merge::Add)], &[pool1, conv2]);
    let flat = builder.layer(
        "flatten",
        "Flatten",
        [Op::Reshape { shape: vec![None] }],
        &[add],
    );
    let fc = builder.layer(
        "fc",
        "Dense",
        [dense(4 * size * size / 4, 5), Op::Softmax { axis: 1 }],
        &[flat],
    );
    let mut model = Model {
        name: "test".into(),
        format: "test".into(),
        architecture: None,
        layout: Layout::ChannelsLast,
        nodes: builder.nodes,
        layers: builder.layers,
        inputs: vec![input],
        outputs: vec![fc],
        head: None,
        labels: None,
        preprocessing: Preprocessing::book([size, size]),
        assumptions: Vec::new(),
    };
    model.head = model.find_head();
    model
}

#[test]
fn a_layer_by_name_index_or_prefix() {
    let model = model(8);
    for (text, index) in [
        ("conv2", 2),
        ("2", 2),
        ("#2", 2),
        ("p", 1),
        ("fl", 4),
        ("#0", 0),
    ] {
        assert_eq!(
            model.find_layer(text).expect(text),
            LayerId(index),
            "{text}"
        );
    }
    for (text, words) in [
        ("conv", "conv1, conv2"),
        ("#9", "6 layers"),
        ("9", "conv1"),
        ("CONV2", "did you mean conv2"),
        ("", "conv1"),
    ] {
        let message = model.find_layer(text).expect_err(text).to_string();
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn the_head_and_what_is_pictured() {
    let model = model(8);
    let head = model.head.expect("a softmax over a vector");
    assert_eq!(head.kind, HeadKind::Softmax);
    assert!(matches!(model.node(head.logits).op, Op::Dense { .. }));
    let names: Vec<&str> = model
        .pictured_layers()
        .iter()
        .map(|&id| model.layer(id).name.as_str())
        .collect();
    assert_eq!(names, ["conv1", "pool1", "conv2", "add", "fc"]);
}

#[test]
fn a_summary_counts_and_measures() {
    let summary = model(8).summary([8, 8]);
    let shapes: Vec<_> = summary
        .rows
        .iter()
        .map(|row| row.shape.clone().expect("known"))
        .collect();
    assert_eq!(
        shapes,
        [
            vec![4, 8, 8],
            vec![4, 4, 4],
            vec![4, 4, 4],
            vec![4, 4, 4],
            vec![64],
            vec![5]
        ]
    );
    assert_eq!(summary.total, (108 + 4) + (144 + 4) + (320 + 5));
    assert_eq!(summary.macs, 108 * 64 + 144 * 16 + 320);
    let fields: Vec<_> = summary
        .rows
        .iter()
        .map(|row| row.receptive_field.map(|field| field[0]))
        .collect();
    assert_eq!(fields, [Some(3), Some(4), Some(8), Some(8), None, None]);
    assert_eq!(summary.rows[3].inputs, [LayerId(1), LayerId(2)]);
    assert_eq!(summary.rows[1].window.as_deref(), Some("2x2/2"));
}

#[test]
fn another_size_is_refused_where_it_stops_to_fit() {
    let model = model(8);
    let shapes = model.shapes(&model.input_shapes([12, 8]));
    assert_eq!(
        shapes.get(model.layers[3].output).expect("convolutional"),
        [4, 6, 4]
    );
    let message = shapes
        .get(model.layers[5].output)
        .expect_err("dense")
        .to_string();
    assert_eq!(
        message,
        "layer 'fc': expects 64 values per example, found [96]"
    );
    let shapes = model.shapes(&model.input_shapes([1, 1]));
    let message = shapes
        .get(model.layers[1].output)
        .expect_err("nothing left")
        .to_string();
    assert!(
        message.starts_with("layer 'pool1': nothing is left of its input [4, 1, 1]"),
        "{message}"
    );
}

/// Sizes come from files; none may overflow or be believed when absurd.
#[test]
fn absurd_sizes_are_errors() {
    let huge = usize::MAX / 2;
    let border = Border {
        top: huge,
        bottom: huge,
        left: 1,
        right: 1,
    };
    for op in [
        Op::Pad { border, value: 0.0 },
        Op::Crop(border),
        Op::Upsample {
            factor: [huge, 3],
            mode: super::UpsampleMode::Nearest,
        },
        Op::Reshape {
            shape: vec![Some(huge), Some(huge)],
        },
        Op::Reshape {
            shape: vec![Some(0), None],
        },
        Op::Pool(Pool {
            kind: PoolKind::Max,
            window: [0, 1],
            stride: [1, 1],
            padding: Padding::Same,
            count_padding: false,
        }),
        Op::Pool(Pool {
            kind: PoolKind::Max,
            window: [huge, 1],
            stride: [0, huge],
            padding: Padding::Same,
            count_padding: false,
        }),
        Op::Permute { axes: vec![0, 7] },
        Op::Softmax { axis: 9 },
        Op::Concat { axis: 0 },
    ] {
        let mut model = model(8);
        let label = format!("{op:?}");
        model.nodes[3].op = op;
        let shapes = model.shapes(&model.input_shapes([8, 8]));
        assert!(shapes.get(NodeId(3)).is_err(), "{label}");
        assert!(shapes.get(model.layers[5].output).is_err(), "{label}");
        model.summary([8, 8]);
    }
}

/// TensorFlow's rule for "same": the odd row or column goes to the end.
#[test]
fn same_padding() {
    let border =
        |input, window, stride| Padding::Same.border([input; 2], [window; 2], [stride; 2], [1, 1]);
    for (input, window, stride, before, after) in [
        (224, 3, 2, 0, 1),
        (112, 5, 2, 1, 2),
        (7, 3, 1, 1, 1),
        (5, 1, 2, 0, 0),
        (4, 2, 3, 0, 1),
    ] {
        let found = border(input, window, stride);
        assert_eq!(
            (found.top, found.bottom),
            (before, after),
            "{input} {window} {stride}"
        );
        assert_eq!((found.left, found.right), (before, after));
    }
}
