//! The verbs on a net with skip connections, against plain forward passes.

use super::{conv, distance, engine, input, model, noise, parameter, random, read, upload};
use crate::array::Array;
use crate::engine::{Device, Edit, Engine, ReluRule};
use crate::error::Error;
use crate::model::{Activation, Conv, Merge, NodeId, Op, Padding, Pool, PoolKind};

/// Two residual blocks, a concatenation that bypasses both, and a dense head:
/// 0 input, 1 conv, 2 relu, 3 conv, 4 add(2,3), 5 relu6, 6 conv, 7 add(5,6), 8 concat(2,7), 9 max pool,
/// 10 mean over space, 11 dense, 12 softmax.
fn nodes() -> Vec<(Op, Vec<usize>)> {
    net([Activation::RELU, Activation::RELU6], PoolKind::Max)
}

fn net(activations: [Activation; 2], kind: PoolKind) -> Vec<(Op, Vec<usize>)> {
    let pool = Pool {
        kind,
        window: [2, 2],
        stride: [2, 2],
        padding: Padding::Same,
        count_padding: false,
    };
    vec![
        (input(&[3, 9, 8]), vec![]),
        (Op::Conv(conv(4, 3, [3, 3], 1)), vec![0]),
        (Op::Activation(activations[0]), vec![1]),
        (Op::Conv(conv(4, 4, [3, 3], 3)), vec![2]),
        (Op::Merge(Merge::Add), vec![2, 3]),
        (Op::Activation(activations[1]), vec![4]),
        (
            Op::Conv(Conv {
                groups: 4,
                ..conv(4, 1, [3, 3], 5)
            }),
            vec![5],
        ),
        (Op::Merge(Merge::Add), vec![5, 6]),
        (Op::Concat { axis: 1 }, vec![2, 7]),
        (Op::Pool(pool), vec![8]),
        (
            Op::GlobalPool {
                kind: PoolKind::Average,
                keep: false,
            },
            vec![9],
        ),
        (
            Op::Dense {
                weight: parameter(&[8, 5], 7),
                bias: Some(parameter(&[5], 8)),
            },
            vec![10],
        ),
        (Op::Softmax { axis: 1 }, vec![11]),
    ]
}

/// The same net with node `edited` turned into an input.
fn with_input_at(edited: usize, shape: &[usize]) -> Engine {
    let mut nodes = nodes();
    nodes[edited] = (input(shape), vec![]);
    engine(nodes)
}

#[test]
fn a_resumed_run_equals_a_full_run_with_the_edit() {
    let engine = engine(nodes());
    let x = random(&[1, 3, 9, 8], 9);
    for (edited, shape) in [
        (2, vec![4, 9, 8]),
        (4, vec![4, 9, 8]),
        (5, vec![4, 9, 8]),
        (6, vec![4, 9, 8]),
        (9, vec![8, 5, 4]),
        (12, vec![5]),
    ] {
        for kept in [vec![], vec![NodeId(2), NodeId(5)], vec![NodeId(12)]] {
            let values = random(&[&[6], &shape[..]].concat(), 10);
            let mut run = engine.forward(&[upload(&x)], &kept).expect("computable");
            let edit = Edit {
                node: NodeId(edited),
                value: upload(&values),
            };
            let mut resumed = engine
                .resume(&mut run, &[edit], &[NodeId(12)])
                .expect("computable");
            assert_eq!(resumed.batch(), 6);
            let found = read(&engine, &mut resumed, 12);

            let full = with_input_at(edited, &shape);
            for index in 0..6 {
                let mut inputs = vec![upload(&x)];
                inputs.push(upload(&Array::new(
                    [&[1], &shape[..]].concat(),
                    values.at(index).to_vec(),
                )));
                let mut run = full.forward(&inputs, &[]).expect("computable");
                let wanted = read(&full, &mut run, 12);
                let found = Array::new([1, 5], found.at(index).to_vec());
                assert!(
                    distance(&found, &wanted) < 1e-5,
                    "node {edited}, edit {index}, kept {kept:?}"
                );
            }
            // Values beside the edit are there too, for the whole batch, and the first run is as it was.
            let beside = read(&engine, &mut resumed, 1);
            assert_eq!(beside.shape()[0], 6);
            assert_eq!(beside.at(0), beside.at(5));
            let before = read(&engine, &mut run, 12);
            let mut again = engine.forward(&[upload(&x)], &[]).expect("computable");
            assert!(distance(&before, &read(&engine, &mut again, 12)) < 1e-6);
        }
    }
}

