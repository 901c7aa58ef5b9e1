//! Removing keys whose deletion's date has come, with their aliases and grants.
//!
//! Requests don't depend on this: to them a key is gone at its date. This only frees the room.
//!
//! A key's grants may be more than one commit can remove. They go first, the key's record last: if
//! this ends in between, the index of deletions leads back to the key, and as long as there is a
//! grant there is the record that keeps another key from taking the same id.

use std::sync::Arc;

use service::Error;
use service::ports::{Commit, Expect, StoreError};
use wire::{AccountId, Region, Timestamp};

use crate::change::replacing;
use crate::grants::{GrantRecord, places};
use crate::key::{Key, arn};
use crate::key_id::KeyId;
use crate::limits::Limits;
use crate::records::{Deletion, KeyRecord, decode, encode};
use crate::{Kms, layout};

/// The window of a deletion if a request doesn't say, in days.
pub(crate) const WINDOW_DAYS_DEFAULT: i32 = 30;
/// How many keys one pass looks at before it asks the store again.
const BATCH: usize = 100;
/// How many grants one commit removes. Each is up to four records, and a commit holds 128.
const GRANTS_BATCH: usize = 30;

impl Kms {
    /// Sets the date of a key's deletion, or cancels it, which leaves the key disabled. The
    /// relatives of a replica learn of it.
    ///
    /// # Errors
    /// A conflict, which makes the pipeline decide the request again.
    pub(crate) async fn set_deletion(
        &self,
        key: &Arc<Key>,
        now: Timestamp,
        at: Option<Timestamp>,
    ) -> Result<(), Error> {
        let change = |member: &Key, record: &mut KeyRecord| {
            if member.region == key.region {
                record.deletion = at.map(|at| Deletion { at });
                record.waiting = None;
                record.enabled = record.enabled && at.is_some();
            }
            for replica in record.multi_region.iter_mut().flat_map(|related| &mut related.replicas)
            {
                if replica.region == key.region {
                    replica.deletion = at;
                }
            }
        };
        let mut commit = if key.is_replica() {
            self.replacing_family(key, now, change).await?
        } else {
            let mut record = key.record.clone();
            change(key, &mut record);
            replacing(key, &record)?
        };
        let entry = |at| layout::deletion(at, &key.account, &key.region, key.id.as_str());
        commit.deletes.extend(key.record.deletion.map(|deletion| entry(deletion.at)));
        commit.puts.extend(at.map(|at| (entry(at), Vec::new())));
        self.store.commit(commit).await?;
        Ok(())
    }

    /// Removes every key whose date has come at `now`; gives their number.
    ///
    /// # Errors
    /// Those of the store. What was removed before stays removed.
    pub async fn remove_due(&self, now: Timestamp) -> Result<usize, Error> {
        let mut removed = 0;
        let mut after = String::new();
        loop {
            let page = self.store.range(layout::DELETIONS, &after, BATCH).await?;
            for item in &page.items {
                let Some((at, account, region, id)) = layout::parse_deletion(&item.key) else {
                    return Err(Error::internal("an unreadable entry in the index of deletions"));
                };
                if now < at {
                    return Ok(removed);
                }
                removed += usize::from(self.remove(&account, &region, id, now).await?);
                after.clone_from(&item.key);
            }
            if !page.more {
                return Ok(removed);
            }
        }
    }

