//! Signing digests when they are due, and removing what retention lets go.
//!
//! A segment is removed only when a signed digest says so, and what the digest says is that it was
//! removed on purpose. So a verification can tell that from a segment that somebody took away.
//!
//! Must not know where the key is.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

use service::ports::{AuditUnavailable, Clock, DigestSigner};

use crate::chain::Link;
use crate::digest::{Digest, Statement};
use crate::digests::Digests;
use crate::layout::sync_directory;
use crate::log::{Log, Shared, unavailable};
use crate::options::DigestOptions;
use crate::state::Closed;

/// Signs digests of one log, while there is a key to do so.
pub struct Digester {
    log: Arc<Log>,
    signer: Arc<dyn DigestSigner>,
    clock: Arc<dyn Clock>,
    options: DigestOptions,
    last: Instant,
    /// Since when segments have been seen to be too old, by their first sequence.
    aged: HashMap<u64, Instant>,
}

/// What a turn did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Turn {
    /// How many digests were signed.
    pub digests: u64,
    /// The segments that were removed.
    pub removed: Vec<Removed>,
}

/// A segment that was removed by retention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removed {
    /// The sequence of its first record.
    pub first: u64,
    /// The sequence of its last record.
    pub last: u64,
    /// Whether it was removed although a sink had not delivered all of it.
    pub undelivered: bool,
}

impl Digester {
    /// Signs digests of that log.
    pub fn new(
        log: Arc<Log>,
        signer: Arc<dyn DigestSigner>,
        clock: Arc<dyn Clock>,
        options: DigestOptions,
    ) -> Self {
        Self { log, signer, clock, options, last: Instant::now(), aged: HashMap::new() }
    }

    /// Does what is due by now. To be called every second or so.
    ///
    /// # Errors
    /// [`AuditUnavailable`]. Nothing is lost; it will be done another time.
    pub async fn turn(&mut self) -> Result<Turn, AuditUnavailable> {
        self.work(false).await
    }

    /// Signs what isn't signed yet, however little it is: for when the server stops.
    ///
    /// # Errors
    /// As for [`Digester::turn`].
    pub async fn finish(&mut self) -> Result<Turn, AuditUnavailable> {
        self.work(true).await
    }

    async fn work(&mut self, finish: bool) -> Result<Turn, AuditUnavailable> {
        let log = Arc::clone(&self.log);
        let mut digests = log.shared.digests.lock().await;
        let mut turn = Turn::default();
        let last = digests.last().map_or(0, |last| last.link.sequence);
        // Each closed segment has a digest of its own that ends with it; what was closed while
        // there was no key is made up for.
        let (closed, (head, first)) = log.shared.ends(last);
        for (link, segment) in closed {
            self.sign(&mut digests, link, segment, None).await?;
            turn.digests += 1;
        }
        let last = digests.last().map_or(0, |last| last.link.sequence);
        let news = head.sequence.saturating_sub(last);
        let is_due =
            finish || news >= self.options.records || self.last.elapsed() >= self.options.period;
        if news > 0 && is_due && head.sequence >= first {
            log.sync().await?;
            self.sign(&mut digests, head, first, None).await?;
            turn.digests += 1;
        }
        turn.removed = self.retain(&mut digests).await?;
        Ok(turn)
    }

    async fn sign(
        &mut self,
        digests: &mut Digests,
        link: Link,
        segment: u64,
        removed_to: Option<u64>,
    ) -> Result<(), AuditUnavailable> {
        let (number, previous) = digests.next();
        let removed_before = digests.last().map_or(0, |last| last.removed_to);
        let (key, now) = (self.signer.key(), self.clock.now());
        let statement = Statement {
            number,
            time: now.to_string(),
            link,
            segment,
            removed_to: removed_to.unwrap_or(removed_before),
            previous,
            key_number: 0,
            fingerprint: [0; 32],
        };
        let statement = statement.signed_by(&key);
        let signature = self.signer.sign(key.number, &statement.message()).await?;
        // A digest is rare, and its bytes are few: the turn of the disk takes milliseconds.
        let digest = Digest { statement, signature };
        digests.add(digest, self.log.shared.disk.as_ref()).map_err(unavailable)?;
        let stats = &self.log.shared.stats;
        stats.last_digest.store(link.sequence, Ordering::Relaxed);
        stats.last_signed.store(now.millis(), Ordering::Relaxed);
        self.last = Instant::now();
        Ok(())
    }

