//! Signals that end a program.

use std::io;
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

/// Calls `notice` on a thread of its own when the program is asked to end, or its terminal is gone. The signals do
/// nothing else from here on: whoever is told must see to the end.
///
/// # Errors
/// If the system refuses.
pub fn watch(notice: impl Fn(i32) + Send + 'static) -> io::Result<()> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM])?;
    let watch = move || {
        for signal in signals.forever() {
            notice(signal);
        }
    };
    thread::Builder::new().name("signals".to_owned()).spawn(watch)?;
    Ok(())
}
