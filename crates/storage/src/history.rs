//! The latest changes and who is told of them: the half of the contract that `watch` states.
//!
//! A store publishes each change here once it is durable and visible to reads, and answers the
//! commit afterwards. Must not know how records are kept.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use service::ports::{Change, Observer, Revision, StoreError, Subscription};

/// How many changed keys are kept for observers that subscribe late, at most that of the latest
/// change more: a few hundred kilobytes.
const KEPT: usize = 4096;

/// The changes of a store since it was opened, as far as they are kept.
pub(crate) struct History(Mutex<Inner>);

struct Inner {
    /// The revision of the latest published change.
    revision: Revision,
    /// The revision after which every change is in `changes`.
    begins: Revision,
    changes: VecDeque<Change>,
    /// How many keys are in `changes`; a change without any counts as one.
    kept: usize,
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
            kept: 0,
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
        inner.kept += weight(&change);
        inner.changes.push_back(change);
        while inner.kept > KEPT
            && let Some(forgotten) = inner.changes.pop_front()
        {
            inner.kept -= weight(&forgotten);
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

/// How much of what is kept a change takes.
fn weight(change: &Change) -> usize {
    change.keys.len().max(1)
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

#[cfg(test)]
mod tests {
    use super::*;

    struct Nobody;

    impl Observer for Nobody {
        fn changed(&self, _: &Change) {}
    }

    fn publish(history: &History, revision: u64, keys: usize) {
        let keys = (0..keys).map(|n| format!("k{n}")).collect();
        history.publish(Change { revision: Revision(revision), keys });
    }

    #[test]
    fn what_is_kept_is_bounded_in_keys() {
        let history = History::starting_at(Revision(0));
        for revision in 1..=100 {
            publish(&history, revision, 128);
        }
        let kept = KEPT / 128;
        let inner = history.0.lock();
        assert_eq!((inner.changes.len(), inner.kept), (kept, KEPT));
        assert_eq!(inner.begins, Revision(100 - kept as u64));
        drop(inner);
        let at = |revision| history.watch(Revision(revision), Arc::new(Nobody)).is_ok();
        assert!(at(100) && at(100 - kept as u64) && !at(99 - kept as u64));
    }

    #[test]
    fn changes_without_keys_are_bounded_too() {
        let history = History::starting_at(Revision(0));
        for revision in 1..=(KEPT as u64 + 10) {
            publish(&history, revision, 0);
        }
        assert_eq!(history.0.lock().changes.len(), KEPT);
    }
}
