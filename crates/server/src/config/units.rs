//! Numbers with a unit: `30s`, `12h`, `64KiB`. Owns their syntax. Must not know what they measure.

/// A unit: its sign, and how many of the smallest it is.
pub(super) type Unit = (&'static str, u64);

/// How many of the smallest unit of time a second is.
pub(super) const SECOND: u64 = 1_000;

/// Units of time, the longest first.
pub(super) const DURATIONS: [Unit; 5] =
    [("d", 86_400 * SECOND), ("h", 3_600 * SECOND), ("m", 60 * SECOND), ("s", SECOND), ("ms", 1)];

/// Units of size, the largest first. Those of 1,000 bytes aren't taken: who means which isn't sure.
pub(super) const SIZES: [Unit; 5] =
    [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// The number that a text stands for, counted in the smallest unit: digits and a unit's sign.
pub(super) fn parse(text: &str, units: &[Unit]) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (digits, sign) = text.split_at(end);
    let (_, factor) = units.iter().find(|(known, _)| *known == sign)?;
    digits.parse::<u64>().ok()?.checked_mul(*factor)
}

/// The shortest text of that number: in the largest unit that it is a whole number of.
pub(super) fn show(number: u64, units: &[Unit]) -> String {
    let fits = |factor: u64| factor == 1 || (number != 0 && number.is_multiple_of(factor));
    let unit = units.iter().find(|(_, factor)| fits(*factor));
    // The last unit always fits.
    let (sign, factor) = unit.copied().unwrap_or(("", 1));
    format!("{}{sign}", number / factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_digits_and_a_unit() {
        assert_eq!(parse("30s", &DURATIONS), Some(30_000));
        assert_eq!(parse("250ms", &DURATIONS), Some(250));
        assert_eq!(parse("365d", &DURATIONS), Some(365 * 86_400_000));
        assert_eq!(parse("64KiB", &SIZES), Some(65_536));
        assert_eq!(parse("0B", &SIZES), Some(0));
        let too_large = format!("{}d", u64::MAX);
        for text in ["", "s", "30", "30 s", "-1s", "+1s", "1.5h", "1h30m", "30S", &too_large] {
            assert_eq!(parse(text, &DURATIONS), None, "{text}");
        }
        for text in ["64KB", "64kib", "64K", "1e3B", "٣B"] {
            assert_eq!(parse(text, &SIZES), None, "{text}");
        }
    }

    #[test]
    fn what_is_shown_is_read_as_the_same() {
        for number in [0, 1, 999, 1_000, 60_000, 90_000, 86_400_000, 86_400_001, 365 * 86_400_000] {
            assert_eq!(parse(&show(number, &DURATIONS), &DURATIONS), Some(number));
        }
        for number in [0, 1, 1_023, 1_024, 65_536, 1 << 30, (1 << 40) + 1] {
            assert_eq!(parse(&show(number, &SIZES), &SIZES), Some(number));
        }
        assert_eq!(show(90_000, &DURATIONS), "90s");
        assert_eq!(show(1 << 30, &SIZES), "1GiB");
    }
}
