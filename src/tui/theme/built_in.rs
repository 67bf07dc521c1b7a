//! The themes that come with convscope, and which of them suits a terminal.

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{NAMES, Theme};
use crate::terminal::ColorDepth;

/// Between dark and light: with this relative luminance black and white have the same contrast, 4.58.
const MIDDLE: f64 = 0.179;

/// One of [`NAMES`], in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum BuiltIn {
    /// For light and dark.
    Default,
    Dark,
    Light,
    /// Without colours.
    Monochrome,
}

impl BuiltIn {
    pub(super) const ALL: [Self; NAMES.len()] =
        [Self::Default, Self::Dark, Self::Light, Self::Monochrome];

    pub(super) fn name(self) -> &'static str {
        NAMES[self as usize]
    }

    pub(super) fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.name() == name)
    }

    /// The one for a terminal, as far as it is known.
    pub(super) fn suiting(depth: ColorDepth, background: Option<[u8; 3]>) -> Self {
        match background {
            _ if depth == ColorDepth::Monochrome => Self::Monochrome,
            Some(background) if relative_luminance(background) < MIDDLE => Self::Dark,
            Some(_) => Self::Light,
            None => Self::Default,
        }
    }

    /// # Errors
    /// If its file is damaged; a test reads them all.
    pub(super) fn read(self) -> Result<Theme> {
        let text = match self {
            Self::Default => include_str!("../../../themes/default.toml"),
            Self::Dark => include_str!("../../../themes/dark.toml"),
            Self::Light => include_str!("../../../themes/light.toml"),
            Self::Monochrome => include_str!("../../../themes/monochrome.toml"),
        };
        toml::from_str(text).with_context(|| format!("themes/{}.toml", self.name()))
    }
}

/// How bright an sRGB colour is, from 0 (black) to 1 (white), as WCAG 2.1 defines it.
pub(super) fn relative_luminance(rgb: [u8; 3]) -> f64 {
    let [red, green, blue] = rgb.map(|value| {
        let value = f64::from(value) / 255.0;
        if value <= 0.04045 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_background_decides() {
        let suiting = |background| BuiltIn::suiting(ColorDepth::Full, Some(background));
        for dark in [[0; 3], [0x28, 0x2c, 0x34], [0x00, 0x2b, 0x36], [0x75; 3]] {
            assert_eq!(suiting(dark), BuiltIn::Dark, "{dark:?}");
        }
        for light in [[255; 3], [0xfd, 0xf6, 0xe3], [0x78; 3], [0, 255, 0]] {
            assert_eq!(suiting(light), BuiltIn::Light, "{light:?}");
        }
        // Blue is as dark as green is bright.
        assert_eq!(suiting([0, 0, 255]), BuiltIn::Dark);
    }

    #[test]
    fn without_a_background_or_colours_there_is_no_choice() {
        let suiting = BuiltIn::suiting;
        assert_eq!(suiting(ColorDepth::Indexed, None), BuiltIn::Default);
        assert_eq!(suiting(ColorDepth::Monochrome, None), BuiltIn::Monochrome);
        assert_eq!(
            suiting(ColorDepth::Monochrome, Some([0; 3])),
            BuiltIn::Monochrome
        );
    }

    #[test]
    fn luminance_is_wcags() {
        // White, black, the primaries, and greys that are known by their contrast with white: 4.48 and 3.95.
        for (rgb, expected) in [
            ([0; 3], 0.0),
            ([255; 3], 1.0),
            ([255, 0, 0], 0.2126),
            ([0, 255, 0], 0.7152),
            ([0, 0, 255], 0.0722),
            ([0x77; 3], 1.05 / 4.478 - 0.05),
            ([0x80; 3], 1.05 / 3.949 - 0.05),
        ] {
            let luminance = relative_luminance(rgb);
            assert!((luminance - expected).abs() < 1e-4, "{rgb:?}: {luminance}");
        }
    }

    #[test]
    fn the_names_are_those_of_the_files() {
        for theme in BuiltIn::ALL {
            assert_eq!(BuiltIn::by_name(theme.name()), Some(theme));
            let read: BuiltIn = toml::Value::from(theme.name()).try_into().unwrap();
            assert_eq!(read, theme, "as the base of another");
        }
        assert_eq!(BuiltIn::by_name("Dark"), None);
    }
}
