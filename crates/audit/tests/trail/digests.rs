//! When digests are signed, and what they say.

use std::fs;
use std::sync::atomic::Ordering;
use std::time::Duration;

use audit::DigestOptions;
use service::ports::AuditLog as _;

use crate::place::{Place, append};

fn every(records: u64) -> DigestOptions {
    DigestOptions { records, period: Duration::from_hours(1), ..DigestOptions::default() }
}

/// The last sequences that the digests say.
fn covered(place: &Place) -> Vec<u64> {
    let text = fs::read_to_string(place.digests()).unwrap();
    let sequence = |line: &str| {
        let digest: serde_json::Value = serde_json::from_str(line).unwrap();
        digest["sequence"].as_u64().unwrap()
    };
    text.lines().map(sequence).collect()
}

#[tokio::test]
async fn they_come_by_number_by_time_at_each_close_and_at_the_end() {
    let place = Place::new();
    let log = place.open();
    let mut digester = place.digester(&log, every(4));
    for number in 1..=14 {
        append(&log, number).await;
        digester.turn().await.unwrap();
    }
    assert_eq!(covered(&place), [4, 6, 10, 12]);
    let soon = DigestOptions { period: Duration::ZERO, ..every(4) };
    let mut impatient = place.digester(&log, soon);
    assert_eq!(impatient.turn().await.unwrap().digests, 1);
    // Nothing new, nothing to sign.
    assert_eq!(impatient.turn().await.unwrap().digests, 0);
    append(&log, 15).await;
    digester.finish().await.unwrap();
    assert_eq!(digester.finish().await.unwrap().digests, 0);
    assert_eq!(covered(&place), [4, 6, 10, 12, 14, 15]);
    assert_eq!(log.stats().last_digest(), 15);
    assert!(place.verify().is_whole());
}

#[tokio::test]
async fn what_was_closed_without_a_key_is_made_up_for() {
    let place = Place::new();
    let log = place.open();
    let mut digester = place.digester(&log, every(4));
    place.key.fails.store(true, Ordering::SeqCst);
    for number in 1..=20 {
        append(&log, number).await;
        if number > 6 {
            digester.turn().await.unwrap_err();
        }
    }
    assert_eq!(covered(&place), [0; 0]);
    drop((digester, log));
    let log = place.open();
    let mut digester = place.digester(&log, every(2));
    place.key.fails.store(false, Ordering::SeqCst);
    digester.turn().await.unwrap();
    assert_eq!(covered(&place), [6, 12, 18, 20]);
    let report = place.verify();
    let told = report.to_string();
    assert!(told.starts_with("proven: records 1 to 20, by digest 4 of 2026-11-18T11:"), "{told}");
}

/// Where the log was taken away but not its digests, the sequences go on behind what they cover.
#[tokio::test]
async fn a_log_that_was_cut_goes_on_behind_its_digests() {
    for segments_left in [0, 1, 2] {
        let place = Place::filled(14).await;
        for path in &place.segments()[segments_left..] {
            fs::remove_file(path).unwrap();
        }
        let log = place.open();
        let note = format!("ends with record {}, but record 14", segments_left * 6);
        assert!(log.notes()[0].contains(&note), "{:?}", log.notes());
        log.append(b"{}").await.unwrap();
        assert_eq!(log.last_sequence(), 15);
        place.digester(&log, every(1)).finish().await.unwrap();
        let report = place.verify();
        let from = segments_left * 6 + 1;
        let told =
            format!("FAULT: a segment or its end is missing: records {from} to 14 are missing");
        assert_eq!(report.to_string().lines().next().unwrap(), told);
        assert_eq!((report.covered.last().unwrap().from, report.faults.len()), (15, 1));
    }
    // The end of the current segment alone.
    let place = Place::filled(14).await;
    let current = place.directory.path().join("audit.jsonl");
    let text = fs::read_to_string(&current).unwrap();
    fs::write(&current, text.split_inclusive('\n').next().unwrap()).unwrap();
    let log = place.open();
    log.append(b"{}").await.unwrap();
    assert_eq!(log.last_sequence(), 15);
    let report = place.verify();
    assert_eq!(
        report.to_string().lines().next().unwrap(),
        "FAULT: a segment or its end is missing: record 14 is missing"
    );
}
