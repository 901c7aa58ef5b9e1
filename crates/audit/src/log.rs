//! The log: records are appended to the current segment and never changed.
//!
//! Must not know what a record says.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;

use parking_lot::{Condvar, Mutex};
use service::ports::{AuditHistory, AuditLog, AuditUnavailable, Pending, Position, Witness};

use crate::chain::{Hash, SUFFIX_MAX, is_record, sha256};
use crate::digests::Digests;
use crate::history;
use crate::keeping;
use crate::layout::{Layout, open_to_read};
use crate::lines::bytes_at;
use crate::opening::{self, Findings};
use crate::options::{OpenError, Options, Sync};
use crate::state::{Place, State};
use crate::unwritten::{ENOUGH, Writing};

/// The longest record, in bytes. The pipeline's are shorter: each of a record's parts that may
/// grow has a limit of its own.
pub const RECORD_MAX: usize = 1 << 20;
/// The longest line, in bytes, its end included.
pub(crate) const LINE_MAX: usize = RECORD_MAX + SUFFIX_MAX;

/// An audit log in a data directory: `audit.jsonl`, the segment that is being written, and below
/// `audit` the closed ones and the digests. `docs/internals/audit.md` describes the format.
///
/// Each record is in the file before its future is ready, written by one call with those of the
/// requests that were served at the same time; whether it is on the disk by then is for [`Sync`] to
/// say.
pub struct Log {
    pub(crate) shared: Arc<Shared>,
    keeper: Option<JoinHandle<()>>,
    findings: Findings,
}

/// Brings a file's bytes to the disk; a trait, so that tests can let it fail.
pub(crate) trait Disk: Send + std::marker::Sync {
    fn sync(&self, file: &File) -> io::Result<()>;
}

/// The disk, as the system has it.
pub(crate) struct System;

impl Disk for System {
    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }
}

/// What the log shares with its thread.
pub(crate) struct Shared {
    pub(crate) layout: Layout,
    pub(crate) options: Options,
    pub(crate) disk: Box<dyn Disk>,
    pub(crate) state: Mutex<State>,
    pub(crate) wake: Condvar,
    pub(crate) holds: Mutex<Vec<Weak<AtomicU64>>>,
    pub(crate) digests: tokio::sync::Mutex<Digests>,
    pub(crate) stats: Stats,
    /// The directory, locked for as long as the log is open.
    pub(crate) _lock: File,
}

/// What has happened since the log was opened.
#[derive(Debug, Default)]
pub struct Stats {
    pub(crate) records: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) syncs: AtomicU64,
    pub(crate) sync_failures: AtomicU64,
    pub(crate) rotations: AtomicU64,
    pub(crate) rotation_failures: AtomicU64,
    pub(crate) withdrawn: AtomicU64,
    pub(crate) last_digest: AtomicU64,
    pub(crate) last_signed: AtomicI64,
}

impl Stats {
    /// Records that were appended.
    pub fn records(&self) -> u64 {
        self.records.load(Ordering::Relaxed)
    }

    /// Their bytes, with what the chain adds.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Records that could not be written, or not be brought to the disk: their requests were
    /// refused.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// How often the log was brought to the disk.
    pub fn syncs(&self) -> u64 {
        self.syncs.load(Ordering::Relaxed)
    }

    /// How often that failed.
    pub fn sync_failures(&self) -> u64 {
        self.sync_failures.load(Ordering::Relaxed)
    }

    /// How many segments were closed.
    pub fn rotations(&self) -> u64 {
        self.rotations.load(Ordering::Relaxed)
    }

    /// How often a segment should have been closed and could not be.
    pub fn rotation_failures(&self) -> u64 {
        self.rotation_failures.load(Ordering::Relaxed)
    }

    /// Bytes of refused requests' records that a failing disk took from the log's end.
    pub fn withdrawn(&self) -> u64 {
        self.withdrawn.load(Ordering::Relaxed)
    }

