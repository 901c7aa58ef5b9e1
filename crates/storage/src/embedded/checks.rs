//! Checks that find damage: one of each record, and one of the whole.
//!
//! A check tells damage, not malice: it is computed without a key, so whoever can write to the
//! database can write checks that fit. Must not know how a database is read or written.

use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use service::ports::Revision;

/// The length of a check, in bytes. Damage that a hash of 128 bits doesn't see won't be met.
pub(super) const LEN: usize = 16;

/// What a record, or the state of the whole, must hash to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Check([u8; LEN]);

impl Check {
    /// The check of a record: of its key, its revision and its value, so that a value under
    /// another record's key fails as an altered one does.
    pub(super) fn of_record(key: &[u8], value: &[u8], revision: Revision) -> Self {
        // Keys are of 512 bytes at most.
        let length = u32::try_from(key.len()).unwrap_or(u32::MAX).to_be_bytes();
        Self::of(&[&length, key, &revision.0.to_be_bytes(), value])
    }

    /// The check of these parts in a row, of which all but the last have fixed lengths or say how
    /// long they are.
    pub(super) fn of(parts: &[&[u8]]) -> Self {
        let mut context = Context::new(&SHA256);
        for part in parts {
            context.update(part);
        }
        let mut check = [0; LEN];
        check.copy_from_slice(&context.finish().as_ref()[..LEN]);
        Self(check)
    }

    /// The bytes that are stored.
    pub(super) fn as_bytes(&self) -> &[u8; LEN] {
        &self.0
    }
}

impl FromSql for Check {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let bytes = value.as_blob()?;
        bytes.try_into().map(Self).map_err(|_| FromSqlError::InvalidBlobSize {
            expected_size: LEN,
            blob_size: bytes.len(),
        })
    }
}

impl rusqlite::ToSql for Check {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(&self.0)))
    }
}

/// How many records there are, and the sum of their checks: it is the same in whatever order they
/// came, and tells when one is missing or one too many is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Total {
    /// How many records there are.
    pub(super) count: u64,
    sum: u128,
}

impl Total {
    /// The total that was stored.
    pub(super) fn stored(count: u64, sum: [u8; LEN]) -> Self {
        Self { count, sum: u128::from_be_bytes(sum) }
    }

    /// The sum as it is stored.
    pub(super) fn sum(&self) -> [u8; LEN] {
        self.sum.to_be_bytes()
    }

    /// Counts a record in.
    pub(super) fn add(&mut self, check: &Check) {
        self.count = self.count.wrapping_add(1);
        self.sum = self.sum.wrapping_add(u128::from_be_bytes(check.0));
    }

    /// Counts a record out.
    pub(super) fn remove(&mut self, check: &Check) {
        self.count = self.count.wrapping_sub(1);
        self.sum = self.sum.wrapping_sub(u128::from_be_bytes(check.0));
    }
}

/// Why a read or a write failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// SQLite failed.
    Sqlite(rusqlite::Error),
    /// The record of that key isn't what was written.
    DamagedRecord(String),
    /// What is stored of the whole isn't what was written.
    DamagedState,
    /// The database is closed until it can be written again.
    Closed,
}

impl From<rusqlite::Error> for Failure {
    fn from(cause: rusqlite::Error) -> Self {
        Self::Sqlite(cause)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(cause) => cause.fmt(f),
            Self::DamagedRecord(key) => write!(f, "the record `{key}` is damaged"),
            Self::DamagedState => f.write_str("the record of the database's state is damaged"),
            Self::Closed => f.write_str("the database is closed until its disk works again"),
        }
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Sqlite(cause) => Some(cause),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(key: &str, value: &[u8], revision: u64) -> Check {
        Check::of_record(key.as_bytes(), value, Revision(revision))
    }

    #[test]
    fn key_value_and_revision_each_count() {
        let one = check("key", b"value", 1);
        assert_eq!(one, check("key", b"value", 1));
        for other in [check("kez", b"value", 1), check("key", b"valuf", 1), check("key", b"", 1)] {
            assert_ne!(one, other);
        }
        assert_ne!(one, check("key", b"value", 2));
        assert_ne!(check("ab", b"c", 0), check("a", b"bc", 0));
    }

    #[test]
    fn the_form_is_for_ever() {
        // SHA-256 of 00000003 6b6579 0000000000000001 76616c7565, by another implementation.
        let expected = 0x39b4_23f2_dabf_552c_a397_bb4b_aecc_db59_u128;
        let computed = u128::from_be_bytes(*check("key", b"value", 1).as_bytes());
        assert_eq!(computed, expected);
    }

    #[test]
    fn a_total_knows_what_it_holds_whatever_the_order() {
        let checks: Vec<_> = (0..50).map(|n| check(&format!("k{n}"), b"v", n)).collect();
        let total = |checks: &mut dyn Iterator<Item = &Check>| {
            let mut total = Total::default();
            checks.for_each(|check| total.add(check));
            total
        };
        let whole = total(&mut checks.iter());
        assert_eq!(whole, total(&mut checks.iter().rev()));
        assert_ne!(whole, total(&mut checks.iter().skip(1)));
        assert_ne!(whole, total(&mut checks.iter().chain(&checks[..1])));
        let mut less = whole;
        less.remove(&checks[3]);
        assert_ne!(less, whole);
        less.add(&checks[3]);
        assert_eq!(less, whole);
        assert_eq!(Total::stored(whole.count, whole.sum()), whole);
    }
}
