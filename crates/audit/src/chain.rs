//! The chain: what each line of the log says of all that stand before it.
//!
//! A record is a JSON object; its line is the same object with one more member at its end,
//! `"chain":"SEQUENCE:HASH"`. SEQUENCE counts records from 1. HASH is, in lower-case hex,
//! SHA-256(hash of the record before ‖ SEQUENCE as 8 bytes, big-endian ‖ SHA-256(record)), all of
//! fixed length. What stands in the place of the hash before record 1 is the SHA-256 of all bytes
//! before its line: of none, or of what was written before there was a chain.
//!
//! Must not know files, nor what a record says.

use aws_lc_rs::digest::{self, SHA256};

/// A SHA-256.
pub(crate) type Hash = [u8; 32];

/// What a chain's member begins with, without the comma before it.
const MEMBER: &[u8] = b"\"chain\":\"";
/// What it ends with, the record's own end included.
const END: &[u8] = b"\"}";
/// How many digits a sequence has at most.
const DIGITS_MAX: usize = 20;
/// How many hex digits a hash has.
const HEX: usize = 64;

/// The longest end of a line that a chain adds: comma, member, line's end.
pub(crate) const SUFFIX_MAX: usize = 1 + MEMBER.len() + DIGITS_MAX + 1 + HEX + END.len() + 1;

/// The place of a record in the chain: how many there are up to it, and what they hash to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    /// The record's number, from 1; 0 for what stands before the first.
    pub(crate) sequence: u64,
    /// The chain's hash behind it.
    pub(crate) hash: Hash,
}

impl Link {
    /// The link before record 1, where these bytes stand before it.
    pub(crate) fn origin(before: &[u8]) -> Self {
        Self { sequence: 0, hash: sha256(before) }
    }

    /// The link of the next record.
    pub(crate) fn next(&self, record: &Hash) -> Self {
        let sequence = self.sequence.saturating_add(1);
        Self { sequence, hash: hash_of(&self.hash, sequence, record) }
    }
}

/// The chain's hash behind a record.
pub(crate) fn hash_of(before: &Hash, sequence: u64, record: &Hash) -> Hash {
    let mut linked = [0; 72];
    linked[..32].copy_from_slice(before);
    linked[32..40].copy_from_slice(&sequence.to_be_bytes());
    linked[40..].copy_from_slice(record);
    sha256(&linked)
}

/// SHA-256 (FIPS 180-4).
pub(crate) fn sha256(bytes: &[u8]) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&SHA256, bytes).as_ref());
    hash
}

/// Whether these bytes may be a record: a JSON object on one line without space before its first
/// member, as far as that can be seen from its ends.
pub(crate) fn is_record(bytes: &[u8]) -> bool {
    bytes == b"{}" || bytes.starts_with(b"{\"") && bytes.ends_with(b"}") && !bytes.contains(&b'\n')
}

/// The end of a line, written in place of the record's last byte.
pub(crate) struct Suffix {
    bytes: [u8; SUFFIX_MAX],
    length: usize,
}

impl Suffix {
    /// The end of the line of a record with that link. `empty` tells that the record has no
    /// member of its own.
    pub(crate) fn new(link: &Link, empty: bool) -> Self {
        let mut suffix = Self { bytes: [0; SUFFIX_MAX], length: 0 };
        if !empty {
            suffix.push(b",");
        }
        suffix.push(MEMBER);
        let mut digits = [0; DIGITS_MAX];
        let mut first = DIGITS_MAX;
        let mut rest = link.sequence;
        loop {
            first -= 1;
            digits[first] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        suffix.push(&digits[first..]);
        suffix.push(b":");
        suffix.push(&hex(&link.hash));
        suffix.push(END);
        suffix.push(b"\n");
        suffix
    }

    fn push(&mut self, bytes: &[u8]) {
        self.bytes[self.length..self.length + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// The link that a line, or only its end, states; the line's end may be there or not. With it, how
/// many bytes of the line stand before what the chain added.
pub(crate) fn stated(line: &[u8]) -> Option<(Link, usize)> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let rest = line.strip_suffix(END)?;
    let (rest, hash) = rest.split_at_checked(rest.len().checked_sub(HEX)?)?;
    let hash = parse_hex(hash)?;
    let rest = rest.strip_suffix(b":")?;
    let digits = rest.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (rest, digits) = rest.split_at(rest.len() - digits);
    if digits.len() > DIGITS_MAX || digits.first().is_none_or(|first| *first == b'0') {
        return None;
    }
    let sequence: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let rest = rest.strip_suffix(MEMBER)?;
    let length = match rest {
        // A record without members of its own, and only that, has no comma.
        [.., b','] if rest != b"{," => rest.len() - 1,
        b"{" => 1,
        _ => return None,
    };
    Some((Link { sequence, hash }, length))
}

/// How many bytes before a line's end are enough to read what it states.
pub(crate) const ENDING: u64 = SUFFIX_MAX as u64 + 8;

/// The link that the last line states, of bytes that end with it and begin anywhere.
pub(crate) fn ending(bytes: &[u8]) -> Option<Link> {
    let line = bytes.strip_suffix(b"\n")?;
    let start = line.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    stated(&line[start..]).map(|(link, _)| link)
}

/// A line, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    /// The link that it states.
    pub(crate) link: Link,
    /// The SHA-256 of its record.
    pub(crate) record: Hash,
}

impl Line {
    /// Takes a whole line apart, with or without its end. `buffer` is for its use.
    pub(crate) fn parse(bytes: &[u8], buffer: &mut Vec<u8>) -> Option<Self> {
        let (link, length) = stated(bytes)?;
        buffer.clear();
        buffer.extend_from_slice(&bytes[..length]);
        buffer.push(b'}');
        is_record(buffer).then(|| Self { link, record: sha256(buffer) })
    }

    /// Whether it is the one that follows on `before`.
    pub(crate) fn follows(&self, before: &Link) -> bool {
        before.next(&self.record) == self.link
    }
}

/// How much of these bytes are whole lines that follow on `from`, and what the last of them is.
pub(crate) fn follow(from: Link, bytes: &[u8]) -> (usize, Link) {
    let (mut length, mut link) = (0, from);
    let mut buffer = Vec::new();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        match Line::parse(line, &mut buffer) {
            Some(parsed) if line.ends_with(b"\n") && parsed.follows(&link) => link = parsed.link,
            _ => break,
        }
        length += line.len();
    }
    (length, link)
}

/// Lower-case hex of 32 bytes.
pub(crate) fn hex(hash: &Hash) -> [u8; HEX] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; HEX];
    for (pair, byte) in text.chunks_exact_mut(2).zip(hash) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    text
}

