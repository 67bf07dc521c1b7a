//! The models that can be fetched by name: `weights/models.toml`, which is part of the program.

use std::collections::HashSet;

use serde::Deserialize;

use super::address::Address;
use super::digest::{Algorithm, Digest};
use crate::error::{Error, Result};

/// One model of the list.
#[derive(Clone, Debug)]
pub struct Entry {
    /// By which it is fetched and opened: `vgg16`.
    pub name: String,
    /// What it is, in a few words.
    pub what: String,
    /// Where it comes from.
    pub address: Address,
    /// Of the file, in bytes.
    pub size: u64,
    /// The publisher's checksum.
    pub digest: Digest,
    /// Of the weights.
    pub licence: String,
    /// Who made the weights, and who published the file.
    pub source: String,
}

/// The models in the order of the file.
#[derive(Clone, Debug)]
pub struct List(Vec<Entry>);

/// The file's own keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    model: Vec<EntryKeys>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryKeys {
    name: String,
    what: String,
    url: String,
    size: u64,
    md5: Option<String>,
    sha256: Option<String>,
    licence: String,
    source: String,
}

impl List {
    /// The program's own.
    ///
    /// # Errors
    /// None, as the tests show.
    pub fn known() -> Result<Self> {
        Self::parse(include_str!("../../weights/models.toml"))
    }

    /// Reads a list.
    ///
    /// # Errors
    /// When it isn't TOML, or an entry is not complete, has no checksum, or clashes with another.
    pub fn parse(text: &str) -> Result<Self> {
        let fail = |what: String| Error::file("models.toml", what);
        let keys: Keys = toml::from_str(text).map_err(|error| fail(error.message().to_owned()))?;
        let mut taken = HashSet::new();
        let entry = |keys: EntryKeys| {
            let name = keys.name.clone();
            let entry = entry(keys).map_err(|what| fail(format!("model '{name}': {what}")))?;
            for text in [&entry.name, entry.address.file_name()] {
                if !taken.insert(text.to_owned()) {
                    return Err(fail(format!("model '{name}': '{text}' is there twice")));
                }
            }
            Ok(entry)
        };
        keys.model
            .into_iter()
            .map(entry)
            .collect::<Result<_>>()
            .map(Self)
    }

    /// All of them.
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// The model of that name; upper case and hyphens are as good as lower case and underscores.
    pub fn find(&self, name: &str) -> Option<&Entry> {
        let wanted = name.to_lowercase().replace('-', "_");
        self.0.iter().find(|entry| entry.name == wanted)
    }
}

fn entry(keys: EntryKeys) -> Result<Entry, String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if keys.name.is_empty() || !keys.name.bytes().all(plain) {
        return Err("a name has small letters, digits and underscores".to_owned());
    }
    for text in [&keys.what, &keys.licence, &keys.source] {
        if text.is_empty() || text.contains(char::is_control) {
            return Err(format!("expected a line of text, found {text:?}"));
        }
    }
    let (algorithm, digits) = match (&keys.md5, &keys.sha256) {
        (Some(digits), None) => (Algorithm::Md5, digits),
        (None, Some(digits)) => (Algorithm::Sha256, digits),
        _ => return Err("expected one of md5 and sha256".to_owned()),
    };
    let digest = Digest::parse(algorithm, digits)
        .ok_or_else(|| format!("'{digits}' is no {algorithm} checksum"))?;
    let address = Address::parse(&keys.url).map_err(|error| error.to_string())?;
    Ok(Entry {
        name: keys.name,
        what: keys.what,
        address,
        size: keys.size,
        digest,
        licence: keys.licence,
        source: keys.source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_programs_own_list_has_the_official_vggs() {
        let list = List::known().unwrap();
        let names: Vec<&str> = list.entries().iter().map(|entry| &*entry.name).collect();
        assert_eq!(names, ["vgg16", "vgg16_notop", "vgg19", "vgg19_notop"]);
        for entry in list.entries() {
            assert!(entry.address.is_secure(), "{}", entry.name);
        }
        let vgg16 = list.find("VGG16").unwrap();
        assert_eq!(
            vgg16.address.file_name(),
            "vgg16_weights_tf_dim_ordering_tf_kernels.h5"
        );
        assert_eq!(vgg16.digest.digits(), "64373286793e3c8b2b4e3219cbf3544b");
        assert_eq!(vgg16.digest.algorithm(), Algorithm::Md5);
        assert!(list.find("vgg19-notop").is_some());
        assert!(list.find("vgg").is_none());
    }

    fn message(change: impl Fn(String) -> String) -> String {
        let good = "[[model]]\nname = 'a'\nwhat = 'A'\nurl = 'https://example.org/a.h5'\nsize = 1\n\
                    md5 = '900150983cd24fb0d6963f7d28e17f72'\nlicence = 'MIT'\nsource = 'S'\n";
        assert_eq!(List::parse(good).unwrap().entries().len(), 1);
        List::parse(&change(good.to_owned()))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn an_entry_that_makes_no_sense_is_named() {
        let twice = message(|good| good.clone() + &good);
        assert_eq!(twice, "models.toml: model 'a': 'a' is there twice");
        let same_file = message(|good| good.clone() + &good.replace("'a'", "'b'"));
        assert_eq!(same_file, "models.toml: model 'b': 'a.h5' is there twice");
        for (from, to, reason) in [
            ("md5 = '9", "md5 = '", "is no MD5 checksum"),
            ("md5", "sha512", "unknown field"),
            ("https", "ftp", "neither http:// nor https://"),
            ("name = 'a'", "name = 'A b'", "small letters"),
            ("what = 'A'", "what = ''", "a line of text"),
            ("size = 1", "size = -1", "invalid value"),
        ] {
            let message = message(|good| good.replace(from, to));
            assert!(message.contains(reason), "{message}");
        }
    }
}
