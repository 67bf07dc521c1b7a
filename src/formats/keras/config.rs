//! Reading a layer's configuration: typed, bounded, and with errors that say what was expected.

use serde_json::{Map, Value};

use super::Outcome;
use super::show;

/// Largest kernel, stride, window, factor, border, or length of an axis that is believed.
pub const LARGEST: usize = 1 << 16;

/// The keys and values of one layer. A `null` is as good as absent.
#[derive(Clone, Copy)]
pub struct Fields<'a>(pub &'a Map<String, Value>);

impl<'a> Fields<'a> {
    /// The value as it is.
    pub fn get(self, key: &str) -> Option<&'a Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    /// A text.
    pub fn text(self, key: &str) -> Outcome<Option<&'a str>> {
        let read = |value: &'a Value| {
            let text = value.as_str();
            text.ok_or_else(|| wrong(key, "to be text", value))
        };
        self.get(key).map(read).transpose()
    }

    /// A truth value.
    pub fn flag(self, key: &str, default: bool) -> Outcome<bool> {
        match self.get(key) {
            None => Ok(default),
            Some(Value::Bool(flag)) => Ok(*flag),
            // Some versions of Keras pass on what the user wrote: 1 for true.
            Some(Value::Number(number)) => Ok(number.as_f64() != Some(0.0)),
            Some(value) => Err(wrong(key, "to be true or false", value)),
        }
    }

    /// A number.
    pub fn number(self, key: &str) -> Outcome<Option<f64>> {
        let read = |value| number(value).ok_or_else(|| wrong(key, "to be a number", value));
        self.get(key).map(read).transpose()
    }

    /// A number as `f32`.
    #[allow(clippy::cast_possible_truncation)]
    pub fn float(self, key: &str, default: f32) -> Outcome<f32> {
        Ok(self.number(key)?.map_or(default, |number| number as f32))
    }

    /// A number, or any number of numbers in nested lists, flattened.
    pub fn numbers(self, key: &str) -> Outcome<Option<Vec<f64>>> {
        let read = |value| {
            let mut found = Vec::new();
            match flatten(value, &mut found) {
                Some(()) => Ok(found),
                None => Err(wrong(key, "to be numbers", value)),
            }
        };
        self.get(key).map(read).transpose()
    }

    /// A whole number, or a list of them: axes.
    pub fn axes(self, key: &str) -> Outcome<Option<Vec<i64>>> {
        let read = |value: &Value| {
            let axes = match value {
                Value::Array(list) => list.iter().map(Value::as_i64).collect(),
                single => single.as_i64().map(|axis| vec![axis]),
            };
            axes.ok_or_else(|| wrong(key, "to be whole numbers", value))
        };
        self.get(key).map(read).transpose()
    }

    /// A whole number from 1 on.
    pub fn size(self, key: &str) -> Outcome<Option<usize>> {
        let read = |value| {
            let size = whole(value).filter(|&size| size >= 1);
            size.ok_or_else(|| wrong(key, &sizes("a whole number", 1), value))
        };
        self.get(key).map(read).transpose()
    }

    /// Two whole numbers from 1 on, or one for both: along H and W.
    pub fn pair(self, key: &str) -> Outcome<Option<[usize; 2]>> {
        self.pair_from(key, 1)
    }

    /// As [`Self::pair`], and 0 is allowed.
    pub fn pair_or_none(self, key: &str) -> Outcome<Option<[usize; 2]>> {
        self.pair_from(key, 0)
    }

    fn pair_from(self, key: &str, least: usize) -> Outcome<Option<[usize; 2]>> {
        let read = |value| {
            let pair = pair(value).filter(|pair| pair.iter().all(|&size| size >= least));
            pair.ok_or_else(|| wrong(key, &sizes("one or two whole numbers", least), value))
        };
        self.get(key).map(read).transpose()
    }

    /// Rows above and below, columns left and right: one number, two, or two pairs.
    pub fn sides(self, key: &str) -> Outcome<Option<[[usize; 2]; 2]>> {
        let read = |value: &Value| {
            let sides = match value {
                Value::Array(list) => match &list[..] {
                    [rows, columns] => pair(rows).zip(pair(columns)).map(|(a, b)| [a, b]),
                    _ => None,
                },
                single => whole(single).map(|size| [[size; 2]; 2]),
            };
            sides.ok_or_else(|| wrong(key, &sizes("one, two or four whole numbers", 0), value))
        };
        self.get(key).map(read).transpose()
    }

    /// The lengths of axes without batch, open ones as `null` or -1.
    pub fn shape(self, key: &str) -> Outcome<Option<Vec<Option<usize>>>> {
        let read = |value: &Value| {
            let axes = value.as_array().and_then(|axes| lengths(axes));
            axes.ok_or_else(|| wrong(key, &sizes("whole numbers", 1), value))
        };
        self.get(key).map(read).transpose()
    }
}

/// Lengths of axes, open ones as `null` or -1.
pub fn lengths(axes: &[Value]) -> Option<Vec<Option<usize>>> {
    let length = |axis: &Value| match axis {
        Value::Null => Some(None),
        axis if axis.as_i64() == Some(-1) => Some(None),
        // A vector may be long; the product of all is bounded when shapes are inferred.
        axis => usize::try_from(axis.as_u64()?)
            .ok()
            .filter(|&axis| (1..=1 << 30).contains(&axis))
            .map(Some),
    };
    axes.iter().map(length).collect()
}

fn wrong(key: &str, wanted: &str, found: &Value) -> String {
    format!("expected '{key}' {wanted}, found {}", show::json(found))
}

fn sizes(what: &str, least: usize) -> String {
    format!("to be {what} from {least} to {LARGEST}")
}

fn whole(value: &Value) -> Option<usize> {
    let size = usize::try_from(value.as_u64()?).ok()?;
    (size <= LARGEST).then_some(size)
}

fn pair(value: &Value) -> Option<[usize; 2]> {
    match value {
        Value::Array(list) => match &list[..] {
            [a, b] => Some([whole(a)?, whole(b)?]),
            [both] => Some([whole(both)?; 2]),
            _ => None,
        },
        single => Some([whole(single)?; 2]),
    }
}

/// A number, plain or as Keras wraps NumPy's and TensorFlow's: `{"class_name": "__numpy__", "config":
/// {"value": 0.1}}`, `{"type": ..., "value": 0.1}`.
pub fn number(value: &Value) -> Option<f64> {
    let number = unwrapped(value).as_f64()?;
    // What is beyond `f32` would be infinite in the computation.
    (number.abs() <= f64::from(f32::MAX)).then_some(number)
}

/// The value inside such a wrapping.
pub fn unwrapped(value: &Value) -> &Value {
    let Value::Object(object) = value else {
        return value;
    };
    let config = object.get("config").and_then(Value::as_object);
    let inner = config.and_then(|config| config.get("value"));
    inner.or_else(|| object.get("value")).unwrap_or(value)
}

/// Appends all numbers in nested lists; `None` if something else is among them.
fn flatten(value: &Value, found: &mut Vec<f64>) -> Option<()> {
    match unwrapped(value) {
        Value::Array(list) => list.iter().try_for_each(|value| flatten(value, found)),
        single => {
            found.push(number(single)?);
            Some(())
        }
    }
}
