//! A terminal that nobody looks at, with the explorer in it, and a clock on what the explorer writes.

use std::io::{Read, Write};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use tempfile::TempDir;

use super::answers::{Answers, find};

pub const UP: &str = "\x1b[A";
pub const DOWN: &str = "\x1b[B";
pub const RIGHT: &str = "\x1b[C";
pub const LEFT: &str = "\x1b[D";
pub const ENTER: &str = "\r";
pub const ESCAPE: &str = "\x1b";
pub const TAB: &str = "\t";

const SIZE: PtySize = PtySize {
    rows: 40,
    cols: 120,
    pixel_width: 1080,
    pixel_height: 720,
};

/// A frame is finished when nothing has come for so long after it: less than a step of the spinner.
const SILENCE: Duration = Duration::from_millis(60);

/// What opening a model and computing a layer may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// What the end of the program may take.
const FAREWELL: Duration = Duration::from_secs(5);

/// What ends a frame: the end of a synchronized update.
const FRAME_END: &[u8] = b"\x1b[?2026l";

/// How a picture shows itself, and what it is drawn by.
const PICTURES: [(&[u8], &str); 3] = [
    (b"\x1b_Ga=p", "kitty"),
    (b"\x1b_Ga=T", "kitty"),
    ("▀".as_bytes(), "half-blocks"),
];

/// Settings of the terminal that the benchmark itself runs in.
const FOREIGN: [&str; 8] = [
    "NO_COLOR",
    "TMUX",
    "TERM_PROGRAM",
    "KITTY_WINDOW_ID",
    "WEZTERM_PANE",
    "KONSOLE_VERSION",
    "VTE_VERSION",
    "LC_TERMINAL",
];

/// What the terminal says that it can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Cells with 24-bit colours.
    Plain,
    /// kitty's pictures, too.
    Kitty,
}

impl Kind {
    pub const ALL: [Self; 2] = [Self::Plain, Self::Kitty];

    pub fn description(self) -> String {
        let pictures = match self {
            Self::Plain => "without pictures",
            Self::Kitty => "with kitty's pictures",
        };
        let (width, height) = (SIZE.pixel_width / SIZE.cols, SIZE.pixel_height / SIZE.rows);
        format!(
            "a terminal {pictures}, {}x{} cells of {width}x{height} pixels",
            SIZE.cols, SIZE.rows
        )
    }
}

/// What the explorer wrote since the last key, and when it was there to be read.
#[derive(Default)]
struct Record {
    bytes: Vec<u8>,
    /// Where each piece ends, and when it came.
    pieces: Vec<(usize, Instant)>,
    ended: bool,
}

#[derive(Default)]
struct Log {
    record: Mutex<Record>,
    news: Condvar,
}

impl Log {
    /// No thread does anything with the record that could leave half of it behind.
    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for news until there is something to be seen, or it is too late.
    fn wait<T>(&self, end: Instant, mut see: impl FnMut(&Record) -> Option<T>) -> Option<T> {
        let mut record = self.record();
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let seen = see(&record);
            if seen.is_some() || left.is_zero() {
                return seen;
            }
            record = self
                .news
                .wait_timeout(record, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

/// A finished frame.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// From the key to its last byte.
    pub time: Duration,
    /// How many were written since the key.
    pub bytes: usize,
}

/// How the explorer opened, as times from its start.
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    /// The end of the first frame with a picture in it.
    pub picture: Duration,
    /// What the picture is drawn by.
    pub drawn_by: &'static str,
    /// Nothing is on its way any more.
    pub all: Duration,
}

pub struct Terminal {
    started: Instant,
    keys: Arc<Mutex<Box<dyn Write + Send>>>,
    child: Box<dyn Child + Send + Sync>,
    log: Arc<Log>,
    screen: vt100::Parser,
    /// How much of the record is on the screen.
    drawn: usize,
    _master: Box<dyn MasterPty + Send>,
    /// A user without settings.
    _settings: TempDir,
}

impl Terminal {
    /// Starts the explorer in the root of the repository, with one thread to compute.
    pub fn explorer(kind: Kind, arguments: &[&str]) -> Result<Self> {
        Self::at_rate(kind, arguments, None)
    }

