//! Removing keys whose deletion's date has come, with their aliases.
//!
//! Requests don't depend on this: to them a key is gone at its date. This only frees the room.

use service::Error;
use service::ports::{Commit, Expect, StoreError};
use wire::{AccountId, Region, Timestamp};

use crate::records::{KeyRecord, decode};
use crate::{ALIASES_PER_KEY_MAX, Kms, layout};

/// How many keys one pass looks at before it asks the store again.
const BATCH: usize = 100;

impl Kms {
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

    /// Removes one key if its date has come. Whoever cancelled or removed it first wins.
    pub(crate) async fn remove(
        &self,
        account: &AccountId,
        region: &Region,
        id: &str,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let place = layout::key(account, region, id);
        let Some(item) = self.store.get(&place).await? else { return Ok(false) };
        let record: KeyRecord = decode(&item.value)?;
        let Some(deletion) = record.deletion.filter(|_| !record.exists(now)) else {
            return Ok(false);
        };
        let prefix = layout::key_aliases(account, region, id);
        let aliases = self.store.range(&prefix, "", ALIASES_PER_KEY_MAX).await?;
        let mut deletes = vec![place.clone(), layout::deletion(deletion.at, account, region, id)];
        for entry in aliases.items {
            if let Some(name) = entry.key.strip_prefix(&prefix) {
                deletes.push(layout::alias(account, region, name));
            }
            deletes.push(entry.key);
        }
        let preconditions = vec![(place, Expect::At(item.revision))];
        match self.store.commit(Commit { preconditions, puts: Vec::new(), deletes }).await {
            Ok(_) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
