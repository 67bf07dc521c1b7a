//! Terminals that are known by name, and what is known of them beyond what they answer.

use super::canvas::Protocol;

/// A terminal that has something to be known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brand {
    /// <https://alacritty.org>
    Alacritty,
    /// Terminal.app of macOS.
    AppleTerminal,
    /// <https://contour-terminal.org>
    Contour,
    /// <https://codeberg.org/dnkl/foot>
    Foot,
    /// <https://ghostty.org>
    Ghostty,
    /// <https://iterm2.com>
    Iterm2,
    /// <https://sw.kovidgoyal.net/kitty>
    Kitty,
    /// KDE's.
    Konsole,
    /// The kernel's own.
    LinuxConsole,
    /// Of Cygwin and Git for Windows.
    Mintty,
    /// <https://github.com/arakiken/mlterm>
    Mlterm,
    /// <https://rioterm.com>
    Rio,
    /// rxvt and its children.
    Rxvt,
    /// Of the Enlightenment.
    Terminology,
    /// GNOME's, Xfce's and others.
    Vte,
    /// VS Code's, an xterm.js.
    VsCode,
    /// <https://www.warp.dev>
    Warp,
    /// <https://wezterm.org>
    WezTerm,
    /// Microsoft's.
    WindowsTerminal,
    /// In other programs and pages.
    XtermJs,
    /// X's.
    Xterm,
}

/// By what a terminal is known, each the beginning of something, in lower case; and what it is like.
struct Known {
    brand: Brand,
    /// For people.
    title: &'static str,
    /// Its name as it answers.
    name: &'static str,
    /// `TERM`.
    term: &'static str,
    /// `TERM_PROGRAM`, or `LC_TERMINAL`, which ssh passes on.
    program: &'static str,
    /// A variable that it sets.
    variable: &'static str,
    habits: Habits,
}

#[derive(Clone, Copy)]
struct Habits {
    /// What it has, but isn't to be used by itself, and why.
    avoid: &'static [(Protocol, &'static str)],
    /// It shows iTerm2's pictures, whether or not it answers iTerm2's questions.
    iterm2: bool,
    /// It draws block elements itself, so that they meet without seams.
    blocks: bool,
    /// It has 24-bit colours.
    full_color: bool,
}

const PLAIN: Habits = Habits {
    avoid: &[],
    iterm2: false,
    blocks: true,
    full_color: true,
};

const NEVER: &str = "-";

