//! What terminals answer, found in what they send: keys may come in between, and anything may be cut off.

/// What one party answered, a terminal or a multiplexer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Answers {
    /// Its name and version (XTVERSION).
    pub(super) name: Option<String>,
    /// It takes kitty's pictures.
    pub(super) kitty: bool,
    /// What it is and has (DA1); the last answer of each party.
    pub(super) attributes: Option<Vec<u16>>,
    /// How many colours a sixel picture may have.
    pub(super) registers: Option<u32>,
    /// (height, width) of the largest sixel picture, in pixels.
    pub(super) largest: Option<[u32; 2]>,
    /// Red, green and blue of the background.
    pub(super) background: Option<[u8; 3]>,
    /// (height, width) of a cell, in pixels.
    pub(super) cell: Option<[f32; 2]>,
    /// The same as iTerm2 tells it: who does so knows iTerm2's pictures.
    pub(super) iterm2: Option<[f32; 2]>,
}

/// More is no terminal's name.
const LONGEST_NAME: usize = 80;

/// Each party's, in the order in which they finished; the last one may not have.
pub(super) fn parties(bytes: &[u8]) -> Vec<Answers> {
    let mut all = vec![Answers::default()];
    let mut finished = false;
    for sequence in sequences(bytes) {
        if finished {
            all.push(Answers::default());
        }
        if let Some(answers) = all.last_mut() {
            answers.take(sequence);
            finished = answers.attributes.is_some();
        }
    }
    all
}

impl Answers {
    /// The attribute that announces sixel.
    pub(super) fn sixel(&self) -> bool {
        let attributes = self.attributes.as_deref().unwrap_or_default();
        attributes.iter().skip(1).any(|&attribute| attribute == 4)
    }

    fn take(&mut self, sequence: Sequence) {
        match sequence {
            Sequence::Control(body) => self.take_control(body),
            Sequence::Application(body) => self.kitty |= body == b"Gi=31;OK",
            Sequence::Device(body) => {
                self.name = body.strip_prefix(b">|").and_then(name).or(self.name.take());
            }
            Sequence::System(body) => {
                if let Some(color) = body.strip_prefix(b"11;") {
                    self.background = color_of(color).or(self.background);
                }
                if let Some(size) = body.strip_prefix(b"1337;ReportCellSize=") {
                    self.iterm2 = points(size).or(self.iterm2);
                }
            }
        }
    }

    fn take_control(&mut self, body: &[u8]) {
        let Some((&last, parameters)) = body.split_last() else {
            return;
        };
        let Ok(parameters) = str::from_utf8(parameters) else {
            return;
        };
        match (last, parameters.strip_prefix('?')) {
            (b'c', Some(list)) => {
                // kitty's list ends in nothing.
                let attributes = list.split(';').map(|number| number.parse().unwrap_or(0));
                self.attributes = Some(attributes.collect());
            }
            (b'S', Some(list)) => match numbers::<u32>(list).as_deref() {
                Some(&[1, 0, count]) => self.registers = Some(count),
                Some(&[2, 0, width, height]) => self.largest = Some([height, width]),
                _ => {}
            },
            (b't', None) => {
                if let Some(&[6, height, width]) = numbers::<u16>(parameters).as_deref() {
                    self.cell = Some([height, width].map(f32::from));
                }
            }
            _ => {}
        }
    }
}

/// What stands between an introducer and its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sequence<'a> {
    /// From `ESC [` to a letter, which is its last byte.
    Control(&'a [u8]),
    /// From `ESC ]` to `ESC \` or BEL.
    System(&'a [u8]),
    /// From `ESC P`.
    Device(&'a [u8]),
    /// From `ESC _`.
    Application(&'a [u8]),
}

/// All that are whole.
fn sequences<'a>(bytes: &'a [u8]) -> impl Iterator<Item = Sequence<'a>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        loop {
            let start = rest.iter().position(|&byte| byte == 0x1b)? + 1;
            let (&kind, body) = rest.get(start..)?.split_first()?;
            let string: fn(&'a [u8]) -> Sequence<'a> = match kind {
                b'[' => {
                    let length = 1 + body.iter().position(|byte| !(0x20..0x40).contains(byte))?;
                    rest = &body[length..];
                    if (0x40..0x7f).contains(&body[length - 1]) {
                        return Some(Sequence::Control(&body[..length]));
                    }
                    // Something else cut it off, perhaps the next one.
                    rest = &body[length - 1..];
                    continue;
                }
                b']' => Sequence::System,
                b'P' => Sequence::Device,
                b'_' => Sequence::Application,
                _ => {
                    rest = &rest[start..];
                    continue;
                }
            };
            let length = body.iter().position(|byte| matches!(byte, 0x1b | 0x07))?;
            rest = &body[length..];
            if rest[0] == 0x07 || rest.get(1) == Some(&b'\\') {
                return Some(string(&body[..length]));
            }
        }
    })
}