    /// The last record that a signed digest covers, by its sequence.
    pub fn last_digest(&self) -> u64 {
        self.last_digest.load(Ordering::Relaxed)
    }

    /// When this process signed the last digest, in milliseconds since 1970; zero if it hasn't yet.
    pub fn last_signed(&self) -> i64 {
        self.last_signed.load(Ordering::Relaxed)
    }
}

/// What somebody still has to read: closed segments behind it aren't removed, unless a hard bound
/// is passed. Ends when it is dropped.
#[derive(Debug)]
pub struct Hold(Arc<AtomicU64>);

impl Hold {
    /// All before that position has been read.
    pub fn advance(&self, to: Position) {
        self.0.fetch_max(to.0, Ordering::Relaxed);
    }
}

impl Log {
    /// Opens the log of a data directory, or creates it, readable by its owner alone. No other
    /// process may have it open.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(data: &Path, options: Options) -> Result<Self, OpenError> {
        Self::open_on(data, options, Box::new(System))
    }

    pub(crate) fn open_on(
        data: &Path,
        options: Options,
        disk: Box<dyn Disk>,
    ) -> Result<Self, OpenError> {
        let (shared, findings) = opening::open(data, options, disk)?;
        let shared = Arc::new(shared);
        let keeper = std::thread::Builder::new().name("audit".to_owned());
        let keeper = keeper.spawn({
            let shared = Arc::clone(&shared);
            move || keeping::run(&shared)
        });
        let keeper = Some(keeper.map_err(OpenError::at(data))?);
        Ok(Self { shared, keeper, findings })
    }

    /// What the operator should know of how the log was found, a line each.
    pub fn notes(&self) -> Vec<String> {
        self.findings.notes()
    }

    /// How many bytes of an unfinished record were cut off when the log was opened: more than
    /// none if the machine or the process had died in the middle of writing. The request that it
    /// told of was never answered.
    pub fn torn(&self) -> u64 {
        self.findings.torn
    }

    /// What has happened since the log was opened.
    pub fn stats(&self) -> &Stats {
        &self.shared.stats
    }

    /// The sequence of the last record; 0 if there is none.
    pub fn last_sequence(&self) -> u64 {
        self.shared.state.lock().current.head.sequence
    }

    /// The position of the oldest record that is still there.
    pub fn start(&self) -> Position {
        Position(self.shared.state.lock().start())
    }

    /// Up to where records may leave the log: they have been acknowledged, or may be at any time.
    pub fn settled(&self) -> Position {
        let state = self.shared.state.lock();
        Position(match self.shared.options.sync {
            Sync::None => state.end(),
            Sync::Group => state.settled_end(),
        })
    }

    /// Whether records can be written, and if not, why.
    ///
    /// # Errors
    /// [`AuditUnavailable`].
    pub fn writable(&self) -> Result<(), AuditUnavailable> {
        match &self.shared.state.lock().failure {
            Some(cause) => Err(refusal(cause)),
            None => Ok(()),
        }
    }

    /// Keeps what lies behind a position from being removed.
    pub fn hold(&self, from: Position) -> Hold {
        let held = Arc::new(AtomicU64::new(from.0));
        let mut holds = self.shared.holds.lock();
        holds.retain(|hold| hold.strong_count() > 0);
        holds.push(Arc::downgrade(&held));
        Hold(held)
    }

    /// Brings all that was appended before to the disk.
    ///
    /// # Errors
    /// [`AuditUnavailable`]: it may not survive the machine's loss of power.
    pub async fn sync(&self) -> Result<(), AuditUnavailable> {
        let wait = {
            let mut state = self.shared.state.lock();
            self.shared.write_out(&mut state);
            if let Some(cause) = &state.failure {
                return Err(refusal(cause));
            }
            if state.settled == state.unsettled() && !state.names_changed {
                return Ok(());
            }
            state.wait()
        };
        self.shared.wake.notify_one();
        told(wait).await
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.shared.state.lock().stopping = true;
        self.shared.wake.notify_one();
        if let Some(keeper) = self.keeper.take() {
            // It doesn't panic; if it did, there would be nothing left to do.
            let _ = keeper.join();
        }
    }
}

