//! What the network answers: classes with their probabilities.

use crate::engine::{Engine, Run};
use crate::error::{Error, Result};
use crate::model::{ClassId, HeadKind};

/// One class of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// Which class.
    pub class: ClassId,
    /// In 0..=1.
    pub probability: f64,
    /// The value before the softmax or sigmoid.
    pub logit: f64,
}

/// All classes for the input of a run (of one example), best first.
///
/// # Errors
/// When the model has no classifier at its end, can't be computed, or its answer isn't finite.
pub fn predictions(engine: &Engine, run: &mut Run) -> Result<Vec<Prediction>> {
    let head = engine.model().classifier()?;
    let logits = engine.value(run, head.logits)?.read()?;
    let mut found = scores(head.kind, logits.values());
    if found.iter().any(|class| class.probability.is_nan()) {
        return Err(Error::layer(
            engine.model().layer_name(head.logits),
            "its values for this image aren't finite, so there is no answer",
        ));
    }
    // Equal scores stay in the classes' order.
    found.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    Ok(found)
}

/// Probabilities from logits, in f64, in the classes' order. A single sigmoid unit tells two classes apart:
/// class 1 is the unit, class 0 its complement.
pub fn scores(kind: HeadKind, logits: &[f32]) -> Vec<Prediction> {
    let logits: Vec<f64> = match (kind, logits) {
        (HeadKind::Sigmoid, &[unit]) => vec![-f64::from(unit), f64::from(unit)],
        _ => logits.iter().copied().map(f64::from).collect(),
    };
    let probabilities: Vec<f64> = if kind == HeadKind::Sigmoid {
        logits
            .iter()
            .map(|logit| 1.0 / (1.0 + (-logit).exp()))
            .collect()
    } else {
        let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let exponentials: Vec<f64> = logits.iter().map(|logit| (logit - largest).exp()).collect();
        let sum: f64 = exponentials.iter().sum();
        exponentials.into_iter().map(|value| value / sum).collect()
    };
    logits
        .into_iter()
        .zip(probabilities)
        .enumerate()
        .map(|(class, (logit, probability))| Prediction {
            class: ClassId(class),
            probability,
            logit,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_of_each_kind_of_head() {
        let softmax = scores(HeadKind::Softmax, &[1000.0, 1000.0, -1000.0]);
        assert_eq!(softmax[0].probability, 0.5);
        assert_eq!(softmax[2].probability, 0.0);
        let binary = scores(HeadKind::Sigmoid, &[-2.0]);
        assert_eq!((binary[0].logit, binary[1].logit), (2.0, -2.0));
        assert!((binary[0].probability + binary[1].probability - 1.0).abs() < 1e-12);
        let many = scores(HeadKind::Sigmoid, &[0.0, 50.0]);
        assert_eq!(many[0].probability, 0.5);
        assert!(many[1].probability > 0.999);
    }
}
