//! The file of digests: how it ends, and adding one to it.
//!
//! Must not know when a digest is due, nor what a signature is.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;
use std::sync::Arc;

use crate::chain::Hash;
use crate::digest::{Digest, Statement, line_hash};
use crate::layout::open_to_append;
use crate::lines::{Lines, whole_length};
use crate::log::Disk;

/// How many lines are looked at to find the last digest, from the end on.
const LOOK_BACK: u64 = 64 << 10;

/// The digests so far.
pub(crate) struct Digests {
    lines: Lines<Arc<File>>,
    /// What the last one says.
    last: Option<Statement>,
    /// The hash of the last line, whatever stands on it.
    hash: Hash,
}

impl Digests {
    /// Opens the file, or makes it. A piece of a digest that a crash left is cut off.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = open_to_append(path)?;
        let length = file.metadata()?.len();
        let whole = whole_length(&file, length)?;
        if whole < length {
            file.set_len(whole)?;
            file.sync_all()?;
        }
        let (last, hash) = ending(&file, whole)?;
        Ok(Self { lines: Lines::new(Arc::new(file), whole), last, hash })
    }

    /// What the last one says.
    pub(crate) fn last(&self) -> Option<&Statement> {
        self.last.as_ref()
    }

    /// What the next one says of those before it.
    pub(crate) fn next(&self) -> (u64, Hash) {
        (self.last.as_ref().map_or(0, |last| last.number).saturating_add(1), self.hash)
    }

    /// Adds a digest; it is on the disk then. What fails leaves the file as it was.
    pub(crate) fn add(&mut self, digest: Digest, disk: &dyn Disk) -> io::Result<()> {
        let line = digest.line();
        let before = self.lines.end();
        self.lines.append(format!("{line}\n").as_bytes())?;
        if let Err(cause) = disk.sync(self.lines.medium()) {
            self.lines.take_back(before)?;
            return Err(cause);
        }
        self.hash = line_hash(line.as_bytes());
        self.last = Some(digest.statement);
        Ok(())
    }
}

/// The last digest that can be read near the file's end, and the hash of the last line.
fn ending(file: &File, length: u64) -> io::Result<(Option<Statement>, Hash)> {
    let from = length.saturating_sub(LOOK_BACK);
    let tail = crate::lines::bytes_at(file, from, length - from)?;
    let (mut last, mut hash) = (None, [0; 32]);
    let mut reader = BufReader::new(&tail[..]);
    let mut line = Vec::new();
    // Where it begins in the middle of a line, that line is no digest.
    while reader.read_until(b'\n', &mut line)? > 0 {
        hash = line_hash(&line);
        last = Digest::parse(&line).map(|digest| digest.statement).or(last);
        line.clear();
    }
    Ok((last, hash))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::Link;
    use crate::log::System;

    struct Broken;

    impl Disk for Broken {
        fn sync(&self, _: &File) -> io::Result<()> {
            Err(io::ErrorKind::Other.into())
        }
    }

    fn digest(digests: &Digests) -> Digest {
        let (number, previous) = digests.next();
        let link = Link { sequence: number * 10, hash: [1; 32] };
        let statement = Statement {
            number,
            time: "2026-11-22T07:00:00Z".to_owned(),
            link,
            segment: 1,
            removed_to: 0,
            previous,
            key_number: 1,
            fingerprint: [2; 32],
        };
        Digest { statement, signature: [3; 64] }
    }

    #[test]
    fn it_goes_on_where_it_ended() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("digests.jsonl");
        let mut digests = Digests::open(&path).unwrap();
        assert_eq!((digests.next(), digests.last()), ((1, [0; 32]), None));
        for _ in 0..3 {
            let next = digest(&digests);
            digests.add(next, &System).unwrap();
        }
        let next = digests.next();
        let failing = digest(&digests);
        digests.add(failing, &Broken).unwrap_err();
        assert_eq!(digests.next(), next);
        drop(digests);
        let mut text = std::fs::read(&path).unwrap();
        assert_eq!(text.split_inclusive(|byte| *byte == b'\n').count(), 3);
        text.extend_from_slice(b"{\"format\":1,\"dig");
        std::fs::write(&path, &text).unwrap();
        let digests = Digests::open(&path).unwrap();
        assert_eq!(digests.next(), next);
        assert_eq!(digests.last().unwrap().link.sequence, 30);
    }

    #[test]
    fn a_damaged_line_stays_in_the_chain() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("digests.jsonl");
        let mut digests = Digests::open(&path).unwrap();
        let next = digest(&digests);
        digests.add(next, &System).unwrap();
        let mut text = std::fs::read(&path).unwrap();
        text.extend_from_slice(b"garbage\n");
        std::fs::write(&path, &text).unwrap();
        assert_eq!(Digests::open(&path).unwrap().next(), (2, line_hash(b"garbage")));
    }
}
