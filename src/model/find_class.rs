//! How people name a class: its exact label, else an index, else a unique part of a label; `#7` forces an index.

use super::{ClassId, Head, HeadKind, Model, volume};
use crate::error::{Error, Result};

/// So many classes are named in a message.
const SHOWN: usize = 8;

impl Model {
    /// The classifier at the end.
    ///
    /// # Errors
    /// When the model has none.
    pub fn classifier(&self) -> Result<Head> {
        self.head.ok_or_else(|| {
            let ends = self.outputs.first().map(|&output| self.layer_name(output));
            Error::request(format!(
                "the model has no classes: it ends in layer '{}', whose output is not a vector",
                ends.unwrap_or_default()
            ))
        })
    }

    /// How many classes there are; a single sigmoid unit tells two apart.
    ///
    /// # Errors
    /// When the model has no classifier, or a layer on the way to it can't be computed.
    pub fn class_count(&self) -> Result<usize> {
        let head = self.classifier()?;
        let shapes = self.own_shapes();
        Ok(match (head.kind, volume(shapes.get(head.logits)?)) {
            (HeadKind::Sigmoid, 1) => 2,
            (_, units) => units,
        })
    }

    /// The class that `text` names. Upper and lower case are alike, and so are `_` and a space.
    ///
    /// # Errors
    /// When the model has no classes, no class fits, or several do; the message lists what would.
    pub fn find_class(&self, text: &str) -> Result<ClassId> {
        let count = self.class_count()?;
        if let Some(digits) = text.strip_prefix('#').filter(|digits| is_number(digits)) {
            return by_index(digits, count);
        }
        let wanted = plain(text);
        let exact = self.classes_where(count, |name| name == wanted);
        // A class's first name, which is the one shown, goes before another class's synonym.
        let shown: Vec<ClassId> = exact
            .iter()
            .copied()
            .filter(|&class| plain(&self.class_name(class)) == wanted)
            .collect();
        for found in [shown, exact] {
            match found[..] {
                [] => {}
                [class] => return Ok(class),
                _ => return Err(self.ambiguous(text, "the name", &found)),
            }
        }
        if is_number(text) {
            return by_index(text, count);
        }
        let found = self.classes_where(count, |name| !wanted.is_empty() && name.contains(&wanted));
        match found[..] {
            [class] => Ok(class),
            [] => Err(self.unknown_class(text, count)),
            _ => Err(self.ambiguous(text, "a part of the name", &found)),
        }
    }

    fn classes_where(&self, count: usize, fits: impl Fn(&str) -> bool) -> Vec<ClassId> {
        let labels = self.labels.iter().flat_map(|labels| &labels.0).take(count);
        labels
            .enumerate()
            .filter(|(_, label)| {
                let mut names = std::iter::once(&label.name).chain(&label.synonyms);
                names.any(|name| fits(&plain(name)))
            })
            .map(|(index, _)| ClassId(index))
            .collect()
    }

    fn ambiguous(&self, text: &str, what: &str, found: &[ClassId]) -> Error {
        Error::request(format!(
            "'{text}' is {what} of several classes: {}",
            self.listed(found)
        ))
    }

    fn unknown_class(&self, text: &str, count: usize) -> Error {
        let last = count.saturating_sub(1);
        if self.labels.is_none() {
            return Error::request(format!(
                "no class is named '{text}': the model file names none; give an index, 0 to {last}"
            ));
        }
        let all: Vec<ClassId> = (0..count).map(ClassId).collect();
        Error::request(format!(
            "no class is named '{text}'; the classes are {}",
            self.listed(&all)
        ))
    }

    /// Names with their indices, the rest counted.
    fn listed(&self, classes: &[ClassId]) -> String {
        let mut names: Vec<String> = classes
            .iter()
            .take(SHOWN)
            .map(|&class| format!("{} ({})", self.class_name(class), class.0))
            .collect();
        if classes.len() > SHOWN {
            names.push(format!("... and {} more", classes.len() - SHOWN));
        }
        names.join(", ")
    }
}

