//! Marks: names of places in the log that outlive the process.
//!
//! A mark is `FIRST-OFFSET-HASH`: the first sequence of a segment, how far in it the place is, and
//! the beginning of the chain's hash there. A segment only grows and the chain has a hash of its
//! own at each place, so that the mark stays what it is, and another log that was put in this
//! one's place doesn't have it.
//!
//! Where no line of the chain ends, in what was written before there was a chain, a mark is
//! `OFFSET-FINGERPRINT`, as it was then: the fingerprint is that of the file's beginning.
//!
//! Must not know which segments there are, nor how lines are written.

use std::fs::File;
use std::io;

use crate::chain::{ENDING, Hash, ending, hex_text, parse_hex};
use crate::lines::bytes_at;

/// How much of a log's beginning makes its fingerprint, in bytes.
const BEGINNING: u64 = 4 << 10;
/// How many bytes of a hash a mark has.
const HASH: usize = 8;

/// What a mark says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    segment: Option<u64>,
    offset: u64,
    expected: [u8; HASH],
}

/// The mark of an offset behind a line, in the segment of that first sequence.
pub(crate) fn mark(file: &File, first: u64, offset: u64) -> io::Result<String> {
    Ok(match hash_before(file, offset)? {
        Some(hash) => format!("{first}-{offset}-{}", hex_text(&hash[..HASH])),
        None => format!("{offset}-{}", hex_text(&fingerprint(file, offset)?)),
    })
}

impl Mark {
    /// Reads a mark; None if it is none.
    pub(crate) fn parse(mark: &str) -> Option<Self> {
        let (places, expected) = mark.rsplit_once('-')?;
        let expected = parse_hex(expected.as_bytes())?;
        let (segment, offset) = match places.split_once('-') {
            Some((segment, offset)) => (Some(segment.parse().ok()?), offset),
            None => (None, places),
        };
        Some(Self { segment, offset: offset.parse().ok()?, expected })
    }

    /// The first sequence of its segment; None for a mark of a time without segments.
    pub(crate) fn segment(&self) -> Option<u64> {
        self.segment
    }

    /// Its offset in that file of `end` bytes, if the file has such a place. A loss of power may
    /// have taken records from the end that the mark was behind: then it is the beginning.
    pub(crate) fn find(&self, file: &File, end: u64) -> io::Result<Option<u64>> {
        let is_here = match self.segment {
            _ if self.offset > end => false,
            Some(_) => {
                hash_before(file, self.offset)?.is_some_and(|hash| hash.starts_with(&self.expected))
            }
            None => fingerprint(file, self.offset)? == self.expected,
        };
        Ok(is_here.then_some(self.offset))
    }
}

/// The hash that the line states that ends there.
fn hash_before(file: &File, offset: u64) -> io::Result<Option<Hash>> {
    let length = offset.min(ENDING);
    Ok(ending(&bytes_at(file, offset - length, length)?).map(|link| link.hash))
}

/// The FNV-1a hash of the beginning of a file of at least `length` bytes.
fn fingerprint(file: &File, length: u64) -> io::Result<[u8; HASH]> {
    let beginning = bytes_at(file, 0, length.min(BEGINNING))?;
    let hash = beginning.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    Ok(hash.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::chain::{Link, Suffix, sha256};

    fn file(content: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        file
    }

    fn chained(old: &[u8], records: &[&str]) -> Vec<u8> {
        let mut link = Link::origin(old);
        let mut content = old.to_vec();
        for record in records {
            link = link.next(&sha256(record.as_bytes()));
            content.extend_from_slice(&record.as_bytes()[..record.len() - 1]);
            content.extend_from_slice(Suffix::new(&link, record.len() == 2).as_bytes());
        }
        content
    }

    #[test]
    fn marks_are_found_again_as_the_file_grows() {
        for (old, records) in [("", &["{}"][..]), ("{}\n", &[r#"{"a":1}"#, "{}"]), ("{}\n", &[])] {
            let content = chained(old.as_bytes(), records);
            let mut file = file(&content);
            let end = content.len() as u64;
            let text = mark(&file, 1, end).unwrap();
            let mark = Mark::parse(&text).unwrap();
            assert_eq!(mark.segment(), (!records.is_empty()).then_some(1), "{text}");
            assert_eq!(mark.find(&file, end).unwrap(), Some(end));
            file.write_all(&chained(&content, &["{}"])).unwrap();
            assert_eq!(mark.find(&file, end + 90).unwrap(), Some(end));
            assert_eq!(mark.find(&file, end - 1).unwrap(), None);
        }
    }

    #[test]
    fn another_logs_places_are_not_found() {
        let one = chained(b"", &[r#"{"a":1}"#, "{}"]);
        let other = chained(b"", &[r#"{"a":2}"#, "{}"]);
        let end = one.len() as u64;
        let mark = Mark::parse(&mark(&file(&one), 1, end).unwrap()).unwrap();
        assert_eq!(mark.find(&file(&other), end).unwrap(), None);
        let old = Mark::parse("700-0000000000000000").unwrap();
        assert_eq!(old.find(&file(&[b'x'; 900]), 900).unwrap(), None);
    }

    #[test]
    fn what_is_no_mark_is_refused() {
        for text in [
            "",
            "-",
            "700",
            "700-",
            "-1-2",
            "99999999999999999999-0000000000000000",
            "700-xyz",
            "1-2-3-0000000000000000",
            "1-700-000000000000000G",
        ] {
            assert_eq!(Mark::parse(text), None, "{text}");
        }
    }
}
