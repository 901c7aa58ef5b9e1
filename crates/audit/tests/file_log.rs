//! The contract of `service::ports::AuditLog`, and what the file promises beyond it. Processes are
//! killed in `killed.rs`, apart from these: a process that is being started holds the locks of the
//! one that starts it for a moment.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use audit::{FileLog, OpenError, RECORD_MAX};
use service::ports::{AuditHistory as _, AuditLog as _, Position};
use tempfile::TempDir;

fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.log");
    (directory, path)
}

#[tokio::test]
async fn records_are_lines_in_order() {
    let (_directory, path) = place();
    let log = FileLog::open(&path).unwrap();
    for record in [r#"{"a":1}"#, r#"{"b":2}"#] {
        log.append(record.as_bytes()).await.unwrap();
    }
    // Acknowledged means in the file, not in a buffer.
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"a\":1}\n{\"b\":2}\n");
    drop(log);
    let log = FileLog::open(&path).unwrap();
    assert_eq!(log.torn(), 0);
    log.append(b"{}").await.unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"a\":1}\n{\"b\":2}\n{}\n");
}

#[tokio::test]
async fn what_is_not_a_line_is_refused() {
    let (_directory, path) = place();
    let log = FileLog::open(&path).unwrap();
    for bad in [&b""[..], b"{}\n", b"{\n}", &vec![b'x'; RECORD_MAX + 1]] {
        log.append(bad).await.unwrap_err();
    }
    assert_eq!(fs::read(&path).unwrap(), b"");
    log.append(&vec![b'x'; RECORD_MAX]).await.unwrap();
    drop(log);
    assert_eq!(FileLog::open(&path).unwrap().torn(), 0);
}

