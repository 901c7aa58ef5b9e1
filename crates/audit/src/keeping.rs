//! The log's thread: brings appended records to the disk, closes segments that are full or old, and
//! sets right what a failing disk has done.
//!
//! One turn of the disk serves all who were waiting when it began. After a turn that failed, the
//! system may have dropped what it hadn't written and call it written, so that another turn proves
//! nothing. What wasn't on the disk before is therefore read back, held against the chain, written
//! once more through a new descriptor, and brought to the disk; until then nothing is acknowledged.
//!
//! Must not know digests, nor who reads the log.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use parking_lot::MutexGuard;

use crate::chain::follow;
use crate::layout::{open_to_append, open_to_mend, same_file, sync_directory};
use crate::lines::{Lines, bytes_at};
use crate::log::{LINE_MAX, Shared};
use crate::options::Sync;
use crate::state::{Closed, Current, Settled, State};

/// How often the age of a segment is looked at.
const TICK: Duration = Duration::from_secs(1);
/// How soon a failed repair is tried again, at first and at most.
const REPAIR_AFTER: Duration = Duration::from_millis(50);
const REPAIR_AFTER_MAX: Duration = Duration::from_secs(2);
/// How much is read and written once more at a time: room for several of the longest lines.
const STRETCH: u64 = 4 * LINE_MAX as u64;
/// How soon the closing of a segment is tried again.
const CLOSE_AFTER: Duration = Duration::from_secs(10);

/// Runs until the log is dropped.
pub(crate) fn run(shared: &Shared) {
    let mut state = shared.state.lock();
    let mut repair_after = REPAIR_AFTER;
    loop {
        if state.failure.is_some() {
            match shared.repair(&mut state) {
                Ok(()) => {
                    tracing::warn!("the audit log is whole again and on the disk");
                    repair_after = REPAIR_AFTER;
                }
                Err(cause) => {
                    state.fail(&cause);
                    if state.stopping {
                        return;
                    }
                    shared.wake.wait_for(&mut state, repair_after);
                    repair_after = (repair_after * 2).min(REPAIR_AFTER_MAX);
                }
            }
        } else if !state.waiting.is_empty() || state.stopping && state.is_unsettled() {
            shared.bring_to_disk(&mut state);
        } else if state.stopping {
            return;
        } else if shared.is_close_due(&state) {
            shared.close_segment(&mut state);
        } else {
            shared.wake.wait_for(&mut state, TICK);
        }
    }
}

impl State {
    fn is_unsettled(&self) -> bool {
        self.settled != self.unsettled() || self.names_changed
    }
}

impl Shared {
    /// Brings all that is in the file now to the disk. Appends go on meanwhile.
    fn bring_to_disk(&self, state: &mut MutexGuard<'_, State>) {
        self.write_out(state);
        let file = Arc::clone(state.current.lines.medium());
        let target = state.unsettled();
        let names_changed = std::mem::take(&mut state.names_changed);
        let result = MutexGuard::unlocked(state, || {
            if names_changed {
                self.sync_names()?;
            }
            self.disk.sync(&file)
        });
        match result {
            Ok(()) => {
                self.stats.syncs.fetch_add(1, Ordering::Relaxed);
                state.settle(target);
            }
            Err(cause) => {
                state.names_changed |= names_changed;
                self.failed(state, &cause);
            }
        }
    }

    fn sync_names(&self) -> io::Result<()> {
        sync_directory(&self.layout.directory())?;
        sync_directory(self.layout.data())
    }

    fn failed(&self, state: &mut State, cause: &io::Error) {
        self.stats.sync_failures.fetch_add(1, Ordering::Relaxed);
        tracing::error!(%cause, "the audit log cannot be brought to the disk");
        state.fail(cause);
    }

