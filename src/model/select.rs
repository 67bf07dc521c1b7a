//! How people name a layer: its exact name, else an index, else a unique prefix; `#7` forces an index.

use super::{LayerId, Model};
use crate::error::{Error, Result};

impl Model {
    /// The layer that `text` names.
    ///
    /// # Errors
    /// When no layer fits, or several do; the message lists what would.
    pub fn find_layer(&self, text: &str) -> Result<LayerId> {
        let by_index = |digits: &str| {
            let index: usize = digits.parse().ok()?;
            (index < self.layers.len()).then_some(LayerId(index))
        };
        if let Some(digits) = text.strip_prefix('#')
            && digits.bytes().all(|byte| byte.is_ascii_digit())
        {
            return by_index(digits).ok_or_else(|| {
                Error::request(format!(
                    "no layer {text}: the model has {} layers, #0 to #{}",
                    self.layers.len(),
                    self.layers.len().saturating_sub(1)
                ))
            });
        }
        if let Some(index) = self.layers.iter().position(|layer| layer.name == text) {
            return Ok(LayerId(index));
        }
        if let Some(id) = by_index(text) {
            return Ok(id);
        }
        let matches: Vec<usize> = (0..self.layers.len())
            .filter(|&index| !text.is_empty() && self.layers[index].name.starts_with(text))
            .collect();
        match matches[..] {
            [index] => Ok(LayerId(index)),
            [] => Err(Error::request(format!(
                "no layer is named '{text}'{}",
                self.suggestion(text)
            ))),
            _ => Err(Error::request(format!(
                "'{text}' is the beginning of several layers: {}",
                list(
                    matches
                        .iter()
                        .map(|&index| self.layers[index].name.as_str())
                )
            ))),
        }
    }

    fn suggestion(&self, text: &str) -> String {
        let wanted = text.to_lowercase();
        let near = self
            .layers
            .iter()
            .map(|layer| layer.name.as_str())
            .filter(|name| !wanted.is_empty() && name.to_lowercase().contains(&wanted));
        let near: Vec<&str> = near.collect();
        if near.is_empty() {
            let names = self.layers.iter().map(|layer| layer.name.as_str());
            format!("; the model's layers are {}", list(names))
        } else {
            format!("; did you mean {}?", list(near.into_iter()))
        }
    }
}

/// Names separated by commas, the middle left out when there are many.
fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    const SHOWN: usize = 12;
    let names: Vec<&str> = names.collect();
    if names.len() <= SHOWN {
        return names.join(", ");
    }
    format!(
        "{}, ... {} (see 'convscope summary')",
        names[..SHOWN - 1].join(", "),
        names[names.len() - 1]
    )
}
