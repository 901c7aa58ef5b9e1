//! Records that were appended and aren't in the file yet, and the writes that bring them there.
//!
//! Requests that are served at the same time share one write of the file, which costs more than
//! all else that is done for a record. Must not know files.

use std::sync::{Arc, OnceLock};

use crate::chain::{Hash, Link, Suffix};

/// From how many bytes on nobody waits for others to share the write.
pub(crate) const ENOUGH: usize = 64 << 10;

/// One write of the file, and what became of it.
#[derive(Debug, Default)]
pub(crate) struct Writing(OnceLock<Result<(), Arc<str>>>);

impl Writing {
    /// What became of it; None if it hasn't been taken.
    pub(crate) fn outcome(&self) -> Option<&Result<(), Arc<str>>> {
        self.0.get()
    }

    /// Tells all whose records it was what became of it.
    pub(crate) fn end(&self, outcome: Result<(), Arc<str>>) {
        // Whoever takes what is to be written puts another in its place, so that none ends twice.
        let _ = self.0.set(outcome);
    }
}

/// Records that wait for the next write.
#[derive(Debug, Default)]
pub(crate) struct Unwritten {
    lines: Vec<u8>,
    records: u64,
    head: Option<Link>,
    writing: Arc<Writing>,
}

/// What is to be written at once.
pub(crate) struct Batch {
    pub(crate) lines: Vec<u8>,
    /// How many lines.
    pub(crate) records: u64,
    /// The link of the last of them.
    pub(crate) head: Link,
    pub(crate) writing: Arc<Writing>,
}

impl Unwritten {
    /// How many bytes wait.
    pub(crate) fn bytes(&self) -> usize {
        self.lines.len()
    }

    /// Adds a record with that hash. `written` is the link of the last record in the file.
    pub(crate) fn push(&mut self, record: &[u8], hash: &Hash, written: &Link) -> Arc<Writing> {
        let link = self.head.as_ref().unwrap_or(written).next(hash);
        let suffix = Suffix::new(&link, record == b"{}");
        self.lines.extend_from_slice(&record[..record.len() - 1]);
        self.lines.extend_from_slice(suffix.as_bytes());
        self.records += 1;
        self.head = Some(link);
        Arc::clone(&self.writing)
    }

    /// Takes all that waits; None if nothing does.
    pub(crate) fn take(&mut self) -> Option<Batch> {
        let head = self.head.take()?;
        Some(Batch {
            lines: std::mem::take(&mut self.lines),
            records: std::mem::take(&mut self.records),
            head,
            writing: std::mem::take(&mut self.writing),
        })
    }

    /// Takes a buffer back into use, unless an unusually long record has been in it.
    pub(crate) fn reuse(&mut self, mut buffer: Vec<u8>) {
        if buffer.capacity() <= 2 * ENOUGH && self.lines.is_empty() {
            buffer.clear();
            self.lines = buffer;
        }
    }
}
