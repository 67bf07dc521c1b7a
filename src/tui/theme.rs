//! The colours of everything but pictures: what each part of the screen looks like is said in `themes/`.

use anyhow::{Context, Result};
use ratatui::style::{Color, Modifier, Style};
use serde::{Deserialize, Deserializer, de};

use crate::terminal::ColorDepth;

/// What each part of the screen looks like.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Theme {
    /// The program's name.
    pub title: Look,
    /// Around a pane.
    pub border: Look,
    /// Around the pane that has the keys.
    pub border_focused: Look,
    /// A pane's heading.
    pub heading: Look,
    /// The chosen one of several.
    pub selected: Look,
    /// The chosen one, in a pane that doesn't have the keys.
    pub selected_elsewhere: Look,
    /// The frame around the channel at hand.
    pub cursor: Look,
    /// What is less important, or not up to date.
    pub dimmed: Look,
    /// A name of a number.
    pub label: Look,
    /// Something is on its way.
    pub busy: Look,
    /// Something went well.
    pub notice: Look,
    /// Something went wrong.
    pub error: Look,
    /// A probability's bar.
    pub bar: Look,
    /// A key in the footer and in the help.
    pub key: Look,
}

/// A style, as a theme's file writes it: `{ fg = "cyan", bold = true }`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
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

impl Theme {
    /// The theme that suits a terminal: one that is fit for light and dark backgrounds, or one without colours.
    ///
    /// # Errors
    /// If the theme's file is damaged.
    pub fn suiting(depth: ColorDepth) -> Result<Self> {
        let (name, text) = match depth {
            ColorDepth::Monochrome => ("monochrome", include_str!("../../themes/monochrome.toml")),
            _ => ("default", include_str!("../../themes/default.toml")),
        };
        toml::from_str(text).with_context(|| format!("the theme '{name}' can't be read"))
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

fn color<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Color>, D::Error> {
    let name = String::deserialize(deserializer)?;
    let color = name
        .parse()
        .map_err(|_| de::Error::custom(format!("'{name}' is no colour")))?;
    Ok(Some(color))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_theme_can_be_read() {
        for depth in [
            ColorDepth::Monochrome,
            ColorDepth::Indexed,
            ColorDepth::Full,
        ] {
            let theme = Theme::suiting(depth).unwrap();
            assert_ne!(Style::from(theme.selected), Style::default());
        }
    }

    #[test]
    fn the_monochrome_theme_has_no_colours() {
        let text = include_str!("../../themes/monochrome.toml");
        assert!(!text.contains("fg") && !text.contains("bg"));
    }

    #[test]
    fn a_wrong_colour_is_named() {
        let error = toml::from_str::<Look>("fg = \"blurple\"")
            .unwrap_err()
            .to_string();
        assert!(error.contains("'blurple' is no colour"), "{error}");
    }
}