#[test]
fn two_edits_at_once_and_an_edit_for_the_whole_batch() {
    let engine = engine(nodes());
    let x = random(&[1, 3, 9, 8], 9);
    let (many, one) = (random(&[3, 4, 9, 8], 20), random(&[1, 4, 9, 8], 21));
    let mut run = engine.forward(&[upload(&x)], &[]).expect("computable");
    let edits = [
        Edit {
            node: NodeId(2),
            value: upload(&many),
        },
        Edit {
            node: NodeId(6),
            value: upload(&one),
        },
    ];
    let mut resumed = engine
        .resume(&mut run, &edits, &[NodeId(11)])
        .expect("computable");
    let found = read(&engine, &mut resumed, 11);
    let mut both = nodes();
    both[2] = (input(&[4, 9, 8]), vec![]);
    both[6] = (input(&[4, 9, 8]), vec![]);
    let both = Engine::new(model(both).into(), Device::CPU);
    for index in 0..3 {
        let first = Array::new([1, 4, 9, 8], many.at(index).to_vec());
        let mut run = both
            .forward(&[upload(&x), upload(&first), upload(&one)], &[])
            .expect("computable");
        assert!(
            distance(
                &Array::new([1, 5], found.at(index).to_vec()),
                &read(&both, &mut run, 11)
            ) < 1e-5
        );
    }
}

#[test]
fn gradients_at_several_nodes_equal_differences() {
    // Kinks and near ties of maxima would spoil the differences, so the net is made smooth.
    let engine = engine(net([Activation::Silu, Activation::Tanh], PoolKind::Average));
    let x = random(&[1, 3, 9, 8], 9);
    let mut run = engine.forward(&[upload(&x)], &[]).expect("computable");
    // Two cotangents at once: the logit of class 1, and a row of the softmax's Jacobian by the graph itself.
    let cotangents = Array::new(
        [2, 5],
        [[0.0, 1.0, 0.0, 0.0, 0.0], [1.0, 0.5, 0.0, 0.0, -2.0]].concat(),
    );
    let at = [
        NodeId(0),
        NodeId(2),
        NodeId(5),
        NodeId(8),
        NodeId(12),
        NodeId(11),
    ];
    let found = engine
        .vjp(
            &mut run,
            NodeId(11),
            &upload(&cotangents),
            &at,
            ReluRule::Gradient,
        )
        .expect("computable");
    let found: Vec<Array> = found
        .iter()
        .map(|tensor| tensor.read().expect("computed"))
        .collect();
    assert!(
        found[4].values().iter().all(|&g| g == 0.0),
        "the softmax lies behind the logits"
    );
    assert_eq!(found[5], cotangents);

    for (gradient, node) in found.iter().zip([0, 2, 5, 8]) {
        let value = read(&engine, &mut run, node);
        let count = value.values().len();
        let direction = noise(count, 40);
        const STEP: f32 = 1e-3;
        let shifted = |step: f32| {
            let values = value
                .values()
                .iter()
                .zip(&direction)
                .map(|(v, d)| v + step * d)
                .collect();
            let edit = Edit {
                node: NodeId(node),
                value: upload(&Array::new(value.shape(), values)),
            };
            let mut run = engine.forward(&[upload(&x)], &[]).expect("computable");
            let mut run = engine
                .resume(&mut run, &[edit], &[NodeId(11)])
                .expect("computable");
            read(&engine, &mut run, 11)
        };
        let (up, down) = (shifted(STEP), shifted(-STEP));
        for k in 0..2 {
            let score = |y: &Array| -> f64 {
                y.values()
                    .iter()
                    .zip(cotangents.at(k))
                    .map(|(y, c)| f64::from(y * c))
                    .sum()
            };
            let difference = (score(&up) - score(&down)) / (2.0 * f64::from(STEP));
            let along: f64 = gradient
                .at(k)
                .iter()
                .zip(&direction)
                .map(|(g, d)| f64::from(g * d))
                .sum();
            assert!(
                (along - difference).abs() < 2e-2 * difference.abs().max(0.1),
                "node {node}, cotangent {k}: {along}, {difference}"
            );
        }
    }
}

#[test]
fn many_cotangents_equal_one_at_a_time() {
    let engine = engine(nodes());
    let x = random(&[1, 3, 9, 8], 9);
    let cotangents = random(&[4, 5], 50);
    for rule in [ReluRule::Gradient, ReluRule::Guided, ReluRule::Deconvnet] {
        let mut run = engine.forward(&[upload(&x)], &[]).expect("computable");
        let all = engine
            .vjp(
                &mut run,
                NodeId(12),
                &upload(&cotangents),
                &[NodeId(0)],
                rule,
            )
            .expect("computable");
        let all = all[0].read().expect("computed");
        // A batch of equal examples with a cotangent each is the same too.
        let batch = Array::new([4, 3, 9, 8], x.values().repeat(4));
        let mut wide = engine.forward(&[upload(&batch)], &[]).expect("computable");
        let wide = engine
            .vjp(
                &mut wide,
                NodeId(12),
                &upload(&cotangents),
                &[NodeId(0)],
                rule,
            )
            .expect("computable");
        assert!(distance(&wide[0].read().expect("computed"), &all) < 1e-5);
        for k in 0..4 {
            let one = upload(&Array::new([1, 5], cotangents.at(k).to_vec()));
            let one = engine
                .vjp(&mut run, NodeId(12), &one, &[NodeId(0)], rule)
                .expect("computable");
            assert!(
                distance(
                    &Array::new([1, 3, 9, 8], all.at(k).to_vec()),
                    &one[0].read().expect("computed")
                ) < 1e-5
            );
        }
    }
}

