//! tmux and GNU screen, which draw on the terminal in the program's place, and keep from it what they don't know.

use std::env;
use std::io::Read;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::canvas::Protocol;

/// What stands between the program and the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Multiplexer {
    /// Hands on what is wrapped for it, if it is allowed to.
    Tmux(Tmux),
    /// Hands on nothing that is of use here.
    Screen,
}

/// What tmux says of itself and of the terminal around it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tmux {
    /// Its version. Nothing if tmux can't be asked; everything else is unknown then.
    pub version: Option<String>,
    /// Whether what is wrapped gets through. Versions before 3.3 have no such option, and let everything through.
    pub passthrough: Option<bool>,
    /// The name and version of the terminal around it.
    pub outer: Option<String>,
    /// That terminal's `TERM`.
    pub outer_term: Option<String>,
    /// Whether tmux shows sixel pictures on that terminal.
    pub sixel: bool,
    /// Whether keys come to this pane: answers of the terminal go where keys go.
    pub watched: bool,
}

/// tmux answers in a few milliseconds.
const PATIENCE: Duration = Duration::from_millis(300);

/// What tmux is asked for; the terminal's name comes last, since it may hold anything.
const FORMAT: &str = "#{version}|#{allow-passthrough}|#{client_termfeatures}|#{session_attached}|#{window_active}|#{pane_active}|\
                      #{client_termname}|#{client_termtype}";

/// More than tmux has to say.
const LONGEST_ANSWER: usize = 4096;

impl Multiplexer {
    /// What the environment says. tmux is not asked yet.
    pub fn detect() -> Option<Self> {
        Self::from_variables(super::variable)
    }

    /// `TMUX` and `STY` don't come along to another machine, but `TERM` does.
    pub(super) fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let term = variable("TERM").unwrap_or_default();
        let screen = term.starts_with("screen");
        // Each may run inside the other, and inherits its variable.
        if screen && (variable("STY").is_some() || variable("TMUX").is_none()) {
            Some(Self::Screen)
        } else if variable("TMUX").is_some() || term.starts_with("tmux") {
            Some(Self::Tmux(Tmux::default()))
        } else {
            None
        }
    }

    /// Why a protocol can't be wanted here, if so.
    pub fn refusal(&self, protocol: Protocol) -> Option<String> {
        let refused =
            *self == Self::Screen && matches!(protocol, Protocol::Kitty | Protocol::Iterm2);
        refused.then(|| {
            format!(
                "{}'s pictures don't get through GNU screen: use --protocol halfblocks",
                protocol.name()
            )
        })
    }
}

impl Tmux {
    /// Asks the tmux around this program, in a process that doesn't outlive the call.
    pub(super) fn ask() -> Self {
        let mut command = Command::new("tmux");
        command.args(["display-message", "-p"]);
        if let Some(pane) = env::var_os("TMUX_PANE") {
            command.arg("-t").arg(pane);
        }
        command
            .arg(FORMAT)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let Ok(mut child) = command.spawn() else {
            return Self::default();
        };
        let answer = child.stdout.take().and_then(read_all);
        end(&mut child);
        answer
            .and_then(|answer| Self::from_answer(&answer))
            .unwrap_or_default()
    }

    pub(super) fn from_answer(answer: &str) -> Option<Self> {
        let mut parts = answer.trim_end_matches('\n').splitn(8, '|');
        let version = parts.next().filter(|version| !version.is_empty())?;
        let passthrough = match parts.next()? {
            "" => None,
            choice => Some(matches!(choice, "1" | "on" | "all")),
        };
        let sixel = parts.next()?.split(',').any(|feature| feature == "sixel");
        let attached = parts.next()? != "0";
        let window = parts.next()? == "1";
        let pane = parts.next()? == "1";
        let [term, outer] = [parts.next()?, parts.next()?];
        let known = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Some(Self {
            version: Some(version.to_owned()),
            passthrough,
            outer: known(outer),
            outer_term: known(term),
            sixel,
            watched: attached && window && pane,
        })
    }

    /// Whether a terminal may be asked through it, and its answers come back.
    pub(super) fn lets_ask(&self) -> bool {
        self.watched && self.passthrough != Some(false)
    }
}

