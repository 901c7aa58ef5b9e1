//! Snapshots of a database in use, and databases made of them.

use std::convert::Infallible;
use std::path::Path;

use service::ports::{Commit, Item, Revision, Store as _};
use storage::{CopyError, Embedded, Snapshot};

async fn put(store: &Embedded, key: &str, value: &[u8]) {
    let puts = vec![(key.to_owned(), value.to_vec())];
    store.commit(Commit { puts, ..Commit::default() }).await.unwrap();
}

fn all(snapshot: &Snapshot) -> Vec<Item> {
    let mut items = Vec::new();
    let taken: Result<(), CopyError<Infallible>> = snapshot.records(|item| {
        items.push(item);
        Ok(())
    });
    taken.unwrap();
    items.sort_by(|one, other| one.key.cmp(&other.key));
    items
}

fn restored(path: &Path, revision: Revision, items: &[Item]) -> Result<(), CopyError<Infallible>> {
    let mut items = items.iter().cloned();
    storage::restore(path, revision, || Ok(items.next()))
}

#[tokio::test]
async fn a_snapshot_stays_what_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let store = Embedded::open(&path).unwrap();
    for number in 0..25_000 {
        if number % 100 == 0 {
            put(&store, &format!("key/{number:05}"), format!("value {number}").as_bytes()).await;
        }
    }
    let snapshot = Snapshot::take(&path).unwrap();
    let revision = store.revision();
    put(&store, "key/00000", b"later").await;
    put(&store, "later", b"").await;
    assert_eq!(snapshot.revision(), revision);
    let items = all(&snapshot);
    assert_eq!(items.len(), 250);
    assert_eq!(items[0].value, b"value 0");

    let copy = directory.path().join("copy/store.db");
    std::fs::create_dir(copy.parent().unwrap()).unwrap();
    restored(&copy, snapshot.revision(), &items).unwrap();
    let again = Embedded::open(&copy).unwrap();
    assert_eq!(again.revision(), revision);
    let page = again.range("", "", 1000).await.unwrap();
    assert_eq!(page.items, items);
    put(&again, "key/00000", b"goes on").await;
    assert!(again.revision() > revision);
    drop(again);
    assert_eq!(storage::examine(&copy).unwrap().records, 250);
}

#[test]
fn nothing_is_restored_over_a_database() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let items = [Item { key: "a".to_owned(), value: vec![1], revision: Revision(3) }];
    restored(&path, Revision(3), &items).unwrap();
    restored(&path, Revision(3), &items).unwrap_err();
}

#[test]
fn one_that_breaks_off_is_no_database() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let mut left = 15_000;
    let broken = storage::restore(&path, Revision(9), || {
        left -= 1;
        let item = Item { key: format!("{left}"), value: vec![], revision: Revision(1) };
        if left == 0 { Err("enough") } else { Ok(Some(item)) }
    });
    assert!(matches!(broken, Err(CopyError::Other("enough"))));
    assert!(Embedded::open(&path).is_err());
}
