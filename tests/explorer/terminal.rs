//! A terminal that nobody looks at, with the explorer in it.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use portable_pty::{
    Child, CommandBuilder, ExitStatus, MasterPty, PtySize, SlavePty, native_pty_system,
};

use super::kitty::{OnScreen, Pictures};

/// Machines that run tests are busy.
const PATIENCE: Duration = Duration::from_mins(1);

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_convscope");
pub const MODEL: &str = "weights/cats_and_dogs_small_2.h5";

pub struct Terminal {
    master: Option<Box<dyn MasterPty + Send>>,
    /// Keeps the terminal there when the program has gone.
    slave: Option<Box<dyn SlavePty + Send>>,
    keys: Arc<Mutex<Option<Box<dyn Write + Send>>>>,
    child: Box<dyn Child + Send + Sync>,
    screen: Arc<Mutex<vt100::Parser>>,
    pictures: Arc<Mutex<Pictures>>,
    modes: String,
    /// Bytes that came so far.
    received: Arc<AtomicUsize>,
    /// Reads no more after the next piece of output.
    deaf: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

/// In pixels.
pub const CELL: (u16, u16) = (9, 18);

/// What the explorer asks last of all of its terminal, and what any terminal answers.
const LAST: (&[u8], &[u8]) = (b"\x1b[c", b"\x1b[?62;c");

/// What it asks to know the colours around it, or whether all has arrived.
const BACKGROUND: (&[u8], &[u8]) = (b"\x1b]11;?", b"\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\");

/// What one that knows kitty's pictures answers when it is asked for one.
const KITTY_ANSWER: &[u8] = b"\x1b_Gi=31;OK\x1b\\";

/// Settings of the terminal that the tests themselves run in.
const FOREIGN: [&str; 9] = [
    "NO_COLOR",
    "TMUX",
    "STY",
    "TERM_PROGRAM",
    "KITTY_WINDOW_ID",
    "WEZTERM_PANE",
    "KONSOLE_VERSION",
    "VTE_VERSION",
    "LC_TERMINAL",
];

/// The root of the repository.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize {
        rows,
        cols: columns,
        pixel_width: columns * CELL.0,
        pixel_height: rows * CELL.1,
    }
}

impl Terminal {
    /// Starts the explorer in the root of the repository.
    pub fn explorer<S: AsRef<OsStr>>(arguments: &[S]) -> Self {
        Self::start(PROGRAM, arguments, &[])
    }

    /// In a terminal that shows kitty's pictures.
    pub fn kitty<S: AsRef<OsStr>>(arguments: &[S]) -> Self {
        Self::kitty_with(arguments, &[])
    }

    pub fn kitty_with<S: AsRef<OsStr>>(arguments: &[S], environment: &[(&str, &str)]) -> Self {
        Self::begin(PROGRAM.as_ref(), arguments, environment, KITTY_ANSWER, None)
    }

    /// The same, or one without pictures, on a line of so many bytes a second.
    pub fn slow<S: AsRef<OsStr>>(arguments: &[S], kitty: bool, rate: usize) -> Self {
        let answer = if kitty { KITTY_ANSWER } else { b"" };
        Self::begin(PROGRAM.as_ref(), arguments, &[], answer, Some(rate))
    }

    pub fn start<S: AsRef<OsStr>>(
        program: impl AsRef<OsStr>,
        arguments: &[S],
        environment: &[(&str, &str)],
    ) -> Self {
        Self::begin(program.as_ref(), arguments, environment, b"", None)
    }

    /// `answer` is what it says when it is asked whether it would show a picture.
    fn begin<S: AsRef<OsStr>>(
        program: &OsStr,
        arguments: &[S],
        environment: &[(&str, &str)],
        answer: &'static [u8],
        rate: Option<usize>,
    ) -> Self {
        let (columns, rows) = (120, 40);
        let pair = native_pty_system().openpty(size(columns, rows)).unwrap();
        let modes = format!("{:?}", pair.master.get_termios().unwrap());
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.cwd(root());
        command.env("TERM", "xterm-256color");
        command.env("COLORTERM", "truecolor");
        for name in FOREIGN {
            command.env_remove(name);
        }
        for (name, value) in environment {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        let screen = Arc::new(Mutex::new(vt100::Parser::new(rows, columns, 0)));
        let (mut output, shared) = (pair.master.try_clone_reader().unwrap(), screen.clone());
        let deaf = Arc::new(AtomicBool::new(false));
        let closing = deaf.clone();
        let keys = Arc::new(Mutex::new(Some(pair.master.take_writer().unwrap())));
        let pictures = Arc::new(Mutex::new(Pictures::default()));
        let (mouth, album) = (keys.clone(), pictures.clone());
        let received = Arc::new(AtomicUsize::new(0));
        let counter = received.clone();
        let mut tail = Vec::new();
        let mut digest: Box<dyn FnMut(&[u8]) + Send> = Box::new(move |bytes: &[u8]| {
            counter.fetch_add(bytes.len(), Ordering::SeqCst);
            let asked = album.lock().unwrap().process(bytes);
            shared.lock().unwrap().process(bytes);
            let mut answers = answer.repeat(asked);
            tail.extend_from_slice(bytes);
            while let Some((end, answer)) = question(&tail) {
                answers.extend_from_slice(answer);
                tail.drain(..end);
            }
            tail.drain(..tail.len().saturating_sub(BACKGROUND.0.len()));
            if let Some(mouth) = mouth.lock().unwrap().as_mut() {
                // Fails when the program has gone.
                let _ = mouth.write_all(&answers);
            }
        });
        let (line, end) = mpsc::channel::<Vec<u8>>();
        if let Some(rate) = rate {
            // Whatever is written is taken at once, and arrives later.
            thread::spawn(move || {
                for bytes in end {
                    for piece in bytes.chunks(rate / 100) {
                        thread::sleep(Duration::from_millis(10));
                        digest(piece);
                    }
                }
            });
            digest = Box::new(move |bytes: &[u8]| drop(line.send(bytes.to_vec())));
        }
        let read = move || {
            let mut bytes = vec![0; 1 << 16];
            // Reading fails when the terminal is gone.
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                digest(&bytes[..count]);
                if closing.load(Ordering::SeqCst) {
                    return;
                }
            }
        };
        let reader = Some(thread::spawn(read));
        Self {
            master: Some(pair.master),
            slave: Some(pair.slave),
            keys,
            child,
            screen,
            pictures,
            modes,
            received,
            deaf,
            reader,
        }
    }

