//! The folder of the user's own themes.

use std::path::{Component, Path, PathBuf};

use etcetera::base_strategy::{BaseStrategy, Xdg};

/// More files than anybody has themes.
const MOST: usize = 1000;

/// Where `NAME.toml` is looked for; nowhere if the user has no folder for such files.
pub(super) struct Folder(pub(super) Option<PathBuf>);

impl Folder {
    /// `convscope/themes` in `$XDG_CONFIG_HOME`, which is `~/.config` where it isn't set. A home that isn't an absolute
    /// path is none: themes would come from wherever the program is started.
    pub(super) fn of_user() -> Self {
        let base = Xdg::new().ok().map(|folders| folders.config_dir());
        Self(
            base.filter(|base| base.is_absolute())
                .map(|base| base.join("convscope").join("themes")),
        )
    }

    /// The file of a theme, if there is one. A name with a path in it is nobody's.
    pub(super) fn find(&self, name: &str) -> Option<PathBuf> {
        let first = Path::new(name).components().next();
        let plain = matches!(first, Some(Component::Normal(part)) if part == name);
        let path = self.0.as_ref()?.join(format!("{name}.toml"));
        (plain && path.exists()).then_some(path)
    }

    /// The names of the themes in it, and where it is: the end of a sentence.
    pub(super) fn contents(&self) -> String {
        let Some(folder) = &self.0 else {
            return "no others, as there is no home folder".to_owned();
        };
        let names = self.names();
        let found = if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        };
        format!("{found} in {}", folder.display())
    }

    fn names(&self) -> Vec<String> {
        let entries = self.0.as_ref().and_then(|folder| folder.read_dir().ok());
        let mut names: Vec<String> = entries
            .into_iter()
            .flatten()
            .take(MOST)
            .filter_map(|entry| {
                let path = entry.ok()?.path();
                let name = path.file_stem()?.to_str()?;
                let theme = path.extension().is_some_and(|ending| ending == "toml")
                    && !name.contains(char::is_control);
                theme.then(|| name.to_owned())
            })
            .collect();
        names.sort();
        names
    }
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::fs;
    use std::process::Command;

    use tempfile::tempdir;

    use super::*;

    /// What [`Folder::of_user`] is in a process with this environment.
    fn of_user(environment: &[(&str, &str)]) -> String {
        let mut this = Command::new(env::current_exe().unwrap());
        let name = "tui::theme::folder::tests::prints_the_folder";
        this.args(["--ignored", "--exact", name, "--nocapture"]);
        this.env_remove("HOME").env_remove("XDG_CONFIG_HOME");
        let output = this.envs(environment.iter().copied()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        let (_, rest) = text.split_once("folder: ").unwrap();
        rest.lines().next().unwrap().to_owned()
    }

    #[test]
    #[ignore = "run with an environment of its own by the test below"]
    fn prints_the_folder() {
        let folder = Folder::of_user().0;
        println!("folder: {}", folder.unwrap_or_default().display());
    }

    #[test]
    fn the_environment_says_where_it_is() {
        assert_eq!(
            of_user(&[("HOME", "/home/jo")]),
            "/home/jo/.config/convscope/themes"
        );
        let both = [("HOME", "/home/jo"), ("XDG_CONFIG_HOME", "/etc/jo")];
        assert_eq!(of_user(&both), "/etc/jo/convscope/themes");
        let relative = [("HOME", "/home/jo"), ("XDG_CONFIG_HOME", "jo")];
        assert_eq!(of_user(&relative), "/home/jo/.config/convscope/themes");
        assert_eq!(of_user(&[("HOME", "jo")]), "");
        // The system may know the home all the same.
        let unset = of_user(&[]);
        assert!(unset.is_empty() || unset.starts_with('/'), "{unset}");
    }

    #[test]
    fn a_name_is_never_a_path_out_of_it() {
        let root = tempdir().unwrap();
        let themes = root.path().join("themes");
        fs::create_dir_all(themes.join("inner")).unwrap();
        for file in ["mine.toml", "inner/deep.toml", "../out.toml", ".toml"] {
            fs::write(themes.join(file), "").unwrap();
        }
        let folder = Folder(Some(themes.clone()));
        assert_eq!(folder.find("mine"), Some(themes.join("mine.toml")));
        let absolute = root.path().join("out");
        for name in [
            "../out",
            "inner/deep",
            "./mine",
            "mine/",
            "",
            ".",
            "..",
            "other",
            "mine\0",
            absolute.to_str().unwrap(),
        ] {
            assert_eq!(folder.find(name), None, "{name}");
        }
        assert_eq!(Folder(None).find("mine"), None);
    }

    #[test]
    fn only_themes_are_listed() {
        let root = tempdir().unwrap();
        let folder = Folder(Some(root.path().to_path_buf()));
        let place = root.path().display();
        assert_eq!(folder.contents(), format!("none in {place}"));
        for file in ["sea.toml", "moss.toml", "notes.txt", "bad\x1b[2J.toml"] {
            fs::write(root.path().join(file), "").unwrap();
        }
        assert_eq!(folder.contents(), format!("moss, sea in {place}"));
        let missing = Folder(Some(root.path().join("none")));
        assert_eq!(missing.contents(), format!("none in {place}/none"));
    }
}
