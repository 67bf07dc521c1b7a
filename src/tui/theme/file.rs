//! A theme's file of the user's own.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::Result;

use super::built_in::BuiltIn;
use super::{Theme, Written};
use crate::error::Error;

/// No theme's file is larger than this.
const LARGEST: u64 = 64 << 10;

/// # Errors
/// If the file can't be read, isn't a theme, or names a part, a flag or a colour that there isn't.
pub(super) fn read(path: &Path) -> Result<Theme> {
    let text = text(path)?;
    let written: Written = toml::from_str(&text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.map_or(1, |before| before.matches('\n').count() + 1);
        let what = printable(error.message());
        Error::file(path, format!("is not a theme: line {line}: {what}"))
    })?;
    let base = written.base.unwrap_or(BuiltIn::Default).read()?;
    Ok(written.over(base))
}

/// Whatever isn't a plain file is refused before it is opened: a pipe would never end.
fn text(path: &Path) -> Result<String, Error> {
    let io = |error| Error::io(path, error);
    if !path.metadata().map_err(io)?.is_file() {
        return Err(Error::file(path, "is not a file"));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(io)?;
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > LARGEST {
        return Err(Error::file(path, "is larger than 64 KiB, and no theme is"));
    }
    String::from_utf8(bytes).map_err(|_| Error::file(path, "is not text in UTF-8"))
}

/// One line, without what a terminal would obey.
fn printable(message: &str) -> String {
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    line.replace(char::is_control, "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::tempdir;

    use super::*;

    fn read_bytes(bytes: &[u8]) -> Result<Theme> {
        let folder = tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        fs::write(&path, bytes).unwrap();
        read(&path)
    }

    fn read_text(text: &str) -> Result<Theme> {
        read_bytes(text.as_bytes())
    }

    #[test]
    fn what_is_not_named_is_the_bases() {
        let dark = BuiltIn::Dark.read().unwrap();
        let mine =
            read_text("base = 'dark'\nerror = { fg = 'red' }\n[cursor]\ndim = true").unwrap();
        for ((part, mine), (_, base)) in mine.parts().into_iter().zip(dark.parts()) {
            match part {
                "error" => assert_eq!(mine, toml::from_str("fg = 'red'").unwrap()),
                "cursor" => assert_eq!(mine, toml::from_str("dim = true").unwrap()),
                _ => assert_eq!(mine, base, "{part}"),
            }
        }
    }

    #[test]
    fn the_base_is_the_default_theme_where_none_is_named() {
        let mine = read_text("").unwrap();
        assert_eq!(mine.parts(), BuiltIn::Default.read().unwrap().parts());
    }

    #[test]
    fn mistakes_are_named_with_their_line_and_what_would_be_right() {
        for (text, line, expected) in [
            (
                "base = 'dark'\nerror = { fg = 'blurple' }",
                2,
                "'blurple' is no colour: expected a name",
            ),
            (
                "base = 'dark'\n\n[error]\nbold = true\nfg = 'blurple'",
                5,
                "'blurple' is no colour",
            ),
            ("\nbar = { fg = 999 }", 2, "expected a colour"),
            (
                "key = {}\ncursr = {}",
                2,
                "unknown field `cursr`, expected one of `base`, `title`, `border`",
            ),
            (
                "key = {}\nbar = { color = 'red' }",
                2,
                "unknown field `color`, expected one of `fg`, `bg`, `bold`",
            ),
            (
                "# mine\nbase = 'drak'",
                2,
                "unknown variant `drak`, expected one of `default`, `dark`, `light`, `monochrome`",
            ),
            ("key = 'red'", 1, "expected a table such as { fg = \"cyan\""),
            ("key = { bold = 'yes' }", 1, "expected a boolean"),
            ("key = {}\nkey = {}", 2, "duplicate key"),
            ("key = {}\n= 3", 2, "keys cannot be empty"),
            (
                "key = {}\n\"a\\u001b[2J\" = {}",
                2,
                "unknown field `a\u{fffd}[2J`",
            ),
        ] {
            let message = read_text(text).unwrap_err().to_string();
            assert!(message.contains("mine.toml: is not a theme: "), "{message}");
            assert!(
                message.contains(&format!(": line {line}: ")) && message.contains(expected),
                "{text}: {message}"
            );
            assert!(!message.contains(char::is_control), "{message}");
        }
    }

    #[test]
    fn what_is_no_small_text_file_is_refused() {
        let large = vec![b'#'; LARGEST as usize + 1];
        assert!(read_bytes(&large[1..]).is_ok());
        let message = read_bytes(&large).unwrap_err().to_string();
        assert!(message.contains("larger than 64 KiB"), "{message}");
        let message = read_bytes(&[0xff, 0xfe]).unwrap_err().to_string();
        assert!(message.contains("UTF-8"), "{message}");
        let message = read(&tempdir().unwrap().path().join("none.toml")).unwrap_err();
        assert!(message.to_string().contains("none.toml: No such file"));
        let message = read(Path::new("/")).unwrap_err().to_string();
        assert_eq!(message, "/: is not a file");
    }

    #[test]
    fn deep_nesting_is_an_error_and_not_a_full_stack() {
        for start in ["key = ", "[", "a."] {
            for inner in ["[", "{a=", "a."] {
                let deep = format!("{start}{}", inner.repeat(LARGEST as usize / 3 - 3));
                let message = read_text(&deep).unwrap_err().to_string();
                assert!(message.contains("is not a theme"), "{message}");
            }
        }
    }
}
