//! The whole terminal as a screen, and the way back.
//!
//! ratatui's own `Terminal` is not used: it asks the terminal for its cursor on the way, starts a program to learn
//! the size of a terminal that is gone, and prints when it is dropped. Two buffers and their difference are enough.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

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
use rustix::stdio::stdout;
use rustix::termios::{QueueSelector, tcflush};
use signal_hook::consts::SIGTSTP;
use signal_hook::low_level::emulate_default_handler;

use super::canvas::Canvas;
use super::courier::Courier;
use super::frame::Frame;
use super::inline::Inline;
use super::kitty::Kitty;
use super::outbox::OUTBOX;
use super::pace::Pace;
use super::ping::Ping;
use super::placeholders::stamp;
use super::probe::Traits;

/// Whether the terminal is in the screen's state; it is restored once.
static ACTIVE: AtomicBool = AtomicBool::new(false);

/// Whether the terminal was asked anything: the answers look like keys, and come when they come.
static AWAITED: AtomicBool = AtomicBool::new(false);

/// What takes the pictures away again.
static FAREWELL: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Frames of fewer bytes arrive at once, or not much later: nobody asks for them.
const SMALL: usize = 2048;

/// What a frame under way may take to be finished when the screen ends. On a line that is slower, or stuck, it is lost.
const GRACE: Duration = Duration::from_secs(1);

/// The terminal while it is a screen: raw, without a cursor, on its other page. Restored when dropped, and when
/// the thread that made it panics, before the message is printed.
#[derive(Debug)]
pub struct Screen {
    shown: Buffer,
    next: Buffer,
    kitty: Kitty,
    inline: Inline,
    courier: Courier,
    pace: Pace,
    ping: Option<Ping>,
}

impl Screen {
    /// Takes the terminal. `taken` is called, on another thread, when what was drawn has been written: the screen may be
    /// ready for more then.
    ///
    /// # Errors
    /// If standard input or output is no terminal, it can't move its cursor, or it is gone.
    pub fn enter(taken: impl Fn() + Send + 'static) -> Result<Self> {
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
        // From here on, dropping it restores the terminal.
        let mut screen = Self {
            shown: empty.clone(),
            next: empty,
            kitty: Kitty::default(),
            inline: Inline::default(),
            courier: Courier::default(),
            pace: Pace::default(),
            ping: None,
        };
        OUTBOX.start(taken).context(failed)?;
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
        // What was there when the program was stopped from outside.
        let farewell = std::mem::take(&mut *lock(&FAREWELL));
        io::stdout().write_all(&farewell)?;
        self.kitty = Kitty::default();
        self.inline.clear();
        self.courier.forget();
        self.pace.forget();
        self.shown.resize(Rect::ZERO);
        self.take()
    }

    fn take(&mut self) -> io::Result<()> {
        execute!(
            io::stdout(),
            EnterAlternateScreen,
            EnableBracketedPaste,
            Hide
        )?;
        OUTBOX.open();
        Ok(())
    }

    /// Asks the terminal what it can do. Must be done before anybody reads keys.
    #[allow(clippy::unused_self)]
    pub fn ask(&mut self) -> Traits {
        Traits::ask()
    }

    /// Sets what is drawn with from now on, and how the terminal is asked whether it has drawn.
    pub fn prepare(&mut self, canvas: Canvas, traits: &Traits) {
        self.ping = Ping::new(canvas, traits);
    }

    /// Whether the terminal has taken enough of what was drawn to draw again.
    pub fn is_ready(&mut self) -> bool {
        OUTBOX.pending() < SMALL && self.pace.is_free(Instant::now())
    }

    /// The terminal has answered: `text` is what it said between its marks.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn answered(&mut self, text: &str) -> io::Result<()> {
        let now = Instant::now();
        self.pace.arrived(now);
        let parcel = self.courier.answered(text, now);
        self.deliver(parcel)
    }

    /// The user is there.
    pub fn touch(&mut self) {
        self.courier.touch(Instant::now());
    }

    /// Whether there is more to be written than what changes.
    pub fn is_busy(&self) -> bool {
        self.courier.is_busy()
    }

    fn deliver(&mut self, parcel: Vec<u8>) -> io::Result<()> {
        AWAITED.fetch_or(self.courier.awaits(), Ordering::SeqCst);
        if parcel.is_empty() {
            return Ok(());
        }
        OUTBOX.send(parcel)
    }

    /// Whether pictures take long to arrive.
    pub fn is_slow(&self) -> bool {
        self.pace.is_slow() || self.courier.is_slow()
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
        let (held, inline) = frame.into_pictures();
        let by_characters = held.iter().filter(|placed| placed.picture.by_characters);
        for placed in by_characters.clone() {
            stamp(placed, &mut self.next);
        }
        let carried = by_characters.map(|placed| placed.picture.clone()).collect();

        let resized = self.shown.area != area;
        if resized {
            self.shown.resize(area);
            self.shown.reset();
            self.inline.clear();
            self.courier.forget();
        }
        let come = self.inline.prepare(inline, &mut self.shown);
        let changes = self.shown.diff(&self.next);
        let replaced = self.kitty.differs(&held) || !come.is_empty();
        if resized || replaced || !changes.is_empty() {
            let mut out = Vec::new();
            if resized {
                self.kitty.clear(&mut out)?;
                // Deletes pictures too, even those that were only sent.
                queue!(out, Clear(ClearType::All))?;
            }
            self.kitty.send(&held, &mut out)?;
            queue!(out, BeginSynchronizedUpdate)?;
            let farewell = self.kitty.place(&held, &mut out)?;
            CrosstermBackend::new(&mut out).draw(changes.into_iter())?;
            // What stands in the gaps of these pictures may be erased by them.
            let again = self.inline.draw(come, &self.next, &mut out)?;
            CrosstermBackend::new(&mut out).draw(again.into_iter())?;
            out.write_all(&farewell)?;
            queue!(out, EndSynchronizedUpdate)?;
            *lock(&FAREWELL) = self.farewell();
            self.hand_over(out)?;
        }
        std::mem::swap(&mut self.shown, &mut self.next);
        self.courier.want(carried, |id| self.kitty.holds(id));
        let parcel = self.courier.next(Instant::now());
        self.deliver(parcel)
    }

    fn hand_over(&mut self, mut bytes: Vec<u8>) -> io::Result<()> {
        if let Some(ping) = self.ping.filter(|_| bytes.len() >= SMALL) {
            self.pace.sent(bytes.len(), Instant::now());
            bytes.extend_from_slice(ping.question());
            AWAITED.store(true, Ordering::SeqCst);
        }
        OUTBOX.send(bytes)
    }

    /// What takes away the pictures.
    fn farewell(&self) -> Vec<u8> {
        let mut bytes = self.kitty.farewell();
        if !self.inline.is_empty() {
            bytes.extend_from_slice(b"\x1b[2J");
        }
        bytes
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

/// Whether what looks like keys may be the terminal's answer.
pub fn awaits_answer() -> bool {
    AWAITED.load(Ordering::SeqCst)
}

/// Gives the terminal back as it was. There is nothing to be done about errors: it may be gone.
fn restore() {
    if ACTIVE.swap(false, Ordering::SeqCst) {
        if !OUTBOX.close(GRACE) {
            // The terminal takes nothing: what is on its way must not keep what follows back.
            let _ = tcflush(stdout(), QueueSelector::OFlush);
        }
        let mut out = io::stdout();
        // A frame may have ended in the middle of a sequence.
        let _ = out.write_all(b"\x1b\\");
        let _ = out.write_all(&std::mem::take(&mut *lock(&FAREWELL)));
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

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
