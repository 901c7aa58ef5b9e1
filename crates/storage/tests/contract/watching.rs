//! What `watch` promises.

use std::sync::{Arc, Mutex};

use service::ports::{Change, Commit, Expect, Observer, Revision, StoreError};

use super::{Fixture, delete, put, when};

/// Notes what it is told.
#[derive(Default)]
struct Notes(Mutex<Vec<Change>>);

impl Observer for Notes {
    fn changed(&self, change: &Change) {
        self.0.lock().unwrap().push(change.clone());
    }
}

impl Notes {
    fn revisions(&self) -> Vec<u64> {
        self.0.lock().unwrap().iter().map(|change| change.revision.0).collect()
    }

    fn keys(&self) -> Vec<Vec<String>> {
        self.0.lock().unwrap().iter().map(|change| change.keys.clone()).collect()
    }
}

pub(crate) async fn every_commit_is_told_in_order(store: Fixture) {
    let (one, two) = (Arc::new(Notes::default()), Arc::new(Notes::default()));
    let start = store.revision();
    let _first = store.watch(start, one.clone()).unwrap();
    let _second = store.watch(start, two.clone()).unwrap();
    let tasks: Vec<_> = (0..16)
        .map(|task| {
            let store = store.clone();
            tokio::spawn(async move {
                for _ in 0..20 {
                    store.put(&format!("k/{task}"), b"v").await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let expected: Vec<u64> = (start.0 + 1..=start.0 + 320).collect();
    assert_eq!(one.revisions(), expected);
    assert_eq!(two.revisions(), expected);
}

pub(crate) async fn the_past_is_replayed(store: Fixture) {
    let start = store.revision();
    for _ in 0..5 {
        store.put("k", b"v").await;
    }
    for seen in 0..=5 {
        let notes = Arc::new(Notes::default());
        let _subscription = store.watch(Revision(start.0 + seen), notes.clone()).unwrap();
        let expected: Vec<u64> = (start.0 + seen + 1..=start.0 + 5).collect();
        assert_eq!(notes.revisions(), expected);
    }
}

pub(crate) async fn the_forgotten_is_compacted(store: Fixture) {
    let start = store.revision();
    // Far more commits than any store keeps, several at once for the sake of time.
    let tasks: Vec<_> = (0..64)
        .map(|task| {
            let store = store.clone();
            tokio::spawn(async move {
                for _ in 0..80 {
                    store.put(&format!("k/{task}"), b"").await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let notes = Arc::new(Notes::default());
    let refused = store.watch(start, notes.clone());
    assert!(matches!(refused, Err(StoreError::Compacted)));
    assert_eq!(notes.revisions(), [0; 0]);
    let latest = store.revision();
    let _subscription = store.watch(Revision(latest.0 - 1000), notes.clone()).unwrap();
    assert_eq!(notes.revisions().len(), 1000);
}

pub(crate) async fn the_future_is_compacted(store: Fixture) {
    let ahead = Revision(store.revision().0 + 1);
    let refused = store.watch(ahead, Arc::new(Notes::default()));
    assert!(matches!(refused, Err(StoreError::Compacted)));
}

pub(crate) async fn a_dropped_subscription_ends(store: Fixture) {
    let (ended, other) = (Arc::new(Notes::default()), Arc::new(Notes::default()));
    let start = store.revision();
    let subscription = store.watch(start, ended.clone()).unwrap();
    let kept = store.watch(start, other.clone()).unwrap();
    store.put("k", b"v").await;
    drop(subscription);
    assert_eq!(Arc::strong_count(&ended), 1, "the store still holds the observer");
    store.put("k", b"v").await;
    assert_eq!(ended.revisions(), [start.0 + 1]);
    assert_eq!(other.revisions(), [start.0 + 1, start.0 + 2]);
    // A subscription may outlive its store.
    let outliving = store.watch(store.revision(), ended.clone()).unwrap();
    drop((kept, store));
    drop(outliving);
}

/// Whoever has the answer acts after every observer was told, without any exception.
pub(crate) async fn told_before_answered(store: Fixture) {
    let notes = Arc::new(Notes::default());
    let _subscription = store.watch(store.revision(), notes.clone()).unwrap();
    let tasks: Vec<_> = (0..16)
        .map(|task| {
            let (store, notes) = (store.clone(), notes.clone());
            tokio::spawn(async move {
                for _ in 0..50 {
                    let revision = store.put(&format!("k/{task}"), b"v").await;
                    assert!(notes.revisions().contains(&revision.0));
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

/// Subscribing in the middle of a stream of commits neither loses nor repeats any.
pub(crate) async fn late_subscribers_miss_nothing(store: Fixture) {
    let start = store.revision();
    let writer = store.clone();
    let writing = tokio::spawn(async move {
        for _ in 0..500 {
            writer.put("k", b"v").await;
        }
    });
    let mut watching = Vec::new();
    while !writing.is_finished() {
        let notes = Arc::new(Notes::default());
        watching.push((store.watch(start, notes.clone()).unwrap(), notes));
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    writing.await.unwrap();
    let expected: Vec<u64> = (start.0 + 1..=start.0 + 500).collect();
    for (_subscription, notes) in watching {
        assert_eq!(notes.revisions(), expected);
    }
}

pub(crate) async fn only_what_changed_is_told(store: Fixture) {
    let notes = Arc::new(Notes::default());
    let _subscription = store.watch(store.revision(), notes.clone()).unwrap();
    let several = Commit {
        preconditions: vec![("read".to_owned(), Expect::Absent)],
        puts: vec![("a".to_owned(), vec![]), ("b".to_owned(), vec![])],
        deletes: vec!["absent".to_owned()],
    };
    store.commit(several).await.unwrap();
    store.commit(delete("a")).await.unwrap();
    assert_eq!(notes.keys(), [vec!["a".to_owned(), "b".to_owned()], vec!["a".to_owned()]]);
}

pub(crate) async fn conflicts_are_not_told(store: Fixture) {
    store.put("k", b"v").await;
    let notes = Arc::new(Notes::default());
    let _subscription = store.watch(store.revision(), notes.clone()).unwrap();
    let conflict = store.commit(when(put("k", b"w"), "k", Expect::Absent)).await;
    assert!(matches!(conflict, Err(StoreError::Conflict)));
    assert_eq!(notes.revisions(), [0; 0]);
}
