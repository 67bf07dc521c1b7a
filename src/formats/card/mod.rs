//! The card beside a model: a small TOML file with the same stem that says what the model file can't.
//!
//! ```toml
//! architecture = "vgg16"            # for files that hold weights alone
//! labels = ["cat", "dog"]           # or the name of a text file beside the card, one class a line
//! licence = "CC-BY-4.0"             # these three for people
//! source = "https://example.org"
//! sha256 = "64 hexadecimal digits, of the model file"
//!
//! [input]
//! size = [224, 224]                 # (H, W), or one number for both
//! fit = "squash"                    # or "center-crop", with
//! # crop-fraction = 0.875           # the part of the shorter side that is kept
//! filter = "bilinear"               # nearest, bilinear, bicubic, lanczos, box
//! channels = "rgb"                  # rgb, bgr, grey
//! scale = "1/255"                   # or a number; then (pixel * scale - mean) / std
//! mean = [0.485, 0.456, 0.406]      # in the order of the channels, or one number for all
//! std = [0.229, 0.224, 0.225]
//! ```
//!
//! Everything is optional; what is left out stays as the model's format has it.

mod input;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use self::input::Input;
use crate::error::{Error, Result};
use crate::model::{Labels, Model, Op};

/// Neither a card nor a list of labels is larger than this.
const LARGEST: u64 = 1 << 20;

/// What a card says, checked.
#[derive(Clone, Debug)]
pub struct Card {
    /// Where it was read from.
    pub path: PathBuf,
    /// The well-known net that the weights belong to.
    pub architecture: Option<String>,
    /// The names of the classes.
    pub labels: Option<Labels>,
    /// Of the model file; for people.
    pub licence: Option<String>,
    /// Where the model file comes from; for people.
    pub source: Option<String>,
    /// Of the model file, as the card states it; nothing here compares it with the file.
    pub sha256: Option<String>,
    input: Input,
}

/// The file's own keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Keys {
    architecture: Option<String>,
    labels: Option<Names>,
    #[serde(alias = "license")]
    licence: Option<String>,
    source: Option<String>,
    sha256: Option<String>,
    #[serde(default)]
    input: Input,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected a list of names, or the name of a text file beside the card"
)]
enum Names {
    List(Vec<String>),
    File(String),
}

impl Card {
    /// The card of a model file, if there is one.
    ///
    /// # Errors
    /// When there is one, and it can't be read or says something that makes no sense.
    pub fn beside(model: &Path) -> Result<Option<Self>> {
        let path = path_for(model);
        match text(&path) {
            Ok(text) => Self::parse(&path, &text).map(Some),
            Err(Error::Io { reason, .. }) if reason.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads the text of the card at `path`.
    ///
    /// # Errors
    /// When it isn't TOML, has a key or a value that makes no sense, or names labels that can't be read.
    pub fn parse(path: &Path, text: &str) -> Result<Self> {
        let fail = |what: String| Error::file(path, format!("is not a model's card: {what}"));
        let keys: Keys = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.map_or(1, |before| before.matches('\n').count() + 1);
            fail(format!("line {line}: {}", one_line(error.message())))
        })?;
        for (key, value) in [
            ("architecture", &keys.architecture),
            ("licence", &keys.licence),
            ("source", &keys.source),
            ("sha256", &keys.sha256),
        ] {
            if value
                .as_ref()
                .is_some_and(|value| value.contains(char::is_control))
            {
                return Err(fail(format!("{key} has control characters in it")));
            }
        }
        if let Some(sum) = &keys.sha256
            && (sum.len() != 64 || !sum.bytes().all(|byte| byte.is_ascii_hexdigit()))
        {
            return Err(fail(format!(
                "sha256 should have 64 hexadecimal digits, found '{sum}'"
            )));
        }
        keys.input.check().map_err(fail)?;
        let labels = keys.labels.map(|names| labels(path, names)).transpose()?;
        Ok(Self {
            path: path.to_path_buf(),
            architecture: keys.architecture,
            labels,
            licence: keys.licence,
            source: keys.source,
            sha256: keys.sha256,
            input: keys.input,
        })
    }

