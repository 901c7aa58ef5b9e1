//! What a verification found, and how it is told.
//!
//! Must not know how it was found.

use std::fmt;

use crate::chain::{Hash, hex_text, parse_hex};

/// The most faults that are told one by one; the others are counted.
const FAULTS_MAX: usize = 1_000;

/// A digest that was noted elsewhere: its number and the hash of its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its number.
    pub number: u64,
    /// The SHA-256 of its line, without the line's end.
    pub hash: [u8; 32],
}

/// A text that is no `NUMBER:HASH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidHead;

impl fmt::Display for InvalidHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a digest is expected as NUMBER:HASH, with 64 lower-case hex digits")
    }
}

impl std::error::Error for InvalidHead {}

impl std::str::FromStr for Head {
    type Err = InvalidHead;

    fn from_str(text: &str) -> Result<Self, InvalidHead> {
        let (number, hash) = text.split_once(':').ok_or(InvalidHead)?;
        let number = number.parse().map_err(|_| InvalidHead)?;
        let hash = parse_hex(hash.as_bytes()).ok_or(InvalidHead)?;
        Ok(Self { number, hash })
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.number, hex_text(&self.hash))
    }
}

/// Something that can't be as the log was written. Segments are told by their files' names, lines
/// by their numbers from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// A record, or what the chain says of it, was changed.
    Altered {
        /// The record.
        sequence: u64,
        /// Where it stands.
        segment: String,
        /// Its line.
        line: u64,
    },
    /// A line that was not written by the log stands between those that were.
    Inserted {
        /// The sequence that it claims.
        sequence: u64,
        /// Where it stands.
        segment: String,
        /// Its line.
        line: u64,
    },
    /// A record stands in another place than it was written to.
    Reordered {
        /// The record.
        sequence: u64,
        /// Where it stands.
        segment: String,
        /// Its line.
        line: u64,
    },
    /// A line that is none of the log's.
    Unreadable {
        /// Where it stands.
        segment: String,
        /// Its line.
        line: u64,
    },
    /// Records were cut out.
    Missing {
        /// The first of them.
        from: u64,
        /// The last of them.
        to: u64,
        /// The segment where they should stand.
        segment: String,
        /// Before which line.
        line: u64,
    },
    /// Segments were taken away.
    SegmentsMissing {
        /// The first record in them.
        from: u64,
        /// The last record in them.
        to: u64,
    },
    /// A segment has the name of another one.
    Misnamed {
        /// The segment.
        segment: String,
        /// The first record in it.
        sequence: u64,
    },
    /// What was written before there was a chain isn't what the chain says it was.
    BeforeChain {
        /// Where it stands.
        segment: String,
    },
    /// The records are chained among themselves, but not as a signed digest says: all were written
    /// anew from some record on.
    Rewritten {
        /// The first record that may be meant.
        from: u64,
        /// The last one.
        to: u64,
        /// The digest.
        digest: u64,
    },
    /// The log ends before its last digest.
    Cut {
        /// The first record that is missing.
        from: u64,
        /// The last record that a digest covers.
        to: u64,
        /// That digest.
        digest: u64,
    },
    /// A digest's signature is not its key's.
    BadSignature {
        /// The digest.
        digest: u64,
        /// Its line in `digests.jsonl`.
        line: u64,
    },
    /// A digest is signed by a key that wasn't given.
    UnknownKey {
        /// The digest.
        digest: u64,
        /// The number that it gives its key.
        key_number: u32,
        /// The key's fingerprint.
        fingerprint: String,
    },
    /// A line of `digests.jsonl` that is no digest.
    UnreadableDigest {
        /// The line.
        line: u64,
    },
    /// A digest doesn't follow on the one before it: some were cut out, inserted or reordered.
    DigestOrder {
        /// The digest.
        digest: u64,
        /// Its line.
        line: u64,
        /// The number that was expected.
        expected: u64,
    },
    /// The digest that was noted elsewhere isn't there: log and digests were cut together, or this
    /// is another log.
    Head {
        /// The digest that was noted.
        expected: u64,
        /// The last digest that is there.
        found: u64,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Altered { sequence, segment, line } => {
                write!(f, "record {sequence} was altered ({segment}, line {line})")
            }
            Self::Inserted { sequence, segment, line } => write!(
                f,
                "a record was inserted that claims to be number {sequence} ({segment}, line {line})"
            ),
            Self::Reordered { sequence, segment, line } => {
                write!(f, "record {sequence} stands in a wrong place ({segment}, line {line})")
            }
            Self::Unreadable { segment, line } => {
                write!(f, "line {line} of {segment} is no record of this log")
            }
            Self::Missing { from, to, segment, line } => {
                write!(f, "{} cut out ({segment}, before line {line})", records(*from, *to))
            }
            Self::SegmentsMissing { from, to } => {
                write!(f, "a segment or its end is missing: {}", missing(*from, *to))
            }
            Self::Misnamed { segment, sequence } => {
                write!(
                    f,
                    "{segment} begins with record {sequence}: it was renamed or its start cut"
                )
            }
            Self::BeforeChain { segment } => {
                write!(f, "record 1, or what stands before it in {segment}, was altered")
            }
            Self::Rewritten { from, to, digest } => write!(
                f,
                "{} not what digest {digest} signed: one or more were rewritten",
                span(*from, *to) + " are"
            ),
            Self::Cut { from, to, digest } => {
                write!(f, "the end was cut: {} that digest {digest} covers", missing(*from, *to))
            }
            Self::BadSignature { digest, line } => {
                write!(f, "the signature of digest {digest} is bad (digests.jsonl, line {line})")
            }
            Self::UnknownKey { digest, key_number, fingerprint } => write!(
                f,
                "digest {digest} is signed by a key that was not given: number {key_number}, \
                 fingerprint {fingerprint}"
            ),
            Self::UnreadableDigest { line } => {
                write!(f, "line {line} of digests.jsonl is no digest")
            }
            Self::DigestOrder { digest, line, expected } => write!(
                f,
                "digest {digest} does not follow on the one before it, where number {expected} \
                 should (digests.jsonl, line {line})"
            ),
            Self::Head { expected, found } => write!(
                f,
                "digest {expected}, noted elsewhere, is not there as it was noted; the last one \
                 here is {found}"
            ),
        }
    }
}

