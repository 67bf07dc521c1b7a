//! Where a file comes from.

use std::fmt;

use ureq::http::Uri;

use super::part;
use crate::error::{Error, Result};

/// Longest name of a file, in bytes. File systems allow 255: this leaves room for the endings of unfinished ones.
const LONGEST_NAME: usize = 120;

/// An `http` or `https` address of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    text: String,
    secure: bool,
    file_name: String,
}

impl Address {
    /// Checks an address.
    ///
    /// # Errors
    /// When it isn't one, is of another kind than `http` and `https`, has a password in it, or names no file.
    pub fn parse(text: &str) -> Result<Self> {
        let fail = |what: &str| {
            let text = text.escape_debug();
            Error::request(format!("the address '{text}' {what}"))
        };
        let uri: Uri = text.parse().map_err(|_| fail("can't be understood"))?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(fail("begins with neither http:// nor https://")),
        };
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        if uri.host().is_none_or(str::is_empty) {
            return Err(fail("names no host"));
        }
        // It would end up in messages and in the notes beside an unfinished file.
        if authority.contains('@') {
            return Err(Error::request(
                "an address with a user's name or password in it is not taken",
            ));
        }
        let last = uri.path().rsplit('/').next().unwrap_or_default();
        let file_name = file_name(last).ok_or_else(|| fail("names no file"))?;
        if part::is_one(&file_name) {
            return Err(fail("names a file that would pass for an unfinished one"));
        }
        Ok(Self {
            text: text.to_owned(),
            secure,
            file_name,
        })
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is `https`.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// The name that the file gets here: never hidden, never an option, never a path.
    pub fn file_name(&self) -> &str {
        &self.file_name
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The last part of a path as a file name; `None` if nothing is left of it. Of long ones the end is kept, which
/// has the checksum and the ending.
fn file_name(last: &str) -> Option<String> {
    let allowed = |character: char| match character {
        '.' | '_' | '-' | '+' | '=' => character,
        _ if character.is_ascii_alphanumeric() => character,
        _ => '_',
    };
    let name: String = last.chars().map(allowed).collect();
    let name = &name[name.len().saturating_sub(LONGEST_NAME)..];
    let name = name.trim_matches('.');
    match name.strip_prefix('-') {
        Some(rest) => Some(format!("_{rest}")),
        None => (!name.is_empty()).then(|| name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_named_after_the_end_of_the_path() {
        for (address, name) in [
            ("https://example.org/a/net.h5", "net.h5"),
            ("http://127.0.0.1:8000/net.h5", "net.h5"),
            ("https://example.org/net.h5?download=1&x=/y.h5", "net.h5"),
            ("https://example.org/net.h5#part", "net.h5"),
            ("https://example.org/my%20net.h5", "my_20net.h5"),
            ("https://example.org/%2e%2e%2fetc", "_2e_2e_2fetc"),
            ("https://example.org/..net.h5", "net.h5"),
            ("https://example.org/-rf", "_rf"),
            ("https://example.org/a/~b$c", "_b_c"),
            ("HTTPS://example.org/net.h5", "net.h5"),
        ] {
            let parsed = Address::parse(address).unwrap();
            assert_eq!(parsed.file_name(), name, "{address}");
            assert_eq!(parsed.as_str(), address);
        }
        let long = format!("https://example.org/{}-0123abcd.h5", "x".repeat(300));
        let long = Address::parse(&long).unwrap();
        assert_eq!(long.file_name().len(), 120);
        assert!(long.file_name().ends_with("x-0123abcd.h5"));
    }

    #[test]
    fn what_is_no_address_of_a_file_is_refused() {
        for (address, reason) in [
            ("", "can't be understood"),
            ("vgg16", "begins with neither http:// nor https://"),
            ("/etc/passwd", "begins with neither http:// nor https://"),
            ("file:///etc/passwd", "can't be understood"),
            (
                "ftp://example.org/a.h5",
                "begins with neither http:// nor https://",
            ),
            ("https:///a.h5", "can't be understood"),
            ("https://example.org", "names no file"),
            ("https://example.org/", "names no file"),
            ("https://example.org/a/..", "names no file"),
            ("https://example.org/a b.h5", "can't be understood"),
            ("https://example.org/a\n.h5", "can't be understood"),
            (
                "https://example.org/a.h5.part",
                "would pass for an unfinished one",
            ),
            (
                "https://me:secret@example.org/a.h5",
                "user's name or password",
            ),
        ] {
            let message = Address::parse(address).unwrap_err().to_string();
            assert!(message.contains(reason), "{address:?}: {message}");
            assert!(!message.contains(char::is_control) && !message.contains("secret"));
        }
    }
}
