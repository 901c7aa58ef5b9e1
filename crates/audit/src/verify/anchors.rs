//! Reading the digests: which of them hold, and what the chain must be at which record.
//!
//! Must not know segments.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};

use super::report::{Fault, Head, Report};
use crate::PublicKey;
use crate::chain::Hash;
use crate::digest::{DIGEST_MAX, Digest, line_hash};
use crate::layout::{Layout, open_to_read};

/// What a signed digest says of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Anchor {
    /// The digest's number.
    pub(super) digest: u64,
    /// The chain's hash.
    pub(super) hash: Hash,
    /// When it was signed.
    pub(super) time: String,
}

/// What all signed digests say.
#[derive(Debug, Default)]
pub(super) struct Anchors {
    /// By the record.
    pub(super) at: BTreeMap<u64, Anchor>,
    /// Digests that say something else of a record than one before them.
    pub(super) contradicting: Vec<(u64, u64)>,
}

impl Anchors {
    /// The last record that is covered, and by which digest.
    pub(super) fn last(&self) -> Option<(u64, u64)> {
        self.at.last_key_value().map(|(sequence, anchor)| (*sequence, anchor.digest))
    }
}

/// Reads the digests of a log. Faults in them stand in the report.
pub(super) fn read(
    layout: &Layout,
    keys: &[PublicKey],
    head: Option<&Head>,
) -> io::Result<(Anchors, Report)> {
    let mut reading = Reading { keys, previous: [0; 32], last: 0, head, head_found: false };
    let (mut anchors, mut report) = (Anchors::default(), Report::default());
    match open_to_read(&layout.digests()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
        Ok(file) => reading.all(&file, &mut anchors, &mut report)?,
    }
    if let Some(head) = head.filter(|_| !reading.head_found) {
        report.fault(Fault::Head { expected: head.number, found: reading.last });
    }
    Ok((anchors, report))
}

struct Reading<'a> {
    keys: &'a [PublicKey],
    /// The hash of the line before.
    previous: Hash,
    /// The number of the last digest.
    last: u64,
    head: Option<&'a Head>,
    head_found: bool,
}

impl Reading<'_> {
    fn all(&mut self, file: &File, anchors: &mut Anchors, report: &mut Report) -> io::Result<()> {
        let mut reader = BufReader::new(file);
        let mut line = Vec::new();
        let mut number = 0;
        loop {
            line.clear();
            // A longer line is none that was written; the rest of it counts as further ones.
            let most = DIGEST_MAX as u64 + 2;
            if reader.by_ref().take(most).read_until(b'\n', &mut line)? == 0 {
                return Ok(());
            }
            number += 1;
            if !line.ends_with(b"\n") && (line.len() as u64) < most {
                // The server is writing it.
                return Ok(());
            }
            self.one(&line, number, anchors, report);
        }
    }

    fn one(&mut self, line: &[u8], number: u64, anchors: &mut Anchors, report: &mut Report) {
        let hash = line_hash(line);
        let previous = std::mem::replace(&mut self.previous, hash);
        report.digests += 1;
        let Some(digest) = Digest::parse(line) else {
            return report.fault(Fault::UnreadableDigest { line: number });
        };
        let statement = &digest.statement;
        let expected = self.last.saturating_add(1);
        self.last = statement.number;
        if statement.number != expected || statement.previous != previous {
            report.fault(Fault::DigestOrder { digest: statement.number, line: number, expected });
        }
        match digest.verify(self.keys) {
            Some(true) => {}
            Some(false) => {
                let digest = statement.number;
                return report.fault(Fault::BadSignature { digest, line: number });
            }
            None => {
                return report.fault(Fault::UnknownKey {
                    digest: statement.number,
                    key_number: statement.key_number,
                    fingerprint: crate::chain::hex_text(&statement.fingerprint),
                });
            }
        }
        report.head_is(statement.number, hash);
        self.head_found |= self.head == report.head.as_ref();
        report.removed_to = report.removed_to.max(statement.removed_to);
        let anchor = Anchor {
            digest: statement.number,
            hash: statement.link.hash,
            time: statement.time.clone(),
        };
        let sequence = statement.link.sequence;
        match anchors.at.get(&sequence) {
            Some(other) if other.hash != anchor.hash => {
                anchors.contradicting.push((sequence, anchor.digest));
            }
            _ => drop(anchors.at.insert(sequence, anchor)),
        }
    }
}
