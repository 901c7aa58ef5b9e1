//! What survives of a log whose writers are killed or meet a full disk, while segments are closed
//! all the time.
//!
//! They are this test binary itself, run again for the one test `child`.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use audit::verify::verify;
use audit::{Log, LogReader, Options, Sync};
use service::ports::AuditLog as _;
use tempfile::TempDir;

/// Names the log to the child.
const LOG: &str = "AUDIT_TEST_LOG";

/// A process that is being started holds the locks of the one that starts it for a moment, so
/// only one of these tests runs at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// Segments of some eighty records.
const OPTIONS: Options =
    Options { sync: Sync::None, segment_bytes: 200_000, segment_age: Duration::from_hours(24) };

fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_owned();
    (directory, path)
}

/// Appends until it is killed or, at a limit, is refused; prints what was acknowledged.
#[tokio::test]
#[ignore = "the other process of the tests below"]
async fn child() {
    let Some(path) = std::env::var_os(LOG) else { return };
    let sync = if path.to_string_lossy().ends_with("group") { Sync::Group } else { Sync::None };
    let log = Log::open(Path::new(&path), Options { sync, ..OPTIONS }).unwrap();
    let mut refused = 0;
    for number in 0_u64.. {
        let size = usize::try_from(number * 37 % 5000).unwrap();
        match log.append(record(number, size).as_bytes()).await {
            Ok(()) => println!("\nacknowledged {number}"),
            Err(_) => refused += 1,
        }
        if refused == 100 {
            return;
        }
    }
}

fn record(number: u64, size: usize) -> String {
    format!("{{\"x\":\"{number} {}\"}}", "x".repeat(size))
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

/// The numbers of the records in the log, each of which must be whole, and in its place.
fn recorded(path: &Path) -> Vec<u64> {
    let mut reader = LogReader::open(path).unwrap();
    let mut numbers = Vec::new();
    while let Some(line) = reader.next_line().unwrap() {
        let text = std::str::from_utf8(line.bytes).unwrap();
        let (number, rest) = text.strip_prefix("{\"x\":\"").unwrap().split_once(' ').unwrap();
        let number: u64 = number.parse().unwrap();
        let (padding, _) = rest.split_once('"').unwrap();
        assert_eq!(padding.len() as u64, number * 37 % 5000);
        numbers.push(number);
    }
    let report = verify(path, &[], None).unwrap();
    assert!(report.is_whole() && report.torn == 0, "{report}");
    numbers
}

#[test]
fn killed_writers_lose_nothing() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut segments = 0;
    for round in 0..16 {
        let (_directory, mut path) = place();
        if round % 4 == 3 {
            path.push("group");
            fs::create_dir(&path).unwrap();
        }
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
        drop(Log::open(&path, OPTIONS).unwrap());
        segments += fs::read_dir(path.join("audit")).unwrap().count() - 1;
        let recorded = recorded(&path);
        assert!(recorded.starts_with(&told), "round {round}");
        assert!(recorded.len() <= told.len() + 1, "round {round}");
    }
    assert!(segments > 16, "{segments} segments were closed");
}

/// The file size limit takes a part of the record that reaches it and refuses the rest.
#[test]
fn a_full_disk_refuses_and_keeps_lines_whole() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (_directory, path) = place();
    // Without the signal, a write past the limit is an error like that of a full disk.
    let output = child_command(&path, "trap '' XFSZ; ulimit -f 150;").output().unwrap();
    assert!(output.status.success());
    let told = acknowledged(&String::from_utf8(output.stdout).unwrap());
    assert!(told.len() > 20);
    assert_eq!(recorded(&path), told);
    assert_eq!(Log::open(&path, OPTIONS).unwrap().torn(), 0);
}
