//! The thread that reads keys and sizes from the terminal.

use std::io;
use std::sync::mpsc::Sender;
use std::thread;

use crossterm::event::{self, KeyEventKind};
use ratatui::layout::Size;

use super::protocol::Event;
use crate::terminal::cell_of_window;

/// Starts the thread. It can't be ended while it waits, and is left to the end of the program.
pub(super) fn watch(events: Sender<Event>) -> io::Result<()> {
    let watch = move || {
        loop {
            let event = match event::read() {
                Ok(event::Event::Key(key)) if key.kind != KeyEventKind::Release => Event::Key(key),
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
