//! Writing files so that they are there whole or not at all.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::file_name::{file_name, numbered};
use crate::error::{Error, Result};

/// Before the user's umask, as for any file that a program creates.
const MODE: u32 = 0o666;

/// Enough for any folder that people look at.
const MAX_NUMBER: usize = 100_000;

/// Writes `bytes` to `path`: first to a temporary file in the same folder, which is then renamed, so that
/// no reader ever sees a part, and a failure leaves nothing behind.
///
/// A file that exists is replaced only where `overwrite` allows it, even if it comes into being while this
/// runs. A link is followed and its target replaced, keeping the target's permissions. Devices and pipes,
/// such as `/dev/stdout`, are written to directly.
///
/// # Errors
/// If the file exists and may not be replaced, `path` is a folder, its folder is missing or not writable, or
/// the device is full.
pub fn save(path: &Path, bytes: &[u8], overwrite: bool) -> Result<()> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(Error::file(path, "is a folder")),
        Ok(found) if !found.is_file() => write_into(path, bytes),
        Ok(_) if !overwrite => Err(exists(path)),
        Ok(found) => replace(path, bytes, found.permissions()),
        // There is no such file, or else writing it will tell what is wrong.
        Err(_) => create(path, bytes, overwrite),
    }
}

fn create(path: &Path, bytes: &[u8], overwrite: bool) -> Result<()> {
    let temporary = write_beside(path, bytes)?;
    let persisted = if overwrite {
        temporary.persist(path)
    } else {
        temporary.persist_noclobber(path)
    };
    match persisted {
        Ok(_) => Ok(()),
        Err(refused) if refused.error.kind() == ErrorKind::AlreadyExists => Err(exists(path)),
        Err(refused) => Err(failure(path, refused.error)),
    }
}

fn replace(path: &Path, bytes: &[u8], permissions: Permissions) -> Result<()> {
    let target = fs::canonicalize(path).map_err(|error| failure(path, error))?;
    let temporary = write_beside(&target, bytes)?;
    let kept = temporary.as_file().set_permissions(permissions);
    let replaced = kept.and_then(|()| Ok(temporary.persist(&target)?));
    replaced.map(drop).map_err(|error| failure(path, error))
}

fn write_into(device: &Path, bytes: &[u8]) -> Result<()> {
    let open = OpenOptions::new().write(true).open(device);
    let written = open.and_then(|mut file| file.write_all(bytes));
    written.map_err(|error| failure(device, error))
}

/// Writes `bytes` to a file in `dir` that didn't exist, and returns its path: `stem.ending`, `stem-2.ending`
/// and so on. `stem` is made a [`file_name`] first; `ending` comes without a dot.
///
/// # Errors
/// If `dir` is missing or not writable, or the device is full.
pub fn save_unique(dir: &Path, stem: &str, ending: &str, bytes: &[u8]) -> Result<PathBuf> {
    let stem = file_name(stem);
    let first = dir.join(format!("{stem}.{ending}"));
    let mut temporary = write_beside(&first, bytes)?;
    let others = (2..MAX_NUMBER).map(|n| dir.join(format!("{}.{ending}", numbered(&stem, n))));
    for path in std::iter::once(first.clone()).chain(others) {
        match temporary.persist_noclobber(&path) {
            Ok(_) => return Ok(path),
            Err(refused) if refused.error.kind() == ErrorKind::AlreadyExists => {
                temporary = refused.file;
            }
            Err(refused) => return Err(failure(&path, refused.error)),
        }
    }
    Err(Error::file(
        first,
        "exists already, and so do all its numbered names",
    ))
}

/// A temporary file in the folder of `path` that holds `bytes`, safely on the disk.
fn write_beside(path: &Path, bytes: &[u8]) -> Result<NamedTempFile> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let write = || {
        let mut file = tempfile::Builder::new()
            .prefix(".convscope-")
            .suffix(".part")
            .permissions(Permissions::from_mode(MODE))
            .tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        Ok(file)
    };
    write().map_err(|error: io::Error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory if !folder.is_dir() => {
            Error::file(path, format!("there is no folder '{}'", folder.display()))
        }
        _ => failure(path, error),
    })
}

fn exists(path: &Path) -> Error {
    Error::file(path, "exists already; give --overwrite to replace it")
}

