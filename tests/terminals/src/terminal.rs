//! The explorer in a pseudo-terminal, driven by keys.

use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::emulator::{Emulator, Screen};
use crate::expected::Expected;
use crate::{MODEL, Protocol, expect, program, root};

/// Machines that run tests are busy.
const PATIENCE: Duration = Duration::from_mins(1);

/// The program, and the terminal that it runs in.
pub struct Terminal {
    protocol: Protocol,
    master: Box<dyn MasterPty + Send>,
    keys: Keys,
    child: Box<dyn Child + Send + Sync>,
    emulator: Arc<Mutex<Emulator>>,
    reader: JoinHandle<()>,
}

/// The way to the program, for the user's keys and the terminal's answers.
#[derive(Clone)]
struct Keys(Arc<Mutex<Box<dyn Write + Send>>>);

impl Write for Keys {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        lock(&self.0).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        lock(&self.0).flush()
    }
}

/// A terminal's size in cells, and that of a cell in pixels.
pub fn size(columns: u16, rows: u16, cell: (u16, u16)) -> PtySize {
    PtySize {
        rows,
        cols: columns,
        pixel_width: columns * cell.0,
        pixel_height: rows * cell.1,
    }
}

impl Terminal {
    /// Starts the explorer in the root of the repository, and waits until it has all there is to see at first.
    pub fn new(protocol: Protocol, size: PtySize, images: &[&str]) -> Self {
        let pair = native_pty_system()
            .openpty(size)
            .expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(program());
        command.args([&[MODEL], images, &["--threads", "1"]].concat());
        // kitty's is found out.
        let kitty = protocol.name == "kitty";
        if !kitty {
            command.args(["--protocol", protocol.name]);
        }
        command.cwd(root());
        command.env("TERM", "xterm-256color");
        command.env("COLORTERM", "truecolor");
        command.env("OMP_NUM_THREADS", "1");
        for name in ["NO_COLOR", "TMUX", "TERM_PROGRAM", "LC_TERMINAL"] {
            command.env_remove(name);
        }
        let child = pair.slave.spawn_command(command).expect("the program");
        let keys = pair.master.take_writer().expect("a way to the program");
        let keys = Keys(Arc::new(Mutex::new(keys)));
        let emulator = Emulator::new(size, kitty, Box::new(keys.clone()));
        let emulator = Arc::new(Mutex::new(emulator));
        let mut output = pair.master.try_clone_reader().expect("a way back");
        let shared = emulator.clone();
        let reader = thread::spawn(move || {
            let mut bytes = vec![0; 1 << 16];
            // Reading fails when the program is gone.
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                lock(&shared).process(&bytes[..count]);
            }
        });
        let mut terminal = Self {
            protocol,
            master: pair.master,
            keys,
            child,
            emulator,
            reader,
        };
        terminal.wait_for(&["what the network sees", "cat "]);
        terminal
    }

    /// Types.
    pub fn press(&mut self, keys: &str) {
        self.keys
            .write_all(keys.as_bytes())
            .expect("the program reads");
    }

    /// Changes the terminal's size.
    pub fn resize(&mut self, size: PtySize) {
        lock(&self.emulator).resize(size);
        self.master.resize(size).expect("a terminal");
    }

    /// Waits until no frame is on its way, and `look` finds what it wants on the screen. Till then it says what is wrong.
    pub fn wait<T>(&mut self, what: &str, look: impl Fn(&Screen) -> Result<T, String>) -> T {
        let end = Instant::now() + PATIENCE;
        let mut last = None;
        loop {
            let late = Instant::now() > end;
            let screen = {
                let emulator = lock(&self.emulator);
                let before = last.replace(emulator.taken_in);
                let complete = !emulator.drawing && before != last;
                (late || complete).then(|| emulator.screen())
            };
            match screen.map(|screen| (look(&screen), screen)) {
                Some((Ok(found), _)) => return found,
                Some((Err(wrong), screen)) if late => {
                    let file = std::env::temp_dir().join("convscope-screen.png");
                    let saved = screen.pixels.save(&file);
                    panic!(
                        "{what}: {wrong}; {}: {saved:?}\n{}",
                        file.display(),
                        screen.text()
                    );
                }
                _ => thread::sleep(Duration::from_millis(10)),
            }
        }
    }

    /// Waits until the screen says all of `parts`, and nothing is said to be on its way.
    pub fn wait_for(&mut self, parts: &[&str]) {
        self.wait(&format!("{parts:?}"), |screen| {
            let text = screen.text();
            let busy = text.contains(|character| ('\u{2800}'..='\u{28ff}').contains(&character));
            let found = !busy && parts.iter().all(|part| text.contains(part));
            expect(found, || "missing".to_owned())
        });
    }

    /// Waits until the pictures are as expected.
    pub fn wait_for_picture(&mut self, what: &str, expected: &Expected) {
        let protocol = self.protocol;
        self.wait(what, |screen| expected.check(screen, protocol));
    }

    /// What is on the screen.
    pub fn screen(&self) -> Screen {
        lock(&self.emulator).screen()
    }

    /// Bytes of the images that were ever on the screen, and of those that the terminal still holds. The program must be
    /// at rest.
    pub fn memory(&self) -> (usize, usize) {
        lock(&self.emulator).memory()
    }

    /// Leaves the program, which must leave no picture.
    pub fn quit(mut self) {
        self.press("q");
        let end = Instant::now() + PATIENCE;
        while !self.reader.is_finished() {
            assert!(Instant::now() < end, "the program doesn't end");
            thread::sleep(Duration::from_millis(10));
        }
        let status = self.child.wait().expect("a program");
        assert!(status.success(), "{status:?}");
        assert_eq!(self.screen().bounds(), None);
        // Only kitty's pictures have a life of their own.
        assert!(self.protocol.name != "kitty" || self.memory().1 == 0);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Fails if it has ended.
        let _ = self.child.kill();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nobody panicked")
}
