//! What many measurements come to, and how it is printed.

use std::time::Duration;

use anyhow::{Result, ensure};

/// Of a number of measurements.
#[derive(Clone, Copy, Debug)]
pub struct Spread<T> {
    pub median: T,
    /// The 99th percentile.
    pub high: T,
    pub most: T,
}

impl<T: Ord + Copy> Spread<T> {
    pub fn of(values: impl IntoIterator<Item = T>) -> Result<Self> {
        let mut values: Vec<T> = values.into_iter().collect();
        ensure!(!values.is_empty(), "nothing was measured");
        values.sort_unstable();
        // The smallest that has so many percent of all at or below it.
        let at = |percent: usize| values[(values.len() * percent).div_ceil(100) - 1];
        Ok(Self {
            median: at(50),
            high: at(99),
            most: at(100),
        })
    }

    /// As a line of the table.
    pub fn print(self, what: &str, show: impl Fn(T) -> String) {
        let [median, high, most] = [self.median, self.high, self.most].map(show);
        row(what, [&median, &high, &most]);
    }
}

/// The names of a spread's columns.
pub const COLUMNS: [&str; 3] = ["median", "99 %", "maximum"];

/// A line of the table.
pub fn row(what: &str, [a, b, c]: [&str; 3]) {
    println!("  {what:<58} {a:>11} {b:>11} {c:>11}");
}

pub fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

pub fn kibibytes(bytes: usize) -> String {
    format!("{:.1} KiB", bytes as f64 / 1024.0)
}