impl AuditLog for Log {
    fn append_witnessed<'a>(
        &'a self,
        record: &'a [u8],
        witness: Witness<'a>,
    ) -> Pending<'a, Result<(), AuditUnavailable>> {
        Box::pin(async move {
            let appended = self.shared.append(record, witness).await;
            if appended.is_err() {
                self.shared.stats.refused.fetch_add(1, Ordering::Relaxed);
            }
            appended
        })
    }
}

type Wait = tokio::sync::oneshot::Receiver<Result<(), Arc<str>>>;

/// A record that waits to be written. It gets into the file whether or not somebody waits for that:
/// what it tells of has been done.
struct Queued<'a> {
    shared: &'a Shared,
    writing: Arc<Writing>,
}

impl Queued<'_> {
    /// Writes, unless somebody whose record is in the same write did, and tells what became of it.
    fn written(&self) -> Result<(), AuditUnavailable> {
        if self.writing.outcome().is_none() {
            self.shared.write_out(&mut self.shared.state.lock());
        }
        match self.writing.outcome() {
            Some(Ok(())) => Ok(()),
            Some(Err(cause)) => Err(refusal(cause)),
            None => Err(refusal("a record was left behind")),
        }
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        // Whoever waits has asked; whoever has gone away needn't know.
        let _ = self.written();
    }
}

impl Shared {
    /// Appends a record, and waits until it is where [`Sync`] wants it.
    async fn append(&self, record: &[u8], witness: Witness<'_>) -> Result<(), AuditUnavailable> {
        if record.len() > RECORD_MAX || !is_record(record) {
            let cause = io::Error::new(io::ErrorKind::InvalidInput, "not a record of one line");
            return Err(unavailable(cause));
        }
        // The long part of the hashing takes place without the lock.
        let hash = sha256(record);
        match self.options.sync {
            Sync::None => {
                let writing = {
                    let mut state = self.state.lock();
                    let writing = Self::place(&mut state, record, &hash, witness);
                    self.write_if_enough(&mut state);
                    writing
                };
                let queued = Queued { shared: self, writing };
                // Whoever else is about to be served comes first, and shares the write.
                tokio::task::yield_now().await;
                queued.written()
            }
            Sync::Group => told(self.place_and_wait(record, &hash, witness)?).await,
        }
    }

    /// Gives a record its place, from where the keeper brings it to the disk, and tells.
    fn place_and_wait(
        &self,
        record: &[u8],
        hash: &Hash,
        witness: Witness<'_>,
    ) -> Result<Wait, AuditUnavailable> {
        let mut state = self.state.lock();
        if let Some(cause) = &state.failure {
            return Err(refusal(cause));
        }
        Self::place(&mut state, record, hash, witness);
        // Before anything is written: a write that fails refuses those who wait.
        let wait = state.wait();
        self.write_if_enough(&mut state);
        drop(state);
        self.wake.notify_one();
        Ok(wait)
    }

    /// Gives a record its place.
    fn place(state: &mut State, record: &[u8], hash: &Hash, witness: Witness<'_>) -> Arc<Writing> {
        let head = state.current.head;
        let writing = state.unwritten.push(record, hash, &head);
        // Still under the lock: whoever learns the log's end finds all before it witnessed.
        witness(Position(state.appended_end()));
        writing
    }

    fn write_if_enough(&self, state: &mut State) {
        if state.unwritten.bytes() >= ENOUGH {
            self.write_out(state);
        }
    }

