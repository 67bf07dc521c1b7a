//! File names made from the names of layers, classes and images.

use std::collections::{HashMap, HashSet};

/// In bytes. File systems allow 255: this leaves room for a number, an ending and a temporary name.
const MAX_LENGTH: usize = 120;

/// `text` as a part of a file name.
///
/// Letters and digits of any script, `.`, `_`, `-`, `+` and `=` stay; a slash becomes a dot, anything else
/// `_`. Dots at either end are dropped and a leading `-` becomes `_`, so that no name is hidden or reads
/// as an option. Never empty; at most 120 bytes. Applying it twice changes nothing.
pub fn file_name(text: &str) -> String {
    let name: String = text.chars().map(allowed).collect();
    let name = cut(name.trim_matches('.'), MAX_LENGTH).trim_end_matches('.');
    match name.strip_prefix('-') {
        Some(rest) => format!("_{rest}"),
        None if name.is_empty() => "_".to_string(),
        None => name.to_string(),
    }
}

/// A [`file_name`] for each of `names`, in their order, no two of them alike even where upper and lower case
/// are not told apart. Where names clash, the first keeps its own and the others get `-2`, `-3`...
pub fn unique_file_names(names: &[&str]) -> Vec<String> {
    let plain: Vec<String> = names.iter().map(|name| file_name(name)).collect();
    let mut taken: HashSet<String> = plain.iter().map(|name| name.to_lowercase()).collect();
    let mut last: HashMap<String, usize> = HashMap::new();

    plain
        .into_iter()
        .map(|name| {
            let number = last.entry(name.to_lowercase()).or_default();
            loop {
                *number += 1;
                if *number == 1 {
                    return name;
                }
                let numbered = numbered(&name, *number);
                if taken.insert(numbered.to_lowercase()) {
                    return numbered;
                }
            }
        })
        .collect()
}

/// `name-2` and the like, within the same length.
pub(super) fn numbered(name: &str, number: usize) -> String {
    let suffix = format!("-{number}");
    format!("{}{suffix}", cut(name, MAX_LENGTH - suffix.len()))
}

fn allowed(character: char) -> char {
    match character {
        '/' | '\\' => '.',
        '.' | '_' | '-' | '+' | '=' => character,
        _ if character.is_alphanumeric() => character,
        _ => '_',
    }
}

/// The longest beginning of `text` that has at most `length` bytes.
fn cut(text: &str, length: usize) -> &str {
    &text[..text.floor_char_boundary(length)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layer_names_become_harmless_file_names() {
        let cases = [
            ("block5_conv3", "block5_conv3"),
            ("features/0/conv", "features.0.conv"),
            ("/features/0/Conv", "features.0.Conv"),
            ("conv2d/kernel:0", "conv2d.kernel_0"),
            ("../../etc/passwd", "etc.passwd"),
            ("African elephant", "African_elephant"),
            ("..", "_"),
            ("", "_"),
            ("/", "_"),
            ("-rf", "_rf"),
            ("a\0b\nc\u{1b}[31m", "a_b_c__31m"),
            ("C:\\net\\conv", "C_.net.conv"),
            ("层/卷积", "层.卷积"),
            ("right\u{202e}left", "right_left"),
        ];
        for (text, name) in cases {
            assert_eq!(file_name(text), name, "{text:?}");
            assert_eq!(file_name(name), name, "{name:?} again");
        }
    }

    #[test]
    fn long_names_are_cut_between_characters() {
        assert_eq!(file_name(&"x".repeat(1000)).len(), 120);
        let name = file_name(&format!("x{}", "层".repeat(1000)));
        assert_eq!(name.len(), 118);
        assert!(name.ends_with('层'));
        assert_eq!(
            file_name(&format!("{}.x", "y".repeat(119))),
            "y".repeat(119)
        );
    }

    #[test]
    fn clashing_names_are_numbered() {
        let names = ["a/b", "a.b", "A.B", "a.b-2", "c"];
        let unique = unique_file_names(&names);
        assert_eq!(unique, ["a.b", "a.b-3", "A.B-4", "a.b-2", "c"]);
    }

    #[test]
    fn names_stay_unique_and_short_where_cutting_made_them_alike() {
        let names = [
            format!("{}1", "x".repeat(200)),
            format!("{}2", "X".repeat(200)),
            format!("{}3", "x".repeat(200)),
        ];
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let unique = unique_file_names(&names);
        let distinct: HashSet<_> = unique.iter().map(|name| name.to_lowercase()).collect();
        assert_eq!(distinct.len(), 3);
        assert!(unique.iter().all(|name| name.len() <= 120));
    }
}
