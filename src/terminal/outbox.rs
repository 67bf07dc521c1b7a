//! What is on its way to the terminal: written by a thread of its own, since a slow line makes whoever writes wait.

use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::stdio::stdout;

/// Bytes that are written at once; in between it may be told to stop.
const PIECE: usize = 16 << 10;

/// The one on the way to standard output.
pub(super) static OUTBOX: Outbox = Outbox {
    queue: Mutex::new(Queue {
        bytes: Vec::new(),
        left: 0,
        open: false,
        failed: false,
    }),
    changed: Condvar::new(),
};

pub(super) struct Outbox {
    queue: Mutex<Queue>,
    changed: Condvar,
}

struct Queue {
    /// Not yet taken by the thread.
    bytes: Vec<u8>,
    /// Taken by the thread and not yet written.
    left: usize,
    open: bool,
    failed: bool,
}

impl Outbox {
    /// Starts the thread, which lives as long as the program. It calls `taken` whenever everything is written.
    pub(super) fn start(&'static self, taken: impl Fn() + Send + 'static) -> io::Result<()> {
        thread::Builder::new()
            .name("outbox".to_owned())
            .spawn(move || self.work(&taken))?;
        Ok(())
    }

    fn work(&self, taken: &impl Fn()) {
        loop {
            let bytes = {
                let mut queue = self.lock();
                while queue.bytes.is_empty() {
                    queue = self.wait(queue);
                }
                queue.left = queue.bytes.len();
                std::mem::take(&mut queue.bytes)
            };
            for piece in bytes.chunks(PIECE) {
                let failed = write_all(piece).is_err();
                let mut queue = self.lock();
                queue.failed |= failed;
                queue.left -= piece.len();
                if !queue.open || queue.failed {
                    break;
                }
            }
            self.lock().left = 0;
            self.changed.notify_all();
            taken();
        }
    }

    /// Takes bytes again, after it was closed or for the first time.
    pub(super) fn open(&self) {
        self.lock().open = true;
    }

    /// Hands bytes over.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub(super) fn send(&self, bytes: Vec<u8>) -> io::Result<()> {
        let mut queue = self.lock();
        if queue.failed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        if queue.bytes.is_empty() {
            queue.bytes = bytes;
        } else {
            queue.bytes.extend(bytes);
        }
        self.changed.notify_all();
        Ok(())
    }

    /// How many bytes aren't written yet.
    pub(super) fn pending(&self) -> usize {
        let queue = self.lock();
        queue.bytes.len() + queue.left
    }

    /// Gives up what isn't written yet, and waits until nobody writes any more. Returns whether that came about within
    /// `patience`.
    pub(super) fn close(&self, patience: Duration) -> bool {
        let end = Instant::now() + patience;
        let mut queue = self.lock();
        queue.open = false;
        queue.bytes.clear();
        while queue.left > 0 {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.changed.wait_timeout(queue, left);
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, queue: MutexGuard<'a, Queue>) -> MutexGuard<'a, Queue> {
        let woken = self.changed.wait(queue);
        woken.unwrap_or_else(PoisonError::into_inner)
    }
}

/// Without the buffer and the lock of the standard library's output, which whoever restores the terminal may need.
fn write_all(mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(stdout(), bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => bytes = &bytes[count..],
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
