//! What the terminal says of itself, asked in one round trip, before anybody reads keys.

mod answers;
#[cfg(test)]
pub(super) mod recorded;

use std::io::{self, Write};
use std::time::{Duration, Instant};

use crossterm::execute;
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::stdio::stdin;

use super::brand::Brand;
use super::canvas;
use super::multiplexer::{Multiplexer, Tmux};
use super::passthrough::wrapped;
use super::ping::PICTURE;
use super::variable;
use answers::{Answers, parties};

/// What a terminal on a slow line may take. Nearly all answer the last question, so that hardly any takes it all.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a terminal around tmux may take longer than tmux.
const GRACE: Duration = Duration::from_secs(1);

/// The same where tmux may let nothing through, and the terminal isn't farther away than tmux.
const LITTLE_GRACE: Duration = Duration::from_millis(200);

/// More than all answers together.
const LONGEST_ANSWER: usize = 4096;

const NAME: &[u8] = b"\x1b[>q";
const BACKGROUND: &[u8] = b"\x1b]11;?\x1b\\";
const CELL: &[u8] = b"\x1b[16t";
/// How many colours a sixel picture may have, and how large it may be.
const SIXEL: &[u8] = b"\x1b[?1;1;0S\x1b[?2;1;0S";
const ITERM2: &[u8] = b"\x1b]1337;ReportCellSize\x1b\\";
/// What it is and has (DA1). Every terminal answers this. Answers come in the order of the questions, so that nothing
/// comes after this one's.
const KIND: &[u8] = b"\x1b[c";

/// What is known of a terminal.
#[allow(clippy::struct_excessive_bools, reason = "each is an answer by itself")]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Traits {
    /// What it answers for its name and version; inside tmux that of the terminal around it.
    pub name: Option<String>,
    /// The terminal, if it is a known one; inside tmux the one around it.
    pub brand: Option<Brand>,
    /// What stands between.
    pub multiplexer: Option<Multiplexer>,
    /// It takes pictures of kitty's protocol, from here or through tmux: it answered that.
    pub kitty: bool,
    /// It answers iTerm2's questions, from here or through tmux.
    pub iterm2: bool,
    /// It announces sixel; in tmux, both do.
    pub sixel: bool,
    /// How many colours a sixel picture may have.
    pub registers: Option<u32>,
    /// (height, width) of the largest sixel picture, in pixels.
    pub largest: Option<[u32; 2]>,
    /// Red, green and blue of its background: it answered that, from here or through tmux.
    pub background: Option<[u8; 3]>,
    /// That was answered to the bare question, by the terminal or by tmux in its place.
    pub answers_background: bool,
    /// (height, width) of a cell in pixels.
    pub cell: Option<[u16; 2]>,
    /// Who says so.
    pub cell_source: Option<CellSource>,
    /// How long the answers took; nothing if there were none.
    pub took: Option<Duration>,
}

/// Who says how large a cell is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellSource {
    /// The system, of the window.
    Window,
    /// The terminal, or tmux in its place.
    Terminal,
    /// The terminal around tmux.
    Outer,
    /// The terminal, asked as iTerm2 is.
    Iterm2,
}

impl CellSource {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Window => "window",
            Self::Terminal => "terminal",
            Self::Outer => "outer",
            Self::Iterm2 => "iterm2",
        }
    }

    /// In a few words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Window => "from the window's size",
            Self::Terminal => "as the terminal answers",
            Self::Outer => "as the terminal around tmux answers",
            Self::Iterm2 => "as the terminal answers iTerm2's question",
        }
    }
}

impl Traits {
    /// Asks the terminal, which must be raw and have nobody else reading from it. What it doesn't answer, or not in
    /// two seconds, it is taken not to have.
    pub(super) fn ask() -> Self {
        Self::ask_through(&mut io::stdout())
    }

    /// Asks the terminal that `out` writes to and standard input reads from, for a program that has no screen. The
    /// questions go to the terminal's other page, so that nothing stays of what it prints instead of understanding.
    ///
    /// # Errors
    /// If the terminal can't be made raw.
    pub fn ask_aside(out: &mut impl Write) -> io::Result<Self> {
        let mut aside = Aside::enter(out)?;
        Ok(Self::ask_through(&mut aside.out))
    }

