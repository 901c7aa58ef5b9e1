//! A store that is watched: how its commits end and how long they take.
//!
//! Must not know what a record means. Reads go through as they are: they are short and many.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use service::ports::{
    Commit, Item, Observer, Page, Pending, Revision, Store, StoreError, Subscription,
};

use super::histogram::Histogram;

/// Commits, counted.
pub struct StoreStats {
    pub(super) committed: AtomicU64,
    pub(super) conflicts: AtomicU64,
    /// Commits that the store refused for their size.
    pub(super) too_large: AtomicU64,
    pub(super) failures: AtomicU64,
    /// Of those that took place.
    pub(super) durations: Histogram,
    started: Instant,
    /// When a commit last took place, in milliseconds since the start; zero if none has.
    committed_at: AtomicU64,
}

impl Default for StoreStats {
    fn default() -> Self {
        Self {
            committed: AtomicU64::new(0),
            conflicts: AtomicU64::new(0),
            too_large: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            durations: Histogram::default(),
            started: Instant::now(),
            committed_at: AtomicU64::new(0),
        }
    }
}

impl StoreStats {
    /// How long ago a commit last took place.
    pub fn last_commit(&self) -> Option<Duration> {
        let at = Some(self.committed_at.load(Ordering::Acquire)).filter(|at| *at > 0)?;
        Some(self.started.elapsed().saturating_sub(Duration::from_millis(at)))
    }

    fn note(&self, began: Instant, result: &Result<Revision, StoreError>) {
        let counter = match result {
            Ok(_) => {
                self.durations.record(began.elapsed());
                let at = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
                self.committed_at.fetch_max(at.max(1), Ordering::AcqRel);
                &self.committed
            }
            Err(StoreError::Conflict) => &self.conflicts,
            Err(StoreError::TooLarge) => &self.too_large,
            Err(StoreError::Unavailable(_) | StoreError::Compacted) => &self.failures,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// A store whose commits are counted.
pub struct ObservedStore {
    store: Arc<dyn Store>,
    stats: Arc<StoreStats>,
}

impl ObservedStore {
    /// The same store, watched.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, stats: Arc::default() }
    }

    /// What was counted.
    pub fn stats(&self) -> Arc<StoreStats> {
        Arc::clone(&self.stats)
    }
}

impl Store for ObservedStore {
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
            let began = Instant::now();
            let result = self.store.commit(commit).await;
            self.stats.note(began, &result);
            result
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

#[cfg(test)]
mod tests {
    use service::ports::Expect;

    use super::*;

    #[tokio::test]
    async fn commits_are_counted_by_their_end() {
        let store = ObservedStore::new(Arc::new(storage::Memory::new()));
        let stats = store.stats();
        assert_eq!(stats.last_commit(), None);
        let put = |expect: Expect| Commit {
            preconditions: vec![("a".to_owned(), expect)],
            puts: vec![("a".to_owned(), vec![1])],
            ..Commit::default()
        };
        store.commit(put(Expect::Absent)).await.unwrap();
        assert!(store.commit(put(Expect::Absent)).await.is_err());
        let large = Commit { puts: vec![(String::new(), Vec::new())], ..Commit::default() };
        assert!(store.commit(large).await.is_err());
        let counted = [&stats.committed, &stats.conflicts, &stats.too_large, &stats.failures];
        assert_eq!(counted.map(|counter| counter.load(Ordering::Relaxed)), [1, 1, 1, 0]);
        assert_eq!(stats.durations.read().count, 1);
        assert!(stats.last_commit().unwrap() < Duration::from_secs(10));
        assert_eq!(store.get("a").await.unwrap().unwrap().value, [1]);
    }
}