    /// Removes one key if its date has come, and has the audit log tell of it first. Whoever
    /// cancelled or removed it first wins.
    pub(crate) async fn remove(
        &self,
        account: &AccountId,
        region: &Region,
        id: &str,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let place = layout::key(account, region, id);
        let key_id = KeyId::parse(id).ok_or_else(|| Error::internal("a deletion of no key"))?;
        let _turn = self.own_turns.at(&key_id).await;
        let Some(item) = self.store.get(&place).await? else { return Ok(false) };
        let record: KeyRecord = decode(&item.value)?;
        let Some(deletion) = record.deletion.filter(|_| !record.exists(now)) else {
            return Ok(false);
        };
        self.tell_deletion(account, region, &key_id, now).await?;
        let unchanged = (place.clone(), Expect::At(item.revision));
        if !self.remove_grants(account, region, id, &unchanged).await? {
            return Ok(false);
        }
        let prefix = layout::key_aliases(account, region, id);
        let aliases = self.store.range(&prefix, "", Limits::ALIASES_PER_KEY_BOUND).await?;
        let mut deletes = vec![
            place,
            layout::deletion(deletion.at, account, region, id),
            layout::usage(account, region, id),
            layout::grant_count(account, region, id),
        ];
        for entry in aliases.items {
            if let Some(name) = entry.key.strip_prefix(&prefix) {
                deletes.push(layout::alias(account, region, name));
            }
            deletes.push(entry.key);
        }
        let mut commit = self.forgetting(account, region, id, &record, now).await?;
        commit.preconditions.push(unchanged);
        commit.deletes = deletes;
        let leave = self.key_counts.leave(account, region).await;
        let removed = self.unless_overtaken(commit).await?;
        if removed {
            leave.took_place();
            self.recent.forget(&arn(account, region, &key_id));
        }
        Ok(removed)
    }

    /// Removes the grants of a key that is gone; false if somebody else was faster.
    async fn remove_grants(
        &self,
        account: &AccountId,
        region: &Region,
        key_id: &str,
        unchanged: &(String, Expect),
    ) -> Result<bool, Error> {
        let prefix = layout::grants(account, region, key_id);
        loop {
            let page = self.store.range(&prefix, "", GRANTS_BATCH).await?;
            if page.items.is_empty() {
                return Ok(true);
            }
            let mut deletes = Vec::new();
            for item in &page.items {
                let record: GrantRecord = decode(&item.value)?;
                let id = item.key.strip_prefix(&prefix).unwrap_or_default();
                deletes.extend(places(account, region, key_id, id, &record)?);
            }
            let preconditions = vec![unchanged.clone()];
            let commit = Commit { preconditions, puts: Vec::new(), deletes };
            if !self.unless_overtaken(commit).await? {
                return Ok(false);
            }
        }
    }

    /// Commits; false if somebody else was faster.
    async fn unless_overtaken(&self, commit: Commit) -> Result<bool, Error> {
        match self.store.commit(commit).await {
            Ok(_) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// A commit by which the relatives of a replica forget it. The window of a primary that waited
    /// for the last of its replicas begins at the date at which that one was gone.
    async fn forgetting(
        &self,
        account: &AccountId,
        region: &Region,
        id: &str,
        gone: &KeyRecord,
        now: Timestamp,
    ) -> Result<Commit, Error> {
        let mut commit = Commit::default();
        let Some(related) = gone.multi_region.as_ref().filter(|r| r.primary != *region) else {
            return Ok(commit);
        };
        for relative in related.regions(now) {
            let place = layout::key(account, relative, id);
            let Some(item) = self.store.get(&place).await? else { continue };
            let mut record: KeyRecord = decode(&item.value)?;
            if let (Some(waiting), Some(deletion)) = (&mut record.waiting, gone.deletion) {
                waiting.since = waiting.since.max(deletion.at);
            }
            if let Some(related) = &mut record.multi_region {
                related.replicas.retain(|replica| replica.region != *region);
            }
            let none_left = record.multi_region.as_ref().is_some_and(|r| r.replicas.is_empty());
            if let (Some(at), true) =
                (record.deletion_date(now), none_left && record.waiting.is_some())
            {
                (record.waiting, record.deletion) = (None, Some(Deletion { at }));
                commit.puts.push((layout::deletion(at, account, relative, id), Vec::new()));
            }
            commit.preconditions.push((place.clone(), Expect::At(item.revision)));
            commit.puts.push((place, encode(&record)?));
        }
        Ok(commit)
    }

    /// Whether a key may be made of that id. One whose date has come is removed first.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn is_free_id(
        &self,
        account: &AccountId,
        region: &Region,
        id: &KeyId,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let there = self.store.get(&layout::key(account, region, id.as_str())).await?.is_some();
        Ok(!there || self.remove(account, region, id.as_str(), now).await?)
    }
}