    fn ask_through(out: &mut impl Write) -> Self {
        let mut multiplexer = Multiplexer::detect();
        if let Some(Multiplexer::Tmux(tmux)) = &mut multiplexer
            && variable("TMUX").is_some()
        {
            *tmux = Tmux::ask();
        }
        let manners = Manners::of(multiplexer.as_ref(), &variable);
        let mut found = manners.converse(out);
        let unseen = matches!(multiplexer, Some(Multiplexer::Screen)) && variable("STY").is_none();
        if unseen && found.name().is_some_and(|name| name.starts_with("tmux")) {
            // On another machine, under a name that says nothing.
            multiplexer = Some(Multiplexer::Tmux(Tmux::default()));
            found = Manners::of(multiplexer.as_ref(), &variable).converse(out);
        }
        let mut traits = Self::from_answers(found, multiplexer, &variable);
        if let Some(cell) = canvas::cell_of_window() {
            traits.cell = Some(cell);
            traits.cell_source = Some(CellSource::Window);
        }
        traits
    }

    /// From what was answered by the terminal, or by tmux and the terminal around it.
    fn from_answers(
        found: Found,
        multiplexer: Option<Multiplexer>,
        variable: &impl Fn(&str) -> Option<String>,
    ) -> Self {
        let took = found.took;
        let mut all = found.parties.into_iter();
        let own = all.next().unwrap_or_default();
        let outer = all.next().unwrap_or_default();
        match multiplexer {
            Some(Multiplexer::Tmux(tmux)) => Self::through_tmux(own, outer, tmux, took),
            multiplexer => {
                let (cell, cell_source) = cell(&[
                    (own.cell, CellSource::Terminal),
                    (own.iterm2, CellSource::Iterm2),
                ]);
                let known = Brand::of_variables(variable);
                let brand = match own.name.as_deref().map(Brand::of_name) {
                    // The one doesn't say that it is the other.
                    Some(Some(Brand::XtermJs)) if known == Some(Brand::VsCode) => known,
                    Some(brand) => brand,
                    None => known,
                };
                Self {
                    brand: brand.filter(|_| multiplexer.is_none()),
                    multiplexer,
                    sixel: own.sixel(),
                    cell,
                    cell_source,
                    kitty: own.kitty,
                    iterm2: own.iterm2.is_some(),
                    registers: own.registers,
                    largest: own.largest,
                    background: own.background,
                    answers_background: own.background.is_some(),
                    name: own.name,
                    took,
                }
            }
        }
    }

    fn through_tmux(own: Answers, outer: Answers, mut tmux: Tmux, took: Option<Duration>) -> Self {
        let sixel = own.sixel() && (tmux.sixel || outer.sixel());
        if tmux.version.is_none() {
            let answered = own
                .name
                .as_deref()
                .and_then(|name| name.strip_prefix("tmux "));
            tmux.version = answered.map(str::to_owned);
        }
        if tmux.passthrough.is_none() && outer.attributes.is_some() {
            tmux.passthrough = Some(true);
        }
        let name = outer.name.or_else(|| tmux.outer.clone());
        let (cell, cell_source) = cell(&[
            (own.cell, CellSource::Terminal),
            (outer.cell, CellSource::Outer),
            (outer.iterm2, CellSource::Iterm2),
        ]);
        Self {
            brand: match &name {
                Some(name) => Brand::of_name(name),
                None => {
                    Brand::of_variables(|name| tmux.outer_term.clone().filter(|_| name == "TERM"))
                }
            },
            name,
            sixel,
            kitty: outer.kitty,
            iterm2: outer.iterm2.is_some(),
            registers: own.registers,
            largest: own.largest,
            background: own.background.or(outer.background),
            answers_background: own.background.is_some(),
            cell,
            cell_source,
            multiplexer: Some(Multiplexer::Tmux(tmux)),
            took,
        }
    }

