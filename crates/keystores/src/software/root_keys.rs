//! The root key, and while it is being replaced the one before it.
//!
//! Must not know how a root key is sealed: whoever replaces it has stored the previous one, wrapped
//! under the new one, before anything here learns of it.

use std::sync::Arc;

use crypto::{DomainKey, RootKey};
use parking_lot::RwLock;
use service::ports::{Item, KeyStoreError, Store};

use super::domain_keys::store_failed;
use super::unopened;

/// Where the previous root key stands while there are domain keys under it.
pub(super) const PREVIOUS: &str = "keystore/root-key/previous";

/// The root keys that open domain keys.
pub(super) struct RootKeys {
    store: Arc<dyn Store>,
    held: RwLock<Held>,
}

#[derive(Clone)]
struct Held {
    current: Arc<RootKey>,
    previous: Option<Arc<RootKey>>,
}

/// Which root key a domain key was wrapped by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Under {
    Current,
    Previous,
}

impl RootKeys {
    pub(super) fn new(store: Arc<dyn Store>, current: RootKey) -> Self {
        let held = Held { current: Arc::new(current), previous: None };
        Self { store, held: RwLock::new(held) }
    }

    /// The root key that wraps domain keys.
    pub(super) fn current(&self) -> Arc<RootKey> {
        Arc::clone(&self.held.read().current)
    }

    /// Opens a domain key, be it by the previous root key.
    ///
    /// # Errors
    /// [`KeyStoreError::Damaged`] if neither opens it; those of the store.
    pub(super) async fn open(
        &self,
        wrapped: &[u8],
        binding: &[u8],
    ) -> Result<(DomainKey, Under), KeyStoreError> {
        let Held { current, previous } = self.held.read().clone();
        match current.unwrap_domain_key(wrapped, binding).map_err(unopened) {
            Err(KeyStoreError::Damaged) => {}
            result => return result.map(|key| (key, Under::Current)),
        }
        let previous = match previous {
            Some(previous) => previous,
            None => self.load_previous(&current).await?.ok_or(KeyStoreError::Damaged)?.1,
        };
        let opened = previous.unwrap_domain_key(wrapped, binding).map_err(unopened)?;
        Ok((opened, Under::Previous))
    }

    /// The stored previous root key, opened by `current`, with its record.
    ///
    /// # Errors
    /// [`KeyStoreError::Damaged`] if it doesn't open; those of the store.
    pub(super) async fn load_previous(
        &self,
        current: &Arc<RootKey>,
    ) -> Result<Option<(Item, Arc<RootKey>)>, KeyStoreError> {
        let item = self.store.get(PREVIOUS).await.map_err(store_failed)?;
        let Some(item) = item else { return Ok(None) };
        let previous = Arc::new(current.unwrap_root_key(&item.value).map_err(unopened)?);
        let mut held = self.held.write();
        if Arc::ptr_eq(&held.current, current) {
            held.previous = Some(Arc::clone(&previous));
        }
        Ok(Some((item, previous)))
    }

    /// From now on `new` wraps; `previous` opens what it wrapped.
    pub(super) fn replace(&self, new: Arc<RootKey>, previous: Arc<RootKey>) {
        *self.held.write() = Held { current: new, previous: Some(previous) };
    }

    /// Nothing is under the previous root key any more.
    pub(super) fn forget_previous(&self) {
        self.held.write().previous = None;
    }
}
