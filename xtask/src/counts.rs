//! Test counts, read from what cargo test and pytest print. It must not know how they are called.

use std::ops::AddAssign;

/// How many tests ran and how they ended. A skipped test is counted, so that it can be seen.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// Sums the `test result:` lines, one for each test binary, of `cargo test`.
pub(crate) fn of_cargo(text: &str) -> Counts {
    let mut sum = Counts::default();
    for line in text.lines().filter(|line| line.starts_with("test result: ")) {
        let (_, numbers) = line.split_once(". ").unwrap_or_default();
        sum += of_phrases(numbers.split(';'));
    }
    sum
}

/// Reads pytest's last summary line, with or without its frame of equals signs:
/// `== 1 failed, 12 passed, 3 skipped in 4.56s ==`.
pub(crate) fn of_pytest(text: &str) -> Counts {
    let summaries = text.lines().rev().map(|line| line.trim_matches(|c| c == '=' || c == ' '));
    for line in summaries {
        let Some((phrases, _)) = line.rsplit_once(" in ") else { continue };
        let counts = of_phrases(phrases.split(','));
        if counts != Counts::default() {
            return counts;
        }
    }
    Counts::default()
}

/// Adds up phrases such as `12 passed`, `1 failed`, `2 errors` and `3 ignored`.
fn of_phrases<'a>(phrases: impl Iterator<Item = &'a str>) -> Counts {
    let mut counts = Counts::default();
    for phrase in phrases {
        let mut words = phrase.split_whitespace();
        let Some(number) = words.next().and_then(|word| word.parse::<u64>().ok()) else { continue };
        match words.next() {
            Some("passed" | "xpassed") => counts.passed += number,
            Some("failed" | "error" | "errors") => counts.failed += number,
            Some("ignored" | "skipped" | "xfailed") => counts.skipped += number,
            _ => {}
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_lines_add_up() {
        let text = "running 3 tests\ntest a ... ok\n\
            test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 4 filtered out; \
            finished in 0.00s\n\
            test result: FAILED. 5 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n";
        assert_eq!(of_cargo(text), Counts { passed: 7, failed: 1, skipped: 1 });
    }

    #[test]
    fn pytest_summary_with_and_without_frame() {
        let framed = "x.py ..\n===== 1 failed, 12 passed, 3 skipped in 4.56s =====\n";
        assert_eq!(of_pytest(framed), Counts { passed: 12, failed: 1, skipped: 3 });
        let quiet = "....\n15 passed, 1 warning in 62.10s (0:01:02)\n";
        assert_eq!(of_pytest(quiet), Counts { passed: 15, failed: 0, skipped: 0 });
    }

    #[test]
    fn pytest_errors_are_failures() {
        let counts = of_pytest("2 passed, 3 errors in 0.10s\n");
        assert_eq!(counts, Counts { passed: 2, failed: 3, skipped: 0 });
    }

    #[test]
    fn other_text_counts_nothing() {
        assert_eq!(of_pytest("no tests ran in 0.01s\n"), Counts::default());
        assert_eq!(of_cargo("12 passed; 3 failed\n"), Counts::default());
    }
}
