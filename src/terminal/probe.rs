//! What the terminal says of itself, asked in one round trip, before anybody reads keys.

use std::env;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::stdio::stdin;

use super::canvas;

/// What a terminal on a slow line may take. Nearly all answer the last question, so that hardly any takes it all.
const PATIENCE: Duration = Duration::from_secs(2);

/// More than all answers together.
const LONGEST_ANSWER: usize = 4096;

/// Whether pictures of kitty's protocol are understood: a picture of one pixel that isn't kept.
const KITTY: &[u8] = b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\";

/// The background, the size of a cell, and what every terminal answers: its kind (DA1). Answers come in the order of
/// the questions, so that nothing comes after this one's.
const QUESTIONS: &[u8] = b"\x1b]11;?\x1b\\\x1b[16t\x1b[c";

/// What a terminal answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traits {
    /// It shows pictures of kitty's protocol.
    pub kitty: bool,
    /// Red, green and blue of its background.
    pub background: Option<[u8; 3]>,
    /// (height, width) of a cell in pixels.
    pub cell: Option<[u16; 2]>,
}

impl Traits {
    /// Asks the terminal, which must be raw and have nobody else reading from it. What it doesn't answer, or not in
    /// two seconds, it is taken not to have.
    pub(super) fn ask() -> Self {
        let mut questions = Vec::new();
        // A multiplexer swallows the picture, or shows it in the wrong place.
        if !in_multiplexer() {
            questions.extend_from_slice(KITTY);
        }
        questions.extend_from_slice(QUESTIONS);
        let mut out = io::stdout();
        if out
            .write_all(&questions)
            .and_then(|()| out.flush())
            .is_err()
        {
            return Self::default();
        }
        let mut found = Self::from_answers(&answers());
        found.cell = canvas::cell_of_window().or(found.cell);
        found
    }

    fn from_answers(bytes: &[u8]) -> Self {
        Self {
            kitty: between(bytes, b"\x1b_Gi=31;", b"\x1b\\") == Some(b"OK"),
            background: background(bytes),
            cell: between(bytes, b"\x1b[6;", b"t").and_then(cell),
        }
    }
}

/// Whether this runs inside tmux or screen, which draw on the terminal in the program's place.
pub fn in_multiplexer() -> bool {
    let term = env::var("TERM").unwrap_or_default();
    env::var_os("TMUX").is_some() || term.starts_with("tmux") || term.starts_with("screen")
}

/// What comes from the terminal, until the last answer is there.
fn answers() -> Vec<u8> {
    let end = Instant::now() + PATIENCE;
    let mut bytes = Vec::new();
    let mut piece = [0; LONGEST_ANSWER];
    while between(&bytes, b"\x1b[?", b"c").is_none() && bytes.len() < LONGEST_ANSWER {
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
            Err(rustix::io::Errno::INTR) => {}
            _ => break,
        }
    }
    bytes
}

/// What stands between two marks; nothing if an escape sequence begins there.
fn between<'a>(bytes: &'a [u8], before: &[u8], after: &[u8]) -> Option<&'a [u8]> {
    let start = find(bytes, before)? + before.len();
    let inner = &bytes[start..start + find(&bytes[start..], after)?];
    (!inner.contains(&0x1b)).then_some(inner)
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// `rgb:1e1e/2020/2f2f`, with one to four digits each, ended by BEL or ST.
fn background(bytes: &[u8]) -> Option<[u8; 3]> {
    let start = find(bytes, b"\x1b]11;rgb:")? + 9;
    let rest = &bytes[start..];
    let length = rest
        .iter()
        .position(|byte| !byte.is_ascii_hexdigit() && *byte != b'/')?;
    let text = std::str::from_utf8(&rest[..length]).ok()?;
    let mut parts = text.split('/').map(|part| {
        let most = 16_u32.checked_pow(part.len() as u32)?.checked_sub(1)?;
        let value = u32::from_str_radix(part, 16).ok()?;
        (part.len() <= 4).then(|| (value * 255 / most) as u8)
    });
    let rgb = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(rgb)
}

/// `HEIGHT;WIDTH`.
fn cell(text: &[u8]) -> Option<[u16; 2]> {
    let (height, width) = std::str::from_utf8(text).ok()?.split_once(';')?;
    canvas::sensible([height.parse().ok()?, width.parse().ok()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_with_everything() {
        let answers = b"\x1b_Gi=31;OK\x1b\\\x1b]11;rgb:1e1e/2020/ffff\x1b\\\x1b[6;18;9t\x1b[?62;c";
        assert_eq!(
            Traits::from_answers(answers),
            Traits {
                kitty: true,
                background: Some([0x1e, 0x20, 0xff]),
                cell: Some([18, 9]),
            }
        );
    }

    #[test]
    fn a_terminal_with_little() {
        assert_eq!(Traits::from_answers(b"\x1b[?1;2c"), Traits::default());
        assert_eq!(Traits::from_answers(b""), Traits::default());
        let refused = b"\x1b_Gi=31;EINVAL: no\x1b\\\x1b]11;rgb:f/f/f\x07\x1b[?1;2c";
        let found = Traits::from_answers(refused);
        assert!(!found.kitty && found.background == Some([255; 3]));
    }

    #[test]
    fn nonsense_is_no_answer() {
        for answer in [
            &b"\x1b]11;rgb:12/34\x07"[..],
            b"\x1b]11;rgb:12345/1/1\x07",
            b"\x1b]11;rgb:///\x07",
            b"\x1b]11;rgb:1/1/1",
            b"\x1b[6;0;9t",
            b"\x1b[6;99999;9t",
            b"\x1b[6;18t",
            b"\x1b_Gi=31;OK",
        ] {
            assert_eq!(
                Traits::from_answers(answer),
                Traits::default(),
                "{}",
                answer.escape_ascii()
            );
        }
    }

    #[test]
    fn keys_between_the_answers_do_no_harm() {
        let answers = b"jj\x1b]11;rgb:0000/0000/0000\x1b\\q\x1b[A\x1b[6;20;10t\x1b[?62;22c";
        let found = Traits::from_answers(answers);
        assert_eq!(
            (found.background, found.cell),
            (Some([0; 3]), Some([20, 10]))
        );
    }
}
