//! The contract of `service::ports::AuditLog`, and what the file promises beyond it.
//!
//! The processes that are killed or meet a full disk are this test binary itself, run again for
//! the one test `child`.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use audit::{FileLog, OpenError, RECORD_MAX};
use service::ports::AuditLog as _;
use tempfile::TempDir;

/// Names the log to the child.
const LOG: &str = "AUDIT_TEST_LOG";

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

/// Appends until it is killed or, at a limit, is refused; prints what was acknowledged.
#[tokio::test]
#[ignore = "the other process of the tests below"]
async fn child() {
    let Some(path) = std::env::var_os(LOG) else { return };
    let log = FileLog::open(Path::new(&path)).unwrap();
    let mut refused = 0;
    for number in 0_u64.. {
        let size = usize::try_from(number * 37 % 5000).unwrap();
        match log.append(format!("{number} {}", "x".repeat(size)).as_bytes()).await {
            Ok(()) => println!("\nacknowledged {number}"),
            Err(_) => refused += 1,
        }
        if refused == 100 {
            return;
        }
    }
}

fn child_command(path: &Path, prelude: &str) -> Command {
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(format!("{prelude} exec \"$0\" \"$@\""))
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--ignored", "--nocapture"])
        .env(LOG, path)
        .stdout(Stdio::piped());
    command
}

/// The numbers in whole lines that say so.
fn acknowledged(output: &str) -> Vec<u64> {
    let whole = output.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let numbers = whole.lines().filter_map(|line| line.strip_prefix("acknowledged "));
    numbers.map(|number| number.parse().unwrap()).collect()
}

/// The numbers of the records in the log, each of which must be whole.
fn recorded(path: &Path) -> Vec<u64> {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines()
        .map(|line| {
            let (number, padding) = line.split_once(' ').unwrap();
            let number: u64 = number.parse().unwrap();
            assert_eq!(padding.len() as u64, number * 37 % 5000);
            number
        })
        .collect()
}

#[test]
fn killed_writers_lose_nothing() {
    for round in 0..10 {
        let (_directory, path) = place();
        let mut child = child_command(&path, "").spawn().unwrap();
        let mut pipe = child.stdout.take().unwrap();
        let reader = std::thread::spawn(move || {
            let mut output = String::new();
            pipe.read_to_string(&mut output).unwrap();
            output
        });
        std::thread::sleep(Duration::from_millis(30 + round * 13));
        child.kill().unwrap();
        child.wait().unwrap();
        let told = acknowledged(&reader.join().unwrap());
        drop(FileLog::open(&path).unwrap());
        let recorded = recorded(&path);
        assert!(recorded.starts_with(&told), "round {round}");
        assert!(recorded.len() <= told.len() + 1, "round {round}");
    }
}

/// The file size limit takes a part of the record that reaches it and refuses the rest.
#[test]
fn a_full_disk_refuses_and_keeps_lines_whole() {
    let (_directory, path) = place();
    // Without the signal, a write past the limit is an error like that of a full disk.
    let output = child_command(&path, "trap '' XFSZ; ulimit -f 500;").output().unwrap();
    assert!(output.status.success());
    let told = acknowledged(&String::from_utf8(output.stdout).unwrap());
    assert!(told.len() > 50);
    assert_eq!(recorded(&path), told);
    assert_eq!(FileLog::open(&path).unwrap().torn(), 0);
}
