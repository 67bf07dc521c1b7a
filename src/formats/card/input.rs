//! The card's `[input]`: how a picture becomes the network's input.

use serde::Deserialize;

use crate::model::{ChannelOrder, Filter, Fit, Preprocessing};

/// No side of an input is longer.
const LONGEST_SIDE: usize = 8192;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Input {
    size: Option<Size>,
    fit: Option<FitWord>,
    crop_fraction: Option<f64>,
    filter: Option<FilterWord>,
    pub(super) channels: Option<ChannelWord>,
    scale: Option<Scale>,
    mean: Option<PerPlane>,
    std: Option<PerPlane>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged, expecting = "expected [height, width] or one number")]
enum Size {
    Square(usize),
    Sides([usize; 2]),
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum FitWord {
    Squash,
    #[serde(alias = "centre-crop")]
    CenterCrop,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FilterWord {
    Nearest,
    Bilinear,
    Bicubic,
    Lanczos,
    Box,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ChannelWord {
    Rgb,
    Bgr,
    #[serde(alias = "gray")]
    Grey,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "expected a number, or text such as \"1/255\"")]
enum Scale {
    Number(f64),
    Fraction(String),
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "expected one number, or a list with one for each of the three channels"
)]
enum PerPlane {
    Same(f64),
    Each([f64; 3]),
}

impl Size {
    fn sides(self) -> [usize; 2] {
        match self {
            Self::Square(side) => [side, side],
            Self::Sides(sides) => sides,
        }
    }
}

impl Scale {
    /// `None` for text that is no number or fraction.
    fn value(&self) -> Option<f64> {
        match self {
            Self::Number(value) => Some(*value),
            Self::Fraction(text) => {
                let (above, below) = text.split_once('/').unwrap_or((text, "1"));
                let number = |text: &str| text.trim().parse::<f64>().ok();
                Some(number(above)? / number(below)?)
            }
        }
    }
}

impl PerPlane {
    fn values(self) -> [f64; 3] {
        match self {
            Self::Same(value) => [value; 3],
            Self::Each(values) => values,
        }
    }
}

impl Input {
    /// Whether the numbers make sense; says which doesn't.
    pub(super) fn check(&self) -> Result<(), String> {
        if let Some(size) = self.size
            && size
                .sides()
                .iter()
                .any(|side| !(1..=LONGEST_SIDE).contains(side))
        {
            let [height, width] = size.sides();
            return Err(format!(
                "size: sides go from 1 to {LONGEST_SIDE}, found [{height}, {width}]"
            ));
        }
        if let Some(fraction) = self.crop_fraction
            && !(fraction > 0.0 && fraction <= 1.0)
        {
            return Err(format!(
                "crop-fraction: expected more than 0 and at most 1, found {fraction}"
            ));
        }
        let finite = |key: &str, values: &[f64], zero: bool| {
            let wrong = values
                .iter()
                .find(|value| !value.is_finite() || (!zero && **value == 0.0));
            wrong.map_or(Ok(()), |value| {
                let but = if zero { "" } else { " other than 0" };
                Err(format!(
                    "{key}: expected a finite number{but}, found {value}"
                ))
            })
        };
        if let Some(scale) = &self.scale {
            let value = scale
                .value()
                .ok_or("scale: expected a number, or text such as \"1/255\"")?;
            finite("scale", &[value], false)?;
        }
        if let Some(mean) = self.mean {
            finite("mean", &mean.values(), true)?;
        }
        if let Some(std) = self.std {
            finite("std", &std.values(), false)?;
        }
        Ok(())
    }

    /// The keys that are there, `crop-fraction` as part of `fit`.
    pub(super) fn keys(&self) -> Vec<&'static str> {
        [
            ("size", self.size.is_some()),
            ("fit", self.fit.is_some() || self.crop_fraction.is_some()),
            ("filter", self.filter.is_some()),
            ("channels", self.channels.is_some()),
            ("scale", self.scale.is_some()),
            ("mean", self.mean.is_some()),
            ("std", self.std.is_some()),
        ]
        .into_iter()
        .filter_map(|(key, there)| there.then_some(key))
        .collect()
    }

    /// Whether the input's size is among them.
    pub(super) fn has_size(&self) -> bool {
        self.size.is_some()
    }

    /// Whether nothing is left to the format's conventions.
    pub(super) fn is_complete(&self) -> bool {
        self.keys().len() == 7
    }

    /// Changes what is stated; says what doesn't go together.
    pub(super) fn apply(&self, to: &mut Preprocessing) -> Result<(), String> {
        if let Some(size) = self.size {
            to.size = size.sides();
        }
        match self.fit {
            Some(FitWord::Squash) => to.fit = Fit::Squash,
            Some(FitWord::CenterCrop) if !matches!(to.fit, Fit::CenterCrop { .. }) => {
                to.fit = Fit::CenterCrop { fraction: 1.0 };
            }
            _ => {}
        }
        if let Some(given) = self.crop_fraction {
            let Fit::CenterCrop { fraction } = &mut to.fit else {
                return Err("crop-fraction needs fit = \"center-crop\"".to_owned());
            };
            *fraction = given;
        }
        if let Some(filter) = self.filter {
            to.filter = match filter {
                FilterWord::Nearest => Filter::Nearest,
                FilterWord::Bilinear => Filter::Bilinear,
                FilterWord::Bicubic => Filter::Bicubic,
                FilterWord::Lanczos => Filter::Lanczos,
                FilterWord::Box => Filter::Box,
            };
        }
        if let Some(channels) = self.channels {
            to.channels = match channels {
                ChannelWord::Rgb => ChannelOrder::Rgb,
                ChannelWord::Bgr => ChannelOrder::Bgr,
                ChannelWord::Grey => ChannelOrder::Grey,
            };
        }
        if let Some(scale) = self.scale.as_ref().and_then(Scale::value) {
            to.scale = scale;
        }
        if let Some(mean) = self.mean {
            to.mean = mean.values();
        }
        if let Some(std) = self.std {
            to.std = std.values();
        }
        Ok(())
    }
}