const fn known(
    brand: Brand,
    title: &'static str,
    [name, term, program, variable]: [&'static str; 4],
    habits: Habits,
) -> Known {
    Known {
        brand,
        title,
        name,
        term,
        program,
        variable,
        habits,
    }
}

/// Each terminal's reason for its pictures is in its line; those without one show what they answer to. The later a
/// line, the more its variable says: whoever stands before also answers with a name.
#[rustfmt::skip]
const KNOWN: [Known; 21] = {
    use Brand as B;
    use Protocol::{Iterm2, Kitty, Sixel};
    [
        known(B::Kitty, "kitty", ["kitty", "xterm-kitty", "kitty", "KITTY_WINDOW_ID"], PLAIN),
        known(B::Ghostty, "Ghostty", ["ghostty", "xterm-ghostty", "ghostty", "GHOSTTY_RESOURCES_DIR"], PLAIN),
        // Both draw, but only kitty's pictures can be taken away again.
        known(B::Konsole, "Konsole", ["konsole", "konsole", "konsole", "KONSOLE_VERSION"], Habits {
            avoid: &[(Iterm2, "Konsole leaves pieces of old pictures standing"),
                     (Sixel, "Konsole leaves pieces of old pictures standing")], ..PLAIN }),
        // Its kitty protocol is behind an option and loses what text is written over.
        known(B::WezTerm, "WezTerm", ["wezterm", "wezterm", "wezterm", "WEZTERM_PANE"], Habits {
            avoid: &[(Kitty, "text tears holes into WezTerm's kitty pictures")], iterm2: true, ..PLAIN }),
        // Answers kitty's question since 3.5, yet placed pictures often don't appear.
        known(B::Iterm2, "iTerm2", ["iterm2", NEVER, "iterm", "ITERM_SESSION_ID"], Habits {
            avoid: &[(Kitty, "kitty's pictures don't always appear in iTerm2")], iterm2: true, ..PLAIN }),
        known(B::Rio, "Rio", ["rio", "rio", "rio", NEVER], Habits { iterm2: true, ..PLAIN }),
        known(B::Mintty, "mintty", ["mintty", "mintty", "mintty", NEVER], Habits { iterm2: true, blocks: false, ..PLAIN }),
        // Pictures are an option there. Those of kitty came last, and are drawn wrongly.
        known(B::VsCode, "VS Code", [NEVER, NEVER, "vscode", "VSCODE_INJECTION"], Habits {
            avoid: &[(Kitty, "VS Code draws kitty's pictures wrongly")], ..PLAIN }),
        known(B::XtermJs, "xterm.js", ["xterm.js", NEVER, NEVER, NEVER], Habits {
            avoid: &[(Kitty, "xterm.js draws kitty's pictures wrongly")], blocks: false, ..PLAIN }),
        // Never clears iTerm2's pictures.
        known(B::Warp, "Warp", ["warp", NEVER, "warp", "WARP_HONOR_PS1"], Habits {
            avoid: &[(Iterm2, "Warp doesn't clear iTerm2's pictures")], ..PLAIN }),
        known(B::Foot, "foot", ["foot", "foot", "foot", NEVER], PLAIN),
        known(B::WindowsTerminal, "Windows Terminal", ["windows terminal", NEVER, NEVER, "WT_SESSION"], PLAIN),
        known(B::Mlterm, "mlterm", ["mlterm", "mlterm", "mlterm", "MLTERM"], Habits { blocks: false, full_color: false, ..PLAIN }),
        // Forks of it announce sixel, and never clear it.
        known(B::Alacritty, "Alacritty", ["alacritty", "alacritty", "alacritty", "ALACRITTY_WINDOW_ID"], Habits {
            avoid: &[(Sixel, "Alacritty with sixel doesn't clear pictures")], ..PLAIN }),
        known(B::Contour, "Contour", ["contour", "contour", "contour", NEVER], Habits {
            avoid: &[(Sixel, "Contour draws text over sixel pictures without clearing them")], ..PLAIN }),
        known(B::Vte, "VTE", ["vte", "vte", "gnome-terminal", "VTE_VERSION"], PLAIN),
        known(B::Terminology, "Terminology", ["terminology", NEVER, "terminology", NEVER], Habits { blocks: false, full_color: false, ..PLAIN }),
        // Takes 24-bit colours, and shows the nearest of its own.
        known(B::Xterm, "xterm", ["xterm(", NEVER, NEVER, NEVER], Habits { blocks: false, full_color: false, ..PLAIN }),
        known(B::Rxvt, "rxvt", ["rxvt", "rxvt", NEVER, NEVER], Habits { blocks: false, full_color: false, ..PLAIN }),
        known(B::AppleTerminal, "Terminal.app", [NEVER, "nsterm", "apple_terminal", NEVER], Habits { blocks: false, full_color: false, ..PLAIN }),
        known(B::LinuxConsole, "Linux console", [NEVER, "linux", NEVER, NEVER], Habits { blocks: false, full_color: false, ..PLAIN }),
    ]
};

impl Brand {
    /// By the name that a terminal answers, such as `kitty(0.41.1)`.
    pub fn of_name(name: &str) -> Option<Self> {
        find(|known| begins(name, known.name))
    }

    /// By the environment. What the user's shell inherited from another terminal counts least.
    pub(super) fn of_variables(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let by = |name, part: fn(&Known) -> &'static str| {
            let value = variable(name)?;
            find(|known| begins(&value, part(known)))
        };
        by("TERM", |known| known.term)
            .or_else(|| by("TERM_PROGRAM", |known| known.program))
            .or_else(|| by("LC_TERMINAL", |known| known.program))
            .or_else(|| {
                let mut last_first = KNOWN.iter().rev();
                let known = last_first.find(|known| variable(known.variable).is_some())?;
                Some(known.brand)
            })
    }

    /// For people.
    pub fn title(self) -> &'static str {
        let known = KNOWN.iter().find(|known| known.brand == self);
        known.map_or("", |known| known.title)
    }

    fn habits(self) -> Habits {
        let known = KNOWN.iter().find(|known| known.brand == self);
        known.map_or(PLAIN, |known| known.habits)
    }

    /// Why a protocol isn't to be used here by itself although the terminal knows it, if so.
    pub(super) fn objection(self, protocol: Protocol) -> Option<&'static str> {
        let habits = self.habits();
        let mut avoided = habits.avoid.iter();
        let (_, why) = avoided.find(|(avoided, _)| *avoided == protocol)?;
        Some(why)
    }

    /// Whether it shows iTerm2's pictures even if it doesn't answer iTerm2's questions.
    pub(super) fn shows_iterm2(self) -> bool {
        self.habits().iterm2
    }

    /// Whether it draws block elements itself, so that they meet without seams.
    pub(super) fn draws_blocks(self) -> bool {
        self.habits().blocks
    }

    /// Whether it has 24-bit colours.
    pub(super) fn has_full_color(self) -> bool {
        self.habits().full_color
    }
}

