//! Blank and doubtful heatmaps, and the layers they point to, on networks small enough to be seen through.

use std::sync::Arc;

use crate::array::Array;
use crate::engine::{Device, Engine, Tensor};
use crate::error::Result;
use crate::explain::cam::{Heatmap, Score, Settings, heatmaps};
use crate::model::{
    Activation, Builder, ClassId, Conv, Labels, Layout, Merge, Model, Op, Padding, Parameter,
    PoolKind, Preprocessing,
};

/// A 1x1 convolution that scales each of two channels, then the rectifier.
#[derive(Clone, Copy)]
struct Scaled {
    factors: [f32; 2],
    shifts: [f32; 2],
}

impl Scaled {
    const SAME: Self = Self {
        factors: [1.0, 1.0],
        shifts: [0.0, 0.0],
    };
    /// Closed for every input.
    const DEAD: Self = Self {
        factors: [1.0, 1.0],
        shifts: [-100.0, -100.0],
    };

    fn ops(self) -> [Op; 2] {
        let [a, b] = self.factors;
        let weight = Parameter::new("w", [2, 2, 1, 1], Arc::new(vec![a, 0.0, 0.0, b]));
        let bias = Parameter::new("b", [2], Arc::new(self.shifts.to_vec()));
        let conv = Conv {
            weight,
            bias: Some(bias),
            stride: [1, 1],
            padding: Padding::VALID,
            dilation: [1, 1],
            groups: 1,
        };
        [Op::Conv(conv), Op::Activation(Activation::RELU)]
    }
}

/// `first` and `second`, on request their sum, then a softmax over two classes whose logits sum the two channels'
/// means with the weights of `head`'s columns.
fn engine(first: Scaled, second: Scaled, sum: bool, head: [f32; 4]) -> Engine {
    let mut builder = Builder::default();
    let shape = vec![Some(2), None, None];
    let input = builder.node(Op::Input { shape }, []);
    let one = builder.layer("first", "Conv", first.ops(), &[input]);
    let mut body = builder.layer("second", "Conv", second.ops(), &[one]);
    if sum {
        body = builder.layer("sum", "Add", [Op::Merge(Merge::Add)], &[one, body]);
    }
    let weight = Parameter::new("w", [2, 2], Arc::new(head.to_vec()));
    let kind = PoolKind::Average;
    let ops = [
        Op::GlobalPool { kind, keep: false },
        Op::Dense { weight, bias: None },
        Op::Softmax { axis: 1 },
    ];
    let output = builder.layer("probs", "Dense", ops, &[body]);
    let mut model = Model {
        name: "test".into(),
        format: "test".into(),
        architecture: None,
        layout: Layout::ChannelsFirst,
        nodes: builder.nodes,
        layers: builder.layers,
        inputs: vec![input],
        outputs: vec![output],
        head: None,
        labels: Some(Labels::from_names(["cat", "dog"])),
        preprocessing: Preprocessing::book([2, 2]),
        assumptions: Vec::new(),
    };
    model.head = model.find_head();
    Engine::new(Arc::new(model), Device::CPU)
}

/// Of the class cat, by its logit.
fn at(engine: &Engine, layer: &str, values: [f32; 8], score: Score) -> Result<Heatmap> {
    let input = Tensor::upload(&Array::new([1, 2, 2, 2], values.to_vec()), Device::CPU)?;
    let mut run = engine.forward(&[input], &[])?;
    let layer = engine.model().find_layer(layer)?;
    let settings = Settings {
        score,
        ..Settings::default()
    };
    Ok(heatmaps(engine, &mut run, &[layer], &[ClassId(0)], settings)?.remove(0))
}

const PHOTO: [f32; 8] = [1.0, 2.0, 3.0, 4.0, 0.5, 0.25, 1.0, 2.0];

fn advice(engine: &Engine, layer: &str) -> String {
    let found = at(engine, layer, PHOTO, Score::Logit).expect("computable");
    assert!(
        found.advice.is_none() || found.heat.values().iter().all(|&value| value == 0.0),
        "not blank: {:?}",
        found.heat
    );
    found.advice.unwrap_or_default()
}

