//! Keeping uses beyond the process: to the store from time to time, and from the log at the start.
//!
//! The mark that is stored says up to where in the log every use is in the store. It is always
//! behind what it says, never before it: the log's end is read first, when all before it has been
//! noted; then the uses are copied and stored; and only when every commit has taken place is the
//! mark. A crash in between makes the next start read more than it must, which changes nothing: the
//! last record of a key wins, whether it is read once or twice.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use service::ports::{AuditHistory, Commit, Expect, Position, Revision, StoreError};
use service::{Error, PastRecord, Service as _};
use wire::{AccountId, Arn, Region, Timestamp};

use super::recent::{Placed, SHARDS, Told};
use crate::key::RESOURCE_KIND;
use crate::records::{decode, encode};
use crate::{Kms, layout};

/// How many uses one commit stores (a store takes at most 128 changes at once).
const BATCH: usize = 128;
/// How often a batch is tried whose keys change meanwhile.
const ATTEMPTS_MAX: usize = 16;
/// Every how many turns the uses are stored, if nothing presses.
const TURNS: u32 = 4;
/// From how long a stretch of the log on storing presses: as much would be read after a crash, in a
/// fifth of a second or so. A shorter one would have a busy server store the use of many keys
/// nearly as often as they are used.
const STRETCH_MAX: u64 = 64 << 20;

/// What says how far the store is.
#[derive(Serialize, Deserialize)]
struct Tracking {
    /// The log's own name for the place up to which all uses are stored.
    mark: String,
    /// Since when uses are tracked, in milliseconds since 1970.
    since: i64,
}

/// Keeps the uses of one [`Kms`]. There must be one at most, so that no two store the same key's.
pub struct UsageKeeper {
    history: Arc<dyn AuditHistory>,
    /// Up to where in the log all uses are stored.
    stored_to: Position,
    since: Timestamp,
    turns: u32,
}

type Batch = Vec<(Arc<str>, Placed)>;

impl UsageKeeper {
    /// Reads what the log has had since the mark. No request may be served before.
    ///
    /// # Errors
    /// Those of the store and of the log.
    pub async fn start(
        kms: &Kms,
        history: Arc<dyn AuditHistory>,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let tracking: Option<Tracking> = match kms.store.get(layout::USAGE_TRACKING).await? {
            Some(item) => Some(decode(&item.value)?),
            None => None,
        };
        let mark = tracking.as_ref().map_or("", |tracking| tracking.mark.as_str());
        let stored_to = history.find(mark).map_err(Error::internal)?;
        let since = match &tracking {
            Some(tracking) => Timestamp::from_millis(tracking.since),
            // A new server tracks from the first key on. One with keys was started by a version
            // that didn't, but kept the log.
            None if kms.store.range(layout::KEYS, "", 1).await?.items.is_empty() => {
                Timestamp::from_millis(0)
            }
            None => first_time(history.as_ref())?.unwrap_or(now),
        };
        kms.recent.set_since(since);
        let mut keeper = Self { history, stored_to, since, turns: 0 };
        if tracking.is_none() {
            // Since when uses are tracked must be the same at every later start.
            keeper.store_mark(kms, stored_to).await?;
        }
        // What is read is known from memory; requests needn't wait until it is stored, too.
        keeper.read_again(kms).await?;
        Ok(keeper)
    }

    /// Does what is to be done by now. To be called every half second or so.
    ///
    /// # Errors
    /// Those of the store and of the log. Nothing is lost; it will be done another time.
    pub async fn turn(&mut self, kms: &Kms) -> Result<(), Error> {
        self.turns += 1;
        let behind = self.history.end().0.saturating_sub(self.stored_to.0);
        if self.turns >= TURNS || behind >= STRETCH_MAX || kms.recent.is_crowded() {
            self.turns = 0;
            self.store(kms).await?;
        }
        if !kms.recent.is_complete() {
            self.read_again(kms).await?;
            self.store(kms).await?;
        }
        Ok(())
    }

    /// Stores all uses, and how far in the log that is.
    ///
    /// # Errors
    /// As for [`UsageKeeper::turn`].
    pub async fn store(&mut self, kms: &Kms) -> Result<(), Error> {
        let end = self.history.end();
        if end == self.stored_to {
            return Ok(());
        }
        // A use that is left out from now on stands behind the end.
        let complete = kms.recent.is_complete();
        self.store_uses(kms).await?;
        if complete {
            self.store_mark(kms, end).await?;
        }
        Ok(())
    }

