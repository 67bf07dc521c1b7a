//! The thread that reads keys and sizes from the terminal.

use std::io;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::{Duration, Instant};

use crossterm::event::{self, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::layout::Size;

use super::protocol::Event;
use crate::terminal::cell_of_window;

/// How long after the start the terminal's answers may still come.
const LATE: Duration = Duration::from_secs(10);

/// No answer is longer.
const LONGEST_ANSWER: usize = 64;

/// Starts the thread. It can't be ended while it waits, and is left to the end of the program.
pub(super) fn watch(events: Sender<Event>) -> io::Result<()> {
    let watch = move || {
        let started = Instant::now();
        let mut answer = LateAnswer::default();
        loop {
            let event = match event::read() {
                Ok(event::Event::Key(key)) if key.kind == KeyEventKind::Release => continue,
                Ok(event::Event::Key(key)) => {
                    if answer.goes_on(key, started.elapsed() < LATE) {
                        continue;
                    }
                    Event::Key(key)
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

/// On a slow line the terminal's answers come after they were waited for, and look like keys: from `ESC _` or `ESC ]` to
/// `ESC \` or BEL.
#[derive(Debug, Default)]
struct LateAnswer(Option<usize>);

impl LateAnswer {
    /// Whether a key is a part of one.
    fn goes_on(&mut self, key: KeyEvent, possible: bool) -> bool {
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        let begins = possible && alt && matches!(key.code, KeyCode::Char('_' | ']'));
        let bell = key.code == KeyCode::Char('g') && key.modifiers.contains(KeyModifiers::CONTROL);
        let ends = bell || (alt && key.code == KeyCode::Char('\\'));
        match self.0 {
            None if begins => self.0 = Some(0),
            None => return false,
            Some(count) if ends || count >= LONGEST_ANSWER => self.0 = None,
            Some(count) => self.0 = Some(count + 1),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_answer_is_no_key() {
        let key = |character| KeyEvent::new(KeyCode::Char(character), KeyModifiers::NONE);
        let alt = |character| KeyEvent::new(KeyCode::Char(character), KeyModifiers::ALT);
        let mut answer = LateAnswer::default();
        assert!(!answer.goes_on(key('j'), true));
        for part in [alt('_'), key('G'), key('q'), alt('\\')] {
            assert!(answer.goes_on(part, true));
        }
        assert!(!answer.goes_on(key('q'), true));
        let bell = KeyEvent::new(KeyCode::Char('g'), KeyModifiers::CONTROL);
        for part in [alt(']'), key('1'), bell] {
            assert!(answer.goes_on(part, true));
        }
        // Later it is what somebody typed.
        assert!(!answer.goes_on(alt(']'), false));
    }
}
