//! When access keys and roles were last used.
//!
//! Kept in memory and stored every few seconds: what a crash loses is at most the last of these.
//! (AWS too reports such uses late.)

use std::collections::HashMap;
use std::mem;

use parking_lot::Mutex;
use service::ports::Commit;
use service::records::encode;
use service::{Caller, CallerKind, Error};
use wire::{Region, Timestamp};

use crate::directory::Directory;
use crate::layout;
use crate::records::LastUseRecord;

/// How many one commit stores.
const BATCH: usize = 100;

/// The uses that wait to be stored, by the id of the access key or role.
#[derive(Default)]
pub(crate) struct LastUses(Mutex<HashMap<String, LastUse>>);

/// A use.
#[derive(Clone)]
pub(crate) struct LastUse {
    pub(crate) at: Timestamp,
    pub(crate) service: &'static str,
    pub(crate) region: Region,
}

impl Directory {
    /// Notes that a caller was authenticated.
    pub fn used(&self, caller: &Caller, service: &'static str, region: &Region, at: Timestamp) {
        let id = match (caller.kind, caller.principal.as_deref()) {
            (CallerKind::AssumedRole, Some(role)) => &role.unique_id,
            (_, _) if caller.session.is_none() && caller.access_key_id.starts_with("AKIA") => {
                &caller.access_key_id
            }
            _ => return,
        };
        let mut waiting = self.last_uses.0.lock();
        if let Some(known) = waiting.get_mut(id) {
            known.at = at;
            known.service = service;
            if known.region != *region {
                known.region = region.clone();
            }
        } else {
            waiting.insert(id.clone(), LastUse { at, service, region: region.clone() });
        }
    }

    /// Stores the uses that wait.
    ///
    /// # Errors
    /// Those of the store; what wasn't stored is lost, unless it is used again.
    pub async fn store_last_uses(&self) -> Result<(), Error> {
        let waiting: Vec<(String, LastUse)> =
            mem::take(&mut *self.last_uses.0.lock()).into_iter().collect();
        for batch in waiting.chunks(BATCH) {
            let mut commit = Commit::default();
            for (id, last) in batch {
                let (at, service) = (Some(last.at), last.service.to_owned());
                let record = LastUseRecord { at, service, region: last.region.as_str().to_owned() };
                commit.puts.push((layout::last_use(id), encode(&record)?));
            }
            self.store.commit(commit).await?;
        }
        Ok(())
    }

    /// Forgets the uses that wait.
    pub fn forget_last_uses(&self) {
        self.last_uses.0.lock().clear();
    }

    /// Forgets the use of one that is deleted, as far as it waits.
    pub(crate) fn forget_last_use(&self, id: &str) {
        self.last_uses.0.lock().remove(id);
    }

    /// The last use of an access key or role, if it was ever used.
    pub(crate) async fn last_use(&self, id: &str) -> Result<Option<LastUseRecord>, Error> {
        let waiting = self.last_uses.0.lock().get(id).cloned();
        if let Some(last) = waiting {
            let (at, service) = (Some(last.at), last.service.to_owned());
            let region = last.region.as_str().to_owned();
            return Ok(Some(LastUseRecord { at, service, region }));
        }
        Ok(self.stored(layout::last_use(id)).await?.map(|stored| stored.record))
    }
}
