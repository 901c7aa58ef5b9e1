//! The tables that a measurement ends in, in markdown. It owns medians and percentiles; it must not
//! know how the numbers came about.

use std::fmt;
use std::time::Duration;

use crate::beside::Beside;
use crate::load::Round;
use crate::operations::{ENCRYPT, GENERATE_DATA_KEY_PAIR};

/// Median and range of a few numbers.
#[derive(Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

/// An operation's rounds beside those of its echo.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) echo: Vec<Round>,
    pub(crate) server: Vec<Round>,
}

pub(crate) struct Report {
    pub(crate) rows: Vec<Row>,
    /// A quick operation beside a slow one.
    pub(crate) beside: Beside,
    /// Start-up times in milliseconds, with an empty data directory and in memory.
    pub(crate) in_directory: Spread,
    pub(crate) in_memory: Spread,
    /// Resident memory in bytes.
    pub(crate) resident_at_start: u64,
    pub(crate) resident_after_load: u64,
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

    fn over(rounds: &[Round], number: fn(&Round) -> f64) -> Self {
        Self::of(rounds.iter().map(number).collect())
    }
}

/// The median over the rounds of a number's ratio to the echo's in the round beside it: what slows
/// the machine for a while slows both.
fn ratio(rounds: &[Round], echo: &[Round], number: fn(&Round) -> f64) -> f64 {
    let pairs = rounds.iter().zip(echo);
    Spread::of(pairs.map(|(round, echo)| number(round) / number(echo)).collect()).median
}

/// The time within which `part` hundredths of the requests of all rounds were answered.
fn percentile(rounds: &[Round], part: usize) -> Duration {
    percentile_of(rounds.iter().flat_map(|round| round.times.clone()).collect(), part)
}

fn percentile_of(mut times: Vec<Duration>, part: usize) -> Duration {
    times.sort_unstable();
    let rank = (times.len() * part).div_ceil(100).saturating_sub(1);
    times.get(rank).copied().unwrap_or_default()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| one core | requests/s (range) | of echo | p50 µs | p99 µs | CPU µs/request | \
             of echo | load core busy |\n|---|---:|---:|---:|---:|---:|---:|---:|"
        )?;
        for row in &self.rows {
            write_rounds(f, "hyper echo", &row.echo, &row.echo)?;
            write_rounds(f, &row.name, &row.server, &row.echo)?;
        }
        writeln!(
            f,
            "\nWhere the load core is busy all the time, the load is the bottleneck, and the CPU \
             columns say more than the rates."
        )?;
        write_beside(f, &self.beside)?;
        writeln!(f, "\n| start-up, empty store | median ms | range |\n|---|---:|---:|")?;
        for (name, time) in [("data directory", &self.in_directory), ("memory", &self.in_memory)] {
            writeln!(f, "| {name} | {:.1} | {:.1}–{:.1} |", time.median, time.least, time.most)?;
        }
        writeln!(f, "\n| resident memory | MiB |\n|---|---:|")?;
        writeln!(f, "| after start-up | {:.1} |", mebibytes(self.resident_at_start))?;
        writeln!(f, "| after the load | {:.1} |", mebibytes(self.resident_after_load))
    }
}

fn write_rounds(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    rounds: &[Round],
    echo: &[Round],
) -> fmt::Result {
    let rate = Spread::over(rounds, |round| round.requests_per_second);
    let cost = Spread::over(rounds, |round| round.server_micros).median;
    let busy = Spread::over(rounds, |round| round.generator_share).median * 100.0;
    writeln!(
        f,
        "| {name} | {:.0} ({:.0}–{:.0}) | {:.2} | {} | {} | {cost:.1} | {:.2} | {busy:.0} % |",
        rate.median,
        rate.least,
        rate.most,
        ratio(rounds, echo, |round| round.requests_per_second),
        percentile(rounds, 50).as_micros(),
        percentile(rounds, 99).as_micros(),
        ratio(rounds, echo, |round| round.server_micros),
    )
}

fn write_beside(f: &mut fmt::Formatter<'_>, found: &Beside) -> fmt::Result {
    let (quick, slow) = (ENCRYPT.name, GENERATE_DATA_KEY_PAIR.name);
    writeln!(f, "\n| beside each other | requests | p50 µs | p99 µs |\n|---|---:|---:|---:|")?;
    let rows =
        [(quick.to_owned(), &found.alone), (format!("{quick} beside {slow}"), &found.accompanied)];
    for (name, rounds) in rows {
        let count: usize = rounds.iter().map(|round| round.times.len()).sum();
        let (p50, p99) = (percentile(rounds, 50).as_micros(), percentile(rounds, 99).as_micros());
        writeln!(f, "| {name} | {count} | {p50} | {p99} |")?;
    }
    let of = |part| percentile_of(found.slow.clone(), part).as_micros();
    writeln!(f, "| {slow} | {} | {} | {} |", found.slow.len(), of(50), of(99))
}

fn mebibytes(bytes: u64) -> f64 {
    // More than 4 TiB resident is beyond what is measured here.
    f64::from(u32::try_from(bytes / 1024).unwrap_or(u32::MAX)) / 1024.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(requests_per_second: f64, millis: std::ops::RangeInclusive<u64>) -> Round {
        let times = millis.map(Duration::from_millis).collect();
        Round { requests_per_second, server_micros: 0.0, generator_share: 0.0, times }
    }

    #[test]
    fn rounds_are_compared_with_those_beside_them() {
        let echo = [round(100.0, 1..=1), round(10.0, 1..=1), round(100.0, 1..=1)];
        let server = [round(50.0, 1..=1), round(5.0, 1..=1), round(40.0, 1..=1)];
        let median = ratio(&server, &echo, |round| round.requests_per_second);
        assert!((median - 0.5).abs() < 1e-9);
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
        let rounds = [round(0.0, 51..=100), round(0.0, 1..=50)];
        assert_eq!(percentile(&rounds, 50), Duration::from_millis(50));
        assert_eq!(percentile(&rounds, 99), Duration::from_millis(99));
        assert_eq!(percentile(&[], 99), Duration::ZERO);
    }
}
