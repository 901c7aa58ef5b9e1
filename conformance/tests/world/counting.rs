//! A store that counts the records it gives: what a request costs, whatever the machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use service::ports::{
    Commit, Item, Observer, Page, Pending, Revision, Store, StoreError, Subscription,
};

/// A store in memory.
#[derive(Default)]
pub(crate) struct Counting {
    store: storage::Memory,
    read: AtomicUsize,
}

impl Counting {
    /// How many records were asked for by their keys, or given by a range, while `act` ran.
    pub(crate) fn during(&self, act: impl FnOnce()) -> usize {
        let before = self.read.load(Ordering::SeqCst);
        act();
        self.read.load(Ordering::SeqCst) - before
    }
}

impl Store for Counting {
    fn get<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreError>> {
        self.read.fetch_add(1, Ordering::SeqCst);
        self.store.get(key)
    }

    fn range<'a>(
        &'a self,
        prefix: &'a str,
        after: &'a str,
        limit: usize,
    ) -> Pending<'a, Result<Page, StoreError>> {
        Box::pin(async move {
            let page = self.store.range(prefix, after, limit).await?;
            self.read.fetch_add(page.items.len(), Ordering::SeqCst);
            Ok(page)
        })
    }

    fn commit(&self, commit: Commit) -> Pending<'_, Result<Revision, StoreError>> {
        self.store.commit(commit)
    }

    fn watch(
        &self,
        from: Revision,
        observer: Arc<dyn Observer>,
    ) -> Result<Subscription, StoreError> {
        self.store.watch(from, observer)
    }

    fn revision(&self) -> Revision {
        self.store.revision()
    }
}
