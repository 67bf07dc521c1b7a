//! The whole terminal as a screen, and the way back.
//!
//! ratatui's own `Terminal` is not used: it asks the terminal for its cursor on the way, starts a program to learn
//! the size of a terminal that is gone, and prints when it is dropped. Two buffers and their difference are enough.

use std::env;
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ThreadId};

use anyhow::{Context, Result, bail};
use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, disable_raw_mode, enable_raw_mode, window_size,
};
use crossterm::{execute, queue};
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use signal_hook::consts::SIGTSTP;
use signal_hook::low_level::emulate_default_handler;

use super::frame::Frame;
use super::kitty::{DELETE_ALL, Kitty};
use super::probe::Traits;

/// Whether the terminal is in the screen's state; it is restored once.
static ACTIVE: AtomicBool = AtomicBool::new(false);

/// Whether pictures were sent to the terminal.
static PICTURES: AtomicBool = AtomicBool::new(false);

/// Room for a frame: at most some hundred bytes for each of ten thousand cells.
const FRAME: usize = 1 << 20;

/// The terminal while it is a screen: raw, without a cursor, on its other page. Restored when dropped, and when
/// the thread that made it panics, before the message is printed.
#[derive(Debug)]
pub struct Screen {
    backend: CrosstermBackend<BufWriter<Stdout>>,
    shown: Buffer,
    next: Buffer,
    kitty: Kitty,
}

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// If standard input or output is no terminal, it can't move its cursor, or it is gone.
    pub fn enter() -> Result<Self> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            bail!(
                "the explorer needs a terminal for its keys and its screen; see 'convscope --help' for the rest"
            );
        }
        if env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb") {
            bail!(
                "the explorer can't draw on this terminal (TERM is missing or 'dumb'); see 'convscope --help' for \
                   what works anywhere"
            );
        }
        hook_panics();
        let failed = "the terminal can't be used as a screen";
        enable_raw_mode().context(failed)?;
        ACTIVE.store(true, Ordering::SeqCst);
        let empty = Buffer::empty(Rect::ZERO);
        let writer = BufWriter::with_capacity(FRAME, io::stdout());
        // From here on, dropping it restores the terminal.
        let mut screen = Self {
            backend: CrosstermBackend::new(writer),
            shown: empty.clone(),
            next: empty,
            kitty: Kitty::default(),
        };
        screen.take().context(failed)?;
        Ok(screen)
    }

    /// Gives the terminal back and stops the program until it is told to go on, as Ctrl-Z does elsewhere.
    ///
    /// # Errors
    /// If the terminal is gone then.
    pub fn suspend(&mut self) -> io::Result<()> {
        restore();
        emulate_default_handler(SIGTSTP)?;
        self.resume()
    }

    /// Takes the terminal again, after others had it; the next frame is drawn anew.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn resume(&mut self) -> io::Result<()> {
        // The shell has its own modes: those known from before don't count.
        disable_raw_mode()?;
        enable_raw_mode()?;
        ACTIVE.store(true, Ordering::SeqCst);
        self.kitty = Kitty::default();
        self.shown.resize(Rect::ZERO);
        if PICTURES.load(Ordering::SeqCst) {
            self.backend.write_all(DELETE_ALL)?;
        }
        self.take()
    }

    fn take(&mut self) -> io::Result<()> {
        execute!(
            self.backend,
            EnterAlternateScreen,
            EnableBracketedPaste,
            Hide
        )
    }

    /// Asks the terminal what it can do. Must be done before anybody reads keys.
    #[allow(clippy::unused_self)]
    pub fn ask(&self) -> Traits {
        Traits::ask()
    }

    /// The terminal's size in cells. One that doesn't know it, such as a serial line, is taken for 80x24.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn size() -> io::Result<Size> {
        let window = window_size()?;
        let known = window.columns > 0 && window.rows > 0;
        Ok(if known {
            Size::new(window.columns, window.rows)
        } else {
            Size::new(80, 24)
        })
    }

    /// Shows what `paint` draws on a blank frame of the given size. Only what differs from the last frame is
    /// written, all at once.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn draw(&mut self, size: Size, paint: impl FnOnce(&mut Frame)) -> io::Result<()> {
        let area = Rect::new(0, 0, size.width, size.height);
        self.next.resize(area);
        self.next.reset();
        // Before anything is written: were this to panic, no part of a frame would be left to be flushed.
        let mut frame = Frame::new(&mut self.next);
        paint(&mut frame);
        let pictures = frame.into_pictures();

        let resized = self.shown.area != area;
        if resized {
            self.shown.resize(area);
            self.shown.reset();
        }
        let changes = self.shown.diff(&self.next);
        let replaced = self.kitty.differs(&pictures);
        if resized || replaced || !changes.is_empty() {
            PICTURES.fetch_or(!pictures.is_empty(), Ordering::SeqCst);
            if resized && PICTURES.load(Ordering::SeqCst) {
                self.kitty.clear(&mut self.backend)?;
            }
            self.kitty.send(&pictures, &mut self.backend)?;
            queue!(self.backend, BeginSynchronizedUpdate)?;
            if resized {
                queue!(self.backend, Clear(ClearType::All))?;
            }
            let farewell = self.kitty.place(&pictures, &mut self.backend)?;
            self.backend.draw(changes.into_iter())?;
            self.backend.write_all(&farewell)?;
            queue!(self.backend, EndSynchronizedUpdate)?;
            Write::flush(&mut self.backend)?;
        }
        std::mem::swap(&mut self.shown, &mut self.next);
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// Whether the terminal still answers. One that was lost without a signal shows itself only so.
pub fn is_alive() -> bool {
    window_size().is_ok()
}

/// Gives the terminal back as it was. There is nothing to be done about errors: it may be gone.
fn restore() {
    if ACTIVE.swap(false, Ordering::SeqCst) {
        let mut out = io::stdout();
        if PICTURES.swap(false, Ordering::SeqCst) {
            let _ = out.write_all(DELETE_ALL);
        }
        let _ = execute!(
            out,
            EndSynchronizedUpdate,
            DisableBracketedPaste,
            LeaveAlternateScreen,
            Show
        );
        let _ = disable_raw_mode();
    }
}

/// While there is a screen, only a panic of its own thread is shown, after the screen is gone. Other threads catch
/// theirs and report them.
fn hook_panics() {
    static ONCE: Once = Once::new();
    let owner: ThreadId = thread::current().id();
    ONCE.call_once(|| {
        let show = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if thread::current().id() == owner {
                restore();
            }
            if !ACTIVE.load(Ordering::SeqCst) {
                show(info);
            }
        }));
    });
}
