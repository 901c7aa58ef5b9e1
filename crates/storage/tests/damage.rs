//! Damage: whatever bit of the store's files flips, nothing is read that was not written.

use std::fs;
use std::path::{Path, PathBuf};

use service::ports::{Commit, Item, Revision, Store, StoreError};
use storage::{Embedded, OpenError, Reading, examine};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// How many places of each file are flipped, one after the other.
const PLACES: usize = 150;

fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    (directory, path)
}

fn put(store: &Embedded, key: &str, value: &[u8]) -> Result<Revision, StoreError> {
    let puts = vec![(key.to_owned(), value.to_vec())];
    runtime().block_on(store.commit(Commit { puts, ..Commit::default() }))
}

fn get(store: &dyn Store, key: &str) -> Result<Option<Item>, StoreError> {
    runtime().block_on(store.get(key))
}

fn all(store: &dyn Store) -> Result<Vec<Item>, StoreError> {
    Ok(runtime().block_on(store.range("", "", 1_000))?.items)
}

/// Records of several sizes, some of them written twice and some removed.
fn fill(store: &Embedded) {
    for number in 0..60_usize {
        put(store, &format!("k/{number:02}"), &vec![b'a'; number * 37]).unwrap();
    }
    for number in (0..60).step_by(3) {
        put(store, &format!("k/{number:02}"), b"{\"policy\":\"Deny\"}").unwrap();
    }
    let deletes = (0..60).step_by(7).map(|number| format!("k/{number:02}")).collect();
    runtime().block_on(store.commit(Commit { deletes, ..Commit::default() })).unwrap();
}

/// A closed database.
fn filled() -> (TempDir, PathBuf) {
    let (directory, path) = place();
    let store = Embedded::open(&path).unwrap();
    fill(&store);
    drop(store);
    (directory, path)
}

/// The files of a store that was killed: all that it holds is in the write-ahead log.
fn killed() -> (TempDir, PathBuf) {
    let (directory, path) = place();
    let store = Embedded::open(&path).unwrap();
    fill(&store);
    let (copies, copy) = place();
    for entry in fs::read_dir(directory.path()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copies.path().join(entry.file_name())).unwrap();
    }
    drop(store);
    (copies, copy)
}

fn write_all(directory: &Path, files: &[(PathBuf, Vec<u8>)]) {
    for entry in fs::read_dir(directory).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    for (path, content) in files {
        fs::write(path, content).unwrap();
    }
}

/// Flips bits all over the files; gives how many flips were refused, and how many changed nothing.
fn flip_everywhere(directory: &Path, database: &Path, expected: &[Item]) -> (usize, usize) {
    let files: Vec<(PathBuf, Vec<u8>)> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    let (mut refused, mut harmless) = (0, 0);
    for (path, content) in files.iter().filter(|(_, content)| !content.is_empty()) {
        let step = (content.len() / PLACES).max(1) | 1;
        for at in (0..content.len()).step_by(step) {
            write_all(directory, &files);
            let mut altered = content.clone();
            altered[at] ^= 1 << (at % 8);
            fs::write(path, altered).unwrap();
            let what = || format!("{} at {at}", path.display());
            match Embedded::open(database) {
                Err(OpenError::InUse { .. }) => panic!("{}", what()),
                Err(error) => {
                    let named = error.to_string();
                    assert!(named.contains(directory.to_str().unwrap()), "{named}");
                    refused += 1;
                }
                Ok(store) => {
                    // Nothing is left of the flip, or it hit what nobody reads.
                    assert_eq!(all(&store).unwrap(), expected, "{}", what());
                    for item in expected {
                        let found = get(&store, &item.key).unwrap();
                        assert_eq!(found.as_ref(), Some(item), "{}", what());
                    }
                    put(&store, "k/new", b"v").unwrap();
                    harmless += 1;
                }
            }
        }
    }
    (refused, harmless)
}

#[test]
fn a_flipped_bit_of_a_closed_store_is_refused_or_harmless() {
    let (directory, path) = filled();
    let expected = all(&Embedded::open(&path).unwrap()).unwrap();
    let (refused, harmless) = flip_everywhere(directory.path(), &path, &expected);
    println!("{refused} refused, {harmless} without effect");
    assert!(refused > PLACES / 3, "{refused} refused, {harmless} without effect");
}

#[test]
fn a_flipped_bit_of_a_killed_store_is_refused_or_harmless() {
    let (directory, path) = killed();
    let expected = all(&Reading::open(&path).unwrap()).unwrap();
    assert_eq!(expected.len(), 51);
    let (refused, harmless) = flip_everywhere(directory.path(), &path, &expected);
    println!("{refused} refused, {harmless} without effect");
    assert!(refused > PLACES / 3, "{refused} refused, {harmless} without effect");
}

#[test]
fn a_log_that_is_gone_is_missed() {
    let (directory, path) = killed();
    let log = directory.path().join("store.db-wal");
    let content = fs::read(&log).unwrap();
    fs::remove_file(&log).unwrap();
    for refused in [Embedded::open(&path).err(), Reading::open(&path).err()] {
        let error = refused.expect("opened without its log");
        assert!(error.to_string().contains("were answered"), "{error}");
        assert!(error.to_string().contains("LOCK"), "{error}");
    }
    // Whoever puts it back has everything.
    fs::write(&log, content).unwrap();
    assert_eq!(all(&Embedded::open(&path).unwrap()).unwrap().len(), 51);
}

#[test]
fn a_refused_log_is_left_as_it_is() {
    let (directory, path) = killed();
    let log = directory.path().join("store.db-wal");
    let mut content = fs::read(&log).unwrap();
    let middle = content.len() / 2;
    content[middle] ^= 1;
    fs::write(&log, &content).unwrap();
    assert!(matches!(Embedded::open(&path), Err(OpenError::Damaged { .. })));
    assert_eq!(fs::read(&log).unwrap(), content);
}

