//! The committed figures: instructions of one request, in all and by function; how they are
//! written, read and compared. It must not know how they are counted.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::callgrind::Counts;
use crate::Outcome;

/// A function is worth a line in the file if it has this part of the request in itself.
const OWN_PART: u64 = 400;
/// The same with what it calls, for a function that is a stage of a request.
const INCLUSIVE_PART: u64 = 100;
/// Whose functions may be stages.
const STAGES: [&str; 12] = [
    "audit::",
    "crypto::",
    "hyper::",
    "iam::",
    "keystores::",
    "kms::",
    "policy::",
    "server::",
    "service::",
    "sigv4::",
    "storage::",
    "wire::",
];
/// What runs beside requests, as often as a run's time allows: no part of them. No request that is
/// counted writes to the store.
const BACKGROUND: [&str; 2] =
    ["storage::embedded::writer::Writer::run", "server::jobs::keep_usage::{{closure}}"];
/// How many functions that have changed are named.
const NAMED: usize = 10;
/// Less than this many instructions is no change: what chance there is in a request moves as much.
const NEGLIGIBLE: u64 = 30;

/// Instructions of one request.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) total: u64,
    own: BTreeMap<String, u64>,
    inclusive: BTreeMap<String, u64>,
}

impl Figures {
    /// Of so many requests, what falls to one.
    pub(crate) fn of(counts: &Counts, requests: u32) -> Self {
        let part = |count: u64| (count + u64::from(requests) / 2) / u64::from(requests);
        let beside = BACKGROUND.iter().filter_map(|name| counts.functions.get(*name));
        let beside: u64 = beside.map(|cost| cost.inclusive).sum();
        let total = part(counts.total.saturating_sub(beside));
        let mut figures = Self { total, ..Self::default() };
        for (name, cost) in &counts.functions {
            figures.own.insert(name.clone(), part(cost.own));
            if is_stage(name) {
                figures.inclusive.insert(name.clone(), part(cost.inclusive));
            }
        }
        figures
    }

    /// By how many percent this is more than what was committed; negative if it is less.
    #[expect(clippy::cast_precision_loss, reason = "a request has fewer than 2^53 instructions")]
    pub(crate) fn rise(&self, committed: &Self) -> f64 {
        (self.total as f64 / committed.total as f64 - 1.0) * 100.0
    }

    /// What moved, the most first, a line each.
    pub(crate) fn moved(&self, committed: &Self) -> String {
        let own = Moves::of(&self.own, &committed.own, self.total / OWN_PART);
        let inclusive =
            Moves::of(&self.inclusive, &committed.inclusive, self.total / INCLUSIVE_PART);
        let mut text = String::new();
        own.write(&mut text, "in the function itself");
        inclusive.write(&mut text, "with what it calls");
        text
    }
}

fn is_stage(name: &str) -> bool {
    // Not `<T as Trait>` of somebody else, whose names would only repeat what is in them.
    let name = name.trim_start_matches(['<', '&']);
    STAGES.iter().any(|stage| name.starts_with(stage))
}

/// How a function's part of a request has changed.
struct Move<'a> {
    name: &'a str,
    had: u64,
    has: u64,
    /// Whether the file has it; if not, it had less than is worth a line, at most `had`.
    known: bool,
}

/// The functions that have changed most, the most first.
struct Moves<'a>(Vec<Move<'a>>);

impl<'a> Moves<'a> {
    /// Of functions that the file leaves out, it is known that they had less than `least`.
    fn of(now: &'a BTreeMap<String, u64>, before: &'a BTreeMap<String, u64>, least: u64) -> Self {
        let names: BTreeSet<&String> = now.keys().chain(before.keys()).collect();
        let mut moves: Vec<_> = names
            .into_iter()
            .map(|name| {
                let had = before.get(name).copied();
                let has = now.get(name).copied().unwrap_or_default();
                Move { name, had: had.unwrap_or(least.min(has)), has, known: had.is_some() }
            })
            .filter(|one| one.change() > NEGLIGIBLE)
            .collect();
        moves.sort_by_key(|one| (std::cmp::Reverse(one.change()), one.name));
        moves.truncate(NAMED);
        Self(moves)
    }

    fn write(&self, text: &mut String, title: &str) {
        if self.0.is_empty() {
            return;
        }
        let _ = writeln!(text, "  {title}:");
        for one in &self.0 {
            let sign = if one.has > one.had { '+' } else { '-' };
            let had = format!("{}{}", if one.known { "" } else { "<" }, one.had);
            let (change, has, name) = (one.change(), one.has, one.name);
            let _ = writeln!(text, "    {sign}{change:<7} {had:>8} -> {has:<8} {name}");
        }
    }
}

impl Move<'_> {
    fn change(&self) -> u64 {
        self.had.abs_diff(self.has)
    }
}

/// The file: rows of figures, and what they were made with.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Book {
    /// The versions of what the figures depend on.
    pub(crate) made_with: String,
    pub(crate) rows: BTreeMap<String, Figures>,
}

