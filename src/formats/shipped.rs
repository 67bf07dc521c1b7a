//! The models and photos that come with convscope.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Names the folder that has `weights/` and `demo/`.
pub const VARIABLE: &str = "CONVSCOPE_DATA";

/// What convscope opens when it is told nothing.
#[derive(Clone, Debug)]
pub struct Shipped {
    /// The default model.
    pub model: PathBuf,
    /// Every model there is, in alphabetical order.
    pub models: Vec<PathBuf>,
    /// The photos, the default one first.
    pub photos: Vec<PathBuf>,
}

/// Finds them; see [`data_dir`].
///
/// # Errors
/// When there is no such folder, or it lacks the default model.
pub fn shipped() -> Result<Shipped> {
    let exe = env::current_exe().ok();
    let folder = data_dir(exe).ok_or_else(|| {
        Error::request(format!(
            "the models and photos that come with convscope are not where they were when it was built; name \
             the folder that has weights/ and demo/ in {VARIABLE}, or give a model and an image"
        ))
    })?;
    Shipped::in_folder(&folder)
}

/// The folder with `weights/` and `demo/`: the one that the environment names in [`VARIABLE`]; if it isn't
/// set, `../share/convscope` as seen from the program's own folder, else the source tree.
pub fn data_dir(exe: Option<PathBuf>) -> Option<PathBuf> {
    candidates(env::var_os(VARIABLE), exe.as_deref())
        .into_iter()
        .find(|folder| folder.join("weights").is_dir() && folder.join("demo").is_dir())
}

/// Where to look. A folder that is named explicitly is the only one: another in its place would surprise.
fn candidates(variable: Option<OsString>, exe: Option<&Path>) -> Vec<PathBuf> {
    if let Some(folder) = variable.filter(|folder| !folder.is_empty()) {
        return vec![PathBuf::from(folder)];
    }
    let installed = exe.and_then(Path::parent).map(|folder| {
        let prefix = folder.parent().unwrap_or(folder);
        prefix.join("share").join("convscope")
    });
    let source = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    installed.into_iter().chain([source]).collect()
}

impl Shipped {
    /// Looks into `weights/` and `demo/` of a folder.
    ///
    /// # Errors
    /// When the folder can't be read, or lacks the default model.
    pub fn in_folder(folder: &Path) -> Result<Self> {
        let model = folder
            .join("weights")
            .join("efficientnet_lite0.safetensors");
        if !model.is_file() {
            return Err(Error::file(
                &model,
                "the model that should be here is missing",
            ));
        }
        let mut photos = files(&folder.join("demo"), &["png", "jpg", "jpeg"])?;
        photos.sort_by_key(|photo| photo.file_stem().is_none_or(|stem| stem != "chelsea"));
        Ok(Self {
            model,
            models: files(&folder.join("weights"), &["safetensors", "h5"])?,
            photos,
        })
    }
}

/// The files in a folder with one of these endings, in alphabetical order.
fn files(folder: &Path, endings: &[&str]) -> Result<Vec<PathBuf>> {
    let io = |error| Error::io(folder, error);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let ending = path.extension().and_then(|ending| ending.to_str());
        if ending.is_some_and(|ending| endings.contains(&ending)) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_model_and_photo_are_there() {
        let shipped = Shipped::in_folder(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        assert_eq!(shipped.models.len(), 3);
        assert!(shipped.models.contains(&shipped.model));
        assert_eq!(shipped.photos.len(), 9);
        assert!(shipped.photos[0].ends_with("demo/chelsea.png"));
        assert!(shipped.photos[1].ends_with("demo/china.jpg"));
    }

    #[test]
    fn a_named_folder_is_the_only_one_looked_at() {
        let exe = Some(Path::new("/opt/bin/convscope"));
        let named = candidates(Some("/data".into()), exe);
        assert_eq!(named, [PathBuf::from("/data")]);
        let usual = candidates(Some("".into()), exe);
        assert_eq!(usual[0], PathBuf::from("/opt/share/convscope"));
        assert_eq!(usual[1], PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    }
}
