//! Removing imported material that has expired.
//!
//! Requests don't depend on this: to them material is gone at its date. This destroys its bytes,
//! which nothing can use any more, and has the audit log tell of it. An index of dates leads to the
//! keys; an entry may be out of date, for what counts is the key's record.

use std::sync::Arc;

use service::Error;
use service::ports::{Commit, StoreError};
use wire::{AccountId, Region, Timestamp};

use crate::change::replacing;
use crate::key::Key;
use crate::key_id::KeyId;
use crate::records::{KeyRecord, decode};
use crate::{Kms, layout};

/// How many entries or keys one pass looks at before it asks the store again.
const BATCH: usize = 100;

impl Kms {
    /// Removes all imported material that has expired at `now`; gives how many there were.
    ///
    /// # Errors
    /// Those of the store and of the audit log. What was removed before stays removed.
    pub async fn remove_expired(&self, now: Timestamp) -> Result<usize, Error> {
        self.index_expirations().await?;
        let mut removed = 0;
        loop {
            let page = self.store.range(layout::EXPIRATIONS, "", BATCH).await?;
            for item in &page.items {
                let Some((at, account, region, id)) = layout::parse_expiration(&item.key) else {
                    return Err(Error::internal("an unreadable entry in the index of expirations"));
                };
                if now < at {
                    return Ok(removed);
                }
                removed += self.expire(&account, &region, id, now, &item.key).await?;
            }
            if page.items.is_empty() {
                return Ok(removed);
            }
        }
    }

    /// Removes what of one key's material has expired, and the entry that led to it.
    async fn expire(
        &self,
        account: &AccountId,
        region: &Region,
        id: &str,
        now: Timestamp,
        entry: &str,
    ) -> Result<usize, Error> {
        let id = KeyId::parse(id).ok_or_else(|| Error::internal("an expiration of no key"))?;
        let _turn = self.own_turns.at(&id).await;
        let mut told = Vec::new();
        loop {
            let key = self.standing_key(account, region, &id, now).await?;
            let mut commit = Commit::default();
            if let Some(key) = &key {
                let expired = expired(&key.record, now);
                for place in &expired {
                    let material = key.record.materials[*place].id;
                    if !told.contains(&material) {
                        self.tell_expiration(key, now, material).await?;
                        told.push(material);
                    }
                }
                if !expired.is_empty() {
                    commit = without(key, &expired)?;
                }
            }
            commit.deletes.push(entry.to_owned());
            match self.store.commit(commit).await {
                // Somebody changed the key meanwhile; what was told needn't be told again.
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
                Ok(_) => return Ok(told.len()),
            }
        }
    }

    /// Makes the entries of material that came in before there was an index, once.
    async fn index_expirations(&self) -> Result<(), Error> {
        if self.store.get(layout::EXPIRATIONS_INDEXED).await?.is_some() {
            return Ok(());
        }
        let mut after = String::new();
        loop {
            let page = self.store.range(layout::KEYS, &after, BATCH).await?;
            let mut commit = Commit::default();
            for item in &page.items {
                let Some((account, region, id)) = layout::parse_key(&item.key) else { continue };
                let Some(region) = Region::parse(region) else { continue };
                let record: KeyRecord = decode(&item.value)?;
                // A key has few that expire, since each is imported by its owner; the earliest
                // leads to the key, and from there the next one is found.
                let dates = record.materials.iter().filter_map(|material| {
                    let import = material.import.as_ref().filter(|_| material.wrapped.is_some())?;
                    import.expires
                });
                let places = dates.map(|at| layout::expiration(at, &account, &region, id));
                commit.puts.extend(places.min().map(|place| (place, Vec::new())));
            }
            let last = page.items.last().map(|item| item.key.clone());
            match last.filter(|_| page.more) {
                Some(last) => after = last,
                None => commit.puts.push((layout::EXPIRATIONS_INDEXED.to_owned(), Vec::new())),
            }
            let done = !page.more;
            self.store.commit(commit).await?;
            if done {
                return Ok(());
            }
        }
    }
}

/// Where in the list the materials stand that have expired and are still there.
fn expired(record: &KeyRecord, now: Timestamp) -> Vec<usize> {
    let there = record.materials.iter().enumerate().filter(|(_, material)| {
        material.import.is_some() && material.wrapped.is_some() && !material.is_usable(now)
    });
    there.map(|(place, _)| place).collect()
}

/// A commit that takes these materials out of the key, and notes when the next one expires.
fn without(key: &Arc<Key>, places: &[usize]) -> Result<Commit, Error> {
    let mut record = key.record.clone();
    for place in places.iter().rev() {
        record.drop_material(*place);
    }
    let mut commit = replacing(key, &record)?;
    let next = record.materials.iter().filter_map(|m| m.import.as_ref()?.expires).min();
    note_expiration(&mut commit, key, next);
    Ok(commit)
}

/// Has a commit note that material of the key expires at that time, if it does.
pub(crate) fn note_expiration(commit: &mut Commit, key: &Key, at: Option<Timestamp>) {
    let entry = |at| layout::expiration(at, &key.account, &key.region, key.id.as_str());
    commit.puts.extend(at.map(|at| (entry(at), Vec::new())));
}