fn sql(path: &Path, sql: &str) {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.execute_batch(sql).unwrap();
}

fn damage(path: &Path) -> String {
    let refused = [Embedded::open(path).err(), Reading::open(path).err(), examine(path).err()];
    for error in &refused {
        assert!(matches!(error, Some(OpenError::Damaged { .. })), "{error:?}");
    }
    refused[0].as_ref().unwrap().to_string()
}

#[test]
fn records_that_are_not_what_was_written_are_refused_by_name() {
    for change in [
        "value = CAST('{\"policy\":\"Allow\"}' AS BLOB)",
        "revision = revision + 1",
        "checksum = CAST('sixteen bytes....' AS BLOB)",
        "value = (SELECT value FROM records WHERE key = CAST('k/10' AS BLOB))",
    ] {
        let (_directory, path) = filled();
        sql(&path, &format!("UPDATE records SET {change} WHERE key = CAST('k/09' AS BLOB)"));
        let said = damage(&path);
        assert!(said.contains("the record `k/09` is damaged"), "{change}: {said}");
    }
}

#[test]
fn records_that_are_lost_or_earlier_are_missed() {
    // As it stood before its second writing, with the check that it had then.
    let (_directory, path) = place();
    let store = Embedded::open(&path).unwrap();
    put(&store, "k", b"allowed").unwrap();
    drop(store);
    let earlier = path.with_file_name("earlier.db");
    fs::copy(&path, &earlier).unwrap();
    let store = Embedded::open(&path).unwrap();
    put(&store, "k", b"refused").unwrap();
    put(&store, "l", b"v").unwrap();
    drop(store);
    let whole = fs::read(&path).unwrap();
    for change in [
        "DELETE FROM records WHERE key = CAST('l' AS BLOB)".to_owned(),
        format!(
            "ATTACH '{}' AS earlier; DELETE FROM records WHERE key = CAST('k' AS BLOB);
             INSERT INTO records (key, value, revision, checksum)
             SELECT key, value, revision, checksum FROM earlier.records",
            earlier.display()
        ),
    ] {
        fs::write(&path, &whole).unwrap();
        sql(&path, &change);
        let said = damage(&path);
        assert!(said.contains("some were lost, or are earlier ones"), "{said}");
    }
    // The whole of an earlier state is told by the note in LOCK.
    fs::copy(&earlier, &path).unwrap();
    assert!(damage(&path).contains("commits up to 3 were answered"));
}

/// A store that grows damaged while it is open: no read serves it, no commit builds on it.
#[test]
fn a_record_that_is_damaged_later_is_refused_when_it_is_read_or_replaced() {
    let (_directory, path) = filled();
    let store = Embedded::open(&path).unwrap();
    sql(&path, "UPDATE records SET value = x'00' WHERE key = CAST('k/09' AS BLOB)");
    for refused in [get(&store, "k/09").err(), all(&store).err(), put(&store, "k/09", b"v").err()] {
        let refused = refused.expect("a damaged record was served").to_string();
        assert!(refused.contains("the record `k/09` is damaged"), "{refused}");
    }
    assert!(get(&store, "k/10").unwrap().is_some());
    put(&store, "k/10", b"v").unwrap();
}

/// A database as version 0.1.0 made it.
fn without_checks(path: &Path) {
    sql(
        path,
        "CREATE TABLE records (
            id INTEGER PRIMARY KEY,
            key BLOB NOT NULL,
            value BLOB NOT NULL,
            revision INTEGER NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX records_by_key ON records (key);
        CREATE TABLE meta (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            revision INTEGER NOT NULL
        ) STRICT;
        INSERT INTO meta (id, revision) VALUES (1, 9);
        INSERT INTO records (key, value, revision)
            VALUES (CAST('a' AS BLOB), x'01', 3), (CAST('b' AS BLOB), x'0203', 9);
        PRAGMA application_id = 1397900354;
        PRAGMA user_version = 1;
        PRAGMA journal_mode = WAL;",
    );
}

#[test]
fn a_database_without_checks_is_read_and_gets_them() {
    let (_directory, path) = place();
    without_checks(&path);
    let told = |key: &str, value: &[u8], revision| Item {
        key: key.to_owned(),
        value: value.to_vec(),
        revision: Revision(revision),
    };
    let expected = [told("a", &[1], 3), told("b", &[2, 3], 9)];
    let before = fs::read(&path).unwrap();
    let reading = Reading::open(&path).unwrap();
    assert_eq!((all(&reading).unwrap(), reading.revision()), (expected.to_vec(), Revision(9)));
    drop(reading);
    assert_eq!(fs::read(&path).unwrap(), before, "whoever only reads changes nothing");
    let store = Embedded::open(&path).unwrap();
    assert_eq!((all(&store).unwrap(), store.revision()), (expected.to_vec(), Revision(9)));
    put(&store, "a", b"new").unwrap();
    drop(store);
    assert_eq!(examine(&path).unwrap().records, 2);
    assert_eq!(fs::read(&path).unwrap()[63], 2, "the format of the header");
    sql(&path, "UPDATE records SET revision = 8 WHERE key = CAST('b' AS BLOB)");
    assert!(damage(&path).contains("the record `b` is damaged"));
}

#[test]
fn a_store_is_examined_beside_its_server() {
    let (_directory, path) = filled();
    let store = Embedded::open(&path).unwrap();
    put(&store, "k/new", b"v").unwrap();
    let examined = examine(&path).unwrap();
    assert_eq!((examined.records, examined.revision), (52, store.revision()));
}
