//! The thread that reads keys and sizes from the terminal.

use std::io;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::{Duration, Instant};

use crossterm::event::{self, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::layout::Size;

use super::protocol::Event;
use crate::terminal::{awaits_answer, cell_of_window};

/// How long after the start the terminal's answers may still come.
const LATE: Duration = Duration::from_secs(10);

/// No answer is longer.
const LONGEST_ANSWER: usize = 64;

/// Starts the thread. It can't be ended while it waits, and is left to the end of the program.
pub(super) fn watch(events: Sender<Event>) -> io::Result<()> {
    let watch = move || {
        let started = Instant::now();
        let mut answer = Answer::default();
        loop {
            let event = match event::read() {
                Ok(event::Event::Key(key)) if key.kind == KeyEventKind::Release => continue,
                Ok(event::Event::Key(key)) => {
                    let possible = started.elapsed() < LATE || awaits_answer();
                    match answer.take(key, possible) {
                        Part::None => Event::Key(key),
                        Part::Inner => continue,
                        Part::Last(text) => Event::Answered(text),
                    }
                }
                Ok(event::Event::Paste(text)) => Event::Paste(text),
                Ok(event::Event::Resize(width, height)) => {
                    Event::Resize(Size::new(width, height), cell_of_window())
                }
                Ok(_) => continue,
                Err(_) => Event::Lost,
            };
            let last = matches!(event, Event::Lost);
            if events.send(event).is_err() || last {
                return;
            }
        }
    };
    thread::Builder::new()
        .name("input".to_owned())
        .spawn(watch)?;
    Ok(())
}

/// The terminal's answers look like keys: from `ESC _` or `ESC ]` to `ESC \` or BEL.
#[derive(Debug, Default)]
struct Answer(Option<String>);

/// What a key is of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    None,
    Inner,
    /// The end, and all that it said.
    Last(String),
}

impl Answer {
    /// Takes a key for a part of an answer, if one is possible.
    fn take(&mut self, key: KeyEvent, possible: bool) -> Part {
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        let begins = possible && alt && matches!(key.code, KeyCode::Char('_' | ']'));
        let bell = key.code == KeyCode::Char('g') && key.modifiers.contains(KeyModifiers::CONTROL);
        let ends = bell || (alt && key.code == KeyCode::Char('\\'));
        let Some(said) = &mut self.0 else {
            if begins {
                self.0 = Some(String::new());
                return Part::Inner;
            }
            return Part::None;
        };
        if said.is_empty() && !matches!(key.code, KeyCode::Char('G' | '1')) {
            // No answer begins so: somebody typed Escape and another key.
            self.0 = None;
            return Part::None;
        }
        if ends || said.len() >= LONGEST_ANSWER {
            return Part::Last(self.0.take().unwrap_or_default());
        }
        if let KeyCode::Char(character) = key.code {
            said.push(character);
        }
        Part::Inner
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_no_key() {
        let key = |character| KeyEvent::new(KeyCode::Char(character), KeyModifiers::NONE);
        let alt = |character| KeyEvent::new(KeyCode::Char(character), KeyModifiers::ALT);
        let mut answer = Answer::default();
        assert_eq!(answer.take(key('j'), true), Part::None);
        for part in [alt('_'), key('G'), key('q')] {
            assert_eq!(answer.take(part, true), Part::Inner);
        }
        assert_eq!(answer.take(alt('\\'), true), Part::Last("Gq".to_owned()));
        assert_eq!(answer.take(key('q'), true), Part::None);
        let bell = KeyEvent::new(KeyCode::Char('g'), KeyModifiers::CONTROL);
        assert_eq!(answer.take(alt(']'), true), Part::Inner);
        assert_eq!(answer.take(key('1'), true), Part::Inner);
        assert_eq!(answer.take(bell, true), Part::Last("1".to_owned()));
        // Escape and the key for the next layer, typed fast, and another key.
        assert_eq!(answer.take(alt(']'), true), Part::Inner);
        assert_eq!(answer.take(key('j'), true), Part::None);
        assert_eq!(answer.take(key('q'), true), Part::None);
        // If nothing was asked it is what somebody typed.
        assert_eq!(answer.take(alt(']'), false), Part::None);
    }
}