fn failure(path: &Path, error: io::Error) -> Error {
    match error.kind() {
        ErrorKind::StorageFull => Error::file(path, "no space is left on the device"),
        ErrorKind::QuotaExceeded => Error::file(path, "the disk quota is used up"),
        ErrorKind::PermissionDenied => Error::file(path, "no permission to write here"),
        ErrorKind::ReadOnlyFilesystem => Error::file(path, "the file system is read-only"),
        _ => Error::io(path, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    fn contents(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_saved_file_is_there_alone_and_readable_by_others() {
        let folder = folder();
        let path = folder.path().join("map.png");
        save(&path, b"map", false).unwrap();

        assert_eq!(fs::read(&path).unwrap(), b"map");
        assert_eq!(contents(folder.path()), ["map.png"]);
        let other = folder.path().join("other");
        fs::write(&other, b"").unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&path), mode(&other));
    }

    #[test]
    fn an_existing_file_is_replaced_only_on_request() {
        let folder = folder();
        let path = folder.path().join("map.png");
        fs::write(&path, b"precious").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();

        let message = save(&path, b"new", false).unwrap_err().to_string();
        let reason = "map.png: exists already; give --overwrite to replace it";
        assert!(message.ends_with(reason), "{message}");
        assert_eq!(fs::read(&path).unwrap(), b"precious");

        save(&path, b"new", true).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        assert_eq!(contents(folder.path()), ["map.png"]);
    }

    #[test]
    fn of_many_writers_one_wins_and_the_others_are_told() {
        let folder = folder();
        let path = &folder.path().join("map.png");
        let wins = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..8)
                .map(|writer: u8| {
                    scope
                        .spawn(move || save(path, &[writer; 1000], false).is_ok().then_some(writer))
                })
                .collect();
            let results = writers.into_iter().map(|writer| writer.join().unwrap());
            results.flatten().collect::<Vec<_>>()
        });
        assert_eq!(wins.len(), 1);
        assert_eq!(fs::read(path).unwrap(), [wins[0]; 1000]);
        assert_eq!(contents(folder.path()), ["map.png"]);
    }

    #[test]
    fn a_link_stays_a_link_and_its_target_is_replaced() {
        let folder = folder();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        fs::write(&target, b"old").unwrap();
        std::os::unix::fs::symlink("target", &link).unwrap();

        assert!(save(&link, b"new", false).is_err());
        save(&link, b"new", true).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&target).unwrap(), b"new");
    }

    #[test]
    fn what_is_no_place_for_a_file_is_named() {
        let folder = folder();
        let refusal = |name: &str, overwrite| {
            let refused = save(&folder.path().join(name), b"map", overwrite);
            refused.unwrap_err().to_string()
        };
        fs::write(folder.path().join("file"), b"").unwrap();

        assert!(refusal("", true).ends_with(": is a folder"));
        assert!(refusal("none/map.png", false).contains("map.png: there is no folder '"));
        assert!(refusal("file/map.png", false).contains("map.png: there is no folder '"));
        assert!(refusal(&"x".repeat(300), false).contains("File name too long"));
        assert_eq!(contents(folder.path()), ["file"]);
    }

    #[test]
    fn a_folder_that_may_not_be_written_to_says_so() {
        let folder = folder();
        let mode = |mode| fs::set_permissions(folder.path(), Permissions::from_mode(mode));
        mode(0o555).unwrap();
        let result = save(&folder.path().join("map.png"), b"map", false);
        mode(0o755).unwrap();
        // Root may write everywhere.
        if let Err(refused) = result {
            assert!(
                refused
                    .to_string()
                    .ends_with("map.png: no permission to write here")
            );
            assert!(contents(folder.path()).is_empty());
        }
    }

    #[test]
    fn devices_are_written_to_and_not_replaced() {
        save(Path::new("/dev/null"), b"map", true).unwrap();
        save(Path::new("/dev/null"), b"map", false).unwrap();
        let full = save(Path::new("/dev/full"), b"map", true).unwrap_err();
        assert_eq!(
            full.to_string(),
            "/dev/full: no space is left on the device"
        );
    }

    #[test]
    fn unique_names_count_up() {
        let folder = folder();
        let save = |stem| {
            let path = save_unique(folder.path(), stem, "png", stem.as_bytes()).unwrap();
            assert_eq!(fs::read(&path).unwrap(), stem.as_bytes());
            assert_eq!(path.parent(), Some(folder.path()));
            path.file_name().unwrap().to_str().unwrap().to_string()
        };
        assert_eq!(save("cat"), "cat.png");
        assert_eq!(save("cat"), "cat-2.png");
        assert_eq!(save("cat"), "cat-3.png");
        assert_eq!(save("a/b"), "a.b.png");
        assert_eq!(save("../cat"), "cat-4.png");
        assert_eq!(contents(folder.path()).len(), 5);
    }
}
