//! What `commit` promises.

use service::ports::{Commit, Expect, Revision, StoreError};

use super::{Fixture, delete, put, when};

pub(crate) async fn a_put_is_read_with_its_revision(store: Fixture) {
    let revision = store.put("k", b"v").await;
    let item = store.item("k").await.unwrap();
    assert_eq!((item.key, item.value, item.revision), ("k".to_owned(), b"v".to_vec(), revision));
}

pub(crate) async fn a_put_replaces(store: Fixture) {
    let first = store.put("k", b"one").await;
    let second = store.put("k", b"two").await;
    let item = store.item("k").await.unwrap();
    assert_eq!(item.value, b"two");
    assert_eq!(item.revision, second);
    assert!(second > first);
}

pub(crate) async fn a_delete_removes(store: Fixture) {
    store.put("k", b"v").await;
    store.put("other", b"v").await;
    store.commit(delete("k")).await.unwrap();
    assert_eq!(store.item("k").await, None);
    assert_eq!(store.keys("", "", 9).await.0, ["other"]);
    store.put("k", b"again").await;
    assert_eq!(store.value("k").await.unwrap(), b"again");
    // An absent record is no error.
    store.commit(delete("never")).await.unwrap();
}

pub(crate) async fn each_commit_makes_the_next_revision(store: Fixture) {
    let start = store.revision();
    for step in 1..20 {
        let revision = match step % 3 {
            0 => store.commit(delete("k")).await.unwrap(),
            _ => store.put("k", b"v").await,
        };
        assert_eq!(revision, Revision(start.0 + step));
        assert_eq!(store.revision(), revision);
    }
}

pub(crate) async fn absent_holds_only_of_what_is_absent(store: Fixture) {
    let create = || when(put("k", b"v"), "k", Expect::Absent);
    store.commit(create()).await.unwrap();
    assert!(matches!(store.commit(create()).await, Err(StoreError::Conflict)));
    store.commit(delete("k")).await.unwrap();
    store.commit(create()).await.unwrap();
}

pub(crate) async fn at_holds_only_of_the_latest_write(store: Fixture) {
    let first = store.put("k", b"one").await;
    let replace = |revision| when(put("k", b"new"), "k", Expect::At(revision));
    let second = store.commit(replace(first)).await.unwrap();
    for stale in [first, Revision(second.0 + 1), Revision(0), Revision(u64::MAX)] {
        assert!(matches!(store.commit(replace(stale)).await, Err(StoreError::Conflict)));
    }
    store.put("other", b"v").await;
    store.commit(replace(second)).await.unwrap();
    // A record that is gone is at no revision, and one that returns is at a new one.
    let last = store.item("k").await.unwrap().revision;
    store.commit(delete("k")).await.unwrap();
    assert!(matches!(store.commit(replace(last)).await, Err(StoreError::Conflict)));
    store.put("k", b"again").await;
    assert!(matches!(store.commit(replace(last)).await, Err(StoreError::Conflict)));
}

pub(crate) async fn a_conflict_changes_nothing(store: Fixture) {
    let before = store.put("a", b"old").await;
    store.put("b", b"old").await;
    let revision = store.revision();
    let failing = Commit {
        preconditions: vec![
            ("a".to_owned(), Expect::At(before)),
            ("new".to_owned(), Expect::Absent),
            ("b".to_owned(), Expect::Absent),
        ],
        puts: vec![("a".to_owned(), b"new".to_vec()), ("new".to_owned(), b"new".to_vec())],
        deletes: vec!["b".to_owned()],
    };
    assert!(matches!(store.commit(failing).await, Err(StoreError::Conflict)));
    assert_eq!(store.value("a").await.unwrap(), b"old");
    assert_eq!(store.value("b").await.unwrap(), b"old");
    assert_eq!(store.item("new").await, None);
    assert_eq!(store.revision(), revision);
    // The next commit makes the next revision: the refused one has left no gap.
    assert_eq!(store.put("c", b"").await, Revision(revision.0 + 1));
}

/// Two records are always written together, so whoever reads both in one range sees them equal.
pub(crate) async fn a_commit_is_atomic(store: Fixture) {
    let pair = |number: u32| Commit {
        puts: ["p/1", "p/2"].map(|key| (key.to_owned(), number.to_le_bytes().to_vec())).to_vec(),
        ..Commit::default()
    };
    store.commit(pair(0)).await.unwrap();
    let writer = store.clone();
    let writing = tokio::spawn(async move {
        for number in 1..300 {
            writer.commit(pair(number)).await.unwrap();
        }
    });
    let mut reads = 0;
    while !writing.is_finished() || reads < 100 {
        let page = store.range("p/", "", 2).await.unwrap();
        assert_eq!(page.items[0].value, page.items[1].value);
        assert_eq!(page.items[0].revision, page.items[1].revision);
        reads += 1;
        tokio::task::yield_now().await;
    }
    writing.await.unwrap();
}

pub(crate) async fn concurrent_increments_lose_nothing(store: Fixture) {
    const TASKS: u64 = 32;
    const EACH: u64 = 10;
    store.put("counter", &0_u64.to_le_bytes()).await;
    let start = store.revision();
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                for _ in 0..EACH {
                    increment(&store).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let value = store.value("counter").await.unwrap();
    assert_eq!(u64::from_le_bytes(value.try_into().unwrap()), TASKS * EACH);
    assert_eq!(store.revision(), Revision(start.0 + TASKS * EACH));
}

async fn increment(store: &Fixture) {
    loop {
        let item = store.item("counter").await.unwrap();
        let next = u64::from_le_bytes(item.value.try_into().unwrap()) + 1;
        let commit =
            when(put("counter", &next.to_le_bytes()), "counter", Expect::At(item.revision));
        match store.commit(commit).await {
            Ok(_) => return,
            Err(StoreError::Conflict) => tokio::task::yield_now().await,
            Err(other) => panic!("{other}"),
        }
    }
}

pub(crate) async fn reads_see_answered_commits(store: Fixture) {
    let tasks: Vec<_> = (0..16_u32)
        .map(|task| {
            let store = store.clone();
            tokio::spawn(async move {
                let key = format!("k/{task:02}");
                for number in 0..50_u32 {
                    let revision = store.put(&key, &number.to_le_bytes()).await;
                    let item = store.item(&key).await.unwrap();
                    assert_eq!(item.value, number.to_le_bytes());
                    assert_eq!(item.revision, revision);
                    assert!(store.revision() >= revision);
                    let page = store.range(&key, "", 1).await.unwrap();
                    assert_eq!(page.items, [item]);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

pub(crate) async fn a_dropped_future_leaves_the_store_whole(store: Fixture) {
    for number in 0..100 {
        let commit = store.commit(put(&format!("k/{number}"), b"v"));
        // Polled once and dropped: the commit may take place or not, but nothing gets stuck.
        let _ = tokio::time::timeout(std::time::Duration::ZERO, commit).await;
    }
    let revision = store.put("last", b"v").await;
    let (keys, _) = store.keys("k/", "", 1000).await;
    assert_eq!(revision, Revision(keys.len() as u64 + 1));
}
