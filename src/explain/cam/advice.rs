//! Why a heatmap is blank or says little, in words.

use super::reduce::Range;
use super::{Normalization, Score, Settings};
use crate::model::HeadKind;

/// From here on a softmax counts as saturated: `p (1 - p)` below it.
const SATURATED: f64 = 1e-3;

/// From this share on, the negative evidence is what there is.
const MOSTLY: f64 = 0.95;

/// From this share on, a layer's dead channels are worth a word.
const DEAD: f64 = 0.9;

/// Where the 1e-7 of pytorch-grad-cam's normalisation takes a tenth off the largest value.
const FLAT: f64 = 1e-6;

/// What is known about a heatmap when it is judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Findings<'a> {
    pub(super) settings: Settings,
    pub(super) head: HeadKind,
    pub(super) class: &'a str,
    pub(super) probability: f64,
    /// The score's derivative with respect to the class's logit.
    pub(super) slope: f64,
    /// Of the map before ReLU and normalisation, scaled as the gradients are.
    pub(super) range: Range,
    pub(super) channels: usize,
    pub(super) dead: usize,
}

impl Findings<'_> {
    /// Whether the heatmap is all zeros because of what the layer holds, so that another layer may do better.
    pub(super) fn wants_another_layer(&self) -> bool {
        let nothing = self.range.max == 0.0 && self.range.min == 0.0;
        self.slope > 0.0 && (nothing || (self.all_negative() && !self.competes()))
    }

    fn all_negative(&self) -> bool {
        self.settings.relu && self.range.max <= 0.0 && self.range.min < 0.0
    }

    /// Whether what speaks for other classes speaks against this one. A sigmoid's unit competes with no other: the
    /// map of its probability is that of its logit.
    fn competes(&self) -> bool {
        self.settings.score == Score::Probability && self.head != HeadKind::Sigmoid
    }

    /// One sentence; `None` where there is nothing to say. `nearest` is the layer to look at instead, if one was found.
    pub(super) fn words(&self, nearest: Option<&str>) -> Option<String> {
        let Range { min, max, negative } = self.range;
        let instead = match nearest {
            Some(layer) => format!("; the nearest layer with evidence for it is '{layer}'"),
            None => "; no other layer has evidence for it either".to_owned(),
        };
        let (class, p) = (self.class, self.probability);
        if self.slope == 0.0 {
            return Some(format!(
                "blank: the probability of '{class}' is exactly {p}, and p(1-p), which the gradient carries as a \
                 factor, is 0; the score 'logit' has a gradient"
            ));
        }
        if self.wants_another_layer() {
            return Some(if self.dead == self.channels {
                format!(
                    "blank: all {} channels are dead for this image{instead}",
                    self.channels
                )
            } else if min == 0.0 {
                format!(
                    "blank: no gradient of '{class}' reaches this layer, all units behind it are closed{instead}"
                )
            } else {
                format!(
                    "blank: all evidence is negative (down to {min:.3e}), nothing here speaks for '{class}'{instead}; \
                     without the ReLU the map shows what speaks against it"
                )
            });
        }
        if self.all_negative() {
            return Some(format!(
                "blank: all evidence is negative (down to {min:.3e}), since through the softmax whatever speaks for other \
                 classes speaks against '{class}'; the score 'logit' shows what speaks for it"
            ));
        }
        if min == max {
            return Some("flat: the map is the same everywhere".to_owned());
        }
        let spread = if self.settings.relu {
            max - min.max(0.0)
        } else {
            max - min
        };
        if self.settings.normalization == Normalization::MinMax && spread < FLAT {
            return Some(format!(
                "faint: the map spans {spread:.1e}, which the 1e-7 in this normalisation flattens; \
                 the normalisation 'max' doesn't"
            ));
        }
        if self.competes() && self.slope < SATURATED {
            return Some(if p > 0.5 {
                format!(
                    "the softmax is saturated: p(1-p) is {:.1e}; the map shows what would tip the balance to the other \
                     classes, the score 'logit' what speaks for '{class}'",
                    self.slope
                )
            } else {
                format!(
                    "'{class}' is improbable: p(1-p) is {:.1e}; the map shows what would take from the classes \
                     that win, the score 'logit' what speaks for '{class}'",
                    self.slope
                )
            });
        }
        if self.settings.relu && negative >= MOSTLY {
            return Some(format!(
                "{:.1} % of the evidence is negative: the heatmap shows the small rest",
                100.0 * negative
            ));
        }
        (self.dead as f64 >= DEAD * self.channels as f64).then(|| {
            format!(
                "{} of {} channels are dead for this image: the map is made from the rest",
                self.dead, self.channels
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Findings = Findings {
        settings: Settings {
            score: Score::Probability,
            reduction: super::super::Reduction::Mean,
            relu: true,
            normalization: Normalization::Max,
        },
        head: HeadKind::Softmax,
        class: "cat",
        probability: 0.6,
        slope: 0.24,
        range: Range {
            min: -0.1,
            max: 2.0,
            negative: 0.05,
        },
        channels: 128,
        dead: 54,
    };

    fn words(findings: Findings) -> String {
        findings.words(Some("conv2d_7")).unwrap_or_default()
    }

    #[test]
    fn a_good_heatmap_needs_no_words() {
        assert_eq!(words(GOOD), "");
        let sigmoid = Findings {
            head: HeadKind::Sigmoid,
            slope: 1e-9,
            ..GOOD
        };
        assert_eq!(words(sigmoid), "");
        let mut logit = GOOD;
        logit.settings.score = Score::Logit;
        assert_eq!(words(logit), "");
    }

    #[test]
    fn each_trouble_has_its_words() {
        let range = |min, max, negative| Range { min, max, negative };
        let certain = Findings {
            probability: 0.9998,
            slope: 2e-4,
            ..GOOD
        };
        let mut faint = Findings {
            range: range(0.0, 4e-8, 0.0),
            ..GOOD
        };
        faint.settings.normalization = Normalization::MinMax;
        let negative = Findings {
            range: range(-0.25, -0.125, 1.0),
            ..GOOD
        };
        let mut by_logit = negative;
        by_logit.settings.score = Score::Logit;
        let cases = [
            (certain, "the softmax is saturated: p(1-p) is 2.0e-4"),
            (
                Findings {
                    probability: 2e-4,
                    ..certain
                },
                "'cat' is improbable: p(1-p) is 2.0e-4",
            ),
            (
                Findings {
                    probability: 1.0,
                    slope: 0.0,
                    ..GOOD
                },
                "blank: the probability of 'cat' is exactly 1, and p(1-p)",
            ),
            (
                negative,
                "blank: all evidence is negative (down to -2.500e-1), since through the softmax",
            ),
            (
                by_logit,
                "blank: all evidence is negative (down to -2.500e-1), nothing here speaks for 'cat'; \
                 the nearest layer with evidence for it is 'conv2d_7'; without the ReLU",
            ),
            (
                Findings {
                    range: range(0.0, 0.0, 0.0),
                    dead: 128,
                    ..GOOD
                },
                "blank: all 128 channels are dead for this image; the nearest layer with evidence for it is 'conv2d_7'",
            ),
            (
                Findings {
                    range: range(0.0, 0.0, 0.0),
                    ..GOOD
                },
                "blank: no gradient of 'cat' reaches this layer",
            ),
            (
                Findings {
                    range: range(0.5, 0.5, 0.0),
                    ..GOOD
                },
                "flat:",
            ),
            (faint, "faint: the map spans 4.0e-8"),
            (
                Findings {
                    range: range(-3.0, 0.1, 0.987),
                    ..GOOD
                },
                "98.7 % of the evidence is negative",
            ),
            (
                Findings { dead: 120, ..GOOD },
                "120 of 128 channels are dead",
            ),
        ];
        for (findings, wanted) in cases {
            let found = words(findings);
            assert!(found.starts_with(wanted), "{found}");
        }
        assert!(by_logit.wants_another_layer() && !negative.wants_another_layer());
        let nowhere = by_logit.words(None);
        assert!(nowhere.is_some_and(|words| words.contains("no other layer has evidence")));
    }

    /// Without a ReLU a negative map is a picture, not a blank.
    #[test]
    fn a_signed_map_is_never_all_negative() {
        let mut signed = Findings {
            range: Range {
                min: -0.25,
                max: -0.125,
                negative: 1.0,
            },
            ..GOOD
        };
        signed.settings.relu = false;
        assert!(!signed.wants_another_layer());
        assert_eq!(words(signed), "");
    }
}
