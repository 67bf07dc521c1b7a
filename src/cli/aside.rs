//! The terminal, asked by a program that has no screen.

use std::env;
use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use anyhow::{Context, Result};
use signal_hook::consts::SIGTSTP;
use signal_hook::low_level::emulate_default_handler;

use crate::terminal::{Notice, Traits, watch_signals};

/// What the terminal can do; nothing if there is none. Standard output may go into a file, so long as errors are seen.
///
/// # Errors
/// If the terminal can't be made raw.
pub(super) fn traits() -> Result<Option<Traits>> {
    let (out, err) = (io::stdout(), io::stderr());
    if !io::stdin().is_terminal() || !(out.is_terminal() || err.is_terminal()) {
        return Ok(None);
    }
    let term = env::var("TERM").unwrap_or_default();
    Ok(Some(if matches!(term.as_str(), "" | "dumb") {
        Traits::default()
    } else if out.is_terminal() {
        undisturbed(|| Traits::ask_aside(&mut out.lock()))?
    } else {
        undisturbed(|| Traits::ask_aside(&mut err.lock()))?
    }))
}

/// Does what mustn't be left half done; a signal that comes meanwhile is obeyed then.
fn undisturbed<T>(ask: impl FnOnce() -> io::Result<T>) -> Result<T> {
    static RECEIVED: AtomicI32 = AtomicI32::new(0);
    static ASKING: AtomicBool = AtomicBool::new(true);
    watch_signals(|notice| {
        let signal = match notice {
            Notice::End(signal) => signal,
            Notice::Stop => SIGTSTP,
            Notice::Continue => return,
        };
        RECEIVED.store(signal, Ordering::SeqCst);
        if !ASKING.load(Ordering::SeqCst) {
            obey(signal);
        }
    })?;
    let result = ask();
    ASKING.store(false, Ordering::SeqCst);
    let signal = RECEIVED.load(Ordering::SeqCst);
    if signal != 0 {
        obey(signal);
    }
    result.context("the terminal can't be asked")
}

fn obey(signal: i32) {
    // Fails for no signal that is watched.
    let _ = emulate_default_handler(signal);
}
