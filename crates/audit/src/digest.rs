//! Digests: signed statements of how far the log goes and what it hashes to.
//!
//! A digest is a JSON object on a line of its own, with its members in one order and form, so that
//! there is one text for each. Its last member is the signature: Ed25519 (RFC 8032) over
//! [`DOMAIN`] and the object without that member. Each names the hash of the one before.
//!
//! Must not know files, nor where the signature comes from.

use serde::Deserialize;
use service::ports::DigestKey;

use crate::chain::{Hash, Link, hex_text, parse_hex, sha256};
use crate::public_key::{PublicKey, fingerprint};

/// What stands before the text that is signed, so that no other signature of the key is one.
const DOMAIN: &[u8] = b"strongroom audit digest 1\n";
/// The longest line of a digest, in bytes; they have some 600.
pub(crate) const DIGEST_MAX: usize = 2_048;
/// The longest text of a time.
const TIME_MAX: usize = 40;

/// What a digest says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    /// Its number, from 1.
    pub(crate) number: u64,
    /// When it was made: ISO 8601.
    pub(crate) time: String,
    /// The last record that it covers, with the chain's hash.
    pub(crate) link: Link,
    /// The first sequence of the segment that this record stands in.
    pub(crate) segment: u64,
    /// The last record that was removed on purpose, by retention; 0 for none.
    pub(crate) removed_to: u64,
    /// The hash of the digest before, all zeros for the first.
    pub(crate) previous: Hash,
    /// The number of the key that signs.
    pub(crate) key_number: u32,
    /// The SHA-256 of its SubjectPublicKeyInfo.
    pub(crate) fingerprint: Hash,
}

/// A statement with its signature, which may be anybody's until it is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Digest {
    pub(crate) statement: Statement,
    pub(crate) signature: [u8; 64],
}

impl Statement {
    /// Names the key that is going to sign.
    pub(crate) fn signed_by(self, key: &DigestKey) -> Self {
        let fingerprint = fingerprint(&key.public_key);
        Self { key_number: key.number, fingerprint, ..self }
    }

    fn text(&self) -> String {
        format!(
            concat!(
                r#"{{"format":1,"digest":{},"time":"{}","sequence":{},"chain":"{}","#,
                r#""segment":"{:012}","removedTo":{},"previous":"{}","#,
                r#""keyNumber":{},"keyFingerprint":"{}"}}"#
            ),
            self.number,
            self.time,
            self.link.sequence,
            hex_text(&self.link.hash),
            self.segment,
            self.removed_to,
            hex_text(&self.previous),
            self.key_number,
            hex_text(&self.fingerprint),
        )
    }

    /// The bytes that are signed.
    pub(crate) fn message(&self) -> Vec<u8> {
        [DOMAIN, self.text().as_bytes()].concat()
    }
}

impl Digest {
    /// The digest's line, without its end.
    pub(crate) fn line(&self) -> String {
        let mut line = self.statement.text();
        line.pop();
        line.push_str(",\"signature\":\"");
        line.push_str(&hex_text(&self.signature));
        line.push_str("\"}");
        line
    }

    /// Reads a line, with or without its end. None for what isn't a digest in its only form.
    pub(crate) fn parse(line: &[u8]) -> Option<Self> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        if line.len() > DIGEST_MAX {
            return None;
        }
        let read: Members<'_> = serde_json::from_slice(line).ok()?;
        let digest = Self {
            statement: Statement {
                number: read.digest,
                time: read.time.to_owned(),
                link: Link { sequence: read.sequence, hash: parse_hex(read.chain.as_bytes())? },
                segment: read.segment.parse().ok()?,
                removed_to: read.removed_to,
                previous: parse_hex(read.previous.as_bytes())?,
                key_number: read.key_number,
                fingerprint: parse_hex(read.key_fingerprint.as_bytes())?,
            },
            signature: parse_hex(read.signature.as_bytes())?,
        };
        let is_only_form = read.format == 1
            && digest.statement.number > 0
            && read.time.len() <= TIME_MAX
            && digest.line().as_bytes() == line;
        is_only_form.then_some(digest)
    }

    /// Whether one of these keys made the signature; None if the key that it names isn't among
    /// them.
    pub(crate) fn verify(&self, keys: &[PublicKey]) -> Option<bool> {
        let key = keys.iter().find(|key| key.fingerprint() == self.statement.fingerprint)?;
        Some(key.verifies(&self.statement.message(), &self.signature))
    }
}

/// The hash by which the next digest names the one on that line.
pub(crate) fn line_hash(line: &[u8]) -> Hash {
    sha256(line.strip_suffix(b"\n").unwrap_or(line))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Members<'a> {
    format: u32,
    digest: u64,
    time: &'a str,
    sequence: u64,
    chain: &'a str,
    segment: &'a str,
    removed_to: u64,
    previous: &'a str,
    key_number: u32,
    key_fingerprint: &'a str,
    signature: &'a str,
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};

    use super::*;

    fn signed() -> (Digest, PublicKey) {
        let pair = Ed25519KeyPair::generate().unwrap();
        let public_key = pair.public_key().as_ref().try_into().unwrap();
        let statement = Statement {
            number: 7,
            time: "2026-11-22T07:00:00Z".to_owned(),
            link: Link { sequence: 4_711, hash: [0xab; 32] },
            segment: 4_000,
            removed_to: 3_999,
            previous: [0xcd; 32],
            key_number: 0,
            fingerprint: [0; 32],
        };
        let statement = statement.signed_by(&DigestKey { number: 2, public_key });
        let signature = pair.sign(&statement.message()).as_ref().try_into().unwrap();
        (Digest { statement, signature }, PublicKey::from_bytes(public_key))
    }

    #[test]
    fn what_is_written_is_read_and_verified() {
        let (digest, key) = signed();
        let line = digest.line();
        let head = r#"{"format":1,"digest":7,"time":"2026-11-22T07:00:00Z","sequence":4711,"#;
        assert!(line.starts_with(head), "{line}");
        assert!(line.contains(r#""segment":"000000004000","removedTo":3999,"previous":"cdcd"#));
        assert!(line.len() < DIGEST_MAX);
        let read = Digest::parse(format!("{line}\n").as_bytes()).unwrap();
        assert_eq!(read, digest);
        assert_eq!(read.verify(std::slice::from_ref(&key)), Some(true));
        assert_eq!(read.verify(&[]), None);
        let (_, other) = signed();
        assert_eq!(read.verify(&[other]), None);
    }

    /// Whatever byte is changed, it is no digest any more or one that nobody signed.
    #[test]
    fn no_other_text_is_the_same_digest() {
        let (digest, key) = signed();
        let line = digest.line().into_bytes();
        for at in 0..line.len() {
            for bit in 0..8 {
                let mut altered = line.clone();
                altered[at] ^= 1 << bit;
                if let Some(read) = Digest::parse(&altered) {
                    assert_ne!(read.verify(std::slice::from_ref(&key)), Some(true), "{at} {bit}");
                }
            }
        }
        let text = String::from_utf8(line).unwrap();
        for other in [
            text.replacen(':', ": ", 1),
            text.replace("\"digest\":7", "\"digest\":07"),
            text.replace("000000004000", "4000"),
            text.replace("2026", "\\u0032026"),
        ] {
            assert_eq!(Digest::parse(other.as_bytes()), None, "{other}");
        }
    }
}
