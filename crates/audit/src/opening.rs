//! Opening a log: finding out how it ends, and setting right what a crash left.
//!
//! Must not know threads, nor what follows once the log is open.

use std::collections::VecDeque;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Instant, SystemTime};

use aws_lc_rs::digest::{Context, SHA256};
use parking_lot::{Condvar, Mutex};

use crate::chain::{ENDING, Link, ending, stated};
use crate::digests::Digests;
use crate::layout::{Layout, open_to_append, open_to_read, same_file, sync_directory};
use crate::lines::{Lines, bytes_at, whole_length};
use crate::log::{Disk, LINE_MAX, Shared, Stats};
use crate::options::{OpenError, Options};
use crate::state::{Closed, Current, Settled, State};
use crate::unwritten::Unwritten;

/// How the log was found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// How many bytes of an unfinished record were cut off.
    pub(crate) torn: u64,
    /// Whether the last line was none of the log's.
    damaged: bool,
    /// The last record that was found and the last one that is known to have been written, where
    /// they differ.
    missing: Option<(u64, u64)>,
}

impl Findings {
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.torn > 0 {
            notes.push(format!(
                "the audit log ended in an unfinished record, which was cut off ({} bytes): the \
                 server had been stopped while it wrote; that request was never answered",
                self.torn
            ));
        }
        if self.damaged {
            notes.push(
                "the end of audit.jsonl is no audit record: it was altered by somebody else, or \
                 the disk damaged it; the file was closed as it is and the log goes on in a new \
                 one (strongroom audit verify tells more)"
                    .to_owned(),
            );
        }
        if let Some((found, known)) = self.missing {
            notes.push(format!(
                "the audit log ends with record {found}, but record {known} had been written: \
                 the end is missing; the log goes on behind that \
                 (strongroom audit verify tells more)"
            ));
        }
        notes
    }
}

/// Opens the log of a data directory, or makes it.
pub(crate) fn open(
    data: &Path,
    options: Options,
    disk: Box<dyn Disk>,
) -> Result<(Shared, Findings), OpenError> {
    let layout = Layout::new(data);
    let directory = layout.directory();
    layout.make_directory().map_err(OpenError::at(&directory))?;
    let lock = lock(&directory)?;
    let mut findings = Findings::default();
    let (file, length) = open_current(&layout, &mut findings)?;
    let closed = closed_segments(&layout, &file).map_err(OpenError::at(&directory))?;
    let path = layout.digests();
    let digests = Digests::open(&path).map_err(OpenError::at(&path))?;
    let digested = digests.last().map(|last| last.link);
    let path = layout.current();
    let how = Ending::of(&file, length).map_err(OpenError::at(&path))?;
    findings.damaged = how.damaged;
    let known = closed.iter().filter_map(|segment| segment.last).chain(digested);
    let known = known.max_by_key(|link| link.sequence);
    let current = current(&closed, &file, length, &how, known);
    let settled = Settled { offset: length, link: current.head };
    let state = State {
        closed,
        current,
        unwritten: Unwritten::default(),
        settled,
        waiting: Vec::new(),
        failure: None,
        names_changed: true,
        not_before: None,
        stopping: false,
    };
    let shared = Shared {
        layout,
        options,
        disk,
        state: Mutex::new(state),
        wake: Condvar::new(),
        holds: Mutex::default(),
        digests: tokio::sync::Mutex::new(digests),
        stats: Stats::default(),
        _lock: lock,
    };
    let digested = digested.map_or(0, |link| link.sequence);
    shared.stats.last_digest.store(digested, Ordering::Relaxed);
    go_on(&shared, known, &mut findings, length > 0).map_err(OpenError::at(&path))?;
    Ok((shared, findings))
}

/// Locks the log for as long as the file is open.
fn lock(directory: &Path) -> Result<File, OpenError> {
    let unusable = OpenError::at(directory);
    let lock = File::open(directory).map_err(&unusable)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: directory.to_owned() }),
        Err(TryLockError::Error(cause)) => Err(unusable(cause)),
    }
}

/// Opens the current segment and cuts off the piece of a line behind its last whole one.
fn open_current(layout: &Layout, findings: &mut Findings) -> Result<(Arc<File>, u64), OpenError> {
    let path = layout.current();
    let unusable = OpenError::at(&path);
    let next = layout.next();
    match fs::remove_file(&next) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            return Err(OpenError::at(&next)(cause));
        }
        _ => {}
    }
    let file = open_to_append(&path).map_err(|cause| match cause.kind() {
        io::ErrorKind::InvalidInput => OpenError::NotALog { path: path.clone() },
        _ => unusable(cause),
    })?;
    let length = file.metadata().map_err(&unusable)?.len();
    let mut first = [b'{'];
    if length > 0 {
        file.read_exact_at(&mut first, 0).map_err(&unusable)?;
    }
    let whole = whole_length(&file, length).map_err(&unusable)?;
    if first != [b'{'] || whole == 0 && length > LINE_MAX as u64 {
        return Err(OpenError::NotALog { path: path.clone() });
    }
    if whole < length {
        file.set_len(whole).map_err(&unusable)?;
        findings.torn = length - whole;
    }
    // What an earlier process wrote may not be on the disk yet.
    file.sync_all().map_err(&unusable)?;
    Ok((Arc::new(file), whole))
}

