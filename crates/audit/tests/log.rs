//! The contract of `service::ports::AuditLog`, and what the file promises beyond it. Processes are
//! killed in `killed.rs`, apart from these: a process that is being started holds the locks of the
//! one that starts it for a moment.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use audit::{Log, OpenError, Options, RECORD_MAX, Sync};
use service::ports::{AuditHistory as _, AuditLog as _, Position};
use tempfile::TempDir;

/// A data directory and its current segment.
fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.jsonl");
    (directory, path)
}

fn open(directory: &TempDir) -> Log {
    Log::open(directory.path(), Options::default()).unwrap()
}

/// The file's records without what the chain adds, each with a line's end.
fn records(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    let record = |line: &str| {
        let Some(at) = line.rfind("\"chain\":\"") else { return format!("{line}\n") };
        format!("{}}}\n", line[..at].trim_end_matches(','))
    };
    text.lines().map(record).collect()
}

#[tokio::test]
async fn records_are_lines_in_order() {
    let (directory, path) = place();
    let log = open(&directory);
    for record in [r#"{"a":1}"#, r#"{"b":2}"#] {
        log.append(record.as_bytes()).await.unwrap();
    }
    // Acknowledged means in the file, not in a buffer.
    assert_eq!(records(&path), "{\"a\":1}\n{\"b\":2}\n");
    drop(log);
    let log = open(&directory);
    assert_eq!(log.torn(), 0);
    log.append(b"{}").await.unwrap();
    assert_eq!(records(&path), "{\"a\":1}\n{\"b\":2}\n{}\n");
}

/// A record of that length.
fn long(length: usize) -> Vec<u8> {
    format!("{{\"x\":\"{}\"}}", "x".repeat(length - 8)).into_bytes()
}

#[tokio::test]
async fn what_is_not_a_line_is_refused() {
    let (directory, path) = place();
    let log = open(&directory);
    for bad in [&b""[..], b"{}\n", b"{\n}", b"x", b"[]", b"{ }", b"{", &long(RECORD_MAX + 1)] {
        log.append(bad).await.unwrap_err();
    }
    assert_eq!(fs::read(&path).unwrap(), b"");
    assert_eq!(log.stats().refused(), 8);
    log.append(&long(RECORD_MAX)).await.unwrap();
    drop(log);
    assert_eq!(open(&directory).torn(), 0);
}

