//! Signals that end a program.

use std::io;
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

/// Calls `notice` on a thread of its own when the program is asked to end, or its terminal is gone. Whoever is told
/// must see to the end; should that get stuck, a second signal ends the program at once.
///
/// # Errors
/// If the system refuses.
pub fn watch(notice: impl Fn(i32) + Send + 'static) -> io::Result<()> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM])?;
    let watch = move || {
        let mut told = false;
        for signal in signals.forever() {
            if told {
                // Fails for no signal that is watched.
                let _ = emulate_default_handler(signal);
            }
            notice(signal);
            told = true;
        }
    };
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(watch)?;
    Ok(())
}
