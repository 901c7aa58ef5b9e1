//! Reading on in the log and delivering what is there, for one sink.
//!
//! Must not know how a sink delivers.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use audit::{Hold, Log};
use service::ports::{AuditHistory as _, Clock, Position};
use tokio::time::{Instant, sleep, timeout};

use super::cursor::Cursor;
use super::{InvalidSink, Sink, Undelivered};

/// How often the log is looked at when there was nothing new.
const POLL: Duration = Duration::from_millis(200);
/// How often the cursor is stored, at most.
const STORE_PERIOD: Duration = Duration::from_secs(1);

/// How a sink is fed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedOptions {
    /// The most records that are delivered at once.
    pub batch_records: usize,
    /// The most bytes that are delivered at once; one record may be longer.
    pub batch_bytes: usize,
    /// How long a delivery may take.
    pub timeout: Duration,
    /// How soon a failed delivery is tried again; the time doubles with each failure,
    pub retry: Duration,
    /// up to this one.
    pub retry_max: Duration,
}

impl Default for FeedOptions {
    fn default() -> Self {
        Self {
            batch_records: 500,
            batch_bytes: 512 << 10,
            timeout: Duration::from_secs(30),
            retry: Duration::from_millis(500),
            retry_max: Duration::from_mins(1),
        }
    }
}

/// What a sink has done since the start.
#[derive(Debug, Default)]
pub struct SinkStats {
    delivered: AtomicU64,
    failures: AtomicU64,
    last_failure: AtomicI64,
    skipped: AtomicU64,
    position: AtomicU64,
    sequence: AtomicU64,
}

/// How far a sink is behind the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lag {
    /// In records.
    pub records: u64,
    /// In bytes.
    pub bytes: u64,
}

impl SinkStats {
    /// Records that were delivered, also those that were delivered again.
    pub fn delivered(&self) -> u64 {
        self.delivered.load(Ordering::Relaxed)
    }

    /// Deliveries that failed.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// When the last one failed, in milliseconds since 1970; 0 for never.
    pub fn last_failure(&self) -> i64 {
        self.last_failure.load(Ordering::Relaxed)
    }

    /// Bytes that retention removed before they were delivered.
    pub fn skipped(&self) -> u64 {
        self.skipped.load(Ordering::Relaxed)
    }

    /// How far the sink is behind that log, which it reads.
    pub fn lag(&self, log: &Log) -> Lag {
        let delivered = self.sequence.load(Ordering::Relaxed);
        let position = self.position.load(Ordering::Relaxed);
        Lag {
            records: log.last_sequence().saturating_sub(delivered),
            bytes: log.end().0.saturating_sub(position),
        }
    }
}

/// Feeds one sink.
pub struct Feed {
    name: String,
    log: Arc<Log>,
    clock: Arc<dyn Clock>,
    sink: Box<dyn Sink>,
    options: FeedOptions,
    stats: Arc<SinkStats>,
    cursor: Cursor,
    hold: Hold,
    at: Position,
    /// Up to where the cursor says.
    stored: Position,
    stored_at: Instant,
    failed: u32,
}

impl Feed {
    /// Feeds a sink from where it was under that name; a new one from the log's beginning, so that
    /// it gets all that is still there.
    ///
    /// # Errors
    /// [`InvalidSink`] if it is no name, or the cursor can't be read.
    pub fn open(
        data: &Path,
        name: &str,
        log: Arc<Log>,
        clock: Arc<dyn Clock>,
        sink: Box<dyn Sink>,
        options: FeedOptions,
    ) -> Result<Self, InvalidSink> {
        let unusable = |error: &dyn std::fmt::Display| InvalidSink(format!("sink {name}: {error}"));
        let cursor = Cursor::new(data, name)
            .ok_or_else(|| unusable(&"a name has lower-case letters, digits and hyphens"))?;
        let mark = cursor.read().map_err(|error| unusable(&error))?;
        let at = log.find(&mark).map_err(|error| unusable(&error))?;
        let hold = log.hold(at);
        let stats = Arc::new(SinkStats::default());
        stats.position.store(at.0, Ordering::Relaxed);
        let delivered = match log.read(at).map_err(|error| unusable(&error))? {
            next if next.is_empty() => log.last_sequence(),
            next => next.split(|byte| *byte == b'\n').find_map(audit::sequence).unwrap_or(1) - 1,
        };
        stats.sequence.store(delivered, Ordering::Relaxed);
        Ok(Self {
            name: name.to_owned(),
            log,
            clock,
            sink,
            options,
            stats,
            cursor,
            hold,
            at,
            stored: at,
            stored_at: Instant::now(),
            failed: 0,
        })
    }