/// By hand: the mean of a weight's gradient over four places is a quarter of it, and the map the mean of two channels.
#[test]
fn a_map_made_by_hand() {
    let engine = engine(Scaled::SAME, Scaled::SAME, false, [1.0, 0.0, -4.0, 0.0]);
    let found = at(&engine, "second", PHOTO, Score::Logit).expect("computable");
    assert_eq!(found.weights, [0.25, -1.0]);
    assert_eq!(found.raw.values(), [-0.125, 0.125, -0.125, -0.5]);
    assert_eq!(found.heat.values(), [0.0, 1.0, 0.0, 0.0]);
    assert_eq!((found.min, found.max), (-0.5, 0.125));
    assert!((found.negative_share - 0.75 / 0.875).abs() < 1e-12);
    assert_eq!(found.advice, None);
}

#[test]
fn evidence_that_is_all_negative_points_to_another_layer() {
    // The second channel is turned round: against the class behind it, for the class in front of it.
    let turned = Scaled {
        factors: [1.0, -1.0],
        shifts: [0.0, 5.0],
    };
    let net = engine(Scaled::SAME, turned, false, [-1.0, 1.0, -8.0, 8.0]);
    assert_eq!(
        advice(&net, "second"),
        "blank: all evidence is negative (down to -5.000e0), nothing here speaks for 'cat'; the nearest layer with \
         evidence for it is 'first'; without the ReLU the map shows what speaks against it"
    );
    assert_eq!(advice(&net, "first"), "");
    let against = engine(Scaled::SAME, Scaled::SAME, false, [-1.0, 1.0, -1.0, 1.0]);
    assert!(advice(&against, "second").contains("no other layer has evidence for it either"));
}

#[test]
fn dead_layers_say_so() {
    let head = [1.0, -1.0, 1.0, -1.0];
    let net = engine(Scaled::SAME, Scaled::DEAD, true, head);
    assert_eq!(
        advice(&net, "second"),
        "blank: all 2 channels are dead for this image; the nearest layer with evidence for it is 'sum'"
    );
    let net = engine(Scaled::SAME, Scaled::DEAD, false, head);
    assert_eq!(
        advice(&net, "first"),
        "blank: no gradient of 'cat' reaches this layer, all units behind it are closed; \
         no other layer has evidence for it either"
    );
}

/// In f32 this softmax is 1 and its gradient 0.
#[test]
fn a_certain_softmax_still_has_its_map() {
    let net = engine(Scaled::SAME, Scaled::SAME, false, [40.0, 0.0, 0.0, 0.0]);
    let found = at(&net, "second", PHOTO, Score::Probability).expect("computable");
    assert_eq!(found.probability, 1.0);
    assert_eq!(found.heat.values(), [0.25, 0.5, 0.75, 1.0]);
    assert!(found.max > 0.0 && found.max < 1e-38);
    let words = found.advice.expect("saturated");
    assert!(
        words.starts_with("the softmax is saturated: p(1-p) is"),
        "{words}"
    );

    let net = engine(Scaled::SAME, Scaled::SAME, false, [4e3, 0.0, 0.0, 0.0]);
    let found = at(&net, "second", PHOTO, Score::Probability).expect("computable");
    assert_eq!(found.heat.values(), [0.0; 4]);
    let words = found.advice.expect("blank");
    assert!(
        words.starts_with("blank: the probability of 'cat' is exactly 1"),
        "{words}"
    );
    let found = at(&net, "second", PHOTO, Score::Logit).expect("computable");
    assert_eq!((found.heat.values()[3], found.advice), (1.0, None));
}

#[test]
fn values_that_are_not_finite_are_refused() {
    let net = engine(Scaled::SAME, Scaled::SAME, false, [1.0, 0.0, 0.0, 1.0]);
    for value in [f32::NAN, f32::INFINITY] {
        let mut broken = PHOTO;
        broken[2] = value;
        let error = at(&net, "second", broken, Score::Logit).expect_err("not finite");
        assert_eq!(
            error.to_string(),
            "layer 'probs': its values for this image aren't finite, so there is no answer"
        );
    }
}