/// The closed segments. One that is the current segment as well was being closed when the server
/// died; it stays the current one.
fn closed_segments(layout: &Layout, current: &File) -> io::Result<VecDeque<Closed>> {
    let mut closed = VecDeque::new();
    let mut start = 0;
    for first in layout.list_closed()? {
        let path = layout.closed(first);
        if same_file(current, &path)? {
            fs::remove_file(&path)?;
            sync_directory(&layout.directory())?;
            continue;
        }
        let file = open_to_read(&path)?;
        let length = file.metadata()?.len();
        let last = Ending::of(&file, length)?.head;
        closed.push_back(Closed { first, start, length, last });
        start += length;
    }
    Ok(closed)
}

/// What the last line before that offset states.
fn last_link(file: &File, end: u64) -> io::Result<Option<Link>> {
    let length = end.min(ENDING);
    Ok(ending(&bytes_at(file, end - length, length)?))
}

/// How the current segment ends.
struct Ending {
    /// The last link in it; none if there is none, with what was written before the chain began.
    head: Option<Link>,
    origin: Link,
    /// Whether lines stand behind the last link.
    damaged: bool,
}

impl Ending {
    fn of(file: &File, length: u64) -> io::Result<Self> {
        let origin = Link::origin(b"");
        if let Some(head) = last_link(file, length)? {
            return Ok(Self { head: Some(head), origin, damaged: false });
        }
        // Either nothing of it is chained, then all of it stands before the chain, or its end was
        // damaged.
        let mut hash = Context::new(&SHA256);
        let mut head = None;
        let mut reader = BufReader::with_capacity(1 << 20, At(file, 0).take(length));
        let mut line = Vec::new();
        while reader.by_ref().take(LINE_MAX as u64).read_until(b'\n', &mut line)? > 0 {
            hash.update(&line);
            head = stated(&line).map(|(link, _)| link).or(head);
            line.clear();
        }
        let mut origin = origin;
        origin.hash.copy_from_slice(hash.finish().as_ref());
        Ok(Self { head, origin, damaged: head.is_some() })
    }
}

/// A file, read from an offset on without moving its own place.
struct At<'a>(&'a File, u64);

impl io::Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read_at(buffer, self.1)?;
        self.1 += count as u64;
        Ok(count)
    }
}

fn current(
    closed: &VecDeque<Closed>,
    file: &Arc<File>,
    length: u64,
    ending: &Ending,
    known: Option<Link>,
) -> Current {
    let head = match (ending.head, known) {
        (Some(head), _) => head,
        (None, Some(known)) if length == 0 => known,
        (None, _) => ending.origin,
    };
    let before = closed.iter().rev().find_map(|segment| segment.last);
    let named = first_link(file, length).map(|link| link.sequence);
    let first = match ending.head {
        // The name that a segment gets if its first line is none of the chain's.
        Some(_) => named.unwrap_or_else(|| before.map_or(0, |link| link.sequence) + 1),
        None => head.sequence.saturating_add(1),
    };
    let lines = Lines::new(Arc::clone(file), length);
    let start = closed.back().map_or(0, Closed::end);
    Current { first, start, lines, head, begun: begun(file) }
}

/// What the first line states.
fn first_link(file: &File, length: u64) -> Option<Link> {
    let mut line = Vec::new();
    let beginning = At(file, 0).take(length.min(LINE_MAX as u64));
    BufReader::new(beginning).read_until(b'\n', &mut line).ok()?;
    stated(&line).map(|(link, _)| link)
}

/// When the file was made, as far as its system knows.
fn begun(file: &File) -> Instant {
    let now = Instant::now();
    let made = file.metadata().and_then(|metadata| metadata.created());
    let age = made.ok().and_then(|made| SystemTime::now().duration_since(made).ok());
    age.and_then(|age| now.checked_sub(age)).unwrap_or(now)
}

/// Begins a new segment where nothing may follow on the end of the current one.
fn go_on(
    shared: &Shared,
    known: Option<Link>,
    findings: &mut Findings,
    has_lines: bool,
) -> io::Result<()> {
    let mut state = shared.state.lock();
    let head = state.current.head;
    let ahead = known.filter(|known| known.sequence > head.sequence);
    if let Some(known) = ahead {
        findings.missing = Some((head.sequence, known.sequence));
    }
    if has_lines && (findings.damaged || ahead.is_some()) {
        shared.begin_segment(&mut state)?;
    }
    if let Some(known) = ahead {
        state.current.head = known;
        state.current.first = known.sequence.saturating_add(1);
        state.settled.link = known;
    } else if !has_lines && let Some(last) = behind_digest(&state) {
        findings.missing = Some(last);
    }
    Ok(())
}

/// Where an empty log goes on behind a digest whose records aren't there: the last one that is,
/// and the one behind which it goes on.
fn behind_digest(state: &State) -> Option<(u64, u64)> {
    let last = state.closed.iter().rev().find_map(|segment| segment.last);
    let found = last.map_or(0, |link| link.sequence);
    let head = state.current.head.sequence;
    (found < head).then_some((found, head))
}