    /// Forgets all uses, for a store that was emptied.
    ///
    /// # Errors
    /// Those of the store and of the log.
    pub async fn reset(&mut self, kms: &Kms) -> Result<(), Error> {
        let (end, left_out) = (self.history.end(), kms.recent.left_out());
        kms.recent.clear();
        kms.recent.were_read_again(left_out);
        self.since = Timestamp::from_millis(0);
        kms.recent.set_since(self.since);
        self.store_mark(kms, end).await
    }

    async fn store_mark(&mut self, kms: &Kms, end: Position) -> Result<(), Error> {
        let mark = self.history.mark(end).map_err(Error::internal)?;
        let tracking = Tracking { mark, since: self.since.millis() };
        let puts = vec![(layout::USAGE_TRACKING.to_owned(), encode(&tracking)?)];
        kms.store.commit(Commit { puts, ..Commit::default() }).await?;
        self.stored_to = end;
        Ok(())
    }

    async fn store_uses(&self, kms: &Kms) -> Result<(), Error> {
        let mut uses: Batch = (0..SHARDS).flat_map(|shard| kms.recent.copy(shard)).collect();
        // Neighbours in the store are read and written together.
        uses.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        for batch in uses.chunks(BATCH) {
            store_batch(kms, batch).await?;
        }
        Ok(())
    }

    /// Reads the log from where all is stored to its end: at the start, and when uses had to be
    /// left out of memory.
    ///
    /// What is read may be older than what the store has of the same key. It ends well because the
    /// reading doesn't end before the log: whatever was stored meanwhile stands before the end too,
    /// and is read after what is older.
    async fn read_again(&self, kms: &Kms) -> Result<(), Error> {
        let left_out = kms.recent.left_out();
        let mut at = self.stored_to;
        while at < self.history.end() {
            let lines = self.history.read(at).map_err(Error::internal)?;
            if lines.is_empty() {
                return Err(Error::internal("the audit log is shorter than it says"));
            }
            for line in lines.split_inclusive(|byte| *byte == b'\n') {
                at.0 += line.len() as u64;
                // A line that is no record was written by somebody else and tells of no use.
                let Some(record) = PastRecord::parse(line, RESOURCE_KIND) else { continue };
                if let Some(success) = record.success(Kms::EVENT_SOURCE) {
                    kms.note(&success, at, Told::Again);
                }
            }
            if kms.recent.is_crowded() {
                self.store_uses(kms).await?;
            }
        }
        kms.recent.were_read_again(left_out);
        Ok(())
    }
}

/// The time of the log's first record.
fn first_time(history: &dyn AuditHistory) -> Result<Option<Timestamp>, Error> {
    let start = history.find("").map_err(Error::internal)?;
    let lines = history.read(start).map_err(Error::internal)?;
    let mut lines = lines.split(|byte| *byte == b'\n');
    Ok(lines.find_map(|line| PastRecord::parse(line, RESOURCE_KIND)).map(|record| record.time))
}

/// Stores uses on condition that their keys are still there, so that none outlives its key.
async fn store_batch(kms: &Kms, batch: &[(Arc<str>, Placed)]) -> Result<(), Error> {
    for _ in 0..ATTEMPTS_MAX {
        let mut commit = Commit::default();
        for (arn, placed) in batch {
            let Some((account, region, id)) = parts(arn) else { continue };
            let place = layout::key(&account, &region, id);
            let Some(revision) = revision(kms, &place).await? else { continue };
            commit.preconditions.push((place, Expect::At(revision)));
            commit.puts.push((layout::usage(&account, &region, id), placed.last.encode()?));
        }
        if !commit.puts.is_empty() {
            match kms.store.commit(commit).await {
                Ok(_) => {}
                Err(StoreError::Conflict) => continue,
                Err(error) => return Err(error.into()),
            }
        }
        for (arn, placed) in batch {
            kms.recent.settle(arn, placed.at);
        }
        return Ok(());
    }
    Err(Error::internal("keys changed too often for their uses to be stored"))
}

/// The revision at which the key's record was last written, if it is there.
async fn revision(kms: &Kms, place: &str) -> Result<Option<Revision>, Error> {
    match kms.keys.get(place) {
        Some(key) => Ok(Some(key.revision)),
        None => Ok(kms.store.get(place).await?.map(|item| item.revision)),
    }
}

/// What a key's ARN names.
fn parts(arn: &str) -> Option<(AccountId, Region, &str)> {
    let arn = Arn::parse(arn)?;
    let account = AccountId::parse(arn.account).ok()?;
    Some((account, Region::parse(arn.region)?, arn.resource.strip_prefix("key/")?))
}