const HEADER: &str = "# Instructions of one request, as callgrind counts them: in all, in\n\
    # functions themselves (own), and with what they call (inclusive). Written by\n\
    # `cargo xtask bench --instructions --bless`.\n# made with: ";

impl Book {
    /// Reads the file.
    ///
    /// # Errors
    /// The line that isn't one of a file such as this.
    pub(crate) fn parse(text: &str) -> Outcome<Self> {
        let mut book = Self::default();
        for line in text.lines() {
            if let Some(versions) = line.strip_prefix("# made with: ") {
                versions.clone_into(&mut book.made_with);
            } else if !line.starts_with('#') {
                let read = book.read(line);
                read.ok_or_else(|| format!("`{line}` is no line of figures"))?;
            }
        }
        Ok(book)
    }

    fn read(&mut self, line: &str) -> Option<()> {
        let mut words = line.splitn(4, '\t');
        let figures = self.rows.entry(words.next()?.to_owned()).or_default();
        let (kind, count) = (words.next()?, words.next()?.parse().ok()?);
        match (kind, words.next()) {
            ("total", None) => figures.total = count,
            ("own", Some(name)) => drop(figures.own.insert(name.to_owned(), count)),
            ("inclusive", Some(name)) => drop(figures.inclusive.insert(name.to_owned(), count)),
            _ => return None,
        }
        Some(())
    }

    /// The file's text: of each row, the functions that matter, the dearest first.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{HEADER}{}\n", self.made_with);
        for (row, figures) in &self.rows {
            let _ = writeln!(text, "{row}\ttotal\t{}", figures.total);
            for (kind, functions, part) in
                [("own", &figures.own, OWN_PART), ("inclusive", &figures.inclusive, INCLUSIVE_PART)]
            {
                let mut worth: Vec<_> =
                    functions.iter().filter(|(_, count)| **count >= figures.total / part).collect();
                worth.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), *name));
                for (name, count) in worth {
                    let _ = writeln!(text, "{row}\t{kind}\t{count}\t{name}");
                }
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(counts: &[(&str, u64)]) -> Figures {
        let own: BTreeMap<_, _> =
            counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        let inclusive = own.iter().filter(|(name, _)| is_stage(name));
        Figures {
            total: own.values().sum(),
            inclusive: inclusive.map(|(name, count)| (name.clone(), *count)).collect(),
            own,
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let row = figures(&[("memcpy", 1000), ("<kms::Key as service::T>::arn", 5000)]);
        let rows = BTreeMap::from([("Encrypt".to_owned(), row)]);
        let book = Book { made_with: "this and that".to_owned(), rows };
        assert_eq!(Book::parse(&book.text()), Ok(book));
    }

    #[test]
    fn what_is_cheap_is_left_out() {
        let rows = BTreeMap::from([("a".to_owned(), figures(&[("cheap", 1), ("dear", 999_999)]))]);
        let text = Book { made_with: String::new(), rows }.text();
        assert!(text.contains("a\town\t999999\tdear\n"), "{text}");
        assert!(!text.contains("cheap"), "{text}");
    }

    #[test]
    fn lines_of_something_else_are_refused() {
        for line in ["", "a", "a\ttotal\tb", "a\ttotal\t1\tf", "a\town\t1", "a\tother\t1\tf"] {
            assert!(Book::parse(&format!("{line}\n")).is_err(), "{line}");
        }
    }

    #[test]
    fn the_greatest_move_is_named_first() {
        let before = figures(&[("gone", 900), ("same", 40_000), ("grown", 100)]);
        let now = figures(&[("same", 40_010), ("grown", 300), ("wire::new", 3000), ("few", 90)]);
        assert!((now.rise(&before) - 5.85).abs() < 0.01, "{}", now.rise(&before));
        let expected = "  in the function itself:\n\
            \x20   +2892        <108 -> 3000     wire::new\n\
            \x20   -900          900 -> 0        gone\n\
            \x20   +200          100 -> 300      grown\n\
            \x20 with what it calls:\n\
            \x20   +2566        <434 -> 3000     wire::new\n";
        assert_eq!(now.moved(&before), expected);
    }

    #[test]
    fn counts_fall_to_one_request() {
        let dump = "fn=(1) wire::a\n1 199\ncfn=(2) b\ncalls=1 1\n1 100\nfn=(2)\n2 100\n";
        let figures = Figures::of(&Counts::parse(dump).expect("callgrind's"), 100);
        assert_eq!((figures.total, figures.own["wire::a"], figures.own["b"]), (3, 2, 1));
        assert_eq!(figures.inclusive, BTreeMap::from([("wire::a".to_owned(), 3)]));
        // What runs beside requests is none of theirs.
        let dump = format!("fn=(1) a\n1 500\nfn=(2) {}\n1 100\n", BACKGROUND[0]);
        let counts = Counts::parse(&dump).expect("callgrind's");
        assert_eq!(Figures::of(&counts, 100).total, 5);
    }
}