    /// The same on a line of so many bytes a second, which takes all that is written and brings it later.
    pub fn at_rate(kind: Kind, arguments: &[&str], rate: Option<usize>) -> Result<Self> {
        let pair = native_pty_system().openpty(SIZE)?;
        let settings = tempfile::tempdir()?;
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_convscope"));
        command.args(arguments);
        command.args(["--threads", "1"]);
        command.cwd(env!("CARGO_MANIFEST_DIR"));
        for name in FOREIGN {
            command.env_remove(name);
        }
        command.env("TERM", "xterm-256color");
        command.env("COLORTERM", "truecolor");
        command.env("XDG_CONFIG_HOME", settings.path());
        let log = Arc::new(Log::default());
        let keys = Arc::new(Mutex::new(pair.master.take_writer()?));
        let output = pair.master.try_clone_reader()?;
        {
            let (log, keys) = (log.clone(), keys.clone());
            match rate {
                None => thread::spawn(move || listen(output, kind, &log, &keys)),
                Some(rate) => {
                    let (line, end) = mpsc::channel();
                    thread::spawn(move || take(output, &line));
                    let slow = Slow {
                        line: end,
                        rate,
                        left: Vec::new(),
                    };
                    thread::spawn(move || listen(slow, kind, &log, &keys))
                }
            };
        }
        let started = Instant::now();
        let child = pair.slave.spawn_command(command)?;
        Ok(Self {
            started,
            keys,
            child,
            log,
            screen: vt100::Parser::new(SIZE.rows, SIZE.cols, 0),
            drawn: 0,
            _master: pair.master,
            _settings: settings,
        })
    }

    /// Waits until everything is there that comes without a key.
    pub fn opened(&mut self) -> Result<Opening> {
        loop {
            let frame = self
                .finished(self.started, PATIENCE)?
                .with_context(|| self.complaint("wrote nothing"))?;
            if let Some((picture, drawn_by)) = first_picture(&self.log.record()) {
                return Ok(Opening {
                    picture: picture - self.started,
                    drawn_by,
                    all: frame.time,
                });
            }
            if self.started.elapsed() > PATIENCE {
                bail!(self.complaint("showed no picture"));
            }
        }
    }

    /// Presses keys, all at once, and says when that was.
    pub fn press(&mut self, keys: &str) -> Result<Instant> {
        self.draw();
        self.drawn = 0;
        {
            let mut record = self.log.record();
            record.bytes.clear();
            record.pieces.clear();
        }
        let mut writer = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let pressed = Instant::now();
        writer.write_all(keys.as_bytes())?;
        writer.flush()?;
        Ok(pressed)
    }

    /// Presses a key and waits for the finished frame; nothing if there is no answer at all within `patience`.
    pub fn step(&mut self, key: &str, patience: Duration) -> Result<Option<Frame>> {
        let pressed = self.press(key)?;
        self.finished(pressed, patience)
    }

    /// How long after a key the first piece of its answer came.
    pub fn answered(&self, pressed: Instant, patience: Duration) -> Option<Duration> {
        let first = |record: &Record| record.pieces.first().map(|(_, time)| *time);
        let time = self.log.wait(pressed + patience, first)?;
        Some(time - pressed)
    }

    /// When something last came, if anything did since the last key.
    pub fn last(&self) -> Option<Instant> {
        self.log.record().pieces.last().map(|(_, time)| *time)
    }

    /// Bytes since the last key.
    pub fn received(&self) -> usize {
        self.log.record().bytes.len()
    }

    /// Waits until nothing has been written for so long.
    pub fn wait_for_silence(&self, silence: Duration) {
        while let Some(left) = self
            .last()
            .and_then(|time| (time + silence).checked_duration_since(Instant::now()))
        {
            if left.is_zero() {
                break;
            }
            thread::sleep(left);
        }
    }

    /// Whether something is on its way: there is a spinner.
    pub fn is_busy(&mut self) -> bool {
        self.draw();
        let text = self.screen.screen().contents();
        text.chars()
            .any(|character| ('\u{2800}'..='\u{28ff}').contains(&character))
    }

    /// Waits for a spinner, and says whether there is one.
    pub fn wait_for_spinner(&mut self, patience: Duration) -> bool {
        let end = Instant::now() + patience;
        loop {
            if self.is_busy() {
                return true;
            }
            let drawn = self.drawn;
            let more = |record: &Record| (record.bytes.len() > drawn).then_some(());
            if self.log.wait(end, more).is_none() {
                return false;
            }
        }
    }

