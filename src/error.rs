//! The library's one error type. Each message stands by itself: it names the file or the layer,
//! what was expected and what was found.

use std::io;
use std::path::{Path, PathBuf};

/// What can go wrong. [`std::fmt::Display`] gives one line, fit to be shown as it is.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused to open, read or write a file.
    #[error("{}: {reason}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said. Not called `source`: it is in the message already.
        reason: io::Error,
    },
    /// A file was read, and what it holds is not usable.
    #[error("{}: {what}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was expected and what was found.
        what: String,
    },
    /// A layer can't be computed, or was asked for something it lacks.
    #[error("layer '{layer}': {what}")]
    Layer {
        /// The layer's name in the model file.
        layer: String,
        /// What was expected and what was found.
        what: String,
    },
    /// A request that doesn't fit the model, image or device; says what would.
    #[error("{0}")]
    Request(String),
    /// The work was called off by the one who had asked for it.
    #[error("cancelled")]
    Cancelled,
}

/// Shorthand for results with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An [`Error::Io`] about `path`.
    pub fn io(path: impl AsRef<Path>, reason: io::Error) -> Self {
        let path = path.as_ref().to_path_buf();
        Self::Io { path, reason }
    }

    /// An [`Error::File`] about `path`.
    pub fn file(path: impl AsRef<Path>, what: impl Into<String>) -> Self {
        let path = path.as_ref().to_path_buf();
        let what = what.into();
        Self::File { path, what }
    }

    /// An [`Error::Layer`] about `layer`.
    pub fn layer(layer: impl Into<String>, what: impl Into<String>) -> Self {
        Self::Layer {
            layer: layer.into(),
            what: what.into(),
        }
    }

    /// An [`Error::Request`].
    pub fn request(what: impl Into<String>) -> Self {
        Self::Request(what.into())
    }
}