    /// What the sink has done, kept up to date while it is fed.
    pub fn stats(&self) -> Arc<SinkStats> {
        Arc::clone(&self.stats)
    }

    /// Feeds the sink for ever. May be dropped at any time: what isn't known to be delivered comes
    /// again at the next start.
    pub async fn run(&mut self) {
        loop {
            let wait = self.step().await;
            if !wait.is_zero() {
                sleep(wait).await;
            }
        }
    }

    /// Delivers what is there by now, for when the server stops, and stores how far that got. Gives
    /// up at the first failure.
    pub async fn finish(&mut self) {
        while self.at < self.log.settled() && self.step().await.is_zero() {}
        self.store();
    }

    /// Delivers one batch; tells how long to wait for the next one.
    async fn step(&mut self) -> Duration {
        match self.batch().await {
            Ok(batch) if batch.is_empty() => {
                self.store();
                POLL
            }
            Ok(batch) => self.deliver(&batch).await,
            Err(cause) => self.failed(&cause),
        }
    }

    /// The next records.
    async fn batch(&mut self) -> io::Result<Vec<u8>> {
        let start = self.log.start();
        if self.at < start {
            let skipped = start.0 - self.at.0;
            tracing::error!(sink = self.name, bytes = skipped, "removed before it was delivered");
            self.stats.skipped.fetch_add(skipped, Ordering::Relaxed);
            self.advance(skipped);
        }
        let room = self.log.settled().0.saturating_sub(self.at.0);
        if room == 0 {
            return Ok(Vec::new());
        }
        let (log, at) = (Arc::clone(&self.log), self.at);
        let lines = tokio::task::spawn_blocking(move || log.read(at)).await;
        let mut lines = lines.map_err(io::Error::other)?.map_err(io::Error::other)?;
        lines.truncate(self.fitting(&lines, room));
        Ok(lines)
    }

    /// How many bytes of these lines are a batch.
    fn fitting(&self, lines: &[u8], room: u64) -> usize {
        let mut length = 0;
        for line in lines.split_inclusive(|byte| *byte == b'\n').take(self.options.batch_records) {
            let with = length + line.len();
            let is_too_much = length > 0 && with > self.options.batch_bytes;
            if is_too_much || with as u64 > room {
                break;
            }
            length = with;
        }
        length
    }

    async fn deliver(&mut self, batch: &[u8]) -> Duration {
        let delivery = timeout(self.options.timeout, self.sink.deliver(batch)).await;
        let delivered = delivery.unwrap_or_else(|_| {
            Err(Undelivered::all(io::Error::new(io::ErrorKind::TimedOut, "it takes too long")))
        });
        let taken =
            delivered.as_ref().map_or_else(|undelivered| undelivered.taken, |()| batch.len());
        let taken = taken.min(batch.len());
        let lines = batch[..taken].split_inclusive(|byte| *byte == b'\n');
        let (mut records, mut last) = (0, None);
        for line in lines {
            records += 1;
            last = audit::sequence(line).or(last);
        }
        self.stats.delivered.fetch_add(records, Ordering::Relaxed);
        if let Some(last) = last {
            self.stats.sequence.store(last, Ordering::Relaxed);
        }
        self.advance(taken as u64);
        if self.stored_at.elapsed() >= STORE_PERIOD {
            self.store();
        }
        match delivered {
            Ok(()) => {
                self.failed = 0;
                Duration::ZERO
            }
            Err(undelivered) => self.failed(&undelivered.cause),
        }
    }

    fn advance(&mut self, by: u64) {
        self.at.0 += by;
        self.hold.advance(self.at);
        self.stats.position.store(self.at.0, Ordering::Relaxed);
    }

    /// Notes a failure; tells how long to wait.
    fn failed(&mut self, cause: &io::Error) -> Duration {
        let wait = self.options.retry.saturating_mul(1 << self.failed.min(16));
        self.failed = self.failed.saturating_add(1);
        self.stats.failures.fetch_add(1, Ordering::Relaxed);
        self.stats.last_failure.store(self.clock.now().millis(), Ordering::Relaxed);
        // Said once, not at each attempt.
        if self.failed == 1 {
            tracing::warn!(sink = self.name, %cause, "audit records cannot be delivered for now");
        }
        self.store();
        wait.min(self.options.retry_max)
    }

    fn store(&mut self) {
        if self.stored == self.at {
            return;
        }
        self.stored_at = Instant::now();
        let mark = self.log.mark(self.at).map_err(io::Error::other);
        match mark.and_then(|mark| self.cursor.write(&mark)) {
            Ok(()) => self.stored = self.at,
            Err(cause) => {
                tracing::warn!(sink = self.name, %cause, "how far the sink is can't be stored");
            }
        }
    }
}
