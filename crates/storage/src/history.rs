//! The latest changes and who is told of them: the half of the contract that `watch` states.
//!
//! A store publishes each change here once it is durable and visible to reads, and answers the
//! commit afterwards. Must not know how records are kept.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use service::ports::{Change, Observer, Revision, StoreError, Subscription};

/// How many changes are kept for observers that subscribe late.
const KEPT: usize = 4096;

/// The changes of a store since it was opened, as far as they are kept.
pub(crate) struct History(Mutex<Inner>);

struct Inner {
    /// The revision of the latest published change.
    revision: Revision,
    /// The revision after which every change is in `changes`.
    begins: Revision,
    changes: VecDeque<Change>,
    observers: Vec<(u64, Arc<dyn Observer>)>,
    next_id: u64,
}

impl History {
    /// A history without changes, of a store that stands at `revision`.
    pub(crate) fn starting_at(revision: Revision) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Inner {
            revision,
            begins: revision,
            changes: VecDeque::new(),
            observers: Vec::new(),
            next_id: 0,
        })))
    }

    /// The revision of the latest published change.
    pub(crate) fn revision(&self) -> Revision {
        self.0.lock().revision
    }

    /// Keeps the change and tells every observer of it before this returns.
    ///
    /// The lock is held meanwhile: a subscription can neither miss the change nor see it out of
    /// order, and an observer whose subscription was dropped is not called any more.
    pub(crate) fn publish(&self, change: Change) {
        let mut inner = self.0.lock();
        for (_, observer) in &inner.observers {
            observer.changed(&change);
        }
        inner.revision = change.revision;
        inner.changes.push_back(change);
        if inner.changes.len() > KEPT
            && let Some(forgotten) = inner.changes.pop_front()
        {
            inner.begins = forgotten.revision;
        }
    }

    /// Tells the observer of the kept changes after `from` and subscribes it to those to come.
    ///
    /// A `from` ahead of the store is refused like one that is too old: the observer has seen
    /// another history than this one, of a store that was since restored from a backup, say.
    pub(crate) fn watch(
        self: &Arc<Self>,
        from: Revision,
        observer: Arc<dyn Observer>,
    ) -> Result<Subscription, StoreError> {
        let mut inner = self.0.lock();
        if from < inner.begins || from > inner.revision {
            return Err(StoreError::Compacted);
        }
        let first = inner.changes.partition_point(|change| change.revision <= from);
        for change in inner.changes.range(first..) {
            observer.changed(change);
        }
        let id = inner.next_id;
        inner.next_id += 1;
        inner.observers.push((id, observer));
        Ok(Subscription::new(Guard { history: Arc::downgrade(self), id }))
    }
}

/// Ends one observer's subscription when it is dropped.
struct Guard {
    history: Weak<History>,
    id: u64,
}

impl Drop for Guard {
    fn drop(&mut self) {
        let Some(history) = self.history.upgrade() else { return };
        let mut inner = history.0.lock();
        let Some(at) = inner.observers.iter().position(|(id, _)| *id == self.id) else { return };
        let (_, observer) = inner.observers.remove(at);
        // Dropping the observer may run code of its own, which must be free to use the store.
        drop(inner);
        drop(observer);
    }
}