/// The first two numbers in a name, such as (0, 41) in `kitty(0.41.1)`.
pub(super) fn version(name: &str) -> Option<(u32, u32)> {
    let mut numbers = name
        .split(|character: char| !character.is_ascii_digit())
        .filter(|digits| !digits.is_empty())
        .map(|digits| digits.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

fn find(is: impl Fn(&Known) -> bool) -> Option<Brand> {
    KNOWN
        .iter()
        .find(|known| is(known))
        .map(|known| known.brand)
}

/// Whether a text begins with a sign, in upper or lower case.
fn begins(text: &str, sign: &str) -> bool {
    let start = text.as_bytes().get(..sign.len());
    sign != NEVER && start.is_some_and(|start| start.eq_ignore_ascii_case(sign.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brand(variables: &[(&str, &str)]) -> Option<Brand> {
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
        Brand::of_variables(|name| find(name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn names_as_they_are_answered() {
        for (name, brand) in [
            ("kitty(0.41.1)", Brand::Kitty),
            ("ghostty 1.2.0", Brand::Ghostty),
            ("WezTerm 20240203-110809-5046fc22", Brand::WezTerm),
            ("iTerm2 3.5.10", Brand::Iterm2),
            ("Konsole 22.12.3", Brand::Konsole),
            ("foot(1.13.1)", Brand::Foot),
            ("XTerm(398)", Brand::Xterm),
            ("xterm.js(6.1.0-beta.337)", Brand::XtermJs),
            ("terminology 1.13.0", Brand::Terminology),
            ("contour 0.4.3", Brand::Contour),
            ("mintty 3.7.0", Brand::Mintty),
        ] {
            assert_eq!(Brand::of_name(name), Some(brand), "{name}");
        }
        for other in ["", "-", "tmux 3.5a", "Zellij(4003)", "é"] {
            assert_eq!(Brand::of_name(other), None, "{other}");
        }
    }

    #[test]
    fn the_environment_of_each_terminal() {
        let xterm = ("TERM", "xterm-256color");
        assert_eq!(brand(&[("TERM", "xterm-kitty")]), Some(Brand::Kitty));
        assert_eq!(brand(&[("TERM", "foot-extra")]), Some(Brand::Foot));
        assert_eq!(brand(&[("TERM", "linux")]), Some(Brand::LinuxConsole));
        assert_eq!(
            brand(&[("TERM", "rxvt-unicode-256color")]),
            Some(Brand::Rxvt)
        );
        assert_eq!(brand(&[xterm, ("VTE_VERSION", "7006")]), Some(Brand::Vte));
        assert_eq!(
            brand(&[xterm, ("WT_SESSION", "5b2c")]),
            Some(Brand::WindowsTerminal)
        );
        assert_eq!(
            brand(&[xterm, ("TERM_PROGRAM", "Apple_Terminal")]),
            Some(Brand::AppleTerminal)
        );
        assert_eq!(
            brand(&[xterm, ("TERM_PROGRAM", "WarpTerminal")]),
            Some(Brand::Warp)
        );
        // By ssh.
        assert_eq!(
            brand(&[xterm, ("LC_TERMINAL", "iTerm2")]),
            Some(Brand::Iterm2)
        );
        assert_eq!(brand(&[xterm]), None);
        assert_eq!(brand(&[]), None);
    }

    #[test]
    fn what_was_inherited_counts_least() {
        let kitty = ("KITTY_WINDOW_ID", "1");
        let code = ("TERM_PROGRAM", "vscode");
        assert_eq!(
            brand(&[("TERM", "xterm-256color"), kitty, code]),
            Some(Brand::VsCode)
        );
        assert_eq!(
            brand(&[("TERM", "alacritty"), kitty, code]),
            Some(Brand::Alacritty)
        );
        assert_eq!(brand(&[("TERM", "xterm"), kitty]), Some(Brand::Kitty));
        let vte = ("VTE_VERSION", "7006");
        assert_eq!(
            brand(&[("TERM", "xterm-256color"), kitty, vte]),
            Some(Brand::Vte)
        );
    }

    #[test]
    fn versions_are_the_first_two_numbers() {
        assert_eq!(version("kitty(0.26.5)"), Some((0, 26)));
        assert_eq!(version("ghostty 1.2.0-dev"), Some((1, 2)));
        assert_eq!(version("XTerm(398)"), None);
        assert_eq!(version("x 99999999999.1"), None);
    }

    #[test]
    fn every_brand_has_its_line() {
        for (index, known) in KNOWN.iter().enumerate() {
            let first = KNOWN.iter().position(|other| other.brand == known.brand);
            assert_eq!(first, Some(index), "{:?}", known.brand);
            for sign in [known.name, known.term, known.program] {
                assert_eq!(sign, sign.to_lowercase());
            }
        }
    }
}
