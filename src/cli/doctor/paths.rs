//! The folders that are read and written.

use std::env;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use etcetera::base_strategy::Xdg;
use serde_json::{Value, json};

use super::Row;
use crate::explain::filters::Shelf;
use crate::fetch::Cache;
use crate::formats::shipped;

/// A folder.
#[derive(Debug)]
pub(super) struct Place {
    name: &'static str,
    /// Nothing if there is no home folder, or it isn't where it should be.
    path: Option<PathBuf>,
    /// Whether the program wants to write there.
    written: bool,
}

/// All of them.
pub(super) fn look() -> [Place; 5] {
    let data = shipped::data_dir(env::current_exe().ok());
    let config = Xdg::new().ok().map(|folders| folders.config_dir());
    let config = config
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join("convscope"));
    let place = |name, path, written| Place {
        name,
        path,
        written,
    };
    [
        place("weights", data.map(|folder| folder.join("weights")), false),
        place(
            "models",
            Cache::of_user()
                .ok()
                .map(|cache| cache.folder().to_path_buf()),
            true,
        ),
        place(
            "patterns",
            Shelf::of_user()
                .ok()
                .map(|shelf| shelf.folder().to_path_buf()),
            true,
        ),
        place("config", config.clone(), false),
        place("themes", config.map(|folder| folder.join("themes")), false),
    ]
}

impl Place {
    fn exists(&self) -> bool {
        self.path.as_deref().is_some_and(Path::is_dir)
    }

    /// Whether files can be made there, or the folder itself, where it isn't there yet.
    fn is_writable(&self) -> bool {
        let mut folders = self.path.iter().flat_map(|path| path.ancestors());
        let nearest = folders.find(|folder| folder.exists());
        // A file that has no name and is gone at once.
        nearest.is_some_and(|folder| tempfile::tempfile_in(folder).is_ok())
    }

    pub(super) fn row(&self) -> Row {
        let Some(path) = &self.path else {
            let why = if self.name == "weights" {
                format!(
                    "not found: name the folder that has weights/ and demo/ in {}",
                    shipped::VARIABLE
                )
            } else {
                "none: there is no home folder".to_owned()
            };
            return (self.name, why);
        };
        let state = match (self.exists(), self.written && !self.is_writable()) {
            (true, false) => "",
            (true, true) => " (can't be written to)",
            (false, true) => " (isn't there and can't be made)",
            (false, false) => " (isn't there yet)",
        };
        (self.name, format!("{}{state}", path.display()))
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "name": self.name,
            "path": self.path,
            "exists": self.exists(),
            "writable": self.is_writable(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(path: PathBuf) -> Place {
        Place {
            name: "models",
            path: Some(path),
            written: true,
        }
    }

    #[test]
    fn what_isnt_there_yet_can_be_made_or_not() {
        let home = tempfile::tempdir().unwrap();
        let there = place(home.path().to_path_buf());
        assert!(there.exists() && there.is_writable());
        let missing = place(home.path().join("a/b"));
        assert!(!missing.exists() && missing.is_writable());
        assert!(missing.row().1.ends_with("(isn't there yet)"));
        let file = home.path().join("file");
        std::fs::write(&file, "").unwrap();
        let blocked = place(file.join("below"));
        assert!(!blocked.is_writable());
        assert!(blocked.row().1.ends_with("can't be made)"));
        assert_eq!(home.path().read_dir().unwrap().count(), 1);
    }
}