/// Lower-case hex as text.
pub(crate) fn hex_text(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Reads lower-case hex of exactly `N` bytes.
pub(crate) fn parse_hex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    if text.len() != 2 * N {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(before: &Link, record: &[u8]) -> (Link, Vec<u8>) {
        let link = before.next(&sha256(record));
        let suffix = Suffix::new(&link, record == b"{}");
        (link, [&record[..record.len() - 1], suffix.as_bytes()].concat())
    }

    #[test]
    fn a_line_is_its_record_with_one_member_more() {
        let origin = Link::origin(b"");
        let (link, text) = line(&origin, br#"{"a":1}"#);
        let text = String::from_utf8(text).unwrap();
        assert!(text.starts_with(r#"{"a":1,"chain":"1:"#) && text.ends_with("\"}\n"), "{text}");
        assert!(text.len() <= 6 + SUFFIX_MAX);
        let parsed = Line::parse(text.as_bytes(), &mut Vec::new()).unwrap();
        assert_eq!((parsed.link, parsed.record), (link, sha256(br#"{"a":1}"#)));
        assert!(parsed.follows(&origin) && !parsed.follows(&link));
        assert_eq!(stated(&text.as_bytes()[5..]).unwrap().0, link);
    }

    /// The hash by hand: what the documentation says, and nothing else.
    #[test]
    fn the_hash_is_what_is_documented() {
        let link = Link { sequence: 41, hash: [7; 32] }.next(&sha256(b"{}"));
        let by_hand = [&[7; 32][..], &[0, 0, 0, 0, 0, 0, 0, 42], &sha256(b"{}")].concat();
        assert_eq!(link, Link { sequence: 42, hash: sha256(&by_hand) });
    }

    #[test]
    fn an_empty_record_and_the_largest_sequence() {
        let before = Link { sequence: u64::MAX - 1, hash: [0xab; 32] };
        let (link, text) = line(&before, b"{}");
        assert!(text.starts_with(br#"{"chain":"18446744073709551615:"#));
        assert_eq!(Line::parse(&text, &mut Vec::new()).unwrap().link, link);
    }

    #[test]
    fn only_the_exact_form_is_read() {
        let hash = "0".repeat(64);
        let good = format!(r#"{{"a":1,"chain":"5:{hash}"}}"#);
        assert!(Line::parse(good.as_bytes(), &mut Vec::new()).is_some());
        for bad in [
            format!(r#"{{"a":1,"chain":"05:{hash}"}}"#),
            format!(r#"{{"a":1,"chain":":{hash}"}}"#),
            format!(r#"{{"a":1,"chain":"0:{hash}"}}"#),
            format!(r#"{{"a":1,"chain":"99999999999999999999:{hash}"}}"#),
            format!(r#"{{"a":1,"chain":"5:{}A"}}"#, &hash[1..]),
            format!(r#"{{"a":1,"chain":"5:{}"}}"#, &hash[1..]),
            format!(r#"{{"a":1 "chain":"5:{hash}"}}"#),
            format!(r#"{{,"chain":"5:{hash}"}}"#),
            format!(r#"{{"a":1,"chain":"5:{hash}"}} "#),
            format!(r#""chain":"5:{hash}"}}"#),
            String::new(),
            "\n".to_owned(),
        ] {
            assert_eq!(Line::parse(bad.as_bytes(), &mut Vec::new()), None, "{bad}");
        }
    }

    /// A record may hold what looks like a link; the last one counts.
    #[test]
    fn a_record_cannot_forge_a_link() {
        let hash = "1".repeat(64);
        let record = format!(r#"{{"a":"x","chain":"9:{hash}"}}"#);
        let (link, text) = line(&Link::origin(b"old"), record.as_bytes());
        let parsed = Line::parse(&text, &mut Vec::new()).unwrap();
        assert_eq!((parsed.link, parsed.record), (link, sha256(record.as_bytes())));
    }

    #[test]
    fn following_stops_at_the_first_break() {
        let origin = Link::origin(b"");
        let (first, one) = line(&origin, br#"{"a":1}"#);
        let (second, two) = line(&first, br#"{"b":2}"#);
        let both = [one.clone(), two.clone()].concat();
        assert_eq!(follow(origin, &both), (both.len(), second));
        assert_eq!(follow(origin, &both[..both.len() - 1]), (one.len(), first));
        assert_eq!(follow(origin, &two), (0, origin));
        let mut altered = both.clone();
        altered[one.len() + 2] ^= 1;
        assert_eq!(follow(origin, &altered), (one.len(), first));
    }
}
