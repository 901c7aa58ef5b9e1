//! What verification finds, each kind of tampering by its name.

use std::fs;
use std::path::Path;

use audit::verify::{Fault, Report, verify};
use audit::{DigestOptions, PublicKey};
use service::ports::AuditLog as _;

use crate::place::{Key, Place, append};

fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

fn write(path: &Path, lines: &[String]) {
    let mut text = lines.join("\n");
    if !lines.is_empty() {
        text.push('\n');
    }
    fs::write(path, text).unwrap();
}

/// What is found in a log of 20 records whose second segment, records 7 to 12, was changed so.
async fn found(change: impl FnOnce(&mut Vec<String>)) -> Report {
    let place = Place::filled(20).await;
    let path = &place.segments()[1];
    let mut second = lines(path);
    change(&mut second);
    write(path, &second);
    place.verify()
}

const SECOND: &str = "000000000007.jsonl";

fn proven(report: &Report) -> Vec<(u64, u64)> {
    report.covered.iter().map(|covered| (covered.from, covered.to)).collect()
}

#[tokio::test]
async fn nothing_is_found_where_nothing_is_wrong() {
    let report = found(|_| ()).await;
    assert_eq!(report.faults, []);
    assert_eq!(proven(&report), [(1, 20)]);
    assert_eq!((report.records, report.segments, report.uncovered), (20, 4, None));
    assert!(report.to_string().ends_with("OK"), "{report}");
}

#[tokio::test]
async fn an_altered_record() {
    let report = found(|lines| lines[2] = lines[2].replace("number\":9", "number\":8")).await;
    let segment = SECOND.to_owned();
    assert_eq!(report.faults, [Fault::Altered { sequence: 9, segment, line: 3 }]);
    // The digests are behind records 3, 6, 9 and so on: what is between 6 and 9 isn't proven.
    assert_eq!(proven(&report), [(1, 6), (10, 20)]);
}

#[tokio::test]
async fn an_altered_link() {
    for (from, to) in [("chain\":\"9:", "chain\":\"11:"), ("chain\":\"9:", "chain\":\"8:")] {
        let report = found(|lines| lines[2] = lines[2].replace(from, to)).await;
        assert!(!report.is_whole());
        assert!(proven(&report).contains(&(1, 6)), "{report}");
    }
    let report = found(|lines| {
        let digit = lines[2].len() - 10;
        let other = if &lines[2][digit..=digit] == "0" { "1" } else { "0" };
        lines[2].replace_range(digit..=digit, other);
    });
    let report = report.await;
    let segment = SECOND.to_owned();
    assert_eq!(report.faults, [Fault::Altered { sequence: 9, segment, line: 3 }]);
}

#[tokio::test]
async fn records_that_were_cut_out() {
    let report = found(|lines| drop(lines.drain(1..3))).await;
    let segment = SECOND.to_owned();
    assert_eq!(report.faults, [Fault::Missing { from: 8, to: 9, segment, line: 2 }]);
    assert_eq!(proven(&report), [(1, 6), (10, 20)]);
    // The first ones of a segment, which its name tells.
    let report = found(|lines| drop(lines.drain(..2))).await;
    let segment = SECOND.to_owned();
    assert!(report.faults.contains(&Fault::Misnamed { segment: segment.clone(), sequence: 9 }));
    assert!(report.faults.contains(&Fault::Missing { from: 7, to: 8, segment, line: 1 }));
    // The last ones, which the next one's name tells.
    let report = found(|lines| lines.truncate(4)).await;
    assert_eq!(report.faults, [Fault::SegmentsMissing { from: 11, to: 12 }]);
}

#[tokio::test]
async fn an_inserted_record() {
    let forged = |from: &str| from.replace("number\":9", "number\":99");
    for place in [2, 3] {
        let report = found(|lines| lines.insert(place, forged(&lines[2]))).await;
        let segment = SECOND.to_owned();
        let line = place as u64 + 1;
        assert_eq!(report.faults, [Fault::Inserted { sequence: 9, segment, line }]);
    }
    let report = found(|lines| lines.insert(2, "{\"number\":1}".to_owned())).await;
    let segment = SECOND.to_owned();
    assert_eq!(report.faults, [Fault::Unreadable { segment, line: 3 }]);
}

#[tokio::test]
async fn reordered_records() {
    let report = found(|lines| lines.swap(2, 3)).await;
    let segment = SECOND.to_owned();
    assert_eq!(report.faults, [Fault::Reordered { sequence: 9, segment, line: 4 }]);
}

#[tokio::test]
async fn segments_that_were_taken_away_or_renamed() {
    let place = Place::filled(20).await;
    let segments = place.segments();
    fs::remove_file(&segments[1]).unwrap();
    let report = place.verify();
    assert_eq!(report.faults, [Fault::SegmentsMissing { from: 7, to: 12 }]);
    assert_eq!(proven(&report), [(1, 6), (13, 20)]);
    fs::remove_file(&segments[0]).unwrap();
    assert_eq!(place.verify().faults, [Fault::SegmentsMissing { from: 1, to: 12 }]);
    fs::rename(&segments[2], &segments[0]).unwrap();
    let faults = place.verify().faults;
    let segment = "000000000001.jsonl".to_owned();
    assert!(faults.contains(&Fault::Misnamed { segment, sequence: 13 }), "{faults:?}");
}

#[tokio::test]
async fn an_end_that_was_cut() {
    let place = Place::filled(20).await;
    let path = place.directory.path().join("audit.jsonl");
    let all = lines(&path);
    for left in [0, 1] {
        write(&path, &all[..left]);
        let from = 19 + left as u64;
        let digest = place.verify().digests;
        assert_eq!(place.verify().faults, [Fault::Cut { from, to: 20, digest }]);
    }
    fs::remove_file(&path).unwrap();
    assert!(matches!(place.verify().faults[..], [Fault::Cut { from: 19, to: 20, .. }]));
}

