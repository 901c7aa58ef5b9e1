//! What the embedded store promises beyond the contract: files, locks, formats, damage.

use std::fs::{self, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use service::ports::{Commit, Revision, Store, StoreError};
use storage::{Embedded, OpenError};
use tempfile::TempDir;

/// Polls the future on this thread. Deliberately not tokio: any executor must do.
fn wait<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

fn put(store: &Embedded, key: &str, value: &[u8]) -> Result<Revision, StoreError> {
    let puts = vec![(key.to_owned(), value.to_vec())];
    wait(store.commit(Commit { puts, ..Commit::default() }))
}

fn value(store: &Embedded, key: &str) -> Option<Vec<u8>> {
    wait(store.get(key)).unwrap().map(|item| item.value)
}

/// A directory with the path of a database that isn't there yet.
fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    (directory, path)
}

/// A closed database with 200 records of 2,000 bytes.
fn filled() -> (TempDir, PathBuf) {
    let (directory, path) = place();
    let store = Embedded::open(&path).unwrap();
    for number in 0..200 {
        put(&store, &format!("k/{number}"), &[7; 2000]).unwrap();
    }
    drop(store);
    (directory, path)
}

fn refusal(path: &Path) -> OpenError {
    let before = fs::read(path).unwrap();
    let Err(error) = Embedded::open(path) else { panic!("{} was opened", path.display()) };
    assert_eq!(fs::read(path).unwrap(), before, "a refused file must stay as it is");
    assert!(error.to_string().contains(path.parent().unwrap().to_str().unwrap()), "{error}");
    error
}

#[test]
fn reopening_keeps_everything() {
    let (_directory, path) = place();
    for round in 0..3_u64 {
        let store = Embedded::open(&path).unwrap();
        assert_eq!(store.revision(), Revision(round * 2));
        put(&store, "same", &round.to_le_bytes()).unwrap();
        put(&store, &format!("k/{round}"), &[7; 5000]).unwrap();
        let page = wait(store.range("k/", "", 9)).unwrap();
        assert_eq!(page.items.len() as u64, round + 1);
        assert!(page.items.iter().all(|item| item.value == [7; 5000]));
        let same = wait(store.get("same")).unwrap().unwrap();
        assert_eq!(
            (same.value, same.revision),
            (round.to_le_bytes().to_vec(), Revision(2 * round + 1))
        );
    }
}

#[test]
fn history_begins_at_the_revision_found() {
    struct Deaf;
    impl service::ports::Observer for Deaf {
        fn changed(&self, _: &service::ports::Change) {}
    }
    let (_directory, path) = filled();
    let store = Embedded::open(&path).unwrap();
    assert_eq!(store.revision(), Revision(200));
    assert!(matches!(store.watch(Revision(199), Arc::new(Deaf)), Err(StoreError::Compacted)));
    assert!(store.watch(Revision(200), Arc::new(Deaf)).is_ok());
}

#[test]
fn closing_leaves_one_file_and_the_lock() {
    let (directory, _path) = filled();
    let mut names: Vec<_> = fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["LOCK", "store.db"]);
}

#[test]
fn files_are_private() {
    let (directory, path) = place();
    let store = Embedded::open(&path).unwrap();
    put(&store, "k", b"v").unwrap();
    let check = || {
        let mut count = 0;
        for entry in fs::read_dir(directory.path()).unwrap() {
            let entry = entry.unwrap();
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{:?}", entry.file_name());
            count += 1;
        }
        count
    };
    assert_eq!(check(), 4, "database, log, its index, lock");
    drop(store);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let _store = Embedded::open(&path).unwrap();
    check();
}

#[test]
fn a_link_is_not_followed() {
    let (directory, path) = filled();
    let link = directory.path().join("link.db");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert!(matches!(refusal(&link), OpenError::Unreadable { .. }));
}

#[test]
fn a_second_server_is_refused() {
    let (_directory, path) = place();
    let store = Embedded::open(&path).unwrap();
    assert!(matches!(Embedded::open(&path), Err(OpenError::InUse { .. })));
    put(&store, "k", b"v").unwrap();
    drop(store);
    assert_eq!(value(&Embedded::open(&path).unwrap(), "k").unwrap(), b"v");
}

#[test]
fn a_missing_directory_is_an_error() {
    let (directory, _) = place();
    let path = directory.path().join("missing/store.db");
    assert!(matches!(Embedded::open(&path), Err(OpenError::Unreadable { .. })));
}

#[test]
fn a_newer_format_is_refused() {
    let (_directory, path) = filled();
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 3).unwrap();
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(connection);
    let error = refusal(&path);
    assert!(matches!(error, OpenError::Newer { found: 3, known: 2, .. }), "{error}");
}

#[test]
fn a_database_of_another_program_is_refused() {
    let (_directory, path) = place();
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch("CREATE TABLE t (x); PRAGMA user_version = 1;").unwrap();
    drop(connection);
    assert!(matches!(refusal(&path), OpenError::Foreign { .. }));
}

