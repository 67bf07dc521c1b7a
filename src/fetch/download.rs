//! A file from its address to its place: whole, with the right checksum, or not at all.

use std::path::{Path, PathBuf};
use std::thread;

use super::address::Address;
use super::client::{self, Client, Failure, Patience, Reply};
use super::copy::{Stopped, copy};
use super::digest::Digest;
use super::list::List;
use super::part::{self, Part};
use crate::error::{Error, Result};

/// What is to be fetched.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// From where.
    pub address: Address,
    /// The publisher's checksum, if there is one.
    pub digest: Option<Digest>,
    /// Of the file, in bytes, for when the server doesn't say it.
    pub size: Option<u64>,
}

impl Wanted {
    /// A model of the list by its name, or an address; its file's name may hold a checksum.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(list: &List, text: &str) -> Result<Self> {
        if let Some(entry) = list.find(text) {
            return Ok(Self {
                address: entry.address.clone(),
                digest: Some(entry.digest.clone()),
                size: Some(entry.size),
            });
        }
        if !text.contains("://") {
            let names: Vec<&str> = list.entries().iter().map(|entry| &*entry.name).collect();
            return Err(Error::request(format!(
                "'{}' is neither the name of a model ({}) nor an address (http://, https://)",
                text.escape_debug(),
                names.join(", ")
            )));
        }
        let address = Address::parse(text)?;
        Ok(Self {
            digest: Digest::in_name(address.file_name()),
            address,
            size: None,
        })
    }
}

/// What goes on, for people.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// So many bytes are there, of so many if that is known.
    Bytes(u64, Option<u64>),
    /// An unfinished file of so many bytes is taken up.
    GoingOn(u64),
    /// The connection broke, and there is another attempt.
    Again(&'a str),
    /// What was kept is not the beginning of what the server has: it is fetched from the start.
    Anew,
}

/// The result.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Where the file is.
    pub path: PathBuf,
    /// False if it was there already.
    pub new: bool,
    /// Whether there was a checksum to compare it with.
    pub checked: bool,
}

/// Fetches a file into a folder, which is made if it is missing. An unfinished file is gone on with. A file that
/// is there already is not fetched again, unless `overwrite` says so.
///
/// # Errors
/// When the server is not reached, doesn't have the file or breaks off for good; when the file turns out to be
/// another one than wanted, by its checksum; when the disk is full (what came so far is kept); when another
/// process is fetching it; and when a file is there already whose checksum is another.
pub fn fetch(
    wanted: &Wanted,
    folder: &Path,
    overwrite: bool,
    tell: &mut dyn FnMut(Event),
) -> Result<Fetched> {
    let client = Client::new(Patience::default());
    fetch_with(&client, wanted, folder, overwrite, tell)
}

pub(super) fn fetch_with(
    client: &Client,
    wanted: &Wanted,
    folder: &Path,
    overwrite: bool,
    tell: &mut dyn FnMut(Event),
) -> Result<Fetched> {
    let target = folder.join(wanted.address.file_name());
    let checked = wanted.digest.is_some();
    if target.is_dir() {
        return Err(Error::file(&target, "is in the way: it is a folder"));
    }
    let there = || {
        let path = target.clone();
        let new = false;
        compare(&target, wanted.digest.as_ref()).map(|()| Fetched { path, new, checked })
    };
    if target.exists() && !overwrite {
        return there();
    }
    let algorithm = wanted.digest.as_ref().map(Digest::algorithm);
    let part = Part::open(&target, algorithm)?;
    // Another process may have finished it just before.
    if target.exists() && !overwrite {
        part.discard();
        return there();
    }
    let mut download = Download {
        client,
        wanted,
        part,
        validator: None,
        total: wanted.size,
        answered: false,
        mended: false,
        tell,
    };
    let done = download.run();
    let part = download.part;
    if let Err(error) = done {
        if part.length() == 0 {
            part.discard();
        }
        return Err(error);
    }
    Ok(Fetched {
        path: part.finish()?,
        new: true,
        checked,
    })
}

/// Checks a file that is there already.
fn compare(path: &Path, digest: Option<&Digest>) -> Result<()> {
    let Some(digest) = digest else {
        return Ok(());
    };
    let found = Digest::of_file(digest.algorithm(), path)?;
    if digest.fits(&found) {
        return Ok(());
    }
    Err(Error::file(
        path,
        format!(
            "is there already and is another file: expected {digest}, found {found}; --overwrite replaces it"
        ),
    ))
}

/// A download under way.
struct Download<'a> {
    client: &'a Client,
    wanted: &'a Wanted,
    part: Part,
    /// By which the server tells the version of the file that is being fetched.
    validator: Option<String>,
    /// Bytes of the whole file, as far as is known.
    total: Option<u64>,
    /// Whether the server has sent something in this call.
    answered: bool,
    /// Whether the bytes that are there come from more than one answer.
    mended: bool,
    tell: &'a mut dyn FnMut(Event),
}