    /// Removes the oldest segments, as far as they may go.
    async fn retain(&mut self, digests: &mut Digests) -> Result<Vec<Removed>, AuditUnavailable> {
        let Some((covered, segment)) = digests.last().map(|last| (last.link, last.segment)) else {
            return Ok(Vec::new());
        };
        let shared = Arc::clone(&self.log);
        let leaving = self.leaving(&shared.shared, covered.sequence);
        let Some(last) = leaving.last().map(|removed| removed.last) else {
            return Ok(Vec::new());
        };
        // If the server dies behind this, the files are still there at the next start, and go then.
        self.sign(digests, covered, segment, Some(last)).await?;
        shared.shared.remove(&leaving).map_err(unavailable)?;
        for removed in &leaving {
            tracing::info!(
                first = removed.first,
                last = removed.last,
                undelivered = removed.undelivered,
                "a segment of the audit log was removed"
            );
        }
        Ok(leaving)
    }

    /// The oldest closed segments that are to be removed.
    fn leaving(&mut self, shared: &Shared, covered: u64) -> Vec<Removed> {
        let (closed, mut total) = {
            let state = shared.state.lock();
            let closed: Vec<Closed> = state.closed.iter().copied().collect();
            (closed, state.end() - state.start())
        };
        let held = shared.held();
        let retention = self.options.retention;
        self.aged.retain(|first, _| closed.iter().any(|segment| segment.first == *first));
        let mut leaving = Vec::new();
        for segment in closed {
            let Some(last) = segment.last.filter(|last| last.sequence <= covered) else { break };
            let is_too_much = retention.max_bytes.is_some_and(|max| total > max);
            let is_held = held.is_some_and(|held| held < segment.end());
            let is_over = retention.hard_max_bytes.is_some_and(|max| total > max);
            let is_due = is_too_much || self.is_too_old(shared, segment.first);
            if !is_over && (!is_due || is_held) {
                break;
            }
            total -= segment.length;
            leaving.push(Removed {
                first: segment.first,
                last: last.sequence,
                undelivered: is_held,
            });
        }
        leaving
    }

    /// Whether a segment has been too old for some time, by a clock that nobody sets.
    fn is_too_old(&mut self, shared: &Shared, first: u64) -> bool {
        let Some(max) = self.options.retention.max_age else { return false };
        let age = age(&shared.layout.closed(first));
        if age.is_none_or(|age| age <= max) {
            self.aged.remove(&first);
            return false;
        }
        let since = self.aged.entry(first).or_insert_with(Instant::now);
        since.elapsed() >= self.options.retention.grace
    }
}

/// How long ago a file was written to last.
fn age(path: &std::path::Path) -> Option<Duration> {
    let written = std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok()?;
    SystemTime::now().duration_since(written).ok()
}

impl Shared {
    /// The ends of the closed segments behind that sequence and of the current one, as they are at
    /// one moment: last links, and first sequences.
    fn ends(&self, behind: u64) -> (Vec<(Link, u64)>, (Link, u64)) {
        let state = self.state.lock();
        let ends = state.closed.iter().filter_map(|segment| Some((segment.last?, segment.first)));
        let closed = ends.filter(|(last, _)| last.sequence > behind).collect();
        (closed, (state.current.head, state.current.first))
    }

    /// The position up to which everybody has read who has to.
    fn held(&self) -> Option<u64> {
        let holds = self.holds.lock();
        let held = holds.iter().filter_map(std::sync::Weak::upgrade);
        held.map(|held| held.load(Ordering::Relaxed)).min()
    }

    /// Removes these segments, which are the oldest ones.
    fn remove(&self, leaving: &[Removed]) -> io::Result<()> {
        for removed in leaving {
            match std::fs::remove_file(self.layout.closed(removed.first)) {
                Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
                _ => {}
            }
            let mut state = self.state.lock();
            if state.closed.front().is_some_and(|oldest| oldest.first == removed.first) {
                state.closed.pop_front();
            }
        }
        sync_directory(&self.layout.directory())
    }
}