    /// Writes into the file what was appended since the last time. Where that fails, all those
    /// records are refused, and the next one takes their place.
    pub(crate) fn write_out(&self, state: &mut State) {
        let Some(batch) = state.unwritten.take() else { return };
        // The write takes microseconds, too few to be worth another thread.
        match state.current.lines.append(&batch.lines) {
            Ok(()) => {
                state.current.head = batch.head;
                self.stats.records.fetch_add(batch.records, Ordering::Relaxed);
                self.stats.bytes.fetch_add(batch.lines.len() as u64, Ordering::Relaxed);
                batch.writing.end(Ok(()));
            }
            Err(cause) => {
                let cause: Arc<str> = cause.to_string().into();
                state.refuse_unwritten(&cause);
                batch.writing.end(Err(cause));
            }
        }
        state.unwritten.reuse(batch.lines);
        if state.current.lines.end() >= self.options.segment_bytes {
            self.wake.notify_one();
        }
    }

    /// The file of a place.
    fn open(&self, place: &Place) -> io::Result<Arc<File>> {
        match &place.open {
            Some(file) => Ok(Arc::clone(file)),
            None => Ok(Arc::new(open_to_read(&self.layout.closed(place.first))?)),
        }
    }

    fn find(&self, at: Position) -> io::Result<Place> {
        self.state.lock().find(at.0).ok_or_else(|| {
            io::Error::new(io::ErrorKind::NotFound, "these records were removed by retention")
        })
    }

    fn mark(&self, at: Position) -> io::Result<String> {
        let mut place = self.find(at)?;
        if place.offset == 0 && at.0 > self.state.lock().start() {
            // The end of the segment before, which has a hash.
            place = self.find(Position(at.0 - 1))?;
            place.offset = place.end;
        }
        if place.offset == 0 {
            return Ok(String::new());
        }
        history::mark(&*self.open(&place)?, place.first, place.offset)
    }

    fn find_mark(&self, mark: &str) -> io::Result<Position> {
        let (start, segments) = {
            let state = self.state.lock();
            let mut segments: Vec<_> =
                state.closed.iter().map(|closed| (closed.first, closed.start)).collect();
            segments.push((state.current.first, state.current.start));
            (Position(state.start()), segments)
        };
        let Some(mark) = history::Mark::parse(mark) else { return Ok(start) };
        let named = match mark.segment() {
            Some(first) => segments.iter().find(|segment| segment.0 == first),
            // A mark of a time when a log was one file.
            None => segments.first(),
        };
        let Some((_, at)) = named else { return Ok(start) };
        let place = self.find(Position(*at))?;
        let found = mark.find(&*self.open(&place)?, place.end)?;
        Ok(found.map_or(start, |offset| Position(at + offset)))
    }

    fn read(&self, from: Position) -> io::Result<Vec<u8>> {
        let place = self.find(from)?;
        let length = place.end.saturating_sub(place.offset).min(LINE_MAX as u64);
        let mut lines = bytes_at(&*self.open(&place)?, place.offset, length)?;
        let whole = lines.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        if whole == 0 && length > 0 {
            let problem = "a line longer than any record";
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        }
        lines.truncate(whole);
        Ok(lines)
    }
}

/// Reads take place on the calling thread, mostly from the system's cache.
impl AuditHistory for Log {
    fn end(&self) -> Position {
        Position(self.shared.state.lock().end())
    }

    fn mark(&self, at: Position) -> Result<String, AuditUnavailable> {
        self.shared.mark(at).map_err(unavailable)
    }

    fn find(&self, mark: &str) -> Result<Position, AuditUnavailable> {
        self.shared.find_mark(mark).map_err(unavailable)
    }

    fn read(&self, from: Position) -> Result<Vec<u8>, AuditUnavailable> {
        self.shared.read(from).map_err(unavailable)
    }
}

async fn told(wait: Wait) -> Result<(), AuditUnavailable> {
    match wait.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(cause)) => Err(refusal(&cause)),
        // The thread has ended; nothing is known of the disk.
        Err(_) => Err(unavailable(io::ErrorKind::Interrupted.into())),
    }
}

fn refusal(cause: &str) -> AuditUnavailable {
    AuditUnavailable(cause.into())
}

pub(crate) fn unavailable(cause: io::Error) -> AuditUnavailable {
    AuditUnavailable(Box::new(cause))
}

#[cfg(test)]
mod tests;
