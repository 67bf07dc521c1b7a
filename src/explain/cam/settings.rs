//! What distinguishes one system's Grad-CAM from another's, each choice by itself.

/// The scalar that is differentiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Score {
    /// The value before the softmax or sigmoid: what speaks for the class, whatever speaks for others.
    Logit,
    /// What the softmax or sigmoid makes of it. Through a softmax a class competes with all others, and where it is
    /// certain nothing is left to change: the gradient carries the factor `p (1 - p)`.
    Probability,
}

/// How the weighted channels become one map. Only the scale differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reduction {
    /// The mean over channels.
    Mean,
    /// The sum over channels.
    Sum,
}

/// How a map, rectified or not, is brought to a range that can be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Normalization {
    /// Divided by its largest value; all zeros where that isn't positive.
    Max,
    /// `(x - min) / (1e-7 + max - min)`, as pytorch-grad-cam has it.
    MinMax,
    /// Divided by its largest magnitude, so that signs stay: -1 to 1.
    Magnitude,
}

/// A system whose results are to be matched. Each fixes all of [`Settings`], and how the map is laid over a photo:
/// see [`crate::picture::Overlay`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// *Deep Learning with Python*, section 5.4.3.
    #[default]
    Book,
    /// The package `grad-cam` (1.5).
    PytorchGradCam,
    /// `captum.attr.LayerGradCam`. It normalises only to show; the heatmap here is scaled to -1..1 with its sign.
    Captum,
}

/// One way to make a heatmap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Settings {
    /// What is differentiated.
    pub score: Score,
    /// Over channels.
    pub reduction: Reduction,
    /// Whether negative evidence is set to 0.
    pub relu: bool,
    /// The last step, after the ReLU.
    pub normalization: Normalization,
}

impl Score {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Logit, Self::Probability];

    /// The word on the command line and in machine output; a sigmoid's probability is called softmax there too.
    pub fn name(self) -> &'static str {
        match self {
            Self::Logit => "logit",
            Self::Probability => "softmax",
        }
    }
}

impl Reduction {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Mean, Self::Sum];

    /// The word on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Sum => "sum",
        }
    }
}

impl Normalization {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Max, Self::MinMax, Self::Magnitude];

    /// The word on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Max => "max",
            Self::MinMax => "minmax",
            Self::Magnitude => "magnitude",
        }
    }
}

impl Dialect {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Book, Self::PytorchGradCam, Self::Captum];

    /// The name on the command line and in machine output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Book => "book",
            Self::PytorchGradCam => "pytorch-grad-cam",
            Self::Captum => "captum",
        }
    }

    /// What the system does.
    pub fn settings(self) -> Settings {
        match self {
            Self::Book => Settings {
                score: Score::Probability,
                reduction: Reduction::Mean,
                relu: true,
                normalization: Normalization::Max,
            },
            Self::PytorchGradCam => Settings {
                score: Score::Logit,
                reduction: Reduction::Sum,
                relu: true,
                normalization: Normalization::MinMax,
            },
            Self::Captum => Settings {
                score: Score::Logit,
                reduction: Reduction::Sum,
                relu: false,
                normalization: Normalization::Magnitude,
            },
        }
    }
}

impl Default for Settings {
    /// The book's.
    fn default() -> Self {
        Dialect::default().settings()
    }
}