/// Log and digests cut together: only what was noted elsewhere tells.
#[tokio::test]
async fn an_end_that_was_cut_with_its_digests() {
    let place = Place::filled(20).await;
    let head = place.verify().head.unwrap();
    assert!(place.verify_head(&head).is_whole());
    assert_eq!(head.to_string().parse(), Ok(head));
    let digests = lines(&place.digests());
    write(&place.digests(), &digests[..digests.len() - 1]);
    let current = place.directory.path().join("audit.jsonl");
    write(&current, &lines(&current)[..0]);
    assert!(place.verify().is_whole());
    let faults = place.verify_head(&head).faults;
    assert_eq!(faults, [Fault::Head { expected: head.number, found: head.number - 1 }]);
}

/// Whoever has the files, but not the key, writes the log anew from a record on.
#[tokio::test]
async fn a_log_that_was_written_anew() {
    let place = Place::filled(20).await;
    let forged = Place::new();
    let log = forged.open();
    for number in 1..=20 {
        if number == 8 {
            append(&log, 800).await;
        } else {
            append(&log, number).await;
        }
    }
    drop(log);
    for (own, other) in place.segments().iter().zip(forged.segments()) {
        fs::copy(other, own).unwrap();
    }
    let report = place.verify();
    assert!(matches!(report.faults[0], Fault::Rewritten { from: 7, to: 9, .. }), "{report}");
    assert_eq!(proven(&report), [(1, 6)]);
}

#[tokio::test]
async fn digests_that_were_changed() {
    let place = Place::filled(20).await;
    let all = lines(&place.digests());
    let time = "2026-11-18T11:06:4";
    let altered = all[2].replace(time, "2027-11-18T11:06:4");
    assert_ne!(altered, all[2]);
    let changed = |number: usize, line: &str| {
        let mut lines = all.clone();
        line.clone_into(&mut lines[number]);
        write(&place.digests(), &lines);
        place.verify().faults
    };
    let faults = changed(2, &altered);
    assert_eq!(faults[0], Fault::BadSignature { digest: 3, line: 3 });
    assert_eq!(faults[1], Fault::DigestOrder { digest: 4, line: 4, expected: 4 });
    assert_eq!(changed(2, "{}")[0], Fault::UnreadableDigest { line: 3 });
    assert_eq!(changed(2, &all[3])[0], Fault::DigestOrder { digest: 4, line: 3, expected: 3 });
    write(&place.digests(), &[&all[..2], &all[3..]].concat());
    let order = Fault::DigestOrder { digest: 4, line: 3, expected: 3 };
    assert_eq!(place.verify().faults, [order]);
}

#[tokio::test]
async fn keys() {
    let place = Place::filled(8).await;
    let verify = |keys: &[PublicKey]| verify(place.directory.path(), keys, None).unwrap();
    let report = verify(&[Key::new(1).public()]);
    assert!(matches!(report.faults[0], Fault::UnknownKey { digest: 1, key_number: 1, .. }));
    assert_eq!(report.covered, []);
    // After a rotation both are needed.
    let mut rotated = Place { directory: place.directory, key: Key::new(2) };
    let log = rotated.open();
    append(&log, 9).await;
    rotated.digester(&log, DigestOptions::default()).finish().await.unwrap();
    let keys = [place.key.public(), rotated.key.public()];
    let both = audit::verify::verify(rotated.directory.path(), &keys, None).unwrap();
    assert!(both.is_whole(), "{both}");
    rotated.key = place.key;
    assert_eq!(rotated.verify().faults.len(), 1);
}

/// What a version without a chain wrote is covered by the first link.
#[tokio::test]
async fn a_log_from_before_the_chain() {
    let place = Place::new();
    let path = place.directory.path().join("audit.jsonl");
    fs::write(&path, "{\"old\":1}\n{\"old\":2}\n").unwrap();
    let report = place.verify();
    assert_eq!((report.is_whole(), report.bytes_before_chain, report.records), (true, 20, 0));
    let log = place.open();
    log.append(b"{\"new\":1}").await.unwrap();
    place.digester(&log, DigestOptions::default()).finish().await.unwrap();
    drop(log);
    let report = place.verify();
    assert_eq!((report.is_whole(), report.bytes_before_chain), (true, 20), "{report}");
    assert_eq!(proven(&report), [(1, 1)]);
    let good = fs::read_to_string(&path).unwrap();
    for bad in [
        good.replace("old\":2", "old\":3"),
        good.replacen("{\"old\":1}\n", "", 1),
        format!("{{}}\n{good}"),
    ] {
        fs::write(&path, bad).unwrap();
        let faults = place.verify().faults;
        assert_eq!(faults, [Fault::BeforeChain { segment: "audit.jsonl".to_owned() }]);
    }
}

#[tokio::test]
async fn what_is_not_signed_yet_is_told() {
    let place = Place::filled(20).await;
    let log = place.open();
    append(&log, 21).await;
    append(&log, 22).await;
    let report = place.verify();
    assert!(report.is_whole());
    let uncovered = report.uncovered.unwrap();
    assert_eq!((uncovered.from, uncovered.to), (21, 22));
    drop(log);
    let path = place.directory.path().join("audit.jsonl");
    let torn = fs::read_to_string(&path).unwrap() + "{\"number\"";
    fs::write(&path, torn).unwrap();
    let report = place.verify();
    assert_eq!((report.is_whole(), report.torn), (true, 9));
    let nothing = tempfile::tempdir().unwrap();
    assert!(verify(nothing.path(), &[], None).is_err());
}
