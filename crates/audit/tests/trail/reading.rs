//! Reading from the files, beside the one who writes.

use std::sync::Arc;

use audit::{LogReader, Options, sequence};
use service::ports::AuditLog as _;

use crate::place::{Place, append};

/// The sequences of all that is there by now.
fn rest(reader: &mut LogReader) -> Vec<u64> {
    let mut found = Vec::new();
    while let Some(line) = reader.next_line().unwrap() {
        found.push(sequence(line.bytes).unwrap());
    }
    found
}

#[tokio::test]
async fn all_is_read_in_order_and_on_as_it_is_written() {
    let place = Place::new();
    let log = place.open();
    append(&log, 1).await;
    let mut reader = LogReader::open(place.directory.path()).unwrap();
    let mut read = rest(&mut reader);
    for number in 2..=40 {
        append(&log, number).await;
        if number % 4 == 0 || number == 39 {
            read.extend(rest(&mut reader));
        }
    }
    let all: Vec<u64> = (1..=40).collect();
    assert_eq!(read, all);
    assert_eq!(rest(&mut LogReader::open(place.directory.path()).unwrap()), all);
}

#[tokio::test]
async fn the_last_lines_may_lie_in_several_segments() {
    let place = Place::filled(20).await;
    for count in [0, 1, 2, 3, 8, 9, 20, 100] {
        let mut reader = LogReader::open_at_end(place.directory.path(), count).unwrap();
        let expected: Vec<u64> = (1..=20).skip(20 - count.min(20) as usize).collect();
        assert_eq!(rest(&mut reader), expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_out_while_segments_are_closed() {
    const RECORDS: u64 = 3_000;
    let place = Place::new();
    let log = place.open_with(Options { segment_bytes: 5_000, ..Options::default() });
    let writing = {
        let log = Arc::clone(&log);
        tokio::spawn(async move {
            for number in 0..RECORDS {
                log.append(format!("{{\"number\":{number}}}").as_bytes()).await.unwrap();
                if number % 100 == 0 {
                    tokio::time::sleep(std::time::Duration::from_millis(3)).await;
                }
            }
        })
    };
    let mut reader = LogReader::open(place.directory.path()).unwrap();
    let mut read = Vec::new();
    while (read.len() as u64) < RECORDS {
        read.extend(rest(&mut reader));
        tokio::task::yield_now().await;
    }
    writing.await.unwrap();
    assert!(read.iter().copied().eq(1..=RECORDS));
    assert!(log.stats().rotations() > 2);
}

#[test]
fn what_is_not_there_is_an_error() {
    let place = Place::new();
    assert!(LogReader::open(place.directory.path()).is_err());
    assert!(LogReader::open_at_end(place.directory.path(), 5).is_err());
}
