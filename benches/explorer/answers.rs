//! What a terminal answers to a program that asks.

use super::terminal::Kind;

/// Which kind of terminal (DA1): every terminal answers, so that programs ask it last.
const ATTRIBUTES: (&[u8], &[u8]) = (b"\x1b[c", b"\x1b[?62;c");

/// The background, a usual grey.
const BACKGROUND: (&[u8], &[u8]) = (b"\x1b]11;?", b"\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\");

/// kitty's commands, `\x1b_GKEYS;DATA\x1b\\`, are questions if their keys say so.
const GRAPHICS: &[u8] = b"\x1b_G";
const GRAPHICS_END: &[u8] = b"\x1b\\";

/// No command is longer: its data are sent in pieces of 4096 bytes.
const LONGEST: usize = 8192;

/// Finds the questions in what a program writes.
pub struct Answers {
    kind: Kind,
    /// What may be the beginning of one.
    rest: Vec<u8>,
}

impl Answers {
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            rest: Vec::new(),
        }
    }

    /// What is to be answered after the next piece.
    pub fn to(&mut self, piece: &[u8]) -> Vec<u8> {
        let mut text = std::mem::take(&mut self.rest);
        text.extend_from_slice(piece);
        let mut answers = Vec::new();
        let mut left = &text[..];
        while let Some(start) = left.iter().position(|byte| *byte == 0x1b) {
            left = &left[start..];
            if let Some(command) = left.strip_prefix(GRAPHICS) {
                let Some(end) = find(command, GRAPHICS_END) else {
                    break;
                };
                answers.extend(self.to_graphics(&command[..end]));
                left = &command[end + GRAPHICS_END.len()..];
                continue;
            }
            let known = [ATTRIBUTES, BACKGROUND];
            if let Some((question, answer)) = known.iter().find(|(q, _)| left.starts_with(q)) {
                answers.extend_from_slice(answer);
                left = &left[question.len()..];
            } else if left.len() < BACKGROUND.0.len() {
                break;
            } else {
                left = &left[1..];
            }
        }
        let begins = left.first() == Some(&0x1b) && left.len() <= LONGEST;
        self.rest = if begins { left.to_vec() } else { Vec::new() };
        answers
    }

    fn to_graphics(&self, command: &[u8]) -> Vec<u8> {
        let keys = command
            .split(|byte| *byte == b';')
            .next()
            .unwrap_or_default();
        let mut keys = keys.split(|byte| *byte == b',');
        let question = keys.clone().any(|key| key == b"a=q");
        match keys.find(|key| key.starts_with(b"i=")) {
            Some(id) if question && self.kind == Kind::Kitty => {
                [b"\x1b_G", id, b";OK\x1b\\"].concat()
            }
            _ => Vec::new(),
        }
    }
}

pub fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
