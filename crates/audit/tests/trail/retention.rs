//! What is removed, when, and how that is told.

use std::fs;
use std::time::Duration;

use audit::{DigestOptions, Removed, Retention, Turn};
use service::ports::{AuditHistory as _, Position};

use crate::place::{Place, append};

fn keeping(retention: Retention) -> DigestOptions {
    DigestOptions { records: 3, period: Duration::from_hours(1), retention }
}

fn firsts(turn: &Turn) -> Vec<u64> {
    turn.removed.iter().map(|removed| removed.first).collect()
}

#[tokio::test]
async fn the_oldest_segments_go_when_there_are_too_many_bytes() {
    let place = Place::filled(32).await;
    let log = place.open();
    let start = log.start();
    let retention = Retention { max_bytes: Some(1_900), ..Retention::default() };
    let mut digester = place.digester(&log, keeping(retention));
    // Five closed segments of some 550 bytes, and two records.
    let turn = digester.turn().await.unwrap();
    assert_eq!(
        turn.removed,
        [
            Removed { first: 1, last: 6, undelivered: false },
            Removed { first: 7, last: 12, undelivered: false },
        ]
    );
    assert_eq!(firsts(&digester.turn().await.unwrap()), [0; 0]);
    assert!(log.start() > start && log.read(start).is_err());
    assert_eq!(log.find("1-100-0000000000000000").unwrap(), log.start());
    let report = place.verify();
    assert_eq!((report.removed_to, report.is_whole()), (12, true));
    assert_eq!((report.covered[0].from, report.covered[0].to), (13, 32));
    // More than retention has removed is missing.
    fs::remove_file(&place.segments()[0]).unwrap();
    assert!(
        place
            .verify()
            .to_string()
            .starts_with("FAULT: a segment or its end is missing: records 13 to 18 are missing")
    );
    // The log goes on, also at the next start.
    append(&log, 33).await;
    drop((digester, log));
    assert_eq!(place.open().last_sequence(), 33);
}

#[tokio::test]
async fn nothing_goes_that_somebody_has_to_read_unless_it_must() {
    let place = Place::filled(32).await;
    let log = place.open();
    let hold = log.hold(log.start());
    let retention = Retention { max_bytes: Some(1_200), ..Retention::default() };
    let mut digester = place.digester(&log, keeping(retention));
    assert_eq!(firsts(&digester.turn().await.unwrap()), [0; 0]);
    hold.advance(Position(600));
    assert_eq!(firsts(&digester.turn().await.unwrap()), [1]);
    let hard = Retention { hard_max_bytes: Some(2_000), ..retention };
    let turn = place.digester(&log, keeping(hard)).turn().await.unwrap();
    assert_eq!(turn.removed, [Removed { first: 7, last: 12, undelivered: true }]);
    drop(hold);
    assert_eq!(firsts(&digester.turn().await.unwrap()), [13, 19]);
    assert!(place.verify().is_whole());
}

#[tokio::test]
async fn old_segments_go_when_they_have_been_old_for_a_while() {
    let place = Place::filled(20).await;
    let log = place.open();
    tokio::time::sleep(Duration::from_millis(20)).await;
    let retention = Retention {
        max_age: Some(Duration::from_millis(10)),
        grace: Duration::from_millis(50),
        ..Retention::default()
    };
    let mut digester = place.digester(&log, keeping(retention));
    assert_eq!(firsts(&digester.turn().await.unwrap()), [0; 0]);
    tokio::time::sleep(Duration::from_millis(60)).await;
    // All that is closed, one at a time or all at once; never the current one.
    let mut removed = Vec::new();
    for _ in 0..3 {
        removed.extend(firsts(&digester.turn().await.unwrap()));
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    assert_eq!(removed, [1, 7, 13]);
    let report = place.verify();
    assert!(report.is_whole(), "{report}");
    assert_eq!((report.covered[0].from, report.covered[0].to), (19, 20));
}

/// The digest says so first; a crash before the file is gone leaves it to the next time.
#[tokio::test]
async fn a_crash_before_a_removal_is_made_up_for() {
    let place = Place::filled(32).await;
    let (oldest, log) = (place.segments()[0].clone(), place.open());
    let saved = fs::read(&oldest).unwrap();
    let retention = Retention { max_bytes: Some(2_400), ..Retention::default() };
    let turn = place.digester(&log, keeping(retention)).turn().await.unwrap();
    assert_eq!(firsts(&turn), [1]);
    drop(log);
    fs::write(&oldest, saved).unwrap();
    let report = place.verify();
    assert_eq!((report.is_whole(), report.removed_to), (true, 6), "{report}");
    let log = place.open();
    let turn = place.digester(&log, keeping(retention)).turn().await.unwrap();
    assert_eq!(firsts(&turn), [1]);
    assert!(place.verify().is_whole());
}
