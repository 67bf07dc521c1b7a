//! The recipes for an ascent, and their numbers.

/// How a pattern is climbed to. What is fed to the network, how far a step goes, how the result is drawn: all of it
/// belongs together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Recipe {
    /// *Deep Learning with Python*, first edition, 5.4.2: pixels from grey noise of 128 to 148, fed as they are whatever
    /// the model's preprocessing, each step the gradient divided by its root mean square.
    #[default]
    Book,
    /// Second edition, 9.4.2: pixels from noise of 0.4 to 0.6, each step 10 times the gradient at unit length; 2 pixels
    /// of the map's border don't count.
    Book2,
    /// Olah et al. 2017 with the library lucid: Fourier coefficients, decorrelated colours, Adam, and a picture that is
    /// shifted, scaled and turned a little at each step, so that only what survives that is left of it.
    Lucid,
}

/// The pixels that an ascent starts from: uniform from `low` on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Noise {
    pub low: f32,
    pub range: f32,
}

impl Recipe {
    /// Every recipe.
    pub const ALL: [Self; 3] = [Self::Book, Self::Book2, Self::Lucid];

    /// The name on the command line and in machine output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Book => "book",
            Self::Book2 => "book2",
            Self::Lucid => "lucid",
        }
    }

    /// Steps, if not said otherwise.
    pub fn steps(self) -> usize {
        match self {
            Self::Book => 40,
            Self::Book2 => 30,
            Self::Lucid => 512,
        }
    }

    /// Height and width of the picture, if not said otherwise and the network takes any.
    pub fn side(self) -> usize {
        match self {
            Self::Book => 150,
            Self::Book2 => 200,
            Self::Lucid => 128,
        }
    }

    /// How much higher and wider than the picture the network's input is: lucid's padding of 12 on each side without
    /// the 8 and 4 that its two jitters cut off.
    pub fn margin(self) -> usize {
        match self {
            Self::Book | Self::Book2 => 0,
            Self::Lucid => 12,
        }
    }

    /// The border of the filter's map, in pixels, that doesn't count.
    pub(super) fn border(self) -> usize {
        match self {
            Self::Book | Self::Lucid => 0,
            Self::Book2 => 2,
        }
    }

    /// What pixels start from; none where they aren't what is changed.
    pub(super) fn noise(self) -> Option<Noise> {
        match self {
            Self::Book => Some(Noise {
                low: 128.0,
                range: 20.0,
            }),
            Self::Book2 => Some(Noise {
                low: 0.4,
                range: 0.2,
            }),
            Self::Lucid => None,
        }
    }

    /// What the gradient is divided by in a step of pixels, if it has `count` values of this root mean square.
    pub(super) fn divisor(self, root_mean_square: f64, count: usize) -> f64 {
        match self {
            Self::Book | Self::Lucid => root_mean_square + 1e-5,
            // 10 steps of unit length; TensorFlow's l2_normalize takes at least 1e-12 for the squared length.
            Self::Book2 => (root_mean_square * (count as f64).sqrt()).max(1e-6) / 10.0,
        }
    }
}

/// Adam's rate.
pub(super) const LUCID_RATE: f64 = 0.05;

/// Standard deviation of the coefficients at the start.
pub(super) const LUCID_START: f32 = 0.01;