/// All that a process writes in time.
fn read_all(mut output: ChildStdout) -> Option<String> {
    let end = Instant::now() + PATIENCE;
    let mut bytes = Vec::new();
    let mut piece = [0; LONGEST_ANSWER];
    while bytes.len() < LONGEST_ANSWER {
        let left = end.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).ok()?;
        match poll(&mut [PollFd::new(&output, PollFlags::IN)], Some(&left)) {
            Err(rustix::io::Errno::INTR) => continue,
            Ok(1..) => {}
            _ => return None,
        }
        match output.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => bytes.extend_from_slice(&piece[..count]),
            Err(_) => return None,
        }
    }
    String::from_utf8(bytes).ok()
}

/// Has the process end, gently if it does so by itself, and leaves nothing of it.
fn end(child: &mut Child) {
    // Having closed its output it is as good as gone.
    for _ in 0..10 {
        if child.try_wait().is_ok_and(|status| status.is_some()) {
            return;
        }
        thread::sleep(Duration::from_millis(1));
    }
    // Fails if it has ended meanwhile.
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(variables: &[(&str, &str)]) -> Option<Multiplexer> {
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
        Multiplexer::from_variables(|name| find(name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn the_environment_says_what_stands_between() {
        let tmux = Some(Multiplexer::Tmux(Tmux::default()));
        let socket = ("TMUX", "/run/tmux/default,1,0");
        assert_eq!(detect(&[("TERM", "xterm-kitty")]), None);
        assert_eq!(detect(&[("TERM", "tmux-256color"), socket]), tmux);
        assert_eq!(detect(&[("TERM", "xterm-256color"), socket]), tmux);
        assert_eq!(detect(&[("TERM", "screen-256color"), socket]), tmux);
        // On another machine.
        assert_eq!(detect(&[("TERM", "tmux-256color")]), tmux);
        assert_eq!(
            detect(&[("TERM", "screen.xterm-256color")]),
            Some(Multiplexer::Screen)
        );
        // screen inside tmux, and tmux inside screen.
        let session = ("STY", "1.pts-0.vm");
        assert_eq!(
            detect(&[("TERM", "screen.tmux-256color"), socket, session]),
            Some(Multiplexer::Screen)
        );
        assert_eq!(detect(&[("TERM", "tmux-256color"), socket, session]), tmux);
    }

    #[test]
    fn tmux_tells_all_in_a_line() {
        let answer =
            "3.3a|1|bpaste,ccolour,clipboard,cstyle,focus,title|1|1|1|xterm-kitty|kitty(0.41.1)\n";
        assert_eq!(
            Tmux::from_answer(answer),
            Some(Tmux {
                version: Some("3.3a".to_owned()),
                passthrough: Some(true),
                outer: Some("kitty(0.41.1)".to_owned()),
                outer_term: Some("xterm-kitty".to_owned()),
                sixel: false,
                watched: true,
            })
        );
        let newer = Tmux::from_answer("3.5a|off|focus,sixel,title|2|1|1|xterm|XTerm(398)").unwrap();
        assert!(newer.sixel && newer.passthrough == Some(false) && !newer.lets_ask());
        // Before 3.3 there was no such option.
        let older = Tmux::from_answer("3.2a||title|1|1|1||").unwrap();
        assert!(older.outer.is_none() && older.passthrough.is_none() && older.lets_ask());
        // Nobody looks, or not at this pane.
        for hidden in [
            "3.5a|on||0|1|1||",
            "3.5a|all||1|0|1|x|",
            "3.5a|on||1|1|0||x",
        ] {
            assert!(!Tmux::from_answer(hidden).unwrap().lets_ask(), "{hidden}");
        }
        for nonsense in ["", "\n", "3.5a", "|on||1|1|1|x|", "3.5a|on||1|1|1|x"] {
            assert_eq!(Tmux::from_answer(nonsense), None, "{nonsense:?}");
        }
    }

    #[test]
    fn screen_refuses_what_would_be_seen_as_garbage() {
        let screen = Multiplexer::Screen;
        assert!(
            screen
                .refusal(Protocol::Kitty)
                .unwrap()
                .contains("GNU screen")
        );
        assert!(screen.refusal(Protocol::Iterm2).is_some());
        assert_eq!(screen.refusal(Protocol::HalfBlocks), None);
        let tmux = Multiplexer::Tmux(Tmux::default());
        assert_eq!(tmux.refusal(Protocol::Kitty), None);
    }
}