    /// tmux, if it stands between.
    pub fn tmux(&self) -> Option<&Tmux> {
        match &self.multiplexer {
            Some(Multiplexer::Tmux(tmux)) => Some(tmux),
            _ => None,
        }
    }
}

/// The first size that a cell can have.
fn cell(answers: &[(Option<[f32; 2]>, CellSource)]) -> (Option<[u16; 2]>, Option<CellSource>) {
    let mut sizes = answers.iter().filter_map(|&(size, source)| {
        let whole = size?.map(|side| side.round() as u16);
        Some((canvas::sensible(whole)?, source))
    });
    sizes.next().unzip()
}

/// What is asked, and how long answers are waited for.
#[derive(Debug, PartialEq, Eq)]
struct Manners {
    questions: Vec<u8>,
    /// How many answer: the terminal, or tmux and the terminal.
    parties: usize,
    /// How much longer than the first the second may take.
    grace: Duration,
}

impl Manners {
    /// What the terminal around can be asked without its printing it, and without answers that come after the last.
    fn of(multiplexer: Option<&Multiplexer>, variable: &impl Fn(&str) -> Option<String>) -> Self {
        let brand = Brand::of_variables(variable);
        let mut questions: Vec<&[u8]> = match multiplexer {
            // screen takes kitty's question for a title, and hands on that for the background, whose answer comes late.
            Some(Multiplexer::Screen) => vec![NAME],
            // tmux takes kitty's question for a title.
            Some(Multiplexer::Tmux(_)) => vec![NAME, BACKGROUND, CELL, SIXEL],
            None => match brand {
                Some(Brand::LinuxConsole) => vec![],
                Some(Brand::AppleTerminal) => vec![BACKGROUND],
                // Prints kitty's question.
                Some(Brand::Rxvt | Brand::Terminology) => vec![NAME, BACKGROUND, CELL, SIXEL],
                _ => vec![NAME, BACKGROUND, CELL, SIXEL, ITERM2, PICTURE],
            },
        };
        questions.push(KIND);
        let mut manners = Self {
            questions: questions.concat(),
            parties: 1,
            grace: Duration::ZERO,
        };
        if let Some(Multiplexer::Tmux(tmux)) = multiplexer
            && (tmux.lets_ask() || variable("TMUX").is_none())
        {
            let all = [NAME, BACKGROUND, CELL, ITERM2, PICTURE, KIND].concat();
            manners.questions.extend(wrapped(&all));
            manners.parties = 2;
            manners.grace = if tmux.lets_ask() { GRACE } else { LITTLE_GRACE };
        }
        manners
    }

    fn converse(&self, out: &mut impl Write) -> Found {
        let start = Instant::now();
        let asked = out.write_all(&self.questions).and_then(|()| out.flush());
        match asked {
            Ok(()) => listen(self.parties, self.grace, start),
            Err(_) => Found::default(),
        }
    }
}

#[derive(Debug, Default)]
struct Found {
    parties: Vec<Answers>,
    took: Option<Duration>,
}

impl Found {
    fn name(&self) -> Option<&str> {
        self.parties.first()?.name.as_deref()
    }
}

/// What comes until as many have answered everything.
fn listen(count: usize, grace: Duration, start: Instant) -> Found {
    let mut end = start + PATIENCE;
    let mut bytes = Vec::new();
    let mut piece = [0; LONGEST_ANSWER];
    let mut found = Found::default();
    while bytes.len() < LONGEST_ANSWER {
        let left = end.saturating_duration_since(Instant::now());
        let Ok(left) = Timespec::try_from(left) else {
            break;
        };
        let input = stdin();
        match poll(&mut [PollFd::new(&input, PollFlags::IN)], Some(&left)) {
            Err(rustix::io::Errno::INTR) => continue,
            Ok(1..) => {}
            _ => break,
        }
        match rustix::io::read(input, &mut piece) {
            Ok(count @ 1..) => bytes.extend_from_slice(&piece[..count]),
            Err(rustix::io::Errno::INTR) => continue,
            _ => break,
        }
        found.parties = parties(&bytes);
        let finished = found
            .parties
            .iter()
            .filter(|party| party.attributes.is_some());
        match finished.count() {
            0 => {}
            finished if finished < count => {
                let first = *found.took.get_or_insert_with(|| start.elapsed());
                // The second is farther away, by as much again at least.
                end = end.min(start + 2 * first + grace);
            }
            _ => {
                found.took = Some(start.elapsed());
                break;
            }
        }
    }
    found
}

