//! How pictures are drawn on a terminal, chosen from what is known of it, with the reasons.

use super::brand::{Brand, version};
use super::canvas::{Canvas, Protocol};
use super::color::ColorDepth;
use super::multiplexer::{Multiplexer, Tmux};
use super::probe::Traits;

/// What pictures are drawn with, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What with.
    pub canvas: Canvas,
    /// Why.
    pub why: String,
    /// What would make them better.
    pub hint: Option<Hint>,
}

/// Whether a protocol can be used on a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which.
    pub protocol: Protocol,
    /// Whether it is used if it is the best.
    pub usable: bool,
    /// What says so.
    pub evidence: String,
}

/// What the user can do to see more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// Let tmux hand pictures on.
    Passthrough,
    /// Take a newer kitty; pictures in tmux are what it lacks.
    NewerKitty,
    /// Start xterm with sixel.
    XtermSixel,
    /// Switch on VS Code's pictures.
    VsCodeImages,
}

impl Hint {
    /// In a line of less than 80 columns.
    pub fn short(self) -> &'static str {
        match self {
            Self::Passthrough => {
                "for pictures in tmux: tmux set -p allow-passthrough on, and start again"
            }
            Self::NewerKitty => "inside tmux, kitty 0.28 and newer show pictures",
            Self::XtermSixel => "for pictures start xterm so: xterm -ti vt340",
            Self::VsCodeImages => "for pictures switch on terminal.integrated.enableImages",
        }
    }

    /// All that there is to say.
    pub fn full(self) -> &'static str {
        match self {
            Self::Passthrough => {
                "tmux can hand pictures on: 'tmux set -p allow-passthrough on' in this pane, \
                 or for good 'set -g allow-passthrough on' in ~/.tmux.conf"
            }
            Self::NewerKitty => {
                "pictures in tmux stand in characters (kitty's Unicode placeholders), which kitty has since 0.28"
            }
            Self::XtermSixel => {
                "xterm shows pictures when it is started so: xterm -ti vt340; for good, 'XTerm*decTerminalID: vt340' \
                 in ~/.Xresources"
            }
            Self::VsCodeImages => {
                "VS Code shows pictures with \"terminal.integrated.enableImages\": true in its settings"
            }
        }
    }
}

impl Choice {
    /// What is wanted, whatever the terminal says; else the best that it has. Where no colours are wanted, pictures
    /// are characters.
    pub fn new(wanted: Option<Protocol>, depth: ColorDepth, traits: &Traits) -> Self {
        let (protocol, why, hint) = match wanted {
            Some(protocol) => (protocol, "it is asked for".to_owned(), None),
            None if depth == ColorDepth::Monochrome => {
                let why = "without colours pictures are characters";
                (Protocol::HalfBlocks, why.to_owned(), None)
            }
            None => best(traits),
        };
        Self {
            canvas: Canvas::new(protocol, traits),
            why,
            hint,
        }
    }
}

fn best(traits: &Traits) -> (Protocol, String, Option<Hint>) {
    let usable = Finding::all(traits)
        .into_iter()
        .find(|finding| finding.usable);
    let (protocol, evidence) = usable.map_or_else(
        || (Protocol::HalfBlocks, String::new()),
        |finding| (finding.protocol, finding.evidence),
    );
    if protocol.is_text() {
        (
            protocol,
            format!("{}, but {evidence}", no_pictures(traits)),
            hint(traits),
        )
    } else {
        (protocol, evidence, None)
    }
}

/// Why there is nothing better than characters.
fn no_pictures(traits: &Traits) -> &'static str {
    match &traits.multiplexer {
        Some(Multiplexer::Screen) => "GNU screen hands no pictures on",
        Some(Multiplexer::Tmux(tmux)) if tmux.passthrough == Some(false) => {
            "tmux hands no pictures on (allow-passthrough is off)"
        }
        Some(Multiplexer::Tmux(_)) => {
            "tmux and the terminal around it have no good pictures in common"
        }
        None if traits.took.is_none() => "the terminal doesn't answer",
        None => "the terminal shows no pictures",
    }
}

