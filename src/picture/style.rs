//! How the values of a feature map become levels.

use crate::error::{Error, Result};

/// A normalisation of one map, by its own values alone.
///
/// Values that are not finite don't count in the statistics: NaN and -inf get level 0, +inf level 255.
/// A constant map has nothing to show and gets level 0 everywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Style {
    /// Standardised: `(x - mean) / std * 64 + 128`, clipped and truncated; std of the population. From
    /// *Deep Learning with Python*, section 5.4.1. Spreads a sparse map's small values.
    #[default]
    Book,
    /// The map's minimum to its maximum, in 256 equal steps, as matplotlib's `matshow` has it.
    MinMax,
}

impl Style {
    /// Every style, in the order in which the explorer steps through them.
    pub const ALL: [Self; 2] = [Self::Book, Self::MinMax];

    /// The style called `name`, in any case.
    ///
    /// # Errors
    /// If there is none; the message lists the names.
    pub fn by_name(name: &str) -> Result<Self> {
        let found = Self::ALL
            .into_iter()
            .find(|style| style.name().eq_ignore_ascii_case(name));
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            Error::request(format!("no style is called '{name}'; there are {names}"))
        })
    }

    /// The name on the command line and on the screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Book => "book",
            Self::MinMax => "minmax",
        }
    }

    /// The one after this in [`Self::ALL`], round and round.
    #[must_use]
    pub fn next(self) -> Self {
        Self::ALL[(self as usize + 1) % Self::ALL.len()]
    }

    /// The levels of `map`.
    pub fn levels(self, map: &[f32]) -> Vec<u8> {
        match self.scale(map) {
            Some(scale) => map.iter().map(|&value| scale.level(value)).collect(),
            None => vec![0; map.len()],
        }
    }

    /// How the levels of `map` follow from its values; nothing if it is constant.
    pub(super) fn scale(self, map: &[f32]) -> Option<Scale> {
        let (min, max) = range(map).filter(|(min, max)| min < max)?;
        Some(match self {
            Self::Book => {
                let (mean, std) = moments(map);
                Scale {
                    origin: mean as f32,
                    unit: std as f32,
                    gain: 64.0,
                    offset: 128.0,
                }
            }
            Self::MinMax => Scale {
                origin: min,
                // An infinite unit would make every value NaN or 0.
                unit: (max - min).min(f32::MAX),
                gain: 256.0,
                offset: 0.0,
            },
        })
    }
}

/// `level = (value - origin) / unit * gain + offset`, in single precision as NumPy has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    origin: f32,
    unit: f32,
    gain: f32,
    offset: f32,
}

impl Scale {
    /// The cast does what the recipes ask for: it clips, it truncates, and NaN becomes 0.
    pub(super) fn level(self, value: f32) -> u8 {
        ((value - self.origin) / self.unit * self.gain + self.offset) as u8
    }
}

/// Whether all finite values of `map` are the same, or there are none.
pub fn is_constant(map: &[f32]) -> bool {
    range(map).is_none_or(|(min, max)| min == max)
}

/// The smallest and largest finite value; nothing if there is none.
fn range(map: &[f32]) -> Option<(f32, f32)> {
    let (min, max) = finite(map).fold((f32::INFINITY, f32::NEG_INFINITY), |(min, max), value| {
        (min.min(value), max.max(value))
    });
    (min <= max).then_some((min, max))
}

/// Mean and population standard deviation of the finite values.
fn moments(map: &[f32]) -> (f64, f64) {
    let count = finite(map).count() as f64;
    let mean = finite(map).map(f64::from).sum::<f64>() / count;
    let squares = finite(map).map(|value| (f64::from(value) - mean).powi(2));
    (mean, (squares.sum::<f64>() / count).sqrt())
}

fn finite(map: &[f32]) -> impl Iterator<Item = f32> {
    map.iter().copied().filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn book_puts_the_mean_at_128_and_one_deviation_at_64_levels() {
        // Mean 2, standard deviation 2.
        let levels = Style::Book.levels(&[0.0, 4.0, 0.0, 4.0]);
        assert_eq!(levels, [64, 192, 64, 192]);
    }

    #[test]
    fn book_clips_what_lies_more_than_two_deviations_out() {
        let mut map = [0.0; 30];
        (map[0], map[29]) = (-1.0, 1.0);
        let levels = Style::Book.levels(&map);
        assert_eq!((levels[0], levels[15], levels[29]), (0, 128, 255));
    }

    #[test]
    fn minmax_cuts_the_range_into_256_equal_steps() {
        let map: Vec<f32> = (0..=256).map(|step| step as f32 - 100.0).collect();
        let expected: Vec<u8> = (0..=255).chain([255]).collect();
        assert_eq!(Style::MinMax.levels(&map), expected);
    }

    #[test]
    fn a_constant_map_is_dead_and_dark() {
        for style in Style::ALL {
            assert_eq!(style.levels(&[0.7; 3]), [0, 0, 0]);
        }
        assert!(is_constant(&[-0.5; 2]) && !is_constant(&[1.0, 2.0]));
    }

    #[test]
    fn values_that_are_not_finite_leave_the_others_as_they_were() {
        let (nan, inf) = (f32::NAN, f32::INFINITY);
        let map = [0.0, nan, 4.0, inf, 0.0, -inf, 4.0];
        assert_eq!(Style::Book.levels(&map), [64, 0, 192, 255, 64, 0, 192]);
        assert_eq!(Style::MinMax.levels(&map), [0, 0, 255, 255, 0, 0, 255]);

        for map in [&[nan, nan][..], &[inf, 1.0], &[]] {
            assert!(is_constant(map));
            assert!(Style::Book.levels(map).iter().all(|&level| level == 0));
        }
    }

    #[test]
    fn extreme_values_keep_their_order() {
        let huge = [f32::MIN, 0.0, f32::MAX];
        let tiny = [0.0, f32::MIN_POSITIVE, 2.0 * f32::MIN_POSITIVE];
        for style in Style::ALL {
            for map in [huge, tiny] {
                assert!(style.levels(&map).is_sorted(), "{style:?} {map:?}");
                assert!(style.levels(&map)[2] > 128);
            }
        }
    }

    #[test]
    fn a_style_is_found_by_its_name() {
        for style in Style::ALL {
            assert_eq!(Style::by_name(style.name()).unwrap(), style);
            assert_eq!(style.next().next(), style);
        }
        let message = Style::by_name("zscore").unwrap_err().to_string();
        assert_eq!(
            message,
            "no style is called 'zscore'; there are book, minmax"
        );
    }
}
