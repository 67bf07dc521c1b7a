//! The gradient of a class's score with respect to the logits: where the backward sweep begins.

use super::Score;
use crate::explain::Prediction;
use crate::model::{ClassId, HeadKind};

/// The derivatives of one score, scaled so that `f32` holds them however certain the network is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cotangent {
    /// One per unit of the head; the largest magnitude is 1, or all are 0.
    pub(super) row: Vec<f32>,
    /// What the row is to be multiplied by.
    pub(super) scale: f64,
}

/// Of the score of `class`; `answer` has every class in order, computed from the logits in f64.
///
/// A softmax's row is `p_c (d_ck - p_k)`, a sigmoid's `p (1 - p)` for its own unit, and `1 - p` is the sum of the
/// others, which stays exact where `p` is near 1. A single sigmoid unit's class 0 is the unit with its sign turned.
pub(super) fn cotangent(
    kind: HeadKind,
    answer: &[Prediction],
    units: usize,
    class: ClassId,
    score: Score,
) -> Cotangent {
    let mut row = vec![0.0; units];
    let two_sided = kind == HeadKind::Sigmoid && units == 1;
    match score {
        _ if two_sided => {
            let sign = if class.0 == 0 { -1.0 } else { 1.0 };
            row[0] = sign * slope(kind, answer, class, score);
        }
        Score::Probability if kind != HeadKind::Sigmoid => {
            let p = answer[class.0].probability;
            for (value, other) in row.iter_mut().zip(answer) {
                *value = -p * other.probability;
            }
            row[class.0] = slope(kind, answer, class, score);
        }
        _ => row[class.0] = slope(kind, answer, class, score),
    }
    let scale = row
        .iter()
        .fold(0.0, |scale: f64, value| scale.max(value.abs()));
    let row = row
        .into_iter()
        .map(|value| {
            if scale > 0.0 {
                (value / scale) as f32
            } else {
                0.0
            }
        })
        .collect();
    Cotangent { row, scale }
}

/// The derivative of the score with respect to the class's own logit: 1, or `p (1 - p)`.
pub(super) fn slope(kind: HeadKind, answer: &[Prediction], class: ClassId, score: Score) -> f64 {
    let p = answer[class.0].probability;
    match (score, kind) {
        (Score::Logit, _) => 1.0,
        // exp(-|z|) / (1 + exp(-|z|))^2, the same on both sides.
        (Score::Probability, HeadKind::Sigmoid) => {
            let small = (-answer[class.0].logit.abs()).exp();
            small / (1.0 + small).powi(2)
        }
        (Score::Probability, _) => {
            let others = answer
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != class.0);
            p * others.map(|(_, other)| other.probability).sum::<f64>()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::scores;

    fn of(kind: HeadKind, logits: &[f32], class: usize, score: Score) -> Vec<f64> {
        let answer = scores(kind, logits);
        let found = cotangent(kind, &answer, logits.len(), ClassId(class), score);
        found
            .row
            .iter()
            .map(|&value| f64::from(value) * found.scale)
            .collect()
    }

    /// Against differences of the probability itself.
    #[test]
    fn a_probabilitys_derivatives() {
        let logits = [0.3_f32, -1.0, 1.7];
        for kind in [HeadKind::Softmax, HeadKind::Logits, HeadKind::Sigmoid] {
            for class in 0..3 {
                let found = of(kind, &logits, class, Score::Probability);
                for (unit, found) in found.into_iter().enumerate() {
                    let at = |step: f32| {
                        let mut moved = logits;
                        moved[unit] += step;
                        scores(kind, &moved)[class].probability
                    };
                    let step = 1.0 / 128.0;
                    let wanted = (at(step) - at(-step)) / (2.0 * f64::from(step));
                    assert!((found - wanted).abs() < 1e-5, "{kind:?} {class} {unit}");
                }
                let mut one_hot = vec![0.0; 3];
                one_hot[class] = 1.0;
                assert_eq!(of(kind, &logits, class, Score::Logit), one_hot);
            }
        }
    }

    #[test]
    fn one_sigmoid_unit_pulls_both_ways() {
        assert_eq!(of(HeadKind::Sigmoid, &[2.0], 0, Score::Logit), [-1.0]);
        assert_eq!(of(HeadKind::Sigmoid, &[2.0], 1, Score::Logit), [1.0]);
        let p = 1.0 / (1.0 + (-2.0_f64).exp());
        for (class, sign) in [(0, -1.0), (1, 1.0)] {
            let found = of(HeadKind::Sigmoid, &[2.0], class, Score::Probability)[0];
            assert!((found - sign * p * (1.0 - p)).abs() < 1e-15);
        }
    }

    /// In f32 the probability would be 1 and every derivative 0.
    #[test]
    fn certainty_keeps_its_direction() {
        for (kind, logits) in [
            (HeadKind::Softmax, &[200.0, 0.0, -3.0][..]),
            (HeadKind::Sigmoid, &[200.0]),
        ] {
            let answer = scores(kind, logits);
            let class = ClassId(usize::from(kind == HeadKind::Sigmoid));
            let found = cotangent(kind, &answer, logits.len(), class, Score::Probability);
            assert_eq!(found.row[0], 1.0);
            assert!((found.scale.ln() + 200.0).abs() < 0.1, "{}", found.scale);
        }
        // Beyond what f64 holds.
        let answer = scores(HeadKind::Softmax, &[2000.0, 0.0]);
        let found = cotangent(
            HeadKind::Softmax,
            &answer,
            2,
            ClassId(0),
            Score::Probability,
        );
        assert_eq!(
            found,
            Cotangent {
                row: vec![0.0; 2],
                scale: 0.0
            }
        );
    }
}
