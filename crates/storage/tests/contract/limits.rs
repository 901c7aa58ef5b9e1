//! What a commit may hold. What breaks a limit changes nothing.

use service::ports::{Commit, Expect, StoreError, VALUE_MAX};
use storage::{COMMIT_MAX, KEY_MAX, OPERATIONS_MAX};

use super::{Fixture, delete, put, when};

async fn too_large(store: &Fixture, commit: Commit) {
    let before = store.revision();
    let result = store.commit(commit).await;
    assert!(matches!(result, Err(StoreError::TooLarge)), "{result:?}");
    assert_eq!(store.revision(), before);
}

pub(crate) async fn keys(store: Fixture) {
    // 512 bytes of two-byte characters: bytes count, not characters.
    let longest = "é".repeat(KEY_MAX / 2);
    store.put(&longest, b"v").await;
    assert_eq!(store.value(&longest).await.unwrap(), b"v");
    store.commit(delete(&longest)).await.unwrap();
    for bad in [String::new(), format!("{longest}x")] {
        too_large(&store, put(&bad, b"v")).await;
        too_large(&store, delete(&bad)).await;
        too_large(&store, when(put("k", b"v"), &bad, Expect::Absent)).await;
    }
    assert_eq!(store.keys("", "", 9).await.0.len(), 0);
}

pub(crate) async fn values(store: Fixture) {
    store.put("k", &vec![7; VALUE_MAX]).await;
    too_large(&store, put("k", &vec![8; VALUE_MAX + 1])).await;
    assert_eq!(store.value("k").await.unwrap()[0], 7);
}

pub(crate) async fn operations(store: Fixture) {
    let key = |number| format!("k/{number}");
    let full = || Commit {
        preconditions: (0..OPERATIONS_MAX).map(|n| (key(n), Expect::Absent)).collect(),
        puts: (0..OPERATIONS_MAX / 2).map(|n| (key(n), vec![])).collect(),
        deletes: (OPERATIONS_MAX / 2..OPERATIONS_MAX).map(key).collect(),
    };
    let mut commit = full();
    commit.puts.push(("one more".to_owned(), vec![]));
    too_large(&store, commit).await;
    let mut commit = full();
    commit.deletes.push("one more".to_owned());
    too_large(&store, commit).await;
    too_large(&store, when(full(), "one more", Expect::Absent)).await;
    store.commit(full()).await.unwrap();
    assert_eq!(store.keys("k/", "", 1000).await.0.len(), OPERATIONS_MAX / 2);
}

pub(crate) async fn total_size(store: Fixture) {
    let of = |rest| Commit {
        puts: vec![
            ("a".to_owned(), vec![1; VALUE_MAX]),
            ("b".to_owned(), vec![2; COMMIT_MAX - VALUE_MAX - 2 + rest]),
        ],
        ..Commit::default()
    };
    too_large(&store, of(1)).await;
    store.commit(of(0)).await.unwrap();
}

pub(crate) async fn a_key_twice(store: Fixture) {
    let twice = |puts: &[&str], deletes: &[&str]| Commit {
        puts: puts.iter().map(|key| ((*key).to_owned(), vec![])).collect(),
        deletes: deletes.iter().map(|key| (*key).to_owned()).collect(),
        ..Commit::default()
    };
    for commit in [twice(&["k", "other", "k"], &[]), twice(&["k"], &["k"]), twice(&[], &["k", "k"])]
    {
        let result = store.commit(commit).await;
        assert!(matches!(result, Err(StoreError::Unavailable(_))), "{result:?}");
    }
    assert_eq!(store.keys("", "", 9).await.0.len(), 0);
    // As a precondition a key may stand twice.
    let commit = when(put("k", b"v"), "k", Expect::Absent);
    store.commit(when(commit, "k", Expect::Absent)).await.unwrap();
}