    /// Leaves the explorer, and waits until it is gone.
    pub fn quit(mut self) -> Result<()> {
        self.press("q")?;
        let gone = |record: &Record| record.ended.then_some(());
        if self.log.wait(Instant::now() + FAREWELL, gone).is_none() {
            bail!(self.complaint("doesn't end"));
        }
        let status = self.child.wait()?;
        if !status.success() {
            bail!(self.complaint(&format!("ended with {status:?}")));
        }
        Ok(())
    }

    fn finished(&mut self, since: Instant, patience: Duration) -> Result<Option<Frame>> {
        if self.answered(since, patience).is_none() {
            return Ok(None);
        }
        loop {
            self.wait_for_silence(SILENCE);
            if !self.is_busy() {
                break;
            }
            let drawn = self.drawn;
            let more = |record: &Record| (record.bytes.len() > drawn).then_some(());
            if self.log.wait(since + PATIENCE, more).is_none() {
                bail!(self.complaint("never finished"));
            }
        }
        let record = self.log.record();
        if record.ended {
            drop(record);
            bail!(self.complaint("ended"));
        }
        Ok(record.pieces.last().map(|(bytes, time)| Frame {
            time: *time - since,
            bytes: *bytes,
        }))
    }

    /// Brings what was written to the screen. Not done while it comes, which would hold up the writing.
    fn draw(&mut self) {
        let record = self.log.record();
        self.screen.process(&record.bytes[self.drawn..]);
        self.drawn = record.bytes.len();
    }

    fn complaint(&mut self, what: &str) -> String {
        self.draw();
        format!("the explorer {what}:\n{}", self.screen.screen().contents())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Fails if it has ended, as it should have.
        let _ = self.child.kill();
    }
}

/// Takes what a program writes as soon as it is written.
fn take(mut output: impl Read, line: &Sender<Vec<u8>>) {
    let mut piece = vec![0; 1 << 16];
    // Reading fails when the program is gone.
    while let Ok(count @ 1..) = output.read(&mut piece) {
        if line.send(piece[..count].to_vec()).is_err() {
            return;
        }
    }
}

/// The far end of a slow line.
struct Slow {
    line: Receiver<Vec<u8>>,
    /// Bytes a second.
    rate: usize,
    left: Vec<u8>,
}

impl Read for Slow {
    fn read(&mut self, piece: &mut [u8]) -> std::io::Result<usize> {
        if self.left.is_empty() {
            self.left = self.line.recv().unwrap_or_default();
        }
        let count = self.left.len().min(self.rate / 100).min(piece.len());
        thread::sleep(Duration::from_secs_f64(count as f64 / self.rate as f64));
        let rest = self.left.split_off(count);
        piece[..count].copy_from_slice(&self.left);
        self.left = rest;
        Ok(count)
    }
}

/// Takes the time of everything that comes, and answers questions.
fn listen(mut output: impl Read, kind: Kind, log: &Log, keys: &Mutex<Box<dyn Write + Send>>) {
    let mut answers = Answers::new(kind);
    let mut piece = vec![0; 1 << 16];
    // Reading fails when the program is gone.
    while let Ok(count @ 1..) = output.read(&mut piece) {
        let now = Instant::now();
        let piece = &piece[..count];
        {
            let mut record = log.record();
            record.bytes.extend_from_slice(piece);
            let end = record.bytes.len();
            record.pieces.push((end, now));
        }
        log.news.notify_all();
        let answer = answers.to(piece);
        if !answer.is_empty() {
            let mut keys = keys.lock().unwrap_or_else(PoisonError::into_inner);
            // The program may be gone already.
            let _ = keys.write_all(&answer).and_then(|()| keys.flush());
        }
    }
    log.record().ended = true;
    log.news.notify_all();
}

/// When the first frame with a picture was there, and what it is drawn by.
fn first_picture(record: &Record) -> Option<(Instant, &'static str)> {
    let found = PICTURES
        .iter()
        .filter_map(|(mark, name)| Some((find(&record.bytes, mark)?, *name)));
    let (start, name) = found.min()?;
    let end = start + find(&record.bytes[start..], FRAME_END)? + FRAME_END.len();
    let (_, time) = record.pieces.iter().find(|(until, _)| *until >= end)?;
    Some((*time, name))
}
