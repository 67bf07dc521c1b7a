//! Where a picture came from, to be kept in its file.

/// Pairs of key and value. Keys are words such as `model`, which files hold as `convscope:model`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance(Vec<(String, String)>);

impl Default for Provenance {
    fn default() -> Self {
        let program = format!("convscope {}", env!("CARGO_PKG_VERSION"));
        Self(vec![("Software".to_owned(), program)])
    }
}

impl Provenance {
    /// One pair more; nothing where the value is empty.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        let value = value.into();
        if !value.is_empty() {
            self.0.push((format!("convscope:{key}"), value));
        }
        self
    }

    /// As [`super::encode`] takes them.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }
}
