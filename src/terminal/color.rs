//! How many colours a terminal has, and the nearest of them.

use ratatui::style::Color;

use super::brand::Brand;
use super::probe::Traits;

/// The colours that a terminal can show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColorDepth {
    /// None, or none are wanted.
    Monochrome,
    /// xterm's 256: a cube of 6x6x6 and 24 greys.
    Indexed,
    /// 24 bits.
    #[default]
    Full,
}

/// The steps of red, green and blue in xterm's cube.
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// Terminals that have 24-bit colours and say so by their name, which ssh passes on, unlike `COLORTERM`.
const FULL: [&str; 5] = ["kitty", "alacritty", "foot", "wezterm", "ghostty"];

impl ColorDepth {
    /// As the environment has it: `NO_COLOR`, `COLORTERM`, `TERM`, and whether this runs in tmux.
    pub fn detect() -> Self {
        Self::explained().0
    }

    /// The same, and what says so.
    pub fn explained() -> (Self, &'static str) {
        Self::from_variables(super::variable)
    }

    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> (Self, &'static str) {
        let term = variable("TERM").unwrap_or_default();
        if variable("NO_COLOR").is_some() {
            return (Self::Monochrome, "NO_COLOR is set");
        }
        if term.starts_with("vt") {
            return (Self::Monochrome, "TERM names a terminal without colours");
        }
        let declared = variable("COLORTERM")
            .is_some_and(|value| value.contains("truecolor") || value.contains("24bit"));
        let named = term.contains("direct") || FULL.iter().any(|name| term.contains(name));
        if declared {
            (Self::Full, "COLORTERM says so")
        } else if named {
            (Self::Full, "TERM says so")
        } else if variable("TMUX").is_some() {
            (
                Self::Full,
                "tmux takes them, and makes of them what the terminal can show",
            )
        } else {
            (
                Self::Indexed,
                "neither COLORTERM nor TERM says that there are more",
            )
        }
    }

    /// The same once the terminal is known: over ssh `COLORTERM` is missing, and `TERM` often says little.
    #[must_use]
    pub fn seen_in(self, traits: &Traits) -> Self {
        match self {
            Self::Indexed if traits.brand.is_some_and(Brand::has_full_color) => Self::Full,
            depth => depth,
        }
    }

    /// In a few words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Monochrome => "none",
            Self::Indexed => "256",
            Self::Full => "24 bits",
        }
    }

    /// The same with no more than 256 colours.
    #[must_use]
    pub fn at_most_indexed(self) -> Self {
        match self {
            Self::Full => Self::Indexed,
            fewer => fewer,
        }
    }

    /// The nearest colour that the terminal has; nothing if it has none.
    pub fn color(self, [red, green, blue]: [u8; 3]) -> Option<Color> {
        match self {
            Self::Monochrome => None,
            Self::Indexed => Some(Color::Indexed(nearest([red, green, blue]))),
            Self::Full => Some(Color::Rgb(red, green, blue)),
        }
    }
}

/// The nearest of xterm's colours 16 to 255, which are the same on every terminal.
fn nearest(rgb: [u8; 3]) -> u8 {
    let steps = rgb.map(nearest_step);
    let in_cube = steps.map(|step| CUBE[usize::from(step)]);
    // Greys run from 8 to 238 in steps of 10.
    let mean = rgb.iter().copied().map(u16::from).sum::<u16>() / 3;
    let step = (mean.saturating_sub(3) / 10).min(23) as u8;
    let grey = [8 + 10 * step; 3];
    if distance(rgb, grey) < distance(rgb, in_cube) {
        232 + step
    } else {
        16 + 36 * steps[0] + 6 * steps[1] + steps[2]
    }
}

fn nearest_step(value: u8) -> u8 {
    match value {
        0..48 => 0,
        48..115 => 1,
        _ => (value - 35) / 40,
    }
}

fn distance(a: [u8; 3], b: [u8; 3]) -> u32 {
    let squares = a
        .iter()
        .zip(b)
        .map(|(&a, b)| u32::from(a.abs_diff(b)).pow(2));
    squares.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn depth(variables: &[(&str, &str)]) -> ColorDepth {
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
        ColorDepth::from_variables(|name| find(name).map(|(_, value)| (*value).to_owned())).0
    }

    #[test]
    fn the_environment_says_how_many_colours_there_are() {
        use ColorDepth::{Full, Indexed, Monochrome};
        assert_eq!(depth(&[("TERM", "xterm-256color")]), Indexed);
        assert_eq!(
            depth(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]),
            Full
        );
        assert_eq!(depth(&[("TERM", "xterm-direct")]), Full);
        assert_eq!(depth(&[("TERM", "xterm-kitty")]), Full);
        assert_eq!(
            depth(&[("TERM", "tmux-256color"), ("TMUX", "/run/tmux,1,0")]),
            Full
        );
        assert_eq!(depth(&[("TERM", "screen-256color")]), Indexed);
        assert_eq!(
            depth(&[("COLORTERM", "24bit"), ("NO_COLOR", "1")]),
            Monochrome
        );
        assert_eq!(depth(&[("TERM", "vt220")]), Monochrome);
    }

    #[test]
    fn a_known_terminal_has_more_than_it_declares() {
        let in_brand = |brand| Traits {
            brand,
            ..Traits::default()
        };
        let wezterm = in_brand(Some(Brand::WezTerm));
        assert_eq!(ColorDepth::Indexed.seen_in(&wezterm), ColorDepth::Full);
        assert_eq!(
            ColorDepth::Monochrome.seen_in(&wezterm),
            ColorDepth::Monochrome
        );
        let apple = in_brand(Some(Brand::AppleTerminal));
        assert_eq!(ColorDepth::Indexed.seen_in(&apple), ColorDepth::Indexed);
        assert_eq!(
            ColorDepth::Indexed.seen_in(&in_brand(None)),
            ColorDepth::Indexed
        );
    }

    #[test]
    fn no_colour_of_the_table_is_nearer() {
        let table: Vec<[u8; 3]> = (0..216_usize)
            .map(|index| [index / 36, index / 6 % 6, index % 6].map(|step| CUBE[step]))
            .chain((0..24).map(|step| [8 + 10 * step; 3]))
            .collect();
        for red in (0..=255).step_by(15) {
            for green in (0..=255).step_by(17) {
                for blue in (0..=255).step_by(5) {
                    let rgb = [red, green, blue];
                    let chosen = distance(rgb, table[usize::from(nearest(rgb)) - 16]);
                    let least = table.iter().map(|&color| distance(rgb, color)).min();
                    assert_eq!(Some(chosen), least, "{rgb:?}");
                }
            }
        }
    }
}
