//! A store that fails after a number of commits, or waits before one: what interruptions look like.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};

use parking_lot::Mutex;
use service::ports::{
    Commit, Item, Observer, Page, Pending, Revision, Store, StoreError, Subscription,
};

/// A store in memory that takes so many commits more and then fails, and can wait before one.
pub(crate) struct Failing {
    store: storage::Memory,
    left: AtomicI64,
    waits: Mutex<Option<Wait>>,
}

/// Tells that a commit is about to take place, and learns when it may.
struct Wait {
    reached: Sender<()>,
    go_on: Receiver<()>,
}

/// More commits than any test makes.
pub(crate) const ALL: i64 = i64::MAX / 2;

impl Failing {
    /// One that takes all commits.
    pub(crate) fn new() -> Arc<Self> {
        let (store, left) = (storage::Memory::new(), AtomicI64::new(ALL));
        Arc::new(Self { store, left, waits: Mutex::default() })
    }

    /// Does something just before the first commit of what is started.
    pub(crate) fn meanwhile(&self, start: impl FnOnce() + Send, meanwhile: impl FnOnce()) {
        let (reached, has_reached) = mpsc::channel();
        let (goes_on, go_on) = mpsc::channel();
        *self.waits.lock() = Some(Wait { reached, go_on });
        std::thread::scope(|scope| {
            let started = scope.spawn(start);
            has_reached.recv().unwrap();
            meanwhile();
            goes_on.send(()).unwrap();
            started.join().unwrap();
        });
    }

    /// From now on it takes so many commits.
    pub(crate) fn takes(&self, commits: i64) {
        self.left.store(commits, Ordering::SeqCst);
    }
}

impl Store for Failing {
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
        let waits = self.waits.lock().take();
        if let Some(Wait { reached, go_on }) = waits {
            reached.send(()).unwrap();
            go_on.recv().unwrap();
        }
        if self.left.fetch_sub(1, Ordering::SeqCst) <= 0 {
            let failure = Err(StoreError::Unavailable("the disk is full".into()));
            return Box::pin(std::future::ready(failure));
        }
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
