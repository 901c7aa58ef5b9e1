//! Another root key: every domain key is wrapped under it, one after the other, while all of them
//! can be opened.
//!
//! Whoever replaces the root key stores the previous one first, wrapped under the new one. From
//! then on a crash at any point leaves domain keys that open by one of the two, and
//! [`DomainKeys::finish_replacing`] goes on.

use std::sync::Arc;

use crypto::RootKey;
use service::ports::{Commit, Expect, Item, KeyStoreError};

use super::{Dates, DomainKeyState, DomainKeys, Under, place, store_failed};
use crate::software::root_keys::PREVIOUS;
use crate::software::unopened;

impl DomainKeys {
    /// Takes `new` for the root key and wraps every domain key under it.
    pub(crate) async fn replace_root_key(&self, new: RootKey) -> Result<(), KeyStoreError> {
        let _writing = self.writing.lock().await;
        let new = Arc::new(new);
        let stored = self.root_keys.load_previous(&new).await?;
        let (item, previous) = stored.ok_or_else(|| {
            KeyStoreError::Unavailable("the previous root key was not stored first".into())
        })?;
        // A pair of root keys that doesn't open everything must not be taken.
        for DomainKeyState { region, number, .. } in self.list().await? {
            let place = place(&region, number);
            let Some(record) = self.store.get(&place).await.map_err(store_failed)? else {
                continue;
            };
            let (dates, wrapped) = Dates::split(&record.value).ok_or(KeyStoreError::Damaged)?;
            let binding = dates.binding(&region, number);
            let opened = new.unwrap_domain_key(wrapped, &binding);
            opened.or_else(|_| previous.unwrap_domain_key(wrapped, &binding)).map_err(unopened)?;
        }
        self.root_keys.replace(new, previous);
        self.wrap_all(&item).await
    }

    /// Goes on where replacing the root key was interrupted; false if there is nothing to do.
    pub(crate) async fn finish_replacing(&self) -> Result<bool, KeyStoreError> {
        if self.store.get(PREVIOUS).await.map_err(store_failed)?.is_none() {
            return Ok(false);
        }
        let _writing = self.writing.lock().await;
        match self.root_keys.load_previous(&self.root_keys.current()).await {
            Ok(Some((item, _))) => self.wrap_all(&item).await.map(|()| true),
            // Stored a moment ago for a root key that isn't ours yet: `replace_root_key` follows.
            Ok(None) | Err(KeyStoreError::Damaged) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// To be called while writing, with the record of the previous root key.
    async fn wrap_all(&self, previous: &Item) -> Result<(), KeyStoreError> {
        for DomainKeyState { region, number, .. } in self.list().await? {
            let read = self.read(&region, number).await?;
            if read.under == Under::Current {
                continue;
            }
            let expect = Expect::At(read.revision);
            if !self.write(&region, number, &read.key, read.dates, expect).await? {
                return Err(KeyStoreError::Unavailable("a domain key changed meanwhile".into()));
            }
        }
        let preconditions = vec![(PREVIOUS.to_owned(), Expect::At(previous.revision))];
        let deletes = vec![PREVIOUS.to_owned()];
        if self.unless_overtaken(Commit { preconditions, puts: Vec::new(), deletes }).await? {
            self.root_keys.forget_previous();
        }
        Ok(())
    }
}