/// All of `1;2;3`, or nothing.
fn numbers<N: std::str::FromStr>(list: &str) -> Option<Vec<N>> {
    list.split(';').map(|number| number.parse().ok()).collect()
}

/// It is shown to people, on a terminal.
fn name(bytes: &[u8]) -> Option<String> {
    let text = str::from_utf8(bytes).ok()?.trim();
    let fit = !text.is_empty() && text.len() <= LONGEST_NAME && !text.contains(char::is_control);
    fit.then(|| text.to_owned())
}

/// `HEIGHT;WIDTH` or `HEIGHT;WIDTH;SCALE`, in points of SCALE pixels.
fn points(bytes: &[u8]) -> Option<[f32; 2]> {
    let numbers: Vec<f32> = numbers(str::from_utf8(bytes).ok()?)?;
    match *numbers.as_slice() {
        [height, width] => Some([height, width]),
        [height, width, scale] if scale > 0.0 => Some([height * scale, width * scale]),
        _ => None,
    }
}

/// `rgb:1e1e/2020/2f2f` with one to four digits each, or `rgba:` with a fourth number.
fn color_of(bytes: &[u8]) -> Option<[u8; 3]> {
    let text = str::from_utf8(bytes).ok()?;
    let (list, count) = match text.strip_prefix("rgb:") {
        Some(list) => (list, 3),
        None => (text.strip_prefix("rgba:")?, 4),
    };
    let levels: Vec<u8> = list.split('/').map(level).collect::<Option<_>>()?;
    let &[red, green, blue, ..] = levels.as_slice() else {
        return None;
    };
    (levels.len() == count).then_some([red, green, blue])
}

