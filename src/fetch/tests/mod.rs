//! Fetching from a server on this machine. There is none with https here.

mod going_on;
mod names;
mod refused;
mod server;
mod whole;

use std::fs;
use std::path::Path;
use std::time::Duration;

use tempfile::{TempDir, tempdir};

use self::server::{Answer, Request, Server};
use super::client::{Client, Patience};
use super::digest::Hasher;
use super::download::fetch_with;
use super::part::Part;
use super::*;
use crate::error::Result;

/// Bytes that tell where they are from.
fn content(length: usize) -> Vec<u8> {
    (0..length as u32)
        .flat_map(u32::to_le_bytes)
        .take(length)
        .collect()
}

const LENGTH: usize = 1_000_003;
const ETAG: &str = "\"first\"";

fn sum(bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::new(Algorithm::Md5);
    hasher.update(bytes);
    hasher.finish()
}

/// For a machine that is busy with other tests too.
const PATIENT: Duration = Duration::from_secs(20);

/// What came of a call, and what it told about it, the bytes left out.
struct Told {
    result: Result<Fetched>,
    events: Vec<String>,
    /// The last numbers of bytes.
    bytes: Option<(u64, Option<u64>)>,
}

impl Told {
    fn message(&self) -> String {
        self.result.as_ref().unwrap_err().to_string()
    }
}

fn get(wanted: &Wanted, folder: &Path, overwrite: bool) -> Told {
    get_within(PATIENT, wanted, folder, overwrite)
}

/// Waits no longer than `silence` for the next bytes.
fn get_within(silence: Duration, wanted: &Wanted, folder: &Path, overwrite: bool) -> Told {
    let client = Client::direct(Patience {
        connect: PATIENT,
        silence,
        pauses: vec![Duration::from_millis(1); 3],
    });
    let (mut events, mut bytes) = (Vec::new(), None);
    let mut tell = |event: Event| match event {
        Event::Bytes(done, total) => bytes = Some((done, total)),
        event => events.push(format!("{event:?}")),
    };
    let result = fetch_with(&client, wanted, folder, overwrite, &mut tell);
    Told {
        result,
        events,
        bytes,
    }
}

fn wanted(server: &Server, digest: Option<Digest>) -> Wanted {
    Wanted {
        address: Address::parse(&server.url("a/net.h5")).unwrap(),
        digest,
        size: None,
    }
}

fn names(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The file is there, alone and whole.
#[track_caller]
fn is_whole(folder: &TempDir) {
    assert_eq!(names(folder), ["net.h5"]);
    let found = fs::read(folder.path().join("net.h5")).unwrap();
    assert!(found == content(LENGTH), "{} bytes", found.len());
}

/// Where each request wanted to begin.
fn begins(server: &Server) -> Vec<Option<usize>> {
    server.requests().iter().map(Request::from).collect()
}
