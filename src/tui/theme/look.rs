//! What one part of the screen looks like.

use ratatui::style::{Color, Modifier, Style};
use serde::{Deserialize, Deserializer, de};

use crate::terminal::ColorDepth;

/// A style, as a theme's file writes it: `{ fg = "cyan", bold = true }`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(
    default,
    deny_unknown_fields,
    expecting = "a table such as { fg = \"cyan\", bold = true }"
)]
#[allow(clippy::struct_excessive_bools)]
pub struct Look {
    #[serde(deserialize_with = "color")]
    fg: Option<Color>,
    #[serde(deserialize_with = "color")]
    bg: Option<Color>,
    bold: bool,
    dim: bool,
    italic: bool,
    underlined: bool,
    reversed: bool,
}

impl Look {
    /// The same on a terminal with fewer colours: the nearest ones, or none. What stood out by its background is
    /// then reversed instead.
    pub(super) fn at(self, depth: ColorDepth) -> Self {
        if depth == ColorDepth::Monochrome {
            return Self {
                fg: None,
                bg: None,
                reversed: self.reversed || self.bg.is_some(),
                ..self
            };
        }
        // A named or numbered colour is the terminal's own business.
        let nearest = |color| match color {
            Color::Rgb(red, green, blue) => depth.color([red, green, blue]),
            own => Some(own),
        };
        Self {
            fg: self.fg.and_then(nearest),
            bg: self.bg.and_then(nearest),
            ..self
        }
    }
}

impl From<Look> for Style {
    fn from(look: Look) -> Self {
        let flags = [
            (look.bold, Modifier::BOLD),
            (look.dim, Modifier::DIM),
            (look.italic, Modifier::ITALIC),
            (look.underlined, Modifier::UNDERLINED),
            (look.reversed, Modifier::REVERSED),
        ];
        let modifiers = flags
            .into_iter()
            .filter(|(on, _)| *on)
            .map(|(_, modifier)| modifier)
            .collect();
        Self {
            fg: look.fg,
            bg: look.bg,
            ..Self::default()
        }
        .add_modifier(modifiers)
    }
}

/// A colour as it is written.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected a colour: a name such as \"cyan\" or \"lightred\", \"#rrggbb\", or a number from 0 to 255"
)]
enum Written {
    Number(u8),
    Text(String),
}

fn color<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Color>, D::Error> {
    match Written::deserialize(deserializer)? {
        Written::Number(index) => Ok(Some(Color::Indexed(index))),
        Written::Text(text) => text.parse().map(Some).map_err(|_| {
            de::Error::custom(format!(
                "'{text}' is no colour: expected a name such as \"cyan\" or \"lightred\", \"#rrggbb\", or a number \
                 from 0 to 255"
            ))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(text: &str) -> Look {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn colours_are_written_in_three_ways() {
        for (text, color) in [
            ("fg = 'cyan'", Color::Cyan),
            ("fg = 'light-red'", Color::LightRed),
            ("fg = 'reset'", Color::Reset),
            ("fg = '#10a0Ff'", Color::Rgb(16, 160, 255)),
            ("fg = 33", Color::Indexed(33)),
            ("fg = '33'", Color::Indexed(33)),
        ] {
            assert_eq!(look(text).fg, Some(color), "{text}");
        }
    }

    #[test]
    fn a_wrong_colour_is_named() {
        for (text, found) in [
            ("fg = 'blurple'", "'blurple' is no colour"),
            ("fg = '#12345'", "'#12345' is no colour"),
            ("fg = '#€€'", "'#€€' is no colour"),
            ("bg = '256'", "'256' is no colour"),
            ("bg = ''", "'' is no colour"),
            ("bg = 256", "expected a colour"),
            ("bg = -1", "expected a colour"),
            ("bg = [0, 0, 0]", "expected a colour"),
        ] {
            let error = toml::from_str::<Look>(text).unwrap_err();
            let message = error.message();
            assert!(
                message.contains(found) && message.contains("\"#rrggbb\""),
                "{text}: {message}"
            );
        }
    }

    #[test]
    fn few_colours_are_the_nearest_ones() {
        let full = look("fg = '#ff0000'\nbg = '#585858'\nbold = true");
        let indexed = look("fg = 196\nbg = 240\nbold = true");
        assert_eq!(full.at(ColorDepth::Full), full);
        assert_eq!(full.at(ColorDepth::Indexed), indexed);
        let own = look("fg = 'red'\nbg = 3");
        assert_eq!(own.at(ColorDepth::Indexed), own);
    }

    #[test]
    fn without_colours_a_background_is_a_reversal() {
        let at = |text| look(text).at(ColorDepth::Monochrome);
        assert_eq!(at("fg = '#ff0000'\nitalic = true"), look("italic = true"));
        assert_eq!(at("fg = 'red'\nbg = 3"), look("reversed = true"));
    }

    #[test]
    fn every_flag_is_a_modifier() {
        let all =
            look("bold = true\ndim = true\nitalic = true\nunderlined = true\nreversed = true");
        let modifiers = Style::from(all).add_modifier;
        assert_eq!(
            modifiers,
            Modifier::BOLD
                | Modifier::DIM
                | Modifier::ITALIC
                | Modifier::UNDERLINED
                | Modifier::REVERSED
        );
        assert_eq!(Style::from(look("")), Style::default());
    }
}
