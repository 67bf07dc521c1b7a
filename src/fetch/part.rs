//! The unfinished file: `NAME.part` beside the place of the finished one, with a note of where it comes from,
//! `NAME.part.json`, so that a later call can go on with it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::address::Address;
use super::digest::{Algorithm, Digest, Hasher};
use crate::error::{Error, Result};

const PART: &str = ".part";
const NOTE: &str = ".part.json";

/// No note is longer, in bytes.
const LONGEST_NOTE: u64 = 1 << 16;

/// Whether a file of that name is an unfinished one, or the note of one.
pub(super) fn is_one(name: &str) -> bool {
    name.ends_with(PART) || name.ends_with(NOTE)
}

/// Where an unfinished file comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    /// The address that was asked for.
    pub address: String,
    /// By which the server told that version of the file from others.
    pub validator: Option<String>,
}

/// An unfinished file, which no other process writes to meanwhile. Writing appends.
pub(super) struct Part {
    target: PathBuf,
    path: PathBuf,
    file: File,
    length: u64,
    algorithm: Option<Algorithm>,
    /// Over the bytes that are there.
    hasher: Option<Hasher>,
}

impl Part {
    /// Opens the unfinished file of `target`, or begins one; its folder is made if it is missing. A checksum is
    /// worked out if there is an `algorithm`.
    ///
    /// # Errors
    /// When the folder can't be made or written to, or another process is fetching the file.
    pub(super) fn open(target: &Path, algorithm: Option<Algorithm>) -> Result<Self> {
        if let Some(folder) = target.parent() {
            if folder.exists() && !folder.is_dir() {
                return Err(Error::file(folder, "is not a folder to put a file into"));
            }
            fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
        }
        let path = beside(target, PART);
        let fail = |error| Error::io(&path, error);
        // A pipe would be waited for without end.
        if fs::metadata(&path).is_ok_and(|found| !found.is_file()) {
            return Err(Error::file(&path, "is in the way: it is not a file"));
        }
        let file = loop {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false);
            let file = options.open(&path).map_err(fail)?;
            // Some network file systems have no locks, which is another error than this one. There, the checksum
            // tells if two have mixed their bytes.
            if let Err(TryLockError::WouldBlock) = file.try_lock() {
                return Err(Error::file(
                    target,
                    "is being fetched by another process at this moment",
                ));
            }
            // Whoever held the lock may have finished: then this is the finished file by now.
            if is_at(&file, &path) {
                break file;
            }
        };
        let length = file.metadata().map_err(fail)?.len();
        Ok(Self {
            target: target.to_path_buf(),
            path,
            file,
            length,
            algorithm,
            hasher: algorithm.map(Hasher::new),
        })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes that are there.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Where the bytes that are there come from; `None` if there are none, or it isn't known.
    pub(super) fn note(&self) -> Option<Note> {
        let path = beside(&self.target, NOTE);
        let is_file = fs::metadata(&path).is_ok_and(|found| found.is_file());
        if self.length == 0 || !is_file {
            return None;
        }
        let mut text = Vec::new();
        let file = File::open(path).ok()?;
        file.take(LONGEST_NOTE).read_to_end(&mut text).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Takes up the bytes that are there.
    ///
    /// # Errors
    /// When they can't be read.
    pub(super) fn take_up(&mut self) -> Result<()> {
        let fail = |error| Error::io(&self.path, error);
        self.file.rewind().map_err(fail)?;
        if let Some(algorithm) = self.algorithm {
            let mut hasher = Hasher::new(algorithm);
            hasher.read(&mut self.file).map_err(fail)?;
            self.hasher = Some(hasher);
        }
        self.length = self.file.seek(io::SeekFrom::End(0)).map_err(fail)?;
        Ok(())
    }

    /// Throws away the bytes that are there.
    ///
    /// # Errors
    /// When the file can't be written to.
    pub(super) fn clear(&mut self) -> Result<()> {
        let fail = |error| Error::io(&self.path, error);
        self.file.set_len(0).map_err(fail)?;
        self.file.rewind().map_err(fail)?;
        self.length = 0;
        self.hasher = self.algorithm.map(Hasher::new);
        Ok(())
    }

    /// Notes where the bytes to come are from.
    ///
    /// # Errors
    /// When the note can't be written.
    pub(super) fn write_note(&self, address: &Address, validator: Option<String>) -> Result<()> {
        let note = Note {
            address: address.as_str().to_owned(),
            validator,
        };
        let path = beside(&self.target, NOTE);
        let fail = |error| Error::io(&path, error);
        let text = serde_json::to_string(&note).map_err(|error| fail(error.into()))?;
        fs::write(&path, text).map_err(fail)
    }

    /// The checksum of the bytes that are there.
    pub(super) fn digest(&mut self) -> Option<Digest> {
        self.hasher.take().map(Hasher::finish)
    }

    /// Gives the file its name, once it is safely on the disk.
    ///
    /// # Errors
    /// When it can't be written out or renamed.
    pub(super) fn finish(self) -> Result<PathBuf> {
        let written = self.file.sync_all();
        written.map_err(|error| Error::io(&self.path, error))?;
        fs::rename(&self.path, &self.target).map_err(|error| Error::io(&self.target, error))?;
        // Left behind it would do no harm.
        let _ = fs::remove_file(beside(&self.target, NOTE));
        Ok(self.target)
    }

    /// Removes the unfinished file and its note.
    pub(super) fn discard(self) {
        // What can't be removed is begun anew by the next call.
        let _ = fs::remove_file(beside(&self.target, NOTE));
        let _ = fs::remove_file(&self.path);
    }
}

impl Write for Part {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.length += count as u64;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&bytes[..count]);
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Whether an open file is the one at `path`.
fn is_at(file: &File, path: &Path) -> bool {
    let identity = |found: fs::Metadata| (found.dev(), found.ino());
    let open = file.metadata().map(identity);
    let there = fs::metadata(path).map(identity);
    matches!((open, there), (Ok(open), Ok(there)) if open == there)
}

fn beside(target: &Path, ending: &str) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    target.with_file_name(name)
}

/// What to say when the unfinished file can't be written to: `done` of `total` bytes are there.
pub(super) fn write_failure(error: io::Error, done: u64, total: Option<u64>) -> String {
    let why = match error.kind() {
        ErrorKind::StorageFull => "no space is left on the device",
        ErrorKind::QuotaExceeded => "the disk quota is used up",
        ErrorKind::FileTooLarge => "files may not become larger here",
        _ => return error.to_string(),
    };
    match total {
        Some(total) => {
            let missing = total.saturating_sub(done);
            format!("{why}: {missing} more bytes are needed of {total}")
        }
        None => format!("{why}: more than {done} bytes are needed"),
    }
}
