//! How much may be on its way to the terminal, so that nobody looks at what was asked for seconds ago.
//!
//! After each large frame the terminal is asked something; its answer says that the frame has arrived. From the time that
//! takes, the line's speed is known.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// This much may always be on its way.
const SMALL: usize = 16 << 10;

/// A faster line may have more: as much as it takes in this time.
const AHEAD: f64 = 0.15;

/// Bytes a second, below which a line is slow: a picture takes more than a glance.
const SLOW: f64 = 400_000.0;

/// An answer that hasn't come by then, on a line of so many bytes a second, isn't waited for any more.
const PATIENCE: Duration = Duration::from_secs(1);
const SLOWEST: f64 = 40_000.0;

/// Frames and answers.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// When each frame on its way was sent, and its bytes.
    under_way: VecDeque<(Instant, usize)>,
    /// When the last one arrived.
    arrived: Option<Instant>,
    /// The least time that the answer to a small frame took.
    latency: Option<Duration>,
    /// Bytes a second.
    rate: Option<f64>,
}

impl Pace {
    /// A frame was sent, and an answer is awaited.
    pub(super) fn sent(&mut self, bytes: usize, now: Instant) {
        self.under_way.push_back((now, bytes));
    }

    /// The oldest frame on its way has arrived.
    pub(super) fn arrived(&mut self, now: Instant) {
        let Some((sent, bytes)) = self.under_way.pop_front() else {
            return;
        };
        // It didn't start before the one in front of it had arrived.
        let start = self.arrived.map_or(sent, |arrived| arrived.max(sent));
        let took = now.saturating_duration_since(start);
        self.arrived = Some(now);
        if bytes < SMALL / 2 {
            self.latency = Some(self.latency.map_or(took, |least| least.min(took)));
            return;
        }
        let flight = took.saturating_sub(self.latency.unwrap_or_default());
        let rate = bytes as f64 / flight.as_secs_f64().max(1e-3);
        self.rate = Some(self.rate.map_or(rate, |known| 0.5 * known + 0.5 * rate));
    }

    /// Whether another frame may be sent now.
    pub(super) fn is_free(&mut self, now: Instant) -> bool {
        let bytes: usize = self.under_way.iter().map(|(_, bytes)| bytes).sum();
        let patience = PATIENCE + Duration::from_secs_f64(bytes as f64 / SLOWEST);
        let lost = |sent: Instant| now.saturating_duration_since(sent) > patience;
        if self.under_way.front().is_some_and(|(sent, _)| lost(*sent)) {
            self.under_way.clear();
            return true;
        }
        let most = self.rate.map_or(0.0, |rate| rate * AHEAD) as usize;
        bytes <= most.max(SMALL)
    }

    /// Whether pictures take long to come.
    pub(super) fn is_slow(&self) -> bool {
        self.rate.is_some_and(|rate| rate < SLOW)
    }

    /// Nothing that was sent counts any more.
    pub(super) fn forget(&mut self) {
        self.under_way.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_slow_line_has_one_large_frame_at_a_time() {
        let mut pace = Pace::default();
        let mut now = Instant::now();
        assert!(pace.is_free(now) && !pace.is_slow());
        for step in 0..8 {
            pace.sent(50_000, now);
            assert!(!pace.is_free(now));
            now += 400 * MS + step * MS;
            pace.arrived(now);
            assert!(pace.is_free(now));
        }
        // One megabit a second.
        assert!(pace.is_slow());
    }

    #[test]
    fn a_fast_line_may_have_many() {
        let mut pace = Pace::default();
        let mut now = Instant::now();
        for _ in 0..4 {
            pace.sent(50_000, now);
            now += 2 * MS;
            pace.arrived(now);
        }
        assert!(!pace.is_slow());
        for _ in 0..10 {
            assert!(pace.is_free(now));
            pace.sent(50_000, now);
        }
    }

    #[test]
    fn a_long_way_is_not_a_slow_one() {
        let mut pace = Pace::default();
        let mut now = Instant::now();
        pace.sent(100, now);
        now += 100 * MS;
        pace.arrived(now);
        for _ in 0..4 {
            pace.sent(100_000, now);
            now += 110 * MS;
            pace.arrived(now);
        }
        assert!(!pace.is_slow());
    }

    #[test]
    fn an_answer_that_never_comes_isnt_awaited_for_ever() {
        let mut pace = Pace::default();
        let now = Instant::now();
        pace.sent(40_000, now);
        assert!(!pace.is_free(now + 2 * PATIENCE));
        assert!(pace.is_free(now + 2 * PATIENCE + MS));
        pace.arrived(now);
        assert!(pace.under_way.is_empty());
    }
}