fn level(digits: &str) -> Option<u8> {
    let hexadecimal = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if !hexadecimal || !(1..=4).contains(&digits.len()) {
        return None;
    }
    let most = 16_u32.pow(digits.len() as u32) - 1;
    let value = u32::from_str_radix(digits, 16).ok()?;
    Some((value * 255 / most) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(bytes: &[u8]) -> Answers {
        let all = parties(bytes);
        assert_eq!(all.len(), 1, "{}", bytes.escape_ascii());
        all.into_iter().next().unwrap()
    }

    fn cut(bytes: &[u8]) -> Vec<Sequence<'_>> {
        sequences(bytes).collect()
    }

    #[test]
    fn sequences_are_found_among_keys() {
        use Sequence::{Application, Control, Device, System};
        assert_eq!(
            cut(b"j\x1b[A\x1b\x1b[?1;2cq\x1bOP\x1b]11;x\x07\x1b]1\x1b\\k\x1bP>|n\x1b\\\x1b_G;OK\x1b\\"),
            [
                Control(b"A"),
                Control(b"?1;2c"),
                System(b"11;x"),
                System(b"1"),
                Device(b">|n"),
                Application(b"G;OK"),
            ]
        );
    }

    #[test]
    fn what_is_cut_off_is_nothing() {
        for rest in [
            "\x1b",
            "\x1b[",
            "\x1b[?62;4",
            "\x1b]11;rgb:",
            "\x1bP>|kitty\x1b",
            "\x1b_G",
        ] {
            assert_eq!(cut(rest.as_bytes()), [], "{rest:?}");
        }
        // One that another begins in isn't whole.
        assert_eq!(
            cut(b"\x1b[12\x1b[?6c\x1b]11;rgb\x1b[A"),
            [Sequence::Control(b"?6c"), Sequence::Control(b"A")]
        );
    }

    #[test]
    fn all_that_can_be_answered() {
        let answers = one(
            b"\x1b]11;rgb:1e1e/2020/ffff\x1b\\\x1b_Gi=31;OK\x1b\\\x1bP>|Konsole 22.12.3\x1b\\\x1b[6;18;8t\
              \x1b[?1;0;256S\x1b[?2;0;1200;850S\x1b]1337;ReportCellSize=18.0;8.0;1.0\x07\x1b[?62;1;4c",
        );
        assert_eq!(
            answers,
            Answers {
                name: Some("Konsole 22.12.3".to_owned()),
                kitty: true,
                attributes: Some(vec![62, 1, 4]),
                registers: Some(256),
                largest: Some([850, 1200]),
                background: Some([0x1e, 0x20, 0xff]),
                cell: Some([18.0, 8.0]),
                iterm2: Some([18.0, 8.0]),
            }
        );
        assert!(answers.sixel());
    }

    #[test]
    fn the_first_attribute_is_a_kind() {
        assert!(!one(b"\x1b[?4;6c").sixel());
        assert!(!one(b"\x1b[?64;1;2;6;9;15;16;17;18;21;22;28c").sixel());
        assert!(one(b"\x1b[?1;2;4c").sixel());
    }

    #[test]
    fn each_party_ends_with_its_attributes() {
        let both = parties(b"\x1bP>|tmux 3.5a\x1b\\\x1b[?1;2;4c\x1b_Gi=31;OK\x1b\\\x1b[?62;c");
        assert_eq!(both.len(), 2);
        assert_eq!(both[0].name.as_deref(), Some("tmux 3.5a"));
        assert!(!both[0].kitty && both[0].sixel());
        assert!(both[1].kitty && !both[1].sixel());
        let unfinished = parties(b"\x1b[?1;2c\x1b_Gi=31;OK\x1b\\");
        assert!(unfinished[1].kitty && unfinished[1].attributes.is_none());
    }

    #[test]
    fn refusals_are_no_answers() {
        // xterm without sixel, VTE, mlterm.
        for refusal in [
            "\x1b[?1;3S\x1b[?2;3S",
            "\x1b[?1;1S\x1b[?2;1S",
            "\x1b[?1;3;0S",
        ] {
            assert_eq!(one(refusal.as_bytes()), Answers::default(), "{refusal:?}");
        }
        assert!(!one(b"\x1b_Gi=31;ENOTSUPPORTED:\x1b\\").kitty);
        assert!(!one(b"\x1b_Gi=7;OK\x1b\\").kitty);
    }

    #[test]
    fn nonsense_is_no_answer() {
        for answer in [
            &b"\x1b]11;rgb:12/34\x07"[..],
            b"\x1b]11;rgb:12345/1/1\x07",
            b"\x1b]11;rgb:///\x07",
            b"\x1b]11;rgb:1/1/1",
            b"\x1b]11;rgb:1/1/1/1\x07",
            b"\x1b]11;rgb:+1/1/1\x07\x1b]11;#112233\x07",
            b"\x1b[6;18t",
            b"\x1b[6;;9t",
            b"\x1b[4;18;9t",
            b"\x1b[?2;0;9S",
            b"\x1b]1337;ReportCellSize=\x07",
            b"\x1b]1337;ReportCellSize=18;8;0\x07",
            b"\x1bP>|\x1b\\",
            b"\x1bP>|a\x01b\x1b\\",
            b"\x1b_Gi=31;OK",
        ] {
            let text = answer.escape_ascii();
            assert_eq!(one(answer), Answers::default(), "{text}");
        }
        let long = format!("\x1bP>|{}\x1b\\", "x".repeat(LONGEST_NAME + 1));
        assert_eq!(one(long.as_bytes()), Answers::default());
    }

    #[test]
    fn colours_have_up_to_four_digits() {
        let background = |text: &str| one(format!("\x1b]11;{text}\x1b\\").as_bytes()).background;
        assert_eq!(background("rgb:f/0/8"), Some([255, 0, 136]));
        assert_eq!(background("rgb:1d/1f/21"), Some([0x1d, 0x1f, 0x21]));
        assert_eq!(background("rgba:ffff/0000/0000/8000"), Some([255, 0, 0]));
    }
}