/// A terminal that is raw and shows its other page, until it is dropped.
struct Aside<'a, W: Write> {
    out: &'a mut W,
}

impl<'a, W: Write> Aside<'a, W> {
    fn enter(out: &'a mut W) -> io::Result<Self> {
        enable_raw_mode()?;
        // From here on, dropping it restores the terminal.
        let aside = Self { out };
        execute!(aside.out, EnterAlternateScreen)?;
        Ok(aside)
    }
}

impl<W: Write> Drop for Aside<'_, W> {
    fn drop(&mut self) {
        // There is nothing to be done about errors: the terminal may be gone.
        let _ = execute!(self.out, LeaveAlternateScreen);
        let _ = disable_raw_mode();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none(_: &str) -> Option<String> {
        None
    }

    fn in_environment<'a>(
        variables: &'a [(&'a str, &'a str)],
    ) -> impl Fn(&str) -> Option<String> + use<'a> {
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
        move |name| find(name).map(|(_, value)| (*value).to_owned())
    }

    fn found(bytes: &[u8]) -> Found {
        Found {
            parties: parties(bytes),
            took: Some(Duration::from_millis(3)),
        }
    }

    fn direct(bytes: &[u8], variables: &[(&str, &str)]) -> Traits {
        Traits::from_answers(found(bytes), None, &in_environment(variables))
    }

    fn in_tmux(bytes: &[u8], tmux: Tmux) -> Traits {
        Traits::from_answers(found(bytes), Some(Multiplexer::Tmux(tmux)), &none)
    }

    #[test]
    fn a_terminal_with_everything() {
        let answers = b"\x1bP>|kitty(0.41.1)\x1b\\\x1b]11;rgb:0000/0000/0000\x1b\\\x1b[6;17;8t\
                        \x1b_Gi=31;OK\x1b\\\x1b[?62;c";
        assert_eq!(
            direct(answers, &[]),
            Traits {
                name: Some("kitty(0.41.1)".to_owned()),
                brand: Some(Brand::Kitty),
                kitty: true,
                background: Some([0; 3]),
                answers_background: true,
                cell: Some([17, 8]),
                cell_source: Some(CellSource::Terminal),
                took: Some(Duration::from_millis(3)),
                ..Traits::default()
            }
        );
    }

    #[test]
    fn a_terminal_with_little() {
        let silent = Traits::from_answers(Found::default(), None, &none);
        assert_eq!(silent, Traits::default());
        let little = direct(b"\x1b[?1;2c", &[("TERM", "rxvt-unicode-256color")]);
        assert_eq!(little.brand, Some(Brand::Rxvt));
        assert!(!little.kitty && !little.sixel && little.name.is_none());
    }

    #[test]
    fn a_cell_of_no_size_is_none() {
        for answer in [
            "\x1b[6;0;9t",
            "\x1b[6;9999;9t",
            "\x1b]1337;ReportCellSize=inf;nan\x07",
        ] {
            assert_eq!(direct(answer.as_bytes(), &[]).cell, None, "{answer:?}");
        }
        let retina = direct(
            b"\x1b]1337;ReportCellSize=17.0;7.5;2.0\x1b\\\x1b[?62;4c",
            &[],
        );
        assert_eq!(retina.cell, Some([34, 15]));
        assert_eq!(retina.cell_source, Some(CellSource::Iterm2));
    }

    #[test]
    fn a_name_says_more_than_the_environment() {
        let kitty = [("KITTY_WINDOW_ID", "1")];
        let brand = |answers: &[u8], variables| direct(answers, variables).brand;
        assert_eq!(
            brand(b"\x1bP>|XTerm(398)\x1b\\", &kitty),
            Some(Brand::Xterm)
        );
        assert_eq!(brand(b"\x1bP>|Zellij(4003)\x1b\\", &kitty), None);
        assert_eq!(brand(b"", &kitty), Some(Brand::Kitty));
        let code = [("TERM_PROGRAM", "vscode")];
        let embedded = b"\x1bP>|xterm.js(6.1.0-beta.337)\x1b\\";
        assert_eq!(brand(embedded, &code), Some(Brand::VsCode));
        assert_eq!(brand(embedded, &[]), Some(Brand::XtermJs));
    }

    #[test]
    fn through_tmux_two_answer() {
        // tmux 3.3a in kitty 0.41: tmux doesn't know the background, nor the cell.
        let both = b"\x1bP>|tmux 3.3a\x1b\\\x1b[?1;2c\x1bP>|kitty(0.41.1)\x1b\\\x1b]11;rgb:0000/0000/0000\x1b\\\
                     \x1b[6;17;8t\x1b_Gi=31;OK\x1b\\\x1b[?62;c";
        let traits = in_tmux(both, Tmux::default());
        assert_eq!(traits.brand, Some(Brand::Kitty));
        assert!(traits.kitty && traits.background == Some([0; 3]));
        assert!(!traits.answers_background);
        assert_eq!(traits.cell_source, Some(CellSource::Outer));
        let tmux = traits.tmux().unwrap();
        assert_eq!(tmux.version.as_deref(), Some("3.3a"));
        assert_eq!(tmux.passthrough, Some(true));

        // Where nothing gets through tmux still says what it is in.
        let known = Tmux {
            passthrough: Some(false),
            outer: Some("kitty(0.41.1)".to_owned()),
            ..Tmux::default()
        };
        let traits = in_tmux(b"\x1bP>|tmux 3.5a\x1b\\\x1b[?1;2;4c", known);
        assert_eq!(traits.brand, Some(Brand::Kitty));
        assert!(!traits.kitty && traits.tmux().unwrap().passthrough == Some(false));
    }

    #[test]
    fn sixel_in_tmux_takes_both() {
        let able = Tmux {
            sixel: true,
            ..Tmux::default()
        };
        let tmux_only = b"\x1b[?1;2;4c\x1b[?62;c";
        assert!(!in_tmux(tmux_only, Tmux::default()).sixel);
        assert!(in_tmux(tmux_only, able.clone()).sixel);
        assert!(in_tmux(b"\x1b[?1;2;4c\x1b[?62;4c", Tmux::default()).sixel);
        assert!(!in_tmux(b"\x1b[?1;2c\x1b[?62;4c", able).sixel);
    }

    #[test]
    fn nobody_is_asked_what_harms() {
        let asked = |variables: &[(&str, &str)], part: &[u8]| {
            let variable = in_environment(variables);
            let multiplexer = Multiplexer::from_variables(&variable);
            let questions = Manners::of(multiplexer.as_ref(), &variable).questions;
            assert!(questions.windows(KIND.len()).any(|window| window == KIND));
            questions.windows(part.len()).any(|window| window == part)
        };
        assert!(asked(&[("TERM", "xterm-256color")], PICTURE));
        assert!(asked(&[("TERM", "xterm-256color")], ITERM2));
        for other in ["rxvt", "linux", "screen.xterm"] {
            assert!(!asked(&[("TERM", other)], PICTURE), "{other}");
        }
        assert!(!asked(&[("TERM_PROGRAM", "Apple_Terminal")], PICTURE));
        assert!(!asked(&[("TERM", "screen")], BACKGROUND));
        // In tmux of another machine kitty's question is wrapped.
        assert!(!asked(&[("TERM", "tmux-256color")], PICTURE));
        assert!(asked(&[("TERM", "tmux-256color")], b"\x1b\x1b_Gi=31"));
        // In one that can't be asked whether it would hand it on, nothing is.
        assert!(!asked(
            &[("TERM", "tmux-256color"), ("TMUX", "x")],
            b"\x1b\x1b_Gi=31"
        ));
    }
}
