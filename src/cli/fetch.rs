//! `convscope fetch`.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;

use crate::fetch::{self, Cache, Event, List, Wanted};

#[derive(Args, Debug)]
pub(super) struct Fetch {
    /// The name of a model, as `convscope models` lists them, or the http or https address of a file.
    #[arg(value_name = "NAME|ADDRESS")]
    what: String,
    /// Where to put it; if not given the user's cache, from where it can be opened by its name.
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Fetch it even if it is there already, and replace it.
    #[arg(long)]
    overwrite: bool,
    /// Show no progress.
    #[arg(short, long)]
    quiet: bool,
}

impl Fetch {
    /// Prints nothing but the file's path, for scripts.
    pub(super) fn run(self) -> Result<()> {
        let wanted = Wanted::parse(&List::known()?, &self.what)?;
        let folder = match self.output {
            Some(folder) => folder,
            None => Cache::of_user()?.folder().to_path_buf(),
        };
        let mut meter = Meter::new(wanted.address.file_name(), self.quiet);
        let mut tell = |event: Event| meter.tell(&event);
        let fetched = fetch::fetch(&wanted, &folder, self.overwrite, &mut tell);
        meter.clear();
        let fetched = fetched?;
        if !fetched.new {
            meter.note("it is there already");
        }
        if !fetched.checked {
            meter.note("no checksum is known that would tell whether it is the right file");
        }
        writeln!(io::stdout(), "{}", fetched.path.display())?;
        Ok(())
    }
}

/// Between two drawings of the progress.
const OFTEN: Duration = Duration::from_millis(100);

/// Shows how far it is: one line on standard error, if that is a terminal.
struct Meter {
    name: String,
    silent: bool,
    /// When the current answer began to come, and how many bytes were there then.
    begin: Option<(Instant, u64)>,
    drawn: Option<Instant>,
}

impl Meter {
    fn new(name: &str, quiet: bool) -> Self {
        Self {
            name: name.to_owned(),
            silent: quiet || !io::stderr().is_terminal(),
            begin: None,
            drawn: None,
        }
    }

    fn tell(&mut self, event: &Event) {
        match *event {
            Event::Bytes(done, total) => self.draw(done, total),
            Event::GoingOn(kept) => {
                self.note(&format!("going on behind the {} kept", size(kept)));
            }
            Event::Again(reason) => {
                self.note(&format!("{reason}; trying again"));
                self.begin = None;
            }
            Event::Anew => {
                self.note("what was kept is of another file; starting anew");
                self.begin = None;
            }
        }
    }

    fn draw(&mut self, done: u64, total: Option<u64>) {
        let now = Instant::now();
        let (begin, before) = *self.begin.get_or_insert((now, done));
        let lately = self.drawn.is_some_and(|drawn| now - drawn < OFTEN);
        if self.silent || (lately && Some(done) != total) {
            return;
        }
        self.drawn = Some(now);
        let line = line(&self.name, done, total, done - before, now - begin);
        let width = crossterm::terminal::size().map_or(80, |(columns, _)| usize::from(columns));
        let line: String = line.chars().take(width.saturating_sub(1)).collect();
        // Progress that can't be shown is no reason to stop.
        let _ = write!(io::stderr(), "\r{line}\x1b[K");
    }

    /// A line that stays.
    fn note(&mut self, text: &str) {
        self.clear();
        if !self.silent {
            let _ = writeln!(io::stderr(), "{}: {text}", self.name);
        }
    }

    /// Takes the progress away.
    fn clear(&mut self) {
        if self.drawn.take().is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

/// ` 22 %  123.4 MB of 553.5 MB  11.2 MB/s  0:38 left  NAME`; `lately` bytes have come in `time`.
fn line(name: &str, done: u64, total: Option<u64>, lately: u64, time: Duration) -> String {
    let mut parts = Vec::new();
    match total {
        Some(total) => {
            parts.push(format!("{:>3} %", done * 100 / total.max(1)));
            parts.push(format!("{} of {}", size(done), size(total)));
        }
        None => parts.push(size(done)),
    }
    let seconds = time.as_secs_f64();
    if seconds >= 1.0 && lately > 0 {
        let rate = lately as f64 / seconds;
        parts.push(format!("{}/s", size(rate as u64)));
        if let Some(total) = total {
            let left = (total.saturating_sub(done) as f64 / rate) as u64;
            parts.push(format!("{}:{:02} left", left / 60, left % 60));
        }
    }
    parts.push(name.to_owned());
    parts.join("  ")
}

/// A number of bytes for people.
pub(super) fn size(bytes: u64) -> String {
    let bytes = bytes as f64;
    if bytes >= 1e9 {
        format!("{:.2} GB", bytes / 1e9)
    } else if bytes >= 1e6 {
        format!("{:.1} MB", bytes / 1e6)
    } else {
        format!("{:.0} kB", bytes / 1e3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_far_and_how_long() {
        let time = Duration::from_secs(10);
        let known = line("net.h5", 123_456_789, Some(553_467_096), 112_000_000, time);
        assert_eq!(
            known,
            " 22 %  123.5 MB of 553.5 MB  11.2 MB/s  0:38 left  net.h5"
        );
        let unknown = line("net.h5", 5_000, None, 0, time);
        assert_eq!(unknown, "5 kB  net.h5");
        assert_eq!(size(2_500_000_000), "2.50 GB");
    }
}
