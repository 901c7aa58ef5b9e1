//! A store that fails after a number of commits, the last one before it failed or took place: what
//! crashes look like.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use service::ports::{
    Commit, Item, Observer, Page, Pending, Revision, Store, StoreError, Subscription,
};

/// More commits than any test makes.
pub(super) const ALL: i64 = i64::MAX / 2;

/// A store in memory that takes so many commits more and then fails.
pub(super) struct Faulty {
    store: storage::Memory,
    left: AtomicI64,
}

impl Faulty {
    /// One that takes all commits.
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { store: storage::Memory::new(), left: AtomicI64::new(ALL) })
    }

    /// From now on it takes so many commits; of those behind, the first takes place all the same.
    pub(super) fn takes(&self, commits: i64) {
        self.left.store(commits, Ordering::SeqCst);
    }

    /// All that is stored below that prefix.
    pub(super) async fn below(&self, prefix: &str) -> Vec<Item> {
        self.store.range(prefix, "", 10_000).await.unwrap().items
    }

    /// Writes a record, whatever is there.
    pub(super) async fn put(&self, key: &str, value: Vec<u8>) {
        let puts = vec![(key.to_owned(), value)];
        self.store.commit(Commit { puts, ..Commit::default() }).await.unwrap();
    }
}

impl Store for Faulty {
    fn get<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreError>> {
        self.store.get(key)
    }

    fn range<'a>(
        &'a self,
        prefix: &'a str,
        after: &'a str,
        limit: usize,
    ) -> Pending<'a, Result<Page, StoreError>> {
        self.store.range(prefix, after, limit)
    }

    fn commit(&self, commit: Commit) -> Pending<'_, Result<Revision, StoreError>> {
        Box::pin(async move {
            let left = self.left.fetch_sub(1, Ordering::SeqCst);
            if left >= 0 {
                let done = self.store.commit(commit).await;
                if left > 0 {
                    return done;
                }
            }
            Err(StoreError::Unavailable("the disk is full".into()))
        })
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