#[test]
fn rectifier_rules() {
    let engine = engine(vec![
        (input(&[4]), vec![]),
        (Op::Activation(Activation::RELU), vec![0]),
    ]);
    let x = Array::new([1, 4], vec![1.0, 1.0, -1.0, -1.0]);
    let g = Array::new([1, 4], vec![2.0, -3.0, 4.0, -5.0]);
    let mut run = engine.forward(&[upload(&x)], &[]).expect("computable");
    let mut by = |rule| {
        let found = engine
            .vjp(&mut run, NodeId(1), &upload(&g), &[NodeId(0)], rule)
            .expect("computable");
        found[0].read().expect("computed").into_values()
    };
    assert_eq!(by(ReluRule::Gradient), [2.0, -3.0, 0.0, 0.0]);
    assert_eq!(by(ReluRule::Guided), [2.0, 0.0, 0.0, 0.0]);
    assert_eq!(by(ReluRule::Deconvnet), [2.0, 0.0, 4.0, 0.0]);
}

#[test]
fn streaming_gives_the_same_values_in_order() {
    let engine = engine(nodes());
    let x = upload(&random(&[2, 3, 9, 8], 9));
    let wanted = [NodeId(12), NodeId(2), NodeId(7)];
    let mut seen = Vec::new();
    engine
        .stream(std::slice::from_ref(&x), &wanted, |node, value| {
            seen.push((node, value.read()?));
            Ok(())
        })
        .expect("computable");
    assert_eq!(
        seen.iter().map(|(node, _)| node.0).collect::<Vec<_>>(),
        [2, 7, 12]
    );
    let mut run = engine.forward(&[x], &[]).expect("computable");
    for (node, value) in &seen {
        assert_eq!(*value, read(&engine, &mut run, node.0));
    }
}

/// A kept value must not be overwritten by what is computed from it.
#[test]
fn kept_values_stay_as_they_were() {
    let engine = engine(nodes());
    let x = random(&[1, 3, 9, 8], 9);
    let kept: Vec<NodeId> = (0..13).map(NodeId).collect();
    let mut all = engine.forward(&[upload(&x)], &kept).expect("computable");
    for node in 0..13 {
        let mut alone = engine.forward(&[upload(&x)], &[]).expect("computable");
        assert_eq!(
            read(&engine, &mut all, node),
            read(&engine, &mut alone, node),
            "node {node}"
        );
    }
    assert_eq!(read(&engine, &mut all, 0), x);
}

#[test]
fn what_does_not_fit_is_an_error_that_names_the_layer() {
    let mut broken = nodes();
    broken[6] = (Op::Unknown { parameters: vec![] }, vec![5]);
    let engine = engine(broken);
    let x = random(&[1, 3, 9, 8], 9);
    let mut run = engine
        .forward(&[upload(&x)], &[NodeId(5)])
        .expect("everything before it runs");
    let message = engine
        .value(&mut run, NodeId(12))
        .expect_err("behind it")
        .to_string();
    assert!(
        message.starts_with("layer '6': ") && message.contains("type Test"),
        "{message}"
    );

    let grey = random(&[1, 1, 9, 8], 9);
    let message = engine
        .forward(&[upload(&grey)], &[NodeId(1)])
        .expect_err("one plane")
        .to_string();
    assert!(
        message.contains("[3, 9, 8]") && message.contains("[1, 9, 8]"),
        "{message}"
    );

    let edit = Edit {
        node: NodeId(2),
        value: upload(&random(&[1, 4, 2, 2], 1)),
    };
    assert!(engine.resume(&mut run, &[edit], &[]).is_err());
    let cotangent = upload(&random(&[1, 7], 1));
    assert!(
        engine
            .vjp(
                &mut run,
                NodeId(5),
                &cotangent,
                &[NodeId(0)],
                ReluRule::Gradient
            )
            .is_err()
    );

    engine.interrupt().set();
    assert!(matches!(
        engine.forward(&[upload(&x)], &[NodeId(5)]),
        Err(Error::Cancelled)
    ));
    engine.interrupt().clear();
    assert!(engine.forward(&[upload(&x)], &[NodeId(5)]).is_ok());
}