    pub fn press(&mut self, keys: &str) {
        let mut writer = self.keys.lock().unwrap();
        let writer = writer.as_mut().unwrap();
        writer.write_all(keys.as_bytes()).unwrap();
        writer.flush().unwrap();
    }

    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.screen
            .lock()
            .unwrap()
            .screen_mut()
            .set_size(rows, columns);
        self.master
            .as_ref()
            .unwrap()
            .resize(size(columns, rows))
            .unwrap();
    }

    pub fn text(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    /// Waits until the screen says all of `parts`, and nothing is on its way any more.
    pub fn wait_for(&mut self, parts: &[&str]) {
        let spinner = |text: &str| {
            text.chars()
                .any(|character| ('\u{2800}'..='\u{28ff}').contains(&character))
        };
        let pictures = self.pictures.clone();
        self.wait(&format!("{parts:?}"), |screen| {
            let text = screen.contents();
            let all = parts.iter().all(|part| text.contains(part));
            all && !spinner(&text) && !pictures.lock().unwrap().drawing
        });
    }

    pub fn wait(&mut self, what: &str, condition: impl Fn(&vt100::Screen) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !condition(self.screen.lock().unwrap().screen()) {
            let status = self.child.try_wait().unwrap();
            assert!(
                Instant::now() < end,
                "{what} never came ({status:?}):\n{}",
                self.text()
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// How many colours there are in a part of the screen.
    pub fn colors(&self, rows: std::ops::Range<u16>, columns: std::ops::Range<u16>) -> usize {
        let parser = self.screen.lock().unwrap();
        let cells = rows.flat_map(|row| columns.clone().map(move |column| (row, column)));
        let colors =
            cells.filter_map(
                |(row, column)| match parser.screen().cell(row, column)?.fgcolor() {
                    vt100::Color::Rgb(red, green, blue) => Some([red, green, blue]),
                    _ => None,
                },
            );
        colors.collect::<std::collections::HashSet<_>>().len()
    }

    /// Waits until the pictures on the screen are as wanted, and returns them.
    pub fn wait_for_pictures(
        &mut self,
        what: &str,
        wanted: impl Fn(&[OnScreen]) -> bool,
    ) -> Vec<OnScreen> {
        let pictures = self.pictures.clone();
        self.wait(what, |_| {
            let pictures = pictures.lock().unwrap();
            !pictures.drawing && wanted(&pictures.on_screen())
        });
        self.pictures().on_screen()
    }

    /// What is shown by kitty's protocol.
    pub fn pictures(&self) -> std::sync::MutexGuard<'_, Pictures> {
        self.pictures.lock().unwrap()
    }

    /// Bytes that came so far.
    pub fn received(&self) -> usize {
        self.received.load(Ordering::SeqCst)
    }

    pub fn signal(&self, name: &str) {
        let id = self.child.process_id().unwrap().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", name, &id])
                .status()
                .unwrap()
                .success()
        );
    }

    /// The connection breaks. The reader, which holds an end of it too, is made to let go by some last output.
    pub fn hang_up(&mut self) {
        self.deaf.store(true, Ordering::SeqCst);
        self.press("?");
        self.reader.take().unwrap().join().unwrap();
        *self.keys.lock().unwrap() = None;
        self.slave = None;
        self.master = None;
    }

    /// Waits for the program to end.
    pub fn status(&mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                Instant::now() < end,
                "the program doesn't end:\n{}",
                self.text()
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// The terminal must be as it was, once everything written has been read.
    pub fn assert_restored(&mut self) {
        self.wait("the other screen", |screen| {
            !screen.alternate_screen() && !screen.hide_cursor()
        });
        let modes = format!("{:?}", self.master.as_ref().unwrap().get_termios().unwrap());
        assert_eq!(modes, self.modes);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Fails if it has ended.
        let _ = self.child.kill();
    }
}

/// Where the first question in what was written ends, and what is answered.
fn question(written: &[u8]) -> Option<(usize, &'static [u8])> {
    let found = [LAST, BACKGROUND]
        .into_iter()
        .filter_map(|(question, answer)| {
            let mut windows = written.windows(question.len());
            let start = windows.position(|window| window == question)?;
            Some((start + question.len(), answer))
        });
    found.min()
}

/// Where a test's files go.
pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

pub fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}