    /// Puts the card's word over what the model's format has assumed, and says so in
    /// [`Model::assumptions`]: lines about a topic (`preprocessing: ...`) go when the card covers all of it.
    ///
    /// # Errors
    /// When the card asks for another number of colour planes than the model takes, or for a crop of a
    /// picture that isn't cropped.
    pub fn apply(&self, model: &mut Model) -> Result<()> {
        self.input
            .apply(&mut model.preprocessing)
            .map_err(|what| self.error(what))?;
        let planes = model.preprocessing.planes();
        let taken = model
            .inputs
            .first()
            .and_then(|&input| match &model.node(input).op {
                Op::Input { shape } if shape.len() == 3 => shape[0],
                _ => None,
            });
        if self.input.channels.is_some() && taken.is_some_and(|taken| taken != planes) {
            return Err(self.error(format!(
                "its channels make {planes} plane(s), and the model takes {}",
                taken.unwrap_or_default()
            )));
        }
        if let Some(labels) = &self.labels {
            model.labels = Some(labels.clone());
        }
        self.tell(&mut model.assumptions);
        Ok(())
    }

    /// The card's file name.
    pub fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    fn tell(&self, lines: &mut Vec<String>) {
        let covered = |topic: &str, all: bool, lines: &mut Vec<String>| {
            if all {
                lines.retain(|line| !line.starts_with(topic));
            }
        };
        covered("preprocessing:", self.input.is_complete(), lines);
        covered("input size:", self.input.has_size(), lines);
        covered("labels:", self.labels.is_some(), lines);
        let mut topics = Vec::new();
        if self.input.is_complete() {
            topics.push("preprocessing".to_owned());
        } else {
            let keys = self.input.keys().into_iter();
            topics.extend(keys.map(|key| format!("preprocessing's {key}")));
        }
        if self.labels.is_some() {
            topics.push("labels".to_owned());
        }
        if let Some(last) = topics.pop() {
            let list = if topics.is_empty() {
                last
            } else {
                format!("{} and {last}", topics.join(", "))
            };
            lines.push(format!("{list}: from {}", self.name()));
        }
        for (topic, text) in [("licence", &self.licence), ("source", &self.source)] {
            if let Some(text) = text {
                lines.push(format!("{topic}: {text} (says {})", self.name()));
            }
        }
    }

    /// An error about the card.
    pub fn error(&self, what: impl Into<String>) -> Error {
        Error::file(&self.path, what)
    }
}

/// Where the card of a model file would be.
pub fn path_for(model: &Path) -> PathBuf {
    model.with_extension("toml")
}

fn labels(card: &Path, names: Names) -> Result<Labels> {
    let labels = match names {
        Names::List(names) => Labels::from_names(names),
        Names::File(name) => {
            let inside = Path::new(&name)
                .components()
                .all(|part| matches!(part, Component::Normal(_)));
            if name.is_empty() || !inside {
                return Err(Error::file(
                    card,
                    format!("labels should be a file beside the card, found '{name}'"),
                ));
            }
            let path = card.with_file_name("").join(name);
            Labels::parse(&text(&path)?)
        }
    };
    if labels.0.is_empty() {
        return Err(Error::file(card, "labels names no classes"));
    }
    let strange = labels.0.iter().position(|label| {
        let mut names = std::iter::once(&label.name).chain(&label.synonyms);
        names.any(|name| name.contains(char::is_control))
    });
    if let Some(index) = strange {
        return Err(Error::file(
            card,
            format!("label {index} has control characters in it"),
        ));
    }
    Ok(labels)
}

/// A small text file. Whatever isn't a plain file is refused before it is opened: a pipe would never end.
fn text(path: &Path) -> Result<String> {
    let io = |error| Error::io(path, error);
    if !path.metadata().map_err(io)?.is_file() {
        return Err(Error::file(path, "is not a file"));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(io)?;
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > LARGEST {
        return Err(Error::file(path, "is larger than 1 MiB"));
    }
    String::from_utf8(bytes).map_err(|_| Error::file(path, "is not text in UTF-8"))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