#[test]
fn garbage_is_refused() {
    let (_directory, path) = place();
    fs::write(&path, vec![0x5a; 50_000]).unwrap();
    assert!(matches!(refusal(&path), OpenError::Foreign { .. }));
}

#[test]
fn a_truncated_database_is_refused() {
    let (_directory, path) = filled();
    let whole = fs::read(&path).unwrap();
    // Also nothing at all: an empty file is not a new database.
    for length in [0, 1, 50, 99, 100, 1000, 4096, 8192, whole.len() / 2, whole.len() - 4096] {
        fs::write(&path, &whole[..length]).unwrap();
        let error = refusal(&path);
        assert!(matches!(error, OpenError::Damaged { .. }), "{length}: {error}");
    }
    fs::write(&path, &whole).unwrap();
    assert!(Embedded::open(&path).is_ok());
}

#[test]
fn damaged_pages_are_refused() {
    let (_directory, path) = filled();
    let pages = fs::metadata(&path).unwrap().len() / 4096;
    for page in [1, 2, pages / 2, pages - 2] {
        let whole = fs::read(&path).unwrap();
        let mut file = OpenOptions::new().write(true).open(&path).unwrap();
        file.seek(SeekFrom::Start(page * 4096)).unwrap();
        file.write_all(&[0xff; 64]).unwrap();
        drop(file);
        let error = refusal(&path);
        assert!(matches!(error, OpenError::Damaged { .. }), "page {page}: {error}");
        fs::write(&path, whole).unwrap();
    }
}

#[test]
fn a_foreign_schema_is_refused() {
    let (_directory, path) = filled();
    let code = "CREATE TRIGGER t AFTER INSERT ON records BEGIN DELETE FROM records; END";
    for sql in [code, "DROP TRIGGER t; ALTER TABLE records RENAME TO other"] {
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection.execute_batch(sql).unwrap();
        drop(connection);
        let error = refusal(&path);
        assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
    }
}

#[test]
fn a_log_without_its_database_is_refused() {
    let (directory, path) = place();
    fs::write(directory.path().join("store.db-wal"), b"left over").unwrap();
    assert!(matches!(Embedded::open(&path), Err(OpenError::Damaged { .. })));
    assert!(!path.exists());
}

#[test]
fn an_unfinished_creation_is_begun_anew() {
    let (directory, path) = place();
    fs::write(directory.path().join("store.db.new"), b"half a header").unwrap();
    fs::write(directory.path().join("store.db.new-journal"), b"half a journal").unwrap();
    let store = Embedded::open(&path).unwrap();
    put(&store, "k", b"v").unwrap();
}

/// Another process that holds the database makes commits fail, never wait for ever or lie.
#[test]
fn a_locked_database_fails_and_recovers() {
    let (_directory, path) = place();
    let store = Embedded::open(&path).unwrap();
    put(&store, "k", b"before").unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = put(&store, "k", b"during");
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert_eq!(value(&store, "k").unwrap(), b"before");
    other.execute_batch("ROLLBACK").unwrap();
    drop(other);
    assert_eq!(put(&store, "k", b"after").unwrap(), Revision(2));
    assert_eq!(value(&store, "k").unwrap(), b"after");
}

/// A database that somebody else has written to is not the one whose history was told.
#[test]
fn a_foreign_write_is_noticed() {
    let (_directory, path) = place();
    let store = Embedded::open(&path).unwrap();
    put(&store, "k", b"v").unwrap();
    // The state of another store, which stands elsewhere.
    let (_elsewhere, foreign) = filled();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute("ATTACH ?1 AS foreign_store", [foreign.to_str().unwrap()]).unwrap();
    other
        .execute_batch("DELETE FROM meta; INSERT INTO meta SELECT * FROM foreign_store.meta;")
        .unwrap();
    drop(other);
    for _ in 0..2 {
        let refused = put(&store, "k", b"w").unwrap_err();
        assert!(refused.to_string().contains("changed by another"), "{refused}");
    }
    assert_eq!(value(&store, "k").unwrap(), b"v");
}

/// The log is emptied into the database as it grows, also when nobody ever pauses.
#[test]
fn the_log_stays_bounded() {
    let (directory, path) = place();
    let store = Arc::new(Embedded::open(&path).unwrap());
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let store = store.clone();
            thread::spawn(move || {
                for number in 0..30_u8 {
                    put(&store, &format!("{thread}/{}", number % 3), &vec![number; 1_000_000])
                        .unwrap();
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    // 120 MB went through it; 16 MiB is the mark, and one group more may lie above.
    let log = fs::metadata(directory.path().join("store.db-wal")).unwrap().len();
    assert!(log < 40 << 20, "{log} bytes");
    assert!(fs::metadata(&path).unwrap().len() > 10_000_000);
}
