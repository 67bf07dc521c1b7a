//! Where a command's files go.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::options::Saving;
use crate::picture;

impl Saving {
    /// Writes a file and says so; `what` describes it in a word or two.
    pub(super) fn save(&self, path: &Path, bytes: &[u8], what: &str) -> Result<()> {
        picture::save(path, bytes, self.overwrite)?;
        if !self.quiet {
            eprintln!("wrote {} ({what})", path.display());
        }
        Ok(())
    }
}

/// A file for one result, or a folder for several.
pub(super) enum Target {
    File(PathBuf),
    Folder(PathBuf),
}

impl Target {
    /// A path with a picture's ending is a file and holds one picture; any other is a folder. `several` says what
    /// needs one.
    pub(super) fn pictures(
        path: Option<&Path>,
        single: bool,
        several: &str,
    ) -> Result<Option<Self>> {
        Self::of(path, &["png", "jpg", "jpeg"], single, several)
    }

    /// The same for `.npy` files.
    pub(super) fn arrays(path: Option<&Path>, single: bool, several: &str) -> Result<Option<Self>> {
        Self::of(path, &["npy"], single, several)
    }

    fn of(
        path: Option<&Path>,
        endings: &[&str],
        single: bool,
        several: &str,
    ) -> Result<Option<Self>> {
        let Some(path) = path else { return Ok(None) };
        let ending = path
            .extension()
            .map(|ending| ending.to_string_lossy().to_lowercase());
        let is_file = ending
            .as_deref()
            .is_some_and(|ending| endings.contains(&ending))
            && !path.is_dir();
        if is_file && single {
            return Ok(Some(Self::File(path.to_path_buf())));
        }
        if is_file {
            bail!(
                "{}: {several} need a folder; give a path without an ending",
                path.display()
            );
        }
        if let Some(ending) = ending.filter(|ending| is_data(ending) && !path.is_dir()) {
            bail!(
                "{}: can't write .{ending} files here, only .{}",
                path.display(),
                endings.join(", .")
            );
        }
        fs::create_dir_all(path)
            .with_context(|| format!("{}: can't make this folder", path.display()))?;
        Ok(Some(Self::Folder(path.to_path_buf())))
    }

    /// The file for a result, whose name in a folder is made from `stem`.
    pub(super) fn path(&self, stem: &str, ending: &str) -> PathBuf {
        match self {
            Self::File(path) => path.clone(),
            Self::Folder(folder) => folder.join(format!("{stem}.{ending}")),
        }
    }
}

/// Endings that mean a file, so that `-o maps.gif` doesn't become a folder.
fn is_data(ending: &str) -> bool {
    [
        "png", "jpg", "jpeg", "gif", "bmp", "tif", "tiff", "webp", "svg", "pdf", "npy", "npz",
        "json",
    ]
    .contains(&ending)
}