fn hint(traits: &Traits) -> Option<Hint> {
    if let Some(tmux) = traits.tmux() {
        return if has_placeholders(traits) {
            (tmux.passthrough == Some(false)).then_some(Hint::Passthrough)
        } else {
            (traits.brand == Some(Brand::Kitty)).then_some(Hint::NewerKitty)
        };
    }
    match traits.brand {
        Some(Brand::Xterm) => Some(Hint::XtermSixel),
        Some(Brand::VsCode) => Some(Hint::VsCodeImages),
        _ => None,
    }
}

impl Finding {
    /// Of every protocol, the best first.
    pub fn all(traits: &Traits) -> [Self; 5] {
        Protocol::ALL.map(|protocol| {
            let evidence = match protocol {
                Protocol::Kitty => kitty(traits),
                Protocol::Iterm2 => iterm2(traits),
                Protocol::Sixel => sixel(traits),
                Protocol::Quadrants => quadrants(traits),
                Protocol::HalfBlocks => Ok("any terminal has half-blocks".to_owned()),
            };
            let evidence = match traits.brand.and_then(|brand| brand.objection(protocol)) {
                Some(objection) => evidence.and(Err(objection.to_owned())),
                None => evidence,
            };
            Self {
                protocol,
                usable: evidence.is_ok(),
                evidence: evidence.unwrap_or_else(|why| why),
            }
        })
    }
}

/// Why a protocol can be used, or can't.
type Evidence = Result<String, String>;

fn kitty(traits: &Traits) -> Evidence {
    match &traits.multiplexer {
        Some(Multiplexer::Screen) => Err("GNU screen doesn't hand it on".to_owned()),
        Some(Multiplexer::Tmux(tmux)) => placeholders(tmux, traits),
        None if traits.kitty => Ok("the terminal answers its question".to_owned()),
        None => Err("the terminal doesn't answer its question".to_owned()),
    }
}

/// In tmux pictures must stand in characters, which tmux can move.
fn placeholders(tmux: &Tmux, traits: &Traits) -> Evidence {
    let Some(name) = &traits.name else {
        return Err("the terminal around tmux isn't known".to_owned());
    };
    if !has_placeholders(traits) {
        Err(format!(
            "{name} has no placeholders, which it takes in tmux"
        ))
    } else if tmux.passthrough == Some(false) {
        Err("tmux's allow-passthrough is off".to_owned())
    } else if traits.kitty {
        Ok(format!("{name} answers its question through tmux"))
    } else if tmux.passthrough == Some(true) && !tmux.watched {
        Ok(format!("tmux is in {name}, and allow-passthrough is on"))
    } else {
        Err(format!("{name} doesn't answer its question through tmux"))
    }
}

/// Whether the terminal knows kitty's Unicode placeholders.
fn has_placeholders(traits: &Traits) -> bool {
    match traits.brand {
        Some(Brand::Kitty) => traits.name.as_deref().and_then(version) >= Some((0, 28)),
        Some(Brand::Ghostty) => true,
        _ => false,
    }
}

fn iterm2(traits: &Traits) -> Evidence {
    let embedded = matches!(traits.brand, Some(Brand::VsCode | Brand::XtermJs));
    let known = traits.brand.is_some_and(Brand::shows_iterm2);
    match &traits.multiplexer {
        Some(Multiplexer::Screen) => Err("GNU screen doesn't hand it on".to_owned()),
        Some(Multiplexer::Tmux(_)) if known || traits.iterm2 => {
            Err("tmux doesn't know where its pictures are, and leaves them standing".to_owned())
        }
        None if traits.iterm2 => Ok("the terminal answers its question".to_owned()),
        None if known => Ok("the terminal is known to have it".to_owned()),
        None if embedded && traits.sixel => {
            Ok("the terminal has it together with sixel".to_owned())
        }
        _ => Err("the terminal doesn't answer its question".to_owned()),
    }
}

