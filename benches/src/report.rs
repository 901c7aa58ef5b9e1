//! The tables that a measurement ends in, in markdown, and the files they are written to. It must
//! not know how the numbers came about.

use std::fmt::{self, Write as _};
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::beside::{Beside, SLOW_CONNECTIONS};
use crate::cores::Cores;
use crate::operations::ENCRYPT;
use crate::plan::Report;
use crate::rows::Row;
use crate::startup::StartUp;
use crate::statistics::{Spread, Summary};
use crate::{Outcome, plot};

/// At this share the load's core has no time left: the load, not the server, is what is measured.
const SATURATED: f64 = 0.97;

/// Below this share of both cores, CPU time isn't what bounded the rate of two.
const BUSY: f64 = 0.9;

/// Makes the folder that the files go to: before the measurement, so that it isn't lost.
pub(crate) fn prepare(folder: &Path) -> Outcome {
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))
}

/// Writes `table.md` and `plot.svg` into a folder.
pub(crate) fn write(report: &Report, folder: &Path) -> Outcome {
    let [table, drawing] = ["table.md", "plot.svg"].map(|name| folder.join(name));
    let rows = report.rows.iter().chain(&report.tls).chain(&report.synced).chain(&report.peers);
    for (path, text) in [(&table, tables(report)), (&drawing, plot::svg(rows))] {
        fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

/// All tables of a run.
pub(crate) fn tables(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a string doesn't fail.
    let _ = write_all(&mut text, report);
    text
}

fn write_all(out: &mut String, report: &Report) -> fmt::Result {
    writeln!(out, "# As measured\n\n{}.", report.machine)?;
    writeln!(
        out,
        "\nMade by `cargo xtask bench`; README.md says how it measures and what the columns mean."
    )?;
    write_rows(out, "Plain HTTP, audit records written before the answer", &report.rows)?;
    write_rows(out, "The same over TLS 1.3", &report.tls)?;
    write_rows(out, "Audit records synced to the disk before the answer", &report.synced)?;
    write_rows(out, "Other servers, as they come", &report.peers)?;
    for note in &report.notes {
        writeln!(out, "\n{note}")?;
    }
    write_compared(out, report)?;
    if let Some(beside) = &report.beside {
        write_beside(out, beside)?;
    }
    if let Some(cores) = &report.cores {
        write_cores(out, cores)?;
    }
    if let Some(start_up) = &report.start_up {
        write_start_up(out, start_up)?;
    }
    if let Some((at_start, after)) = report.resident {
        writeln!(out, "\n| resident memory | MiB |\n|---|---:|")?;
        writeln!(out, "| unsealed, with one user | {:.1} |", mebibytes(at_start))?;
        writeln!(out, "| after the load | {:.1} |", mebibytes(after))?;
    }
    Ok(())
}

fn write_rows<'a>(
    out: &mut String,
    title: &str,
    rows: impl IntoIterator<Item = &'a Row>,
) -> fmt::Result {
    let mut rows = rows.into_iter().peekable();
    let Some(first) = rows.peek() else { return Ok(()) };
    let (tls_head, tls_line) =
        if first.tls_echo.is_some() { (" of TLS echo |", "---:|") } else { ("", "") };
    writeln!(
        out,
        "\n## {title}\n\n| one core | requests/s (range) | of echo |{tls_head} of library | of \
         both | p50 µs | p99 µs | p99.9 µs | CPU µs/request (of echo) | load core busy |\n\
         |---|---:|---:|{tls_line}---:|---:|---:|---:|---:|---:|---:|"
    )?;
    for row in rows {
        let of_tls = row.of_tls_echo().map(|of| format!(" {of:.2} |")).unwrap_or_default();
        writeln!(
            out,
            "| {} | {} | {} |{of_tls} {} | {} | {} | {:.1} ({:.1}) | {} |",
            row.name,
            range(&row.server.rate()),
            share(row.of_echo()),
            row.of_library().map_or_else(|| "–".to_owned(), share),
            row.of_both().map_or_else(|| "–".to_owned(), share),
            times(&row.server),
            row.server.micros(),
            row.cost_of_echo(),
            busy(row.server.busy),
        )?;
    }
    Ok(())
}

/// The echoes and the libraries that the rows are compared with.
fn write_compared(out: &mut String, report: &Report) -> fmt::Result {
    let rows = || report.rows.iter().chain(&report.tls).chain(&report.synced).chain(&report.peers);
    if rows().next().is_none() {
        return Ok(());
    }
    writeln!(
        out,
        "\n## What they are compared with\n\n| echo beside | requests/s (range) | p50 µs | p99 µs \
         | p99.9 µs | CPU µs/request | load core busy |\n|---|---:|---:|---:|---:|---:|---:|"
    )?;
    for row in rows() {
        let tls = row.tls_echo.iter().map(|echo| (", TLS", echo));
        for (kind, echo) in [("", &row.echo)].into_iter().chain(tls) {
            let (rate, times) = (range(&echo.rate()), times(echo));
            let (micros, busy) = (echo.micros(), busy(echo.busy));
            writeln!(out, "| {}{kind} | {rate} | {times} | {micros:.1} | {busy} |", row.name)?;
        }
    }
    if rows().all(|row| row.libraries.is_empty()) {
        return Ok(());
    }
    writeln!(out, "\n| library beside | | operations/s (range) |\n|---|---|---:|")?;
    for row in rows() {
        for (library, rates) in &row.libraries {
            let rate = range(&Spread::of(rates.clone()));
            writeln!(out, "| {} | {library} | {rate} |", row.name)?;
        }
    }
    Ok(())
}

fn write_beside(out: &mut String, found: &Beside) -> fmt::Result {
    let quick = ENCRYPT.name;
    writeln!(
        out,
        "\n## A slow operation beside a quick one\n\nThe slow one on {SLOW_CONNECTIONS} \
         connections of its own, at full tilt, both on the server's one core.\n\n\
         | | requests/s | p50 µs | p99 µs | p99.9 µs | p99 to alone | the slow one's rate | the \
         slow one's rate alone |\n|---|---:|---:|---:|---:|---:|---:|---:|"
    )?;
    let alone = &found.alone;
    let rate = thousands(alone.rate().median);
    writeln!(out, "| {quick} alone | {rate} | {} | 1.0 | | |", times(alone))?;
    for one in &found.neighbours {
        writeln!(
            out,
            "| {quick} beside {} | {} ({:.2}) | {} | {:.1} | {} | {} |",
            one.name,
            thousands(one.quick.rate().median),
            one.kept(alone),
            times(&one.quick),
            one.stretch(alone),
            small(one.slow.rate().median),
            small(one.slow_alone.rate().median),
        )?;
    }
    Ok(())
}

fn write_cores(out: &mut String, found: &Cores) -> fmt::Result {
    writeln!(
        out,
        "\n## Two cores\n\n| {} | requests/s (range) | p50 µs | p99 µs | p99.9 µs | CPU µs/request \
         | the load's CPU µs/request |\n|---|---:|---:|---:|---:|---:|---:|",
        ENCRYPT.name
    )?;
    let rows = [
        ("server on one core, load on the other", &found.apart),
        ("server and load on both cores", &found.together),
    ];
    for (name, summary) in rows {
        writeln!(
            out,
            "| {name} | {} | {} | {:.1} | {:.1} |",
            range(&summary.rate()),
            times(summary),
            summary.micros(),
            summary.load_micros,
        )?;
    }
    writeln!(
        out,
        "\nBy the CPU time of a request, two cores allow {:.2} times the rate of one. Both were \
         busy with server and load for {} of the time while they shared them.",
        found.allowed(),
        busy(found.busy()),
    )?;
    if found.busy() < BUSY {
        let words = "Something else ran beside them, or nothing could run: the figure says little.";
        writeln!(out, "{words}")?;
    }
    Ok(())
}

fn write_start_up(out: &mut String, found: &StartUp) -> fmt::Result {
    writeln!(
        out,
        "\n## Start-up and memory\n\n| start-up of dev, empty store, to the first healthy answer | \
         median ms | range |\n|---|---:|---:|"
    )?;
    for (name, time) in [("data directory", &found.in_directory), ("memory", &found.in_memory)] {
        writeln!(out, "| {name} | {:.1} | {:.1}–{:.1} |", time.median, time.least, time.most)?;
    }
    Ok(())
}

fn range(rate: &Spread) -> String {
    format!("{} ({}–{})", thousands(rate.median), thousands(rate.least), thousands(rate.most))
}

/// Three columns.
fn times(summary: &Summary) -> String {
    let micros = |time: Duration| thousands(time.as_secs_f64() * 1e6);
    format!("{} | {} | {}", micros(summary.p50), micros(summary.p99), micros(summary.p999))
}

fn busy(share: f64) -> String {
    let mark = if share >= SATURATED { ", saturated" } else { "" };
    format!("{:.0} %{mark}", share * 100.0)
}

/// A ratio with as many places as tell something.
fn share(ratio: f64) -> String {
    if ratio < 0.1 { format!("{ratio:.3}") } else { format!("{ratio:.2}") }
}

/// A rate that may be a few a second.
fn small(rate: f64) -> String {
    if rate < 100.0 { format!("{rate:.1}") } else { thousands(rate) }
}

/// A number without places, in groups of three digits.
fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn mebibytes(bytes: u64) -> f64 {
    // More than 4 TiB resident is beyond what is measured here.
    f64::from(u32::try_from(bytes / 1024).unwrap_or(u32::MAX)) / 1024.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::tests::row;

    #[test]
    fn numbers_are_grouped_by_three_digits() {
        assert_eq!(thousands(7.4), "7");
        assert_eq!(thousands(999.6), "1,000");
        assert_eq!(thousands(133_797.2), "133,797");
        assert_eq!(thousands(1_234_567.0), "1,234,567");
        assert_eq!(small(4.04), "4.0");
    }

    #[test]
    fn a_saturated_load_is_named() {
        assert_eq!(busy(0.85), "85 %");
        assert_eq!(busy(0.991), "99 %, saturated");
        assert_eq!((share(0.36), share(0.0042)), ("0.36".to_owned(), "0.004".to_owned()));
    }

    #[test]
    fn rows_have_as_many_columns_as_their_head() {
        let mut text = String::new();
        write_rows(&mut text, "Title", &[row("Sign")]).expect("a string");
        let lines: Vec<_> = text.lines().filter(|line| line.starts_with('|')).collect();
        assert_eq!(lines.len(), 3);
        let columns = |line: &str| line.matches('|').count();
        assert!(lines.iter().all(|line| columns(line) == columns(lines[0])), "{text}");
        assert!(lines[2].starts_with("| Sign | 900 (900–900) | 0.10 | 0.90 | 1.00 | 100 |"));
        let mut nothing = String::new();
        write_rows(&mut nothing, "Title", &[]).expect("a string");
        assert_eq!(nothing, "");
    }
}
