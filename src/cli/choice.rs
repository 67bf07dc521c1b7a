//! Options whose values are a few words.

use clap::builder::{PossibleValuesParser, TypedValueParser};

/// Takes the names of `all`, and lists them in the help and where another word is given.
pub(super) fn choice<T: Copy + Send + Sync + 'static>(
    all: &'static [T],
    name: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    let names = all.iter().map(move |&value| name(value));
    PossibleValuesParser::new(names).try_map(move |text| {
        let found = all.iter().copied().find(|&value| name(value) == text);
        found.ok_or_else(|| format!("'{text}' is none of these"))
    })
}
