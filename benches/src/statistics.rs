//! Medians, percentiles and ratios of rounds. It must not know what was measured, nor how it is
//! shown.

use std::time::Duration;

use crate::load::Round;

/// Median and range of a few numbers.
#[derive(Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

/// What is kept of rounds; the times of single requests are too many to be.
pub(crate) struct Summary {
    /// Requests a second of each round, in the order of the rounds.
    pub(crate) rates: Vec<f64>,
    /// The server's CPU time for a request in each round, in microseconds.
    pub(crate) costs: Vec<f64>,
    /// The share of the time that the load's core was busy with the load.
    pub(crate) busy: f64,
    /// The load's CPU time for a request, in microseconds.
    pub(crate) load_micros: f64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) p999: Duration,
}

impl Spread {
    /// Of no numbers, all three are not a number.
    pub(crate) fn of(mut numbers: Vec<f64>) -> Self {
        numbers.sort_by(f64::total_cmp);
        let at = |index: usize| numbers.get(index).copied().unwrap_or(f64::NAN);
        let last = numbers.len().saturating_sub(1);
        let median = f64::midpoint(at(last / 2), at(last.div_ceil(2)));
        Self { median, least: at(0), most: at(last) }
    }
}

impl Summary {
    pub(crate) fn of(rounds: Vec<Round>) -> Self {
        let median = |number: fn(&Round) -> f64| median(rounds.iter().map(number).collect());
        let busy = median(|round| round.generator_share);
        let load_micros = median(|round| round.generator_share * 1e6 / round.requests_per_second);
        let rates = rounds.iter().map(|round| round.requests_per_second).collect();
        let costs = rounds.iter().map(|round| round.server_micros).collect();
        let mut times: Vec<_> = rounds.into_iter().flat_map(|round| round.times).collect();
        times.sort_unstable();
        let at = |part| percentile(&times, part);
        let (p50, p99, p999) = (at(500), at(990), at(999));
        Self { rates, costs, busy, load_micros, p50, p99, p999 }
    }

    /// Requests a second.
    pub(crate) fn rate(&self) -> Spread {
        Spread::of(self.rates.clone())
    }

    /// The server's CPU time for a request, in microseconds.
    pub(crate) fn micros(&self) -> f64 {
        median(self.costs.clone())
    }
}

pub(crate) fn median(numbers: Vec<f64>) -> f64 {
    Spread::of(numbers).median
}

/// The median over the rounds of a number's ratio to another's in the round beside it: what slows
/// the machine for a while slows both.
pub(crate) fn ratio(ours: &[f64], theirs: &[f64]) -> f64 {
    median(ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect())
}

/// The rate that two steps in a row allow on one core, each of which has a rate of its own.
pub(crate) fn one_after_another(first: &[f64], second: &[f64]) -> Vec<f64> {
    first.iter().zip(second).map(|(first, second)| 1.0 / (1.0 / first + 1.0 / second)).collect()
}

/// The time within which so many thousandths of the requests were answered. The times are sorted.
fn percentile(times: &[Duration], thousandths: usize) -> Duration {
    let rank = (times.len() * thousandths).div_ceil(1000).saturating_sub(1);
    times.get(rank).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(requests_per_second: f64, millis: std::ops::RangeInclusive<u64>) -> Round {
        let times = millis.map(Duration::from_millis).collect();
        Round { requests_per_second, server_micros: 7.0, generator_share: 0.5, times }
    }

    fn assert_close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found} isn't {expected}");
    }

    #[test]
    fn rounds_are_compared_with_those_beside_them() {
        assert_close(ratio(&[50.0, 5.0, 40.0], &[100.0, 10.0, 100.0]), 0.5);
        assert!(ratio(&[], &[]).is_nan());
    }

    #[test]
    fn two_steps_in_a_row_are_slower_than_either() {
        assert_close(one_after_another(&[100.0], &[100.0])[0], 50.0);
        assert_close(one_after_another(&[3.0], &[6.0])[0], 2.0);
    }

    #[test]
    fn the_median_is_between_the_middle_two() {
        let odd = Spread { median: 2.0, least: 1.0, most: 9.0 };
        assert_eq!(Spread::of(vec![9.0, 1.0, 2.0]), odd);
        let even = Spread { median: 2.5, least: 1.0, most: 9.0 };
        assert_eq!(Spread::of(vec![9.0, 1.0, 2.0, 3.0]), even);
        assert!(Spread::of(Vec::new()).median.is_nan());
    }

    #[test]
    fn percentiles_are_taken_over_all_rounds() {
        let summary = Summary::of(vec![round(10.0, 501..=1000), round(30.0, 1..=500)]);
        assert_eq!(summary.p50, Duration::from_millis(500));
        assert_eq!(summary.p99, Duration::from_millis(990));
        assert_eq!(summary.p999, Duration::from_millis(999));
        assert_close(summary.rate().median, 20.0);
        assert_close(summary.micros(), 7.0);
        assert_close(summary.load_micros, 5e5 / 15.0);
        assert_eq!(Summary::of(Vec::new()).p99, Duration::ZERO);
    }
}
