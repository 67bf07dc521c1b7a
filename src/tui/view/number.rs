//! Numbers for people.

/// Four significant digits at most; very large and very small ones with an exponent.
pub(super) fn short(value: f64) -> String {
    let size = value.abs();
    let text = match size {
        _ if value == 0.0 => return "0".to_owned(),
        _ if !value.is_finite() => return value.to_string(),
        _ if !(0.001..10_000.0).contains(&size) => return format!("{value:.1e}"),
        1000.0.. => format!("{value:.0}"),
        100.0.. => format!("{value:.1}"),
        10.0.. => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    };
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// A time span.
pub(super) fn duration(seconds: f64) -> String {
    match seconds {
        ..0.001 => "under 1 ms".to_owned(),
        ..1.0 => format!("{:.0} ms", seconds * 1e3),
        _ => format!("{seconds:.1} s"),
    }
}

/// A probability in five characters.
pub(super) fn percent(probability: f64) -> String {
    let percent = 100.0 * probability;
    // Rounding must not promise certainty.
    if percent > 99.95 && percent < 100.0 {
        return ">99.9%".to_owned();
    }
    format!("{percent:.1}%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let cases = [
            (0.0, "0"),
            (0.12345, "0.123"),
            (-3.5, "-3.5"),
            (12.0, "12"),
            (12345.6, "1.2e4"),
            (0.000_04, "4.0e-5"),
            (f64::NAN, "NaN"),
        ];
        for (value, text) in cases {
            assert_eq!(short(value), text);
        }
    }

    #[test]
    fn times_and_shares() {
        assert_eq!(duration(0.0123), "12 ms");
        assert_eq!(duration(2.345), "2.3 s");
        assert_eq!(percent(0.5), "50.0%");
        assert_eq!(percent(0.99999), ">99.9%");
        assert_eq!(percent(1.0), "100.0%");
    }
}