impl Download<'_> {
    /// Makes the unfinished file whole and right; what it has is kept if that fails, unless it is wrong.
    fn run(&mut self) -> Result<()> {
        self.take_up()?;
        let mut pauses = self.client.patience().pauses.clone().into_iter();
        let mut anew = false;
        loop {
            match self.attempt() {
                Ok(()) => match self.problem() {
                    None => return Ok(()),
                    Some(_) if self.mended && !anew => {}
                    Some(problem) => {
                        self.clear()?;
                        return Err(problem);
                    }
                },
                Err(Failure::Broken(reason)) => {
                    let pause = pauses.next().filter(|_| self.answered);
                    let pause =
                        pause.ok_or_else(|| self.refused(&format!("{reason}{}", self.kept())))?;
                    (self.tell)(Event::Again(&reason));
                    thread::sleep(pause);
                    continue;
                }
                Err(Failure::Stale) if self.part.length() == 0 => {
                    let what = "the server sends a part of the file, and was asked for the whole";
                    return Err(self.refused(what));
                }
                Err(Failure::Stale) => {}
                Err(Failure::Refused(error)) => return Err(error),
            }
            anew = true;
            (self.tell)(Event::Anew);
            self.clear()?;
        }
    }

    /// Takes up what an earlier call has left, if it is of this file.
    fn take_up(&mut self) -> Result<()> {
        let note = self.part.note();
        match note.filter(|note| note.address == self.wanted.address.as_str()) {
            Some(note) => {
                self.part.take_up()?;
                self.validator = note.validator;
                self.mended = true;
                if self.can_go_on() {
                    (self.tell)(Event::GoingOn(self.part.length()));
                }
                Ok(())
            }
            None => self.clear(),
        }
    }

    /// Whether mixing the bytes of two versions of the file would be noticed.
    fn can_go_on(&self) -> bool {
        self.validator.is_some() || self.wanted.digest.is_some()
    }

    fn clear(&mut self) -> Result<()> {
        self.mended = false;
        self.part.clear()
    }

    /// Asks for what is missing, and writes it.
    fn attempt(&mut self) -> Result<(), Failure> {
        if self.part.length() > 0 && !self.can_go_on() {
            self.clear().map_err(Failure::Refused)?;
        }
        let have = self.part.length();
        let address = &self.wanted.address;
        let Some(mut reply) = self.client.get(address, have, self.validator.as_deref())? else {
            return Ok(());
        };
        self.answered = true;
        if reply.from == 0 {
            self.begin(&mut reply).map_err(Failure::Refused)?;
        } else {
            self.mended = true;
        }
        self.total = reply.total.or(self.wanted.size);
        let limit = client::limit(reply.total).saturating_sub(reply.from);
        let (total, tell) = (self.total, &mut self.tell);
        let mut each = |count| tell(Event::Bytes(reply.from + count, total));
        match copy(&mut reply.body, &mut self.part, limit, &mut each) {
            Ok(()) if reply.total.is_none_or(|total| self.part.length() == total) => Ok(()),
            Ok(()) => Err(Failure::Broken("the connection was closed".to_owned())),
            Err(Stopped::Reading(error)) => Err(Failure::Broken(self.client.reason(&error.into()))),
            Err(Stopped::Writing(error)) => {
                let what = part::write_failure(error, self.part.length(), self.total);
                let what = format!("{what}{}", self.kept());
                Err(Failure::Refused(Error::file(self.part.path(), what)))
            }
            Err(Stopped::TooLong) => {
                let what = match reply.total {
                    Some(total) => {
                        format!("the server sends more than the {total} bytes it has announced")
                    }
                    None => client::too_large(self.part.length()),
                };
                Err(Failure::Refused(self.refused(&what)))
            }
        }
    }

    /// Makes room for an answer that has the whole file.
    fn begin(&mut self, reply: &mut Reply) -> Result<()> {
        self.clear()?;
        self.validator = reply.validator.take();
        self.part
            .write_note(&self.wanted.address, self.validator.clone())
    }

    /// What is wrong with the whole file.
    fn problem(&mut self) -> Option<Error> {
        let expected = self.wanted.digest.as_ref()?;
        let found = self.part.digest()?;
        (!expected.fits(&found)).then(|| {
            self.refused(&format!(
                "the {} bytes that came are not the wanted file: expected {expected}, found {found}; they are \
                 thrown away",
                self.part.length()
            ))
        })
    }

    /// What to say of the bytes that came before something went wrong.
    fn kept(&self) -> String {
        match self.part.length() {
            1.. if self.can_go_on() => format!(
                "; the {} bytes that came are kept, and the same command goes on with them",
                self.part.length()
            ),
            _ => String::new(),
        }
    }

    fn refused(&self, what: &str) -> Error {
        Error::request(format!("{}: {what}", self.wanted.address))
    }
}
