//! The names of the classes.

/// One class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// What is shown: the first of its names.
    pub name: String,
    /// Other names, to be found by.
    pub synonyms: Vec<String>,
}

/// The classes in the order of the model's units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels(pub Vec<Label>);

impl Labels {
    /// One class a line: names separated by commas, after an optional WordNet id such as `n01440764`.
    pub fn parse(text: &str) -> Self {
        let label = |line: &str| {
            let names = match line.split_once(char::is_whitespace) {
                Some((id, rest)) if is_wordnet_id(id) => rest,
                _ => line,
            };
            let mut names = names.split(',').map(|name| name.trim().to_owned());
            Label {
                name: names.next().unwrap_or_default(),
                synonyms: names.collect(),
            }
        };
        Self(
            text.lines()
                .filter(|line| !line.trim().is_empty())
                .map(label)
                .collect(),
        )
    }

    /// From plain names.
    pub fn from_names<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        let label = |name: S| Label {
            name: name.into(),
            synonyms: Vec::new(),
        };
        Self(names.into_iter().map(label).collect())
    }

    /// The name shown for a class, if there is one.
    pub fn name(&self, class: usize) -> Option<&str> {
        self.0.get(class).map(|label| label.name.as_str())
    }
}

fn is_wordnet_id(word: &str) -> bool {
    word.len() == 9 && word.starts_with('n') && word[1..].bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_may_begin_with_a_wordnet_id() {
        let labels = Labels::parse("n02510455 giant panda, panda\nice bear, polar bear\n\ncat\n");
        assert_eq!(labels.name(0), Some("giant panda"));
        assert_eq!(labels.0[1].synonyms, ["polar bear"]);
        assert_eq!(labels.name(2), Some("cat"));
        assert_eq!(labels.name(3), None);
    }
}
