//! A disk that fails: what is refused, and how the log comes right again.

use std::collections::VecDeque;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::lines::Lines;
use crate::verify::verify;

/// What a turn of the disk does.
enum Turn {
    Works,
    Fails,
    /// Fails, and the system drops what it had not written.
    Drops,
    /// Takes as long as that.
    Waits(Duration),
}

/// A disk whose next turns are told; then it works.
#[derive(Clone)]
struct Told {
    turns: Arc<Mutex<VecDeque<Turn>>>,
    path: PathBuf,
    synced: Arc<AtomicU64>,
}

impl Disk for Told {
    fn sync(&self, file: &File) -> io::Result<()> {
        let turn = self.turns.lock().pop_front();
        match turn {
            None | Some(Turn::Works) => {}
            Some(Turn::Fails) => return Err(io::Error::other("failed")),
            Some(Turn::Drops) => {
                // What was synced last stays; zeros stand where more had been.
                let length = file.metadata()?.len();
                let mut file = crate::layout::open_to_mend(&self.path)?;
                file.set_len(self.synced.load(Ordering::SeqCst))?;
                file.set_len(length)?;
                file.flush()?;
                return Err(io::Error::other("failed"));
            }
            Some(Turn::Waits(time)) => std::thread::sleep(time),
        }
        self.synced.store(file.metadata()?.len(), Ordering::SeqCst);
        Ok(())
    }
}

fn open(sync: Sync) -> (TempDir, Arc<Log>, Told) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.jsonl");
    let disk = Told { turns: Arc::default(), path, synced: Arc::default() };
    let options = Options { sync, ..Options::default() };
    let log = Log::open_on(directory.path(), options, Box::new(disk.clone())).unwrap();
    (directory, Arc::new(log), disk)
}

fn numbers(directory: &TempDir) -> Vec<String> {
    let report = verify(directory.path(), &[], None).unwrap();
    assert!(report.is_whole() && report.torn == 0, "{report}");
    let text = std::fs::read_to_string(directory.path().join("audit.jsonl")).unwrap();
    text.lines().map(|line| line[..line.find(',').unwrap()].to_owned() + "}").collect()
}