/// Lines are whole, none is missing, and one that was begun after another's answer comes later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_appends_keep_lines_and_order() {
    const TASKS: usize = 16;
    const EACH: u64 = 500;
    let (_directory, path) = place();
    let log = Arc::new(FileLog::open(&path).unwrap());
    let answered = Arc::new(AtomicU64::new(0));
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let (log, answered) = (log.clone(), answered.clone());
            tokio::spawn(async move {
                for number in 0..EACH {
                    let before = answered.load(Ordering::SeqCst);
                    let padding = "x".repeat(usize::try_from(number * 7 % 3000).unwrap());
                    let record = format!("{task} {number} {before} {padding}");
                    log.append(record.as_bytes()).await.unwrap();
                    answered.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let mut next = [0; TASKS];
    let text = fs::read_to_string(&path).unwrap();
    for (line, record) in text.lines().enumerate() {
        let fields: Vec<&str> = record.split(' ').collect();
        let [task, number, before]: [u64; 3] =
            [0, 1, 2].map(|field: usize| fields[field].parse().unwrap());
        assert_eq!(number, next[usize::try_from(task).unwrap()], "line {line}");
        assert_eq!(fields[3].len() as u64, number * 7 % 3000);
        // All that had been answered when this one began stand before it.
        assert!(line as u64 >= before, "line {line} began after {before} answers");
        next[usize::try_from(task).unwrap()] += 1;
    }
    assert_eq!(next, [EACH; TASKS]);
}

/// Each record is witnessed once, in the log's order, and before the end lies behind it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_are_witnessed_before_the_end_passes_them() {
    const TASKS: u64 = 8;
    const EACH: u64 = 300;
    let (_directory, path) = place();
    let log = Arc::new(FileLog::open(&path).unwrap());
    let witnessed = Arc::new(Mutex::new(vec![Position(0)]));
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let (log, witnessed) = (log.clone(), witnessed.clone());
            tokio::spawn(async move {
                for number in 0..EACH {
                    let record = "x".repeat(usize::try_from((task + number) % 50 + 1).unwrap());
                    let witness = |at| witnessed.lock().unwrap().push(at);
                    log.append_witnessed(record.as_bytes(), &witness).await.unwrap();
                    let end = log.end();
                    assert!(*witnessed.lock().unwrap().last().unwrap() >= end);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let text = fs::read_to_string(&path).unwrap();
    let ends = text.match_indices('\n').map(|(at, _)| Position(at as u64 + 1));
    let expected: Vec<Position> = [Position(0)].into_iter().chain(ends).collect();
    assert_eq!(*witnessed.lock().unwrap(), expected);
    assert_eq!(log.end(), Position(text.len() as u64));
}

#[tokio::test]
async fn what_is_not_in_the_log_is_not_witnessed() {
    let (_directory, path) = place();
    let log = FileLog::open(&path).unwrap();
    let witness = |_| panic!("witnessed");
    log.append_witnessed(b"a\nb", &witness).await.unwrap_err();
    assert_eq!(log.end(), Position(0));
}

#[tokio::test]
async fn history_is_read_on_from_a_mark_by_another_process() {
    let (directory, path) = place();
    let log = FileLog::open(&path).unwrap();
    let empty = log.mark(log.end()).unwrap();
    log.append(b"{\"a\":1}").await.unwrap();
    let mark = log.mark(log.end()).unwrap();
    log.append(b"{\"b\":2}").await.unwrap();
    drop(log);
    let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"{\"torn").unwrap();
    let log = FileLog::open(&path).unwrap();
    log.append(b"{\"c\":3}").await.unwrap();
    let from = log.find(&mark).unwrap();
    assert_eq!(log.read(from).unwrap(), b"{\"b\":2}\n{\"c\":3}\n");
    assert_eq!(log.find(&empty).unwrap(), Position(0));
    assert_eq!(log.read(log.end()).unwrap(), b"");
    // Another log in its place is read from its beginning.
    drop(log);
    fs::rename(&path, directory.path().join("old.log")).unwrap();
    let log = FileLog::open(&path).unwrap();
    for record in ["{\"d\":4}", "{\"e\":5}"] {
        log.append(record.as_bytes()).await.unwrap();
    }
    assert_eq!(log.find(&mark).unwrap(), Position(0));
}

#[tokio::test]
async fn a_torn_line_is_cut_and_told() {
    let (_directory, path) = place();
    for (found, kept, torn) in [
        ("{\"a\":1}\n{\"b\"", "{\"a\":1}\n", 4),
        ("{\"a\"", "", 4),
        ("{}\n{}\n", "{}\n{}\n", 0),
        ("", "", 0),
    ] {
        fs::write(&path, found).unwrap();
        let log = FileLog::open(&path).unwrap();
        assert_eq!(log.torn(), torn, "{found:?}");
        log.append(b"{}").await.unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{kept}{{}}\n"));
    }
    // The piece may be longer than what is read at once, up to the longest record.
    let mut long = b"{}\n".to_vec();
    long.resize(3 + RECORD_MAX, b'x');
    fs::write(&path, &long).unwrap();
    assert_eq!(FileLog::open(&path).unwrap().torn(), RECORD_MAX as u64);
    assert_eq!(fs::read(&path).unwrap(), b"{}\n");
}

#[test]
fn what_is_not_a_log_is_left_alone() {
    let (directory, path) = place();
    let other = vec![0; RECORD_MAX + 2];
    fs::write(&path, &other).unwrap();
    assert!(matches!(FileLog::open(&path), Err(OpenError::NotALog { .. })));
    assert!(fs::read(&path).unwrap() == other);
    assert!(matches!(FileLog::open(Path::new("/dev/full")), Err(OpenError::NotALog { .. })));
    assert!(matches!(FileLog::open(directory.path()), Err(OpenError::Unusable { .. })));
    let missing = directory.path().join("missing/audit.log");
    assert!(matches!(FileLog::open(&missing), Err(OpenError::Unusable { .. })));
}

#[test]
fn the_file_is_private_and_ours_alone() {
    let (directory, path) = place();
    let log = FileLog::open(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(matches!(FileLog::open(&path), Err(OpenError::InUse { .. })));
    drop(log);
    assert!(FileLog::open(&path).is_ok());
    let link = directory.path().join("link.log");
    symlink(&path, &link).unwrap();
    assert!(matches!(FileLog::open(&link), Err(OpenError::Unusable { .. })));
}
