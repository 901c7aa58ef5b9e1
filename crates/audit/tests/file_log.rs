//! The contract of `service::ports::AuditLog`, and what the file promises beyond it. Processes are
//! killed in `killed.rs`, apart from these: a process that is being started holds the locks of the
//! one that starts it for a moment.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use audit::{FileLog, OpenError, RECORD_MAX};
use service::ports::AuditLog as _;
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