/// Appends until that works.
async fn recovered(log: &Log, record: &str) {
    for _ in 0..500 {
        if log.append(record.as_bytes()).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the log did not recover");
}

#[tokio::test]
async fn a_record_is_acknowledged_when_it_is_on_the_disk() {
    let (_directory, log, disk) = open(Sync::Group);
    for number in 0..5 {
        log.append(format!("{{\"n\":{number}}}").as_bytes()).await.unwrap();
        assert_eq!(disk.synced.load(Ordering::SeqCst), log.end().0);
        assert_eq!(log.settled(), log.end());
    }
}

#[tokio::test]
async fn concurrent_records_share_a_turn() {
    let (_directory, log, disk) = open(Sync::Group);
    let slow = || Turn::Waits(Duration::from_millis(50));
    disk.turns.lock().extend([slow(), slow(), slow()]);
    let tasks: Vec<_> = (0..40)
        .map(|number| {
            let log = Arc::clone(&log);
            tokio::spawn(async move { log.append(format!("{{\"n\":{number}}}").as_bytes()).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert!(log.stats().syncs() <= 3, "{}", log.stats().syncs());
}

#[tokio::test]
async fn a_failed_turn_refuses_all_that_waited_and_the_log_recovers() {
    let (directory, log, disk) = open(Sync::Group);
    log.append(b"{\"n\":1}").await.unwrap();
    // The repair fails twice as well.
    disk.turns.lock().extend([Turn::Fails, Turn::Fails, Turn::Fails]);
    let (one, other) = tokio::join!(log.append(b"{\"n\":2}"), log.append(b"{\"n\":3}"));
    assert!(one.is_err() && other.is_err());
    recovered(&log, "{\"n\":4}").await;
    assert!(log.writable().is_ok());
    assert!(log.stats().refused() >= 2 && log.stats().sync_failures() == 1);
    assert_eq!(disk.synced.load(Ordering::SeqCst), log.end().0);
    let found = numbers(&directory);
    assert_eq!((&found[0][..], &found.last().unwrap()[..]), ("{\"n\":1}", "{\"n\":4}"));
}

/// What the system dropped is gone, and was never acknowledged; nothing else is.
#[tokio::test]
async fn what_a_failed_turn_dropped_is_cut_off() {
    let (directory, log, disk) = open(Sync::Group);
    log.append(b"{\"n\":1}").await.unwrap();
    disk.turns.lock().push_back(Turn::Drops);
    log.append(b"{\"n\":2}").await.unwrap_err();
    recovered(&log, "{\"n\":3}").await;
    assert_eq!(numbers(&directory), ["{\"n\":1}", "{\"n\":3}"]);
    assert!(log.stats().withdrawn() > 0);
    drop(log);
    let log = Log::open(directory.path(), Options::default()).unwrap();
    assert_eq!((log.last_sequence(), log.notes().len()), (2, 0));
}

#[tokio::test]
async fn without_durability_a_failing_disk_refuses_nothing_but_a_digest() {
    let (directory, log, disk) = open(Sync::None);
    log.append(b"{\"n\":1}").await.unwrap();
    disk.turns.lock().extend([Turn::Fails, Turn::Fails]);
    log.sync().await.unwrap_err();
    log.append(b"{\"n\":2}").await.unwrap();
    for attempt in 0.. {
        if log.sync().await.is_ok() {
            break;
        }
        assert!(attempt < 500);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(disk.synced.load(Ordering::SeqCst), log.end().0);
    assert_eq!(numbers(&directory).len(), 2);
}

/// A segment is closed only when all of it is on the disk.
#[tokio::test]
async fn a_segment_is_not_closed_on_a_failing_disk() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.jsonl");
    let disk = Told { turns: Arc::default(), path, synced: Arc::default() };
    let options = Options { sync: Sync::Group, segment_bytes: 1, ..Options::default() };
    disk.turns.lock().extend([Turn::Works, Turn::Works, Turn::Fails, Turn::Works]);
    let log = Log::open_on(directory.path(), options, Box::new(disk.clone())).unwrap();
    log.append(b"{\"n\":1}").await.unwrap();
    for number in 2..20 {
        recovered(&log, &format!("{{\"n\":{number}}}")).await;
    }
    assert_eq!(log.stats().sync_failures(), 1);
    let report = verify(directory.path(), &[], None).unwrap();
    assert!(report.is_whole() && report.records >= 19, "{report}");
    assert!(report.segments > 1);
}

/// The current segment's file, which takes nothing from now on; what is given back mends it.
fn take_no_more(log: &Log) -> Lines<Arc<File>> {
    let mut state = log.shared.state.lock();
    let read_only = Arc::new(File::open(log.shared.layout.current()).unwrap());
    let end = state.current.lines.end();
    std::mem::replace(&mut state.current.lines, Lines::new(read_only, end))
}

#[tokio::test]
async fn records_of_requests_that_are_served_together_share_a_write() {
    let (directory, log, _disk) = open(Sync::None);
    let first = async {
        log.append(b"{\"n\":1}").await.unwrap();
        assert_eq!(log.last_sequence(), 3);
    };
    let (one, other) = (log.append(b"{\"n\":2}"), log.append(b"{\"n\":3}"));
    let ((), one, other) = tokio::join!(first, one, other);
    assert!(one.is_ok() && other.is_ok());
    assert_eq!(numbers(&directory), ["{\"n\":1}", "{\"n\":2}", "{\"n\":3}"]);
    assert_eq!(log.stats().records(), 3);
}

#[tokio::test]
async fn a_record_that_nobody_waits_for_any_more_is_written() {
    let (directory, log, _disk) = open(Sync::None);
    let mut pending = log.append(b"{\"n\":1}");
    let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(pending.as_mut().poll(cx)));
    assert!(polled.await.is_pending());
    assert_eq!(log.last_sequence(), 0);
    drop(pending);
    assert_eq!(numbers(&directory), ["{\"n\":1}"]);
}

/// All that share a write which fails are refused, and what comes after takes their place.
#[tokio::test]
async fn a_failed_write_refuses_all_whose_records_were_in_it() {
    for sync in [Sync::None, Sync::Group] {
        let (directory, log, _disk) = open(sync);
        log.append(b"{\"n\":1}").await.unwrap();
        let mended = take_no_more(&log);
        let (one, other) = tokio::join!(log.append(b"{\"n\":2}"), log.append(b"{\"n\":3}"));
        assert!(one.is_err() && other.is_err());
        assert_eq!((log.stats().refused(), log.last_sequence()), (2, 1));
        log.shared.state.lock().current.lines = mended;
        log.append(b"{\"n\":4}").await.unwrap();
        assert_eq!(numbers(&directory), ["{\"n\":1}", "{\"n\":4}"]);
        assert_eq!((log.last_sequence(), log.stats().records()), (2, 2));
    }
}

#[tokio::test]
async fn much_that_waits_is_written_at_once() {
    let (_directory, log, _disk) = open(Sync::None);
    let record = format!("{{\"n\":\"{}\"}}", "x".repeat(crate::unwritten::ENOUGH));
    let mut pending = log.append(record.as_bytes());
    let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(pending.as_mut().poll(cx)));
    assert!(polled.await.is_pending());
    assert_eq!(log.last_sequence(), 1);
    pending.await.unwrap();
}
