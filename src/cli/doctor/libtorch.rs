//! Which libtorch this program runs with.

use std::fs;
use std::path::{Path, PathBuf};

/// The library that computes.
#[derive(Clone, Debug, Default)]
pub(super) struct Libtorch {
    /// Where its libraries were loaded from.
    pub(super) folder: Option<PathBuf>,
    /// As it says beside its libraries.
    pub(super) version: Option<String>,
    /// Whether it has its CUDA part.
    pub(super) cuda: bool,
}

impl Libtorch {
    /// The one of this process.
    pub(super) fn loaded() -> Self {
        let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
        let folder = folder_of(&maps, "libtorch_cpu.so");
        Self {
            version: folder.as_deref().and_then(version),
            cuda: folder_of(&maps, "libtorch_cuda.so").is_some(),
            folder,
        }
    }
}

/// Where a library in a process's memory came from. A line is `ADDRESSES RIGHTS OFFSET DEVICE INODE PATH`.
fn folder_of(maps: &str, library: &str) -> Option<PathBuf> {
    let mut paths = maps
        .lines()
        .filter_map(|line| line.find('/').map(|start| &line[start..]));
    let path = paths.find(|path| {
        Path::new(path)
            .file_name()
            .is_some_and(|name| name == library)
    })?;
    Path::new(path).parent().map(Path::to_path_buf)
}

/// A package of Python has `version.py` beside `lib`, an archive of libtorch has `build-version`.
fn version(lib: &Path) -> Option<String> {
    let root = lib.parent()?;
    if let Ok(text) = fs::read_to_string(root.join("build-version")) {
        return Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    }
    let text = fs::read_to_string(root.join("version.py")).ok()?;
    of_python(&text)
}

/// `__version__ = '2.9.0+cpu'`.
fn of_python(text: &str) -> Option<String> {
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix("__version__ = "))?;
    Some(value.trim().trim_matches(['\'', '"']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_is_found_in_memory() {
        let maps = "7f00-7f01 r--p 00000000 fd:00 12 /usr/lib/libc.so.6\n7f02-7f03 rw-p 00000000 00:00 0\n\
                    7f04-7f05 r-xp 00001000 fd:00 13 /opt/my torch/lib/libtorch_cpu.so\n";
        assert_eq!(
            folder_of(maps, "libtorch_cpu.so"),
            Some(PathBuf::from("/opt/my torch/lib"))
        );
        assert_eq!(folder_of(maps, "libtorch_cuda.so"), None);
    }

    #[test]
    fn this_test_runs_with_one() {
        assert!(
            Libtorch::loaded()
                .folder
                .is_some_and(|folder| folder.is_dir())
        );
    }

    #[test]
    fn a_version_as_python_has_it() {
        let text = "from typing import Optional\n__version__ = '2.9.0+cpu'\ndebug = False\n";
        assert_eq!(of_python(text).as_deref(), Some("2.9.0+cpu"));
        assert_eq!(of_python("debug = False"), None);
    }
}
