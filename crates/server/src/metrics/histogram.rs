//! A histogram of durations that many threads add to without a lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The upper bounds of the buckets in nanoseconds, from what a cached Encrypt takes to what the
/// making of an RSA key of 4096 bits takes.
const BOUNDS: [u64; 16] = [
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    10_000_000_000,
];

/// Durations, counted by length.
#[derive(Default)]
pub(super) struct Histogram {
    /// One for each bound, and one for what is longer.
    counts: [AtomicU64; BOUNDS.len() + 1],
    /// In nanoseconds; full after some five hundred years of work.
    sum: AtomicU64,
}

/// What a histogram had counted at a moment.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reading {
    /// In seconds.
    pub(super) sum: f64,
    pub(super) count: u64,
    /// Each bucket's upper bound in seconds, and what is in it alone.
    pub(super) buckets: Vec<(f64, u64)>,
}

impl Histogram {
    /// Counts one.
    pub(super) fn record(&self, duration: Duration) {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.iter().position(|bound| nanoseconds <= *bound);
        self.counts[bucket.unwrap_or(BOUNDS.len())].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// What was counted so far. The count is the sum of the buckets, so that the two never differ,
    /// whatever is added meanwhile.
    pub(super) fn read(&self) -> Reading {
        let bounds = BOUNDS.iter().map(|bound| Duration::from_nanos(*bound).as_secs_f64());
        let counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed));
        let buckets: Vec<_> = bounds.chain([f64::INFINITY]).zip(counts).collect();
        let sum = Duration::from_nanos(self.sum.load(Ordering::Relaxed)).as_secs_f64();
        Reading { sum, count: buckets.iter().map(|(_, count)| count).sum(), buckets }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_fall_into_their_buckets() {
        let histogram = Histogram::default();
        for nanoseconds in [0, 50_000, 50_001, 3_000_000_000, 60_000_000_000] {
            histogram.record(Duration::from_nanos(nanoseconds));
        }
        let read = histogram.read();
        assert_eq!(read.count, 5);
        assert!((read.sum - 63.000_100_001).abs() < 1e-9, "{}", read.sum);
        let filled: Vec<_> = read.buckets.iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(filled, [&(0.000_05, 2), &(0.000_1, 1), &(10.0, 1), &(f64::INFINITY, 1)]);
    }
}