    /// Writes once more what may not have got to the disk, and brings it there.
    fn repair(&self, state: &mut State) -> io::Result<()> {
        // What was appended meanwhile goes on from a link that may be cut off here.
        self.write_out(state);
        let path = self.layout.current();
        let file = open_to_mend(&path)?;
        if !same_file(state.current.lines.medium(), &path)? {
            return Err(io::Error::other("audit.jsonl is not the file that was opened"));
        }
        let length = state.current.lines.end();
        let there = self.write_again(&file, state.settled, length)?;
        file.set_len(there.offset)?;
        self.disk.sync(&file)?;
        if state.names_changed {
            self.sync_names()?;
            state.names_changed = false;
        }
        let append = open_to_append(&path)?;
        if there.offset < length {
            let lost = length - there.offset;
            self.stats.withdrawn.fetch_add(lost, Ordering::Relaxed);
            tracing::error!(bytes = lost, "the disk lost records of requests that were refused");
        }
        state.current.lines = Lines::new(Arc::new(append), there.offset);
        state.current.head = there.link;
        state.failure = None;
        state.settle(there);
        Ok(())
    }

    /// Writes the lines behind `from` once more, as far as they are what was appended; tells how
    /// far that is.
    fn write_again(&self, file: &File, from: Settled, end: u64) -> io::Result<Settled> {
        let end = end.min(file.metadata()?.len());
        let mut at = from;
        loop {
            let length = end.saturating_sub(at.offset).min(STRETCH);
            let lines = match bytes_at(file, at.offset, length) {
                // Nobody was told that these records are in the log.
                Err(_) if self.options.sync == Sync::Group => return Ok(at),
                other => other?,
            };
            let (whole, link) = follow(at.link, &lines);
            if whole == 0 {
                return Ok(at);
            }
            file.write_all_at(&lines[..whole], at.offset)?;
            at = Settled { offset: at.offset + whole as u64, link };
        }
    }

    fn is_close_due(&self, state: &State) -> bool {
        let is_full = state.current.lines.end() >= self.options.segment_bytes;
        let is_old = state.current.begun.elapsed() >= self.options.segment_age;
        (is_full || is_old)
            && state.has_records()
            && state.not_before.is_none_or(|moment| moment <= Instant::now())
    }

    /// Closes the current segment and begins a new one. What fails leaves the segment current.
    fn close_segment(&self, state: &mut MutexGuard<'_, State>) {
        // Most of it gets to the disk while records are appended, the rest under the lock.
        self.bring_to_disk(state);
        self.write_out(state);
        if state.failure.is_some() {
            return;
        }
        if let Err(cause) = self.disk.sync(state.current.lines.medium()) {
            self.failed(state, &cause);
            return;
        }
        let settled = state.unsettled();
        state.settle(settled);
        match self.begin_segment(state) {
            Ok(()) => {
                self.stats.rotations.fetch_add(1, Ordering::Relaxed);
                self.bring_to_disk(state);
            }
            Err(cause) => {
                self.stats.rotation_failures.fetch_add(1, Ordering::Relaxed);
                tracing::error!(%cause, "a segment of the audit log cannot be closed");
                state.not_before = Some(Instant::now() + CLOSE_AFTER);
            }
        }
    }

    /// Gives the current segment its lasting name and begins a new one. At each moment there is an
    /// `audit.jsonl`; a crash in between leaves a second name of it, which the next opening
    /// removes.
    pub(crate) fn begin_segment(&self, state: &mut State) -> io::Result<()> {
        let (path, next) = (self.layout.current(), self.layout.next());
        let first = state.current.first;
        let closed = self.layout.closed(first);
        if !same_file(state.current.lines.medium(), &path)? {
            return Err(io::Error::other("audit.jsonl is not the file that was opened"));
        }
        let file = empty_file(&next)?;
        match fs::hard_link(&path, &closed) {
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {
                if !same_file(state.current.lines.medium(), &closed)? {
                    return Err(cause);
                }
            }
            other => other?,
        }
        if let Err(cause) = fs::rename(&next, &path) {
            fs::remove_file(&closed)?;
            return Err(cause);
        }
        let (start, head) = (state.current.start, state.current.head);
        let last = state.has_records().then_some(head);
        let length = state.current.lines.end();
        state.closed.push_back(Closed { first, start, length, last });
        state.current = Current {
            first: head.sequence.saturating_add(1),
            start: start + length,
            lines: Lines::new(Arc::new(file), 0),
            head,
            begun: Instant::now(),
        };
        state.settled = Settled { offset: 0, link: head };
        state.names_changed = true;
        state.not_before = None;
        Ok(())
    }
}

/// Makes an empty file, in place of one that a crash may have left.
fn empty_file(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(cause),
        _ => open_to_append(path),
    }
}
