//! How a domain key is written down: format, dates, wrapped key.
//!
//! Format 1 is the wrapped key alone, whose own first byte is 1; format 2 has dates before it.
//! `docs/internals/key-hierarchy.md` describes both to the byte.

use wire::Timestamp;

const WITH_DATES: u8 = 2;
/// What stands for a date that there isn't.
const NONE: i64 = i64::MIN;

/// What is known of a domain key beside the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Dates {
    /// When it was made, or first dated: the first of a Region has no date when it is made.
    pub(super) made: Option<Timestamp>,
    /// Since when no record needs it.
    pub(super) retired: Option<Timestamp>,
}

impl Dates {
    /// What the wrapped key is authenticated with. A record whose dates were altered doesn't open.
    pub(super) fn binding(self, region: &str, number: u32) -> Vec<u8> {
        let mut bound = format!("{region}\0{number}");
        if self != Self::default() {
            for date in [self.made, self.retired] {
                bound.push('\0');
                bound.push_str(&date.map_or(String::new(), |date| date.millis().to_string()));
            }
        }
        bound.into_bytes()
    }

    /// The record: the dates, if there are any, and the wrapped key.
    pub(super) fn before(self, wrapped: &[u8]) -> Vec<u8> {
        if self == Self::default() {
            return wrapped.to_vec();
        }
        let [made, retired] = [self.made, self.retired].map(|date| {
            let millis = date.map_or(NONE, Timestamp::millis);
            millis.to_be_bytes()
        });
        [&[WITH_DATES], &made[..], &retired[..], wrapped].concat()
    }

    /// Takes a record apart.
    pub(super) fn split(record: &[u8]) -> Option<(Self, &[u8])> {
        let Some(rest) = record.strip_prefix(&[WITH_DATES]) else {
            return Some((Self::default(), record));
        };
        let (made, rest) = rest.split_first_chunk()?;
        let (retired, wrapped) = rest.split_first_chunk()?;
        Some((Self { made: date(*made), retired: date(*retired) }, wrapped))
    }
}

fn date(bytes: [u8; 8]) -> Option<Timestamp> {
    let millis = i64::from_be_bytes(bytes);
    (millis != NONE).then(|| Timestamp::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_are_read_and_written() {
        let wrapped = [1; 77];
        let none = Dates::default();
        assert_eq!(none.before(&wrapped), wrapped, "what versions before dates wrote");
        let [some, other] = [Some(Timestamp::from_millis(0)), Some(Timestamp::from_millis(-1))];
        for (made, retired) in [(some, None), (None, some), (some, other), (None, None)] {
            let dates = Dates { made, retired };
            let record = dates.before(&wrapped);
            assert_eq!(Dates::split(&record), Some((dates, &wrapped[..])));
        }
        assert_eq!(Dates::split(&[2; 16]), None);
    }

    #[test]
    fn dates_are_bound() {
        let bound = |made: Option<i64>, retired: Option<i64>| {
            let [made, retired] = [made, retired].map(|date| date.map(Timestamp::from_millis));
            String::from_utf8(Dates { made, retired }.binding("us-east-1", 7)).unwrap()
        };
        assert_eq!(bound(None, None), "us-east-1\x007");
        assert_eq!(bound(Some(5), None), "us-east-1\x007\x005\0");
        assert_eq!(bound(None, Some(5)), "us-east-1\x007\0\x005");
        assert_eq!(bound(Some(5), Some(6)), "us-east-1\x007\x005\x006");
    }
}