fn sixel(traits: &Traits) -> Evidence {
    match &traits.multiplexer {
        Some(Multiplexer::Screen) => Err("GNU screen doesn't hand it on".to_owned()),
        Some(Multiplexer::Tmux(_)) if traits.sixel => {
            Err("tmux takes a whole picture away when text touches it".to_owned())
        }
        Some(Multiplexer::Tmux(_)) => {
            Err("tmux and the terminal around it don't both have it".to_owned())
        }
        None if traits.sixel => Ok("the terminal announces it".to_owned()),
        None => Err("the terminal doesn't announce it".to_owned()),
    }
}

fn quadrants(traits: &Traits) -> Evidence {
    if traits.brand.is_some_and(Brand::draws_blocks) {
        Ok("the terminal draws blocks without seams".to_owned())
    } else {
        Err("whether blocks meet without seams isn't known".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::super::probe::recorded::RECORDED;
    use super::*;

    fn chosen(traits: &Traits) -> Choice {
        Choice::new(None, ColorDepth::Full, traits)
    }

    fn named(name: &str) -> Traits {
        Traits {
            name: Some(name.to_owned()),
            brand: Brand::of_name(name),
            took: Some(std::time::Duration::ZERO),
            ..Traits::default()
        }
    }

    fn in_tmux(name: &str, tmux: Tmux) -> Traits {
        Traits {
            multiplexer: Some(Multiplexer::Tmux(tmux)),
            ..named(name)
        }
    }

    #[test]
    fn what_recorded_terminals_get() {
        use Protocol::{HalfBlocks, Iterm2, Kitty, Quadrants, Sixel};
        let expected = [
            ("kitty 0.41", Kitty),
            ("kitty 0.26", Kitty),
            ("kitty by ssh", Kitty),
            ("xterm", HalfBlocks),
            ("xterm -ti vt340", Sixel),
            ("mlterm", Sixel),
            ("foot", Sixel),
            ("Konsole", Kitty),
            ("Alacritty", Quadrants),
            ("VTE", Quadrants),
            ("urxvt", HalfBlocks),
            ("st", HalfBlocks),
            ("QTerminal", HalfBlocks),
            ("Terminology", HalfBlocks),
            ("xterm.js 6.1", Iterm2),
            ("VS Code with images", Iterm2),
            ("screen", HalfBlocks),
            ("tmux 3.3 in kitty 0.41", Kitty),
            ("tmux 3.5 in kitty 0.41", Kitty),
            ("tmux 3.3 in kitty 0.26", Quadrants),
            ("tmux 3.3 in kitty 0.41, closed", Quadrants),
            ("tmux 3.3 in xterm -ti vt340", HalfBlocks),
            ("tmux 3.5 in xterm -ti vt340", HalfBlocks),
            ("tmux 3.5 in mlterm", HalfBlocks),
        ];
        for (recorded, (title, protocol)) in RECORDED.iter().zip(expected) {
            let choice = chosen(&recorded.traits());
            assert_eq!(recorded.title, title);
            assert_eq!(choice.canvas.protocol, protocol, "{title}: {}", choice.why);
            let wrapped = recorded.tmux.is_some() && protocol == Kitty;
            assert_eq!(choice.canvas.tmux, wrapped, "{title}");
        }
    }

    #[test]
    fn terminals_that_answer_to_more_than_is_good() {
        for name in ["WezTerm 20240203-110809-5046fc22", "iTerm2 3.5.10"] {
            let all = Traits {
                kitty: true,
                iterm2: true,
                sixel: true,
                ..named(name)
            };
            assert_eq!(chosen(&all).canvas.protocol, Protocol::Iterm2, "{name}");
            assert_eq!(
                chosen(&named(name)).canvas.protocol,
                Protocol::Iterm2,
                "{name}"
            );
        }
        let unknown = Traits {
            kitty: true,
            iterm2: true,
            sixel: true,
            ..Traits::default()
        };
        assert_eq!(chosen(&unknown).canvas.protocol, Protocol::Kitty);
        let warp = Traits {
            brand: Some(Brand::Warp),
            kitty: false,
            ..unknown
        };
        assert_eq!(chosen(&warp).canvas.protocol, Protocol::Sixel);
    }

    #[test]
    fn what_is_wanted_comes_first() {
        let tmux = Tmux {
            passthrough: Some(false),
            ..Tmux::default()
        };
        for protocol in Protocol::ALL {
            let choice = Choice::new(Some(protocol), ColorDepth::Monochrome, &Traits::default());
            assert_eq!(choice.canvas.protocol, protocol);
            let choice = Choice::new(
                Some(protocol),
                ColorDepth::Full,
                &in_tmux("kitty(0.41.1)", tmux.clone()),
            );
            assert_eq!((choice.canvas.protocol, choice.hint), (protocol, None));
        }
    }

    #[test]
    fn without_colours_pictures_are_characters() {
        let choice = Choice::new(None, ColorDepth::Monochrome, &RECORDED[0].traits());
        assert_eq!(choice.canvas.protocol, Protocol::HalfBlocks);
    }

    #[test]
    fn placeholders_take_tmux_and_a_terminal_that_has_them() {
        let open = Tmux {
            passthrough: Some(true),
            watched: true,
            ..Tmux::default()
        };
        let protocol = |name: &str, kitty, tmux: &Tmux| {
            let traits = Traits {
                kitty,
                ..in_tmux(name, tmux.clone())
            };
            chosen(&traits).canvas.protocol
        };
        assert_eq!(protocol("ghostty 1.2.0", true, &open), Protocol::Kitty);
        assert_eq!(protocol("kitty(0.28.0)", true, &open), Protocol::Kitty);
        assert!(protocol("kitty(0.27.1)", true, &open).is_text());
        assert!(protocol("kitty(0.41.1)", false, &open).is_text());
        assert!(protocol("Konsole 22.12.3", true, &open).is_text());
        assert!(protocol("WezTerm 20240203", true, &open).is_text());
        // Whom keys don't come to isn't asked.
        let elsewhere = Tmux {
            watched: false,
            ..open
        };
        assert_eq!(
            protocol("kitty(0.41.1)", false, &elsewhere),
            Protocol::Kitty
        );
    }

    #[test]
    fn hints_are_for_those_who_can_do_something() {
        let hint = |title: &str| {
            let recorded = RECORDED.iter().find(|recorded| recorded.title == title);
            chosen(&recorded.unwrap().traits()).hint
        };
        assert_eq!(
            hint("tmux 3.3 in kitty 0.41, closed"),
            Some(Hint::Passthrough)
        );
        assert_eq!(hint("tmux 3.3 in kitty 0.26"), Some(Hint::NewerKitty));
        assert_eq!(hint("xterm"), Some(Hint::XtermSixel));
        let code = Traits {
            brand: Some(Brand::VsCode),
            ..Traits::default()
        };
        assert_eq!(chosen(&code).hint, Some(Hint::VsCodeImages));
        for title in [
            "kitty 0.41",
            "xterm -ti vt340",
            "tmux 3.3 in xterm -ti vt340",
            "screen",
            "st",
        ] {
            assert_eq!(hint(title), None, "{title}");
        }
        for hint in [
            Hint::Passthrough,
            Hint::NewerKitty,
            Hint::XtermSixel,
            Hint::VsCodeImages,
        ] {
            assert!(hint.short().len() < 80, "{hint:?}");
        }
    }

    #[test]
    fn every_reason_is_given() {
        for recorded in &RECORDED {
            let traits = recorded.traits();
            assert!(
                Finding::all(&traits)
                    .iter()
                    .all(|finding| !finding.evidence.is_empty())
            );
            assert!(!chosen(&traits).why.is_empty());
        }
        let silent = chosen(&Traits::default());
        assert_eq!(silent.canvas, Canvas::HALF_BLOCKS);
        assert!(silent.why.starts_with("the terminal doesn't answer"));
    }
}