/// Lines are whole, none is missing, and one that was begun after another's answer comes later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_appends_keep_lines_and_order() {
    const TASKS: usize = 16;
    const EACH: u64 = 500;
    let (directory, path) = place();
    let log = Arc::new(open(&directory));
    let answered = Arc::new(AtomicU64::new(0));
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let (log, answered) = (log.clone(), answered.clone());
            tokio::spawn(async move {
                for number in 0..EACH {
                    let before = answered.load(Ordering::SeqCst);
                    let padding = "x".repeat(usize::try_from(number * 7 % 3000).unwrap());
                    let record = format!("{{\"x\":\"{task} {number} {before} {padding}\"}}");
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
    let text = records(&path);
    for (line, record) in text.lines().enumerate() {
        let record = record.trim_start_matches("{\"x\":\"").trim_end_matches("\"}");
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
    let (directory, path) = place();
    let log = Arc::new(open(&directory));
    let witnessed = Arc::new(Mutex::new(vec![Position(0)]));
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let (log, witnessed) = (log.clone(), witnessed.clone());
            tokio::spawn(async move {
                for number in 0..EACH {
                    let record = long(usize::try_from((task + number) % 50 + 9).unwrap());
                    let witness = |at| witnessed.lock().unwrap().push(at);
                    log.append_witnessed(&record, &witness).await.unwrap();
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
    let (directory, _) = place();
    let log = open(&directory);
    let witness = |_| panic!("witnessed");
    log.append_witnessed(b"a\nb", &witness).await.unwrap_err();
    assert_eq!(log.end(), Position(0));
}

/// What the log reads from a place on, without what the chain adds.
fn read(log: &Log, from: Position) -> Vec<String> {
    let (mut at, mut found) = (from, Vec::new());
    while at < log.end() {
        let lines = log.read(at).unwrap();
        at.0 += lines.len() as u64;
        for line in String::from_utf8(lines).unwrap().lines() {
            let end = line.rfind("\"chain\":\"").unwrap_or(line.len() - 1);
            found.push(format!("{}}}", line[..end].trim_end_matches(',')));
        }
    }
    assert_eq!(log.read(log.end()).unwrap(), b"");
    found
}

#[tokio::test]
async fn history_is_read_on_from_a_mark_by_another_process() {
    let (directory, path) = place();
    let log = open(&directory);
    let empty = log.mark(log.end()).unwrap();
    log.append(b"{\"a\":1}").await.unwrap();
    let mark = log.mark(log.end()).unwrap();
    log.append(b"{\"b\":2}").await.unwrap();
    drop(log);
    let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"{\"torn").unwrap();
    let log = open(&directory);
    log.append(b"{\"c\":3}").await.unwrap();
    assert_eq!(read(&log, log.find(&mark).unwrap()), ["{\"b\":2}", "{\"c\":3}"]);
    assert_eq!(log.find(&empty).unwrap(), Position(0));
    // Another log in its place is read from its beginning.
    drop(log);
    fs::rename(&path, directory.path().join("old.log")).unwrap();
    let log = open(&directory);
    for record in ["{\"d\":4}", "{\"e\":5}"] {
        log.append(record.as_bytes()).await.unwrap();
    }
    assert_eq!(log.find(&mark).unwrap(), Position(0));
}

/// Waits until the log's thread has closed so many segments.
async fn closed(log: &Log, segments: u64) {
    for _ in 0..500 {
        if log.stats().rotations() >= segments {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("no segment was closed");
}

#[tokio::test]
async fn segments_are_closed_and_read_as_one_log() {
    for sync in [Sync::None, Sync::Group] {
        let (directory, path) = place();
        let options = Options { sync, segment_bytes: 250, ..Options::default() };
        let log = Log::open(directory.path(), options).unwrap();
        let mut expected = Vec::new();
        let mut marks = vec![(log.mark(log.end()).unwrap(), 0)];
        for number in 0..40_usize {
            let record = format!("{{\"number\":{number}}}");
            log.append(record.as_bytes()).await.unwrap();
            expected.push(record);
            marks.push((log.mark(log.end()).unwrap(), number + 1));
            if number % 3 == 2 {
                closed(&log, number as u64 / 3 + 1).await;
            }
        }
        assert_eq!(read(&log, Position(0)), expected);
        assert!(fs::metadata(&path).unwrap().len() < 250);
        drop(log);
        let log = Log::open(directory.path(), options).unwrap();
        assert_eq!(read(&log, Position(0)), expected);
        for (mark, behind) in &marks {
            let at = log.find(mark).unwrap();
            assert_eq!(read(&log, at), expected[*behind..], "{mark}");
            assert_eq!(log.mark(at).unwrap(), *mark);
        }
        assert_eq!(log.last_sequence(), 40);
        let names: Vec<_> = fs::read_dir(directory.path().join("audit")).unwrap().collect();
        assert_eq!(names.len(), 13 + 1, "the closed ones and the digests");
        let first = fs::metadata(directory.path().join("audit/000000000001.jsonl")).unwrap();
        assert_eq!(first.permissions().mode() & 0o777, 0o600);
    }
}

#[tokio::test]
async fn a_segment_is_closed_when_it_is_old() {
    let (directory, _) = place();
    let age = std::time::Duration::from_millis(1);
    let options = Options { segment_age: age, ..Options::default() };
    let log = Log::open(directory.path(), options).unwrap();
    // Not before it has records.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    assert_eq!(log.stats().rotations(), 0);
    log.append(b"{}").await.unwrap();
    closed(&log, 1).await;
}

/// A crash while a segment was being closed leaves a second name of it, and an empty next one.
#[tokio::test]
async fn a_crash_while_closing_changes_nothing() {
    let (directory, path) = place();
    let log = open(&directory);
    for _ in 0..3 {
        log.append(b"{\"a\":1}").await.unwrap();
    }
    let mark = log.mark(log.end()).unwrap();
    drop(log);
    let closed = directory.path().join("audit/000000000001.jsonl");
    fs::write(directory.path().join("audit/next.jsonl"), "").unwrap();
    fs::hard_link(&path, &closed).unwrap();
    let log = open(&directory);
    assert!(!closed.exists() && !directory.path().join("audit/next.jsonl").exists());
    log.append(b"{\"b\":1}").await.unwrap();
    assert_eq!(read(&log, log.find(&mark).unwrap()), ["{\"b\":1}"]);
    drop(log);
    // Behind the last step: the segment is closed, and the next one is empty.
    fs::rename(&path, &closed).unwrap();
    fs::write(&path, "").unwrap();
    let log = open(&directory);
    assert_eq!((log.last_sequence(), log.notes().len()), (4, 0));
    assert_eq!(read(&log, log.find(&mark).unwrap()), ["{\"b\":1}"]);
    log.append(b"{\"c\":1}").await.unwrap();
    assert_eq!(log.last_sequence(), 5);
}

/// A log of a version without segments: its records and the marks in it stay what they are.
#[tokio::test]
async fn a_log_from_before_the_chain_goes_on() {
    let (directory, path) = place();
    let old = "{\"old\":1}\n{\"old\":2}\n";
    fs::write(&path, old).unwrap();
    // As that version would have written it.
    let mark = "10-".to_owned() + &fingerprint(&old.as_bytes()[..10]);
    let options = Options { segment_bytes: 150, ..Options::default() };
    let log = Log::open(directory.path(), options).unwrap();
    assert_eq!(log.find(&mark).unwrap(), Position(10));
    assert_eq!(log.mark(Position(10)).unwrap(), mark);
    log.append(b"{\"new\":1}").await.unwrap();
    log.append(b"{\"new\":2}").await.unwrap();
    closed(&log, 1).await;
    drop(log);
    let log = open(&directory);
    let expected = ["{\"old\":2}", "{\"new\":1}", "{\"new\":2}"];
    assert_eq!(read(&log, log.find(&mark).unwrap()), expected);
    assert_eq!(log.last_sequence(), 2);
}

fn fingerprint(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

/// Nothing is written behind a line that isn't the log's.
#[tokio::test]
async fn a_damaged_end_is_left_and_told() {
    let (directory, path) = place();
    let log = open(&directory);
    log.append(b"{\"a\":1}").await.unwrap();
    log.append(b"{\"a\":2}").await.unwrap();
    drop(log);
    let damaged = fs::read_to_string(&path).unwrap() + "{\"a\":3}\n";
    fs::write(&path, &damaged).unwrap();
    let log = open(&directory);
    assert_eq!((log.notes().len(), log.last_sequence()), (1, 2));
    log.append(b"{\"b\":1}").await.unwrap();
    assert_eq!(records(&path), "{\"b\":1}\n");
    let closed = directory.path().join("audit/000000000001.jsonl");
    assert_eq!(fs::read_to_string(closed).unwrap(), damaged);
}

#[tokio::test]
async fn a_torn_line_is_cut_and_told() {
    for (found, kept, torn) in [
        ("{\"a\":1}\n{\"b\"", "{\"a\":1}\n", 4),
        ("{\"a\"", "", 4),
        ("{}\n{}\n", "{}\n{}\n", 0),
        ("", "", 0),
    ] {
        let (directory, path) = place();
        fs::write(&path, found).unwrap();
        let log = open(&directory);
        assert_eq!(log.torn(), torn, "{found:?}");
        log.append(b"{}").await.unwrap();
        assert_eq!(records(&path), format!("{kept}{{}}\n"));
    }
    // The piece may be longer than what is read at once.
    let (directory, path) = place();
    let mut long = b"{}\n".to_vec();
    long.resize(3 + RECORD_MAX, b'x');
    fs::write(&path, &long).unwrap();
    assert_eq!(open(&directory).torn(), RECORD_MAX as u64);
    assert_eq!(fs::read(&path).unwrap(), b"{}\n");
}

#[test]
fn what_is_not_a_log_is_left_alone() {
    for other in [vec![0; RECORD_MAX + 2], b"x".to_vec(), vec![b'{'; 2 * RECORD_MAX]] {
        let (directory, path) = place();
        fs::write(&path, &other).unwrap();
        let opened = Log::open(directory.path(), Options::default());
        assert!(matches!(opened, Err(OpenError::NotALog { .. })));
        assert!(fs::read(&path).unwrap() == other);
    }
    let (directory, path) = place();
    fs::create_dir(&path).unwrap();
    let unusable = |path: &Path| {
        matches!(Log::open(path, Options::default()), Err(OpenError::Unusable { .. }))
    };
    assert!(unusable(directory.path()));
    assert!(unusable(&directory.path().join("missing")));
}

#[test]
fn the_files_are_private_and_ours_alone() {
    let (directory, path) = place();
    let log = open(&directory);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(&directory.path().join("audit")), 0o700);
    let second = Log::open(directory.path(), Options::default());
    assert!(matches!(second, Err(OpenError::InUse { .. })));
    drop(log);
    assert!(Log::open(directory.path(), Options::default()).is_ok());
    let target = directory.path().join("elsewhere");
    fs::rename(&path, &target).unwrap();
    symlink(&target, &path).unwrap();
    let linked = Log::open(directory.path(), Options::default());
    assert!(matches!(linked, Err(OpenError::Unusable { .. })));
}
