//! A summary's numbers for people.

/// Thousands separated by commas: `3,453,121`.
pub fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Three digits and a prefix: `15.35 G`.
pub fn quantity(value: u64) -> String {
    let value = value as f64;
    match value {
        _ if value >= 1e9 => format!("{:.2} G", value / 1e9),
        _ if value >= 1e6 => format!("{:.2} M", value / 1e6),
        _ if value >= 1e3 => format!("{:.1} k", value / 1e3),
        _ => format!("{value}"),
    }
}

/// The sides of a square (height, width) as one number: `18`, or `18x20`.
pub fn sides([height, width]: [usize; 2]) -> String {
    if height == width {
        height.to_string()
    } else {
        format!("{height}x{width}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        assert_eq!(grouped(3_453_121), "3,453,121");
        assert_eq!(grouped(896), "896");
        assert_eq!(quantity(15_346_630_656), "15.35 G");
        assert_eq!(quantity(999), "999");
        assert_eq!(sides([18, 20]), "18x20");
        assert_eq!(sides([7, 7]), "7");
    }
}
