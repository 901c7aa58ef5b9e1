//! What a principal may do with a key by its grants: the index by grantee, and its cache.
//!
//! A request that needs a grant looks only at the grants of its own caller on its own key; the
//! key's other grants cost it nothing.

use std::collections::HashSet;
use std::sync::Arc;

use service::Error;
use wire::enums::GrantOperation;

use crate::cache::StateCache;
use crate::grants::{Circumstances, Terms};
use crate::key::Key;
use crate::records::decode;
use crate::{Kms, layout};

/// How many entries are read from the store at once.
const BATCH: usize = 1_000;

/// How many terms take as much of the cache as a key does.
const TERMS_PER_WEIGHT: usize = 32;

/// The terms of all grants that one principal has on one key.
pub(crate) struct Granted(Vec<Terms>);

impl Granted {
    /// A cache of those that were looked up, also of those that are empty.
    pub(crate) fn cache(capacity: usize) -> StateCache<Self> {
        let weight = |granted: &Self| 1 + (granted.0.len() / TERMS_PER_WEIGHT) as u64;
        StateCache::of_groups(layout::GRANTEES, capacity, grantee_of, weight)
    }

    fn allow(&self, operation: GrantOperation, request: &Circumstances) -> bool {
        self.0.iter().any(|terms| terms.allow(operation, request))
    }
}

/// The part of an entry's store key that all entries of its grantee on its key begin with.
fn grantee_of(entry: &str) -> &str {
    entry.rfind('!').map_or(entry, |at| &entry[..=at])
}

impl Kms {
    /// Whether a grant on the key allows that principal the action.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn is_granted(
        &self,
        key: &Key,
        principal: &str,
        action: &str,
        request: &Circumstances,
    ) -> Result<bool, Error> {
        let operation = action.strip_prefix("kms:").and_then(GrantOperation::parse);
        let Some(operation) = operation else { return Ok(false) };
        Ok(self.granted(key, principal).await?.allow(operation, request))
    }

    async fn granted(&self, key: &Key, principal: &str) -> Result<Arc<Granted>, Error> {
        let place = layout::grantee(&key.account, &key.region, key.id.as_str(), principal);
        if let Some(granted) = self.grants.get(&place) {
            return Ok(granted);
        }
        let ticket = self.grants.before_load(&place);
        // Many grants of one grantee tend to say the same.
        let mut terms = HashSet::new();
        let mut after = String::new();
        loop {
            let page = self.store.range(&place, &after, BATCH).await?;
            for item in &page.items {
                terms.insert(decode::<Terms>(&item.value)?);
            }
            match page.items.into_iter().next_back() {
                Some(last) if page.more => after = last.key,
                _ => break,
            }
        }
        let granted = Arc::new(Granted(terms.into_iter().collect()));
        self.grants.keep(&ticket, place, Arc::clone(&granted));
        Ok(granted)
    }
}
