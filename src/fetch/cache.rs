//! Where fetched models lie: in the user's cache, `$XDG_CACHE_HOME/convscope/models` or
//! `~/.cache/convscope/models`.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use etcetera::BaseStrategy;
use etcetera::base_strategy::Xdg;

use super::list::{Entry, List};
use super::part;
use crate::error::{Error, Result};

/// The folder of fetched models. It may not be there yet.
#[derive(Clone, Debug)]
pub struct Cache(PathBuf);

impl Cache {
    /// The user's.
    ///
    /// # Errors
    /// When the user has no home folder.
    pub fn of_user() -> Result<Self> {
        let folders = Xdg::new().map_err(|_| {
            Error::request(
                "there is no folder for fetched models: neither XDG_CACHE_HOME nor HOME is set",
            )
        })?;
        Ok(Self(folders.cache_dir().join("convscope").join("models")))
    }

    /// Any folder.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// The file of a model of the list; `None` if it is not fetched.
    pub fn find(&self, entry: &Entry) -> Option<PathBuf> {
        self.file(entry.address.file_name())
    }

    /// The finished file of that name.
    fn file(&self, name: &str) -> Option<PathBuf> {
        let path = self.0.join(name);
        path.is_file().then_some(path)
    }

    /// The finished files that are not of the list, in alphabetical order: they came from other addresses.
    ///
    /// # Errors
    /// When the folder is there and can't be read.
    pub fn others(&self, list: &List) -> Result<Vec<PathBuf>> {
        let fail = |error| Error::io(&self.0, error);
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(fail(error)),
        };
        let listed = |name: &str| {
            let mut names = list.entries().iter().map(|entry| entry.address.file_name());
            names.any(|listed| listed == name)
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(fail)?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let other = name.is_some_and(|name| !listed(name) && !part::is_one(name));
            // A card beside a model isn't one.
            let card = path.extension().is_some_and(|ending| ending == "toml");
            if other && !card && path.is_file() {
                found.push(path);
            }
        }
        found.sort();
        Ok(found)
    }

    /// What is meant by a model on the command line: a file as it is; else a fetched model by its name in the
    /// list or its file's name. Whatever is neither stays as it is, for the one who opens it to complain.
    ///
    /// # Errors
    /// When it is the name of a model that is not fetched yet.
    pub fn resolve(&self, list: &List, model: &Path) -> Result<PathBuf> {
        let mut parts = model.components();
        let (Some(Component::Normal(name)), None) = (parts.next(), parts.next()) else {
            return Ok(model.to_path_buf());
        };
        // A folder that happens to have a model's name can't be opened anyway.
        let there = model.exists() && !model.is_dir();
        let (false, Some(name)) = (there, name.to_str()) else {
            return Ok(model.to_path_buf());
        };
        match list.find(name) {
            Some(entry) => self.find(entry).ok_or_else(|| {
                Error::request(format!(
                    "{name} is not fetched yet: run convscope fetch {name}"
                ))
            }),
            None if part::is_one(name) => Ok(model.to_path_buf()),
            None => Ok(self.file(name).unwrap_or_else(|| model.to_path_buf())),
        }
    }
}

/// [`Cache::resolve`] with the user's cache and the program's own list.
///
/// # Errors
/// When it is the name of a model that is not fetched yet.
pub fn resolve(model: &Path) -> Result<PathBuf> {
    match Cache::of_user() {
        Ok(cache) => cache.resolve(&List::known()?, model),
        // Without a home folder nothing is fetched, and files still open.
        Err(_) => Ok(model.to_path_buf()),
    }
}
