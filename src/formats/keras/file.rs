//! The HDF5 side of a Keras file: opening it, finding groups and data sets.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use hdf5_reader::group::Group;
use hdf5_reader::{Dataset, Hdf5File, OpenOptions};

use super::Outcome;
use super::show::excerpt;
use crate::error::{Error, Result};

/// Largest piece that is decoded in one go; weights are read in smaller ones.
const LARGEST_READ: usize = 256 << 20;

/// An open HDF5 file.
pub struct File {
    path: PathBuf,
    hdf5: Hdf5File,
    length: u64,
}

impl File {
    /// Opens a file and reads its superblock.
    ///
    /// # Errors
    /// When there is no such file, it isn't HDF5, or it is cut short.
    pub fn open(path: &Path) -> Result<Self> {
        let metadata = fs::metadata(path).map_err(|source| Error::io(path, source))?;
        if metadata.is_dir() {
            return Err(Error::file(path, "is a folder, not a Keras file (.h5)"));
        }
        // A pipe or a device could block for ever, and can't be read by position.
        if !metadata.is_file() {
            return Err(Error::file(path, "is not a regular file"));
        }
        let length = metadata.len();
        if length == 0 {
            return Err(Error::file(path, "is empty, not a Keras file (.h5)"));
        }
        let options = OpenOptions::default().with_max_read_bytes(LARGEST_READ);
        let hdf5 = Hdf5File::open_with_options(path, options).map_err(|error| match error {
            hdf5_reader::error::Error::Io(source) => Error::io(path, source),
            hdf5_reader::error::Error::InvalidMagic => {
                Error::file(path, format!("is not an HDF5 file: {}", beginning(path)))
            }
            error => Error::file(path, format!("is damaged: {error}")),
        })?;
        let announced = hdf5.superblock().eof_address;
        if hdf5.superblock().base_address == 0 && length < announced {
            return Err(Error::file(
                path,
                format!(
                    "is cut short: {length} bytes of the {announced} that its header announces"
                ),
            ));
        }
        Ok(Self {
            path: path.to_path_buf(),
            hdf5,
            length,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// In bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The reader beneath, for data sets.
    pub fn hdf5(&self) -> &Hdf5File {
        &self.hdf5
    }

    /// The root group.
    pub fn root(&self) -> Outcome<Group> {
        self.hdf5.root_group().map_err(damaged)
    }
}

/// How a file begins, in words.
fn beginning(path: &Path) -> String {
    let mut start = [0; 16];
    let read = fs::File::open(path).and_then(|mut file| file.read(&mut start));
    let start = &start[..read.unwrap_or(0)];
    format!("begins with \"{}\"", start.escape_ascii())
}

/// What to say of the reader's own errors.
pub fn damaged(error: impl std::fmt::Display) -> String {
    format!("is damaged: {}", excerpt(&error.to_string()))
}

/// The group at a path below another; `None` if there is none.
///
/// # Errors
/// When something on the way can't be read.
pub fn group(parent: &Group, path: &str) -> Outcome<Option<Group>> {
    let mut group = parent.clone();
    for part in parts(path) {
        group = match group.group(part) {
            Ok(group) => group,
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(damaged(error)),
        };
    }
    Ok(Some(group))
}

/// The data set at a path below a group.
///
/// # Errors
/// When it isn't there, or can't be read.
pub fn dataset(parent: &Group, path: &str) -> Outcome<Dataset> {
    let missing = || format!("lacks the data set '{}' that it lists", excerpt(path));
    let (folder, name) = match path.trim_end_matches('/').rsplit_once('/') {
        Some((folder, name)) => (group(parent, folder)?.ok_or_else(missing)?, name),
        None => (parent.clone(), path),
    };
    folder.dataset(name).map_err(|error| {
        if is_missing(&error) {
            missing()
        } else {
            damaged(error)
        }
    })
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty())
}

fn is_missing(error: &hdf5_reader::error::Error) -> bool {
    use hdf5_reader::error::Error as Hdf5;
    match error {
        Hdf5::GroupNotFound(_) | Hdf5::DatasetNotFound(_) => true,
        Hdf5::Context { source, .. } => is_missing(source),
        _ => false,
    }
}