fn by_index(digits: &str, count: usize) -> Result<ClassId> {
    let index = digits.parse().ok().filter(|&index| index < count);
    index.map(ClassId).ok_or_else(|| {
        Error::request(format!(
            "no class {digits}: the model has {count} classes, 0 to {}",
            count.saturating_sub(1)
        ))
    })
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn plain(name: &str) -> String {
    name.trim().to_lowercase().replace('_', " ")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{
        Activation, Builder, Labels, Layout, Op, Parameter, PoolKind, Preprocessing,
    };

    fn model(units: usize, sigmoid: bool, labels: Option<&str>) -> Model {
        let mut builder = Builder::default();
        let shape = vec![Some(3), None, None];
        let input = builder.node(Op::Input { shape }, []);
        let weight = Parameter::new("w", [3, units], Arc::new(vec![0.0_f32; 3 * units]));
        let kind = PoolKind::Average;
        let mut ops = vec![
            Op::GlobalPool { kind, keep: false },
            Op::Dense { weight, bias: None },
        ];
        ops.extend(sigmoid.then_some(Op::Activation(Activation::Sigmoid)));
        let output = builder.layer("fc", "Dense", ops, &[input]);
        let mut model = Model {
            name: "test".into(),
            format: "test".into(),
            architecture: None,
            layout: Layout::ChannelsLast,
            nodes: builder.nodes,
            layers: builder.layers,
            inputs: vec![input],
            outputs: vec![output],
            head: None,
            labels: labels.map(Labels::parse),
            preprocessing: Preprocessing::book([8, 8]),
            assumptions: Vec::new(),
        };
        model.head = model.find_head();
        model
    }

    const ANIMALS: &str =
        "tabby, tabby cat\ntiger cat\ntiger\ncrane\nAfrican elephant\n7\ncrane\ntusker, tiger\n";

    #[test]
    fn a_class_by_label_index_or_part() {
        let model = model(8, false, Some(ANIMALS));
        for (text, class) in [
            ("tabby", 0),
            ("TIGER_CAT", 1),
            ("tabby cat", 0),
            // The first name of one class, a synonym of another and a part of a third.
            ("tiger", 2),
            ("elephant", 4),
            ("african_eleph", 4),
            ("tusk", 7),
            ("3", 3),
            ("#7", 7),
            // A label that is a number goes before the index.
            ("7", 5),
        ] {
            assert_eq!(
                model.find_class(text).expect(text),
                ClassId(class),
                "{text}"
            );
        }
    }

    #[test]
    fn what_does_not_fit_lists_what_would() {
        let many: Vec<String> = (0..12).map(|index| format!("fish {index}")).collect();
        let many = model(12, false, Some(&many.join("\n")));
        let animals = model(8, false, Some(ANIMALS));
        let bare = model(8, false, None);
        for (model, text, message) in [
            (
                &animals,
                "cat",
                "'cat' is a part of the name of several classes: tabby (0), tiger cat (1)",
            ),
            (
                &animals,
                "Crane",
                "'Crane' is the name of several classes: crane (3), crane (6)",
            ),
            (&animals, "8", "no class 8: the model has 8 classes, 0 to 7"),
            (
                &animals,
                "#99999999999999999999999",
                "no class 99999999999999999999999: the model has 8 classes, 0 to 7",
            ),
            (
                &many,
                "fish",
                "'fish' is a part of the name of several classes: fish 0 (0), fish 1 (1), fish 2 (2), fish 3 (3), \
                 fish 4 (4), fish 5 (5), fish 6 (6), fish 7 (7), ... and 4 more",
            ),
            (
                &bare,
                "cat",
                "no class is named 'cat': the model file names none; give an index, 0 to 7",
            ),
        ] {
            let found = model.find_class(text).expect_err(text).to_string();
            assert_eq!(found, message);
        }
        for text in ["", "#", "-1", "dog"] {
            let found = animals.find_class(text).expect_err(text).to_string();
            assert!(
                found.starts_with(&format!(
                    "no class is named '{text}'; the classes are tabby (0)"
                )),
                "{found}"
            );
        }
        assert_eq!(bare.find_class("5").expect("an index"), ClassId(5));
    }

    #[test]
    fn one_sigmoid_unit_is_two_classes() {
        let two = model(1, true, Some("cat\ndog\nbird\n"));
        assert_eq!(two.class_count().expect("a head"), 2);
        assert_eq!(two.find_class("cat").expect("a class"), ClassId(0));
        assert_eq!(two.find_class("1").expect("a class"), ClassId(1));
        // Labels beyond the units name nothing.
        assert!(two.find_class("bird").is_err() && two.find_class("2").is_err());
        assert_eq!(model(3, true, None).class_count().expect("a head"), 3);
        let message = Model { head: None, ..two }
            .find_class("cat")
            .expect_err("no head")
            .to_string();
        assert!(
            message.starts_with("the model has no classes: it ends in layer 'fc'"),
            "{message}"
        );
    }
}
