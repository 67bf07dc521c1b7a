//! Text from a file, made fit to stand in a message: short, on one line, without control characters.

use serde_json::Value;

const LONGEST: usize = 80;

/// The beginning of a text.
pub fn excerpt(text: &str) -> String {
    let clean = |text: &str| {
        text.escape_debug()
            .to_string()
            .replace("\\'", "'")
            .replace("\\\"", "\"")
    };
    match text.char_indices().nth(LONGEST) {
        None => clean(text),
        Some((end, _)) => format!("{}...", clean(&text[..end])),
    }
}

/// A value of the configuration, as JSON.
pub fn json(value: &Value) -> String {
    excerpt(&value.to_string())
}

/// A shape, as Python writes it.
pub fn shape(axes: &[usize]) -> String {
    let axes: Vec<String> = axes.iter().map(usize::to_string).collect();
    match &axes[..] {
        [only] => format!("({only},)"),
        _ => format!("({})", axes.join(", ")),
    }
}

/// A shape with gaps: `any` where an axis is free.
pub fn pattern(axes: &[Option<usize>]) -> String {
    let axes: Vec<String> = axes
        .iter()
        .map(|axis| axis.map_or("any".to_owned(), |axis| axis.to_string()))
        .collect();
    format!("({})", axes.join(", "))
}

/// Some names, the rest counted.
pub fn names<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 6;
    let count = names.len();
    let shown: Vec<String> = names.take(SHOWN).map(excerpt).collect();
    let rest = count - shown.len();
    match rest {
        0 => shown.join(", "),
        _ => format!("{}, ... and {rest} more", shown.join(", ")),
    }
}