fn span(from: u64, to: u64) -> String {
    if from == to { format!("record {from}") } else { format!("records {from} to {to}") }
}

fn records(from: u64, to: u64) -> String {
    span(from, to) + if from == to { " was" } else { " were" }
}

fn missing(from: u64, to: u64) -> String {
    span(from, to) + if from == to { " is missing" } else { " are missing" }
}

/// Records that are proven to be as they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Covered {
    /// The first of them.
    pub from: u64,
    /// The last of them.
    pub to: u64,
    /// The last digest that proves it.
    pub digest: u64,
    /// When that was made.
    pub time: String,
}

/// Records behind the last digest: chained, but not signed yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uncovered {
    /// The first of them.
    pub from: u64,
    /// The last of them.
    pub to: u64,
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// What is wrong, in the order in which it was found.
    pub faults: Vec<Fault>,
    /// How many more there are.
    pub faults_more: u64,
    /// What is proven.
    pub covered: Vec<Covered>,
    /// What isn't covered by a digest yet.
    pub uncovered: Option<Uncovered>,
    /// The last record that was removed by retention, on purpose.
    pub removed_to: u64,
    /// How many records were read.
    pub records: u64,
    /// How many bytes stand before the first record, written before there was a chain.
    pub bytes_before_chain: u64,
    /// How many segments were read.
    pub segments: u64,
    /// How many digests were read.
    pub digests: u64,
    /// The last digest, to be noted elsewhere: the next verification can ask for it.
    pub head: Option<Head>,
    /// Bytes of a record that isn't whole, at the end of the current segment: a server is writing,
    /// or was stopped while it wrote.
    pub torn: u64,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_whole(&self) -> bool {
        self.faults.is_empty()
    }

    pub(super) fn fault(&mut self, fault: Fault) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(fault);
        } else {
            self.faults_more += 1;
        }
    }

    pub(super) fn cover(&mut self, from: u64, to: u64, digest: u64, time: &str) {
        match self.covered.last_mut() {
            Some(last) if from <= last.to.saturating_add(1) => {
                (last.to, last.digest) = (last.to.max(to), digest);
                time.clone_into(&mut last.time);
            }
            _ => self.covered.push(Covered { from, to, digest, time: time.to_owned() }),
        }
    }

    pub(super) fn head_is(&mut self, number: u64, hash: Hash) {
        self.head = Some(Head { number, hash });
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in &self.faults {
            writeln!(f, "FAULT: {fault}")?;
        }
        if self.faults_more > 0 {
            writeln!(f, "and {} more faults", self.faults_more)?;
        }
        if self.removed_to > 0 {
            writeln!(f, "removed by retention: up to record {}", self.removed_to)?;
        }
        for Covered { from, to, digest, time } in &self.covered {
            writeln!(f, "proven: {}, by digest {digest} of {time}", span(*from, *to))?;
        }
        if self.bytes_before_chain > 0 {
            let bytes = self.bytes_before_chain;
            writeln!(f, "before record 1: {bytes} bytes from before the chain, covered by it")?;
        }
        if let Some(Uncovered { from, to }) = self.uncovered {
            writeln!(f, "not signed yet: {}", span(from, to))?;
        }
        if self.torn > 0 {
            writeln!(f, "an unfinished record at the end ({} bytes)", self.torn)?;
        }
        writeln!(
            f,
            "read: {} records in {} segments, {} digests",
            self.records, self.segments, self.digests
        )?;
        if let Some(head) = &self.head {
            writeln!(f, "last digest: {head}")?;
        }
        let count = self.faults.len() as u64 + self.faults_more;
        match count {
            0 => write!(f, "OK"),
            1 => write!(f, "NOT OK: 1 fault"),
            _ => write!(f, "NOT OK: {count} faults"),
        }
    }
}
