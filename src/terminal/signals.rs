//! Signals that end a program, stop it, or let it go on.

use std::io;
use std::thread;

use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

/// What the system asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The end, by this signal; the terminal may be gone.
    End(i32),
    /// To stop and give the terminal to others.
    Stop,
    /// It was stopped, and goes on.
    Continue,
}

/// Calls `notice` on a thread of its own when the system asks for something. Whoever is told must see to the end;
/// should that get stuck, a second signal ends the program at once.
///
/// # Errors
/// If the system refuses.
pub fn watch(notice: impl Fn(Notice) + Send + 'static) -> io::Result<()> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGCONT])?;
    let watch = move || {
        let mut told = false;
        for signal in signals.forever() {
            match signal {
                SIGTSTP => notice(Notice::Stop),
                SIGCONT => notice(Notice::Continue),
                _ => {
                    if told {
                        // Fails for no signal that is watched.
                        let _ = emulate_default_handler(signal);
                    }
                    notice(Notice::End(signal));
                    told = true;
                }
            }
        }
    };
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(watch)?;
    Ok(())
}
