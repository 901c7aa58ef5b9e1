//! What a log knows of its segments while it is open, under one lock.
//!
//! Must not know threads, nor how a log is opened.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::oneshot;

use crate::chain::Link;
use crate::lines::Lines;
use crate::unwritten::Unwritten;

/// A closed segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Closed {
    /// The sequence of its first record, after which it is named.
    pub(crate) first: u64,
    /// The position of its first byte.
    pub(crate) start: u64,
    /// Its length in bytes.
    pub(crate) length: u64,
    /// The link of its last record; None if its end can't be read.
    pub(crate) last: Option<Link>,
}

impl Closed {
    /// The position behind its last byte.
    pub(crate) fn end(&self) -> u64 {
        self.start + self.length
    }
}

/// The segment that is being written.
pub(crate) struct Current {
    /// The sequence of its first record, or of the one that will be.
    pub(crate) first: u64,
    /// The position of its first byte.
    pub(crate) start: u64,
    /// Its file.
    pub(crate) lines: Lines<Arc<File>>,
    /// The link of the last record.
    pub(crate) head: Link,
    /// When it was begun.
    pub(crate) begun: Instant,
}

/// Up to where the current segment is on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settled {
    /// How many of its bytes.
    pub(crate) offset: u64,
    /// The link of the last record in them, or of the last one before.
    pub(crate) link: Link,
}

/// Somebody who waits until the log is on the disk.
pub(crate) struct Waiter {
    /// Up to which position.
    pub(crate) position: u64,
    /// Where that is told, or why it isn't so.
    pub(crate) told: oneshot::Sender<Result<(), Arc<str>>>,
}

/// All of it.
pub(crate) struct State {
    /// The closed segments that are still there, the oldest first.
    pub(crate) closed: VecDeque<Closed>,
    pub(crate) current: Current,
    /// What was appended and isn't in the current segment's file yet.
    pub(crate) unwritten: Unwritten,
    pub(crate) settled: Settled,
    pub(crate) waiting: Vec<Waiter>,
    /// Why the last bytes may not get to the disk, until they have been written once more.
    pub(crate) failure: Option<Arc<str>>,
    /// Whether names of files were changed that the disk may not have yet.
    pub(crate) names_changed: bool,
    /// When closing the segment is tried again, after it failed.
    pub(crate) not_before: Option<Instant>,
    pub(crate) stopping: bool,
}

impl State {
    /// The position behind the last record in the file.
    pub(crate) fn end(&self) -> u64 {
        self.current.start + self.current.lines.end()
    }

    /// The position of the oldest byte that is still there.
    pub(crate) fn start(&self) -> u64 {
        self.closed.front().map_or(self.current.start, |oldest| oldest.start)
    }

    /// The position up to which all is on the disk.
    pub(crate) fn settled_end(&self) -> u64 {
        self.current.start + self.settled.offset
    }

    /// Whether the current segment has records of its own.
    pub(crate) fn has_records(&self) -> bool {
        self.current.head.sequence >= self.current.first
    }

    /// Where the current segment ends, for whoever brings it to the disk.
    pub(crate) fn unsettled(&self) -> Settled {
        Settled { offset: self.current.lines.end(), link: self.current.head }
    }

    /// The position behind the last record that was appended, written or not.
    pub(crate) fn appended_end(&self) -> u64 {
        self.end() + self.unwritten.bytes() as u64
    }

    /// Who waits for the disk to have all that was appended is told from here on.
    pub(crate) fn wait(&mut self) -> oneshot::Receiver<Result<(), Arc<str>>> {
        let (told, wait) = oneshot::channel();
        self.waiting.push(Waiter { position: self.appended_end(), told });
        wait
    }

    /// Notes that all up to there is on the disk, and tells who waited for it.
    pub(crate) fn settle(&mut self, settled: Settled) {
        self.settled = settled;
        let end = self.settled_end();
        for waiter in self.waiting.extract_if(.., |waiter| waiter.position <= end) {
            // Whoever has gone away meanwhile needn't know.
            let _ = waiter.told.send(Ok(()));
        }
    }

    /// Tells those who waited for records that could not be written.
    pub(crate) fn refuse_unwritten(&mut self, cause: &Arc<str>) {
        let end = self.end();
        for waiter in self.waiting.extract_if(.., |waiter| waiter.position > end) {
            let _ = waiter.told.send(Err(Arc::clone(cause)));
        }
    }

    /// Notes that the disk failed, and tells all who waited.
    pub(crate) fn fail(&mut self, cause: &io::Error) {
        let cause: Arc<str> = format!("the log did not get to the disk: {cause}").into();
        for waiter in self.waiting.drain(..) {
            let _ = waiter.told.send(Err(Arc::clone(&cause)));
        }
        self.failure = Some(cause);
    }

    /// Where a position lies; None if it was removed.
    pub(crate) fn find(&self, at: u64) -> Option<Place> {
        if at >= self.current.start {
            let file = Arc::clone(self.current.lines.medium());
            let end = self.current.lines.end();
            return Some(Place {
                first: self.current.first,
                open: Some(file),
                offset: at - self.current.start,
                end,
            });
        }
        let index = self.closed.partition_point(|segment| segment.end() <= at);
        let segment = self.closed.get(index).filter(|segment| segment.start <= at)?;
        let offset = at - segment.start;
        Some(Place { first: segment.first, open: None, offset, end: segment.length })
    }
}

/// A place in a segment.
pub(crate) struct Place {
    /// The segment's first sequence.
    pub(crate) first: u64,
    /// The segment's file, if it is the current one.
    pub(crate) open: Option<Arc<File>>,
    /// How far in the segment the place is, in bytes.
    pub(crate) offset: u64,
    /// Where the segment's whole lines end.
    pub(crate) end: u64,
}
