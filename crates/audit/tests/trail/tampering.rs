//! Tampering at random: whatever is changed in the files of a log that is covered by digests is
//! found; and nothing that stands there makes verification panic.

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use audit::verify::{Head, verify};
use proptest::prelude::*;

use crate::place::Place;

/// A log of some 40 records in seven segments, and its files' contents.
struct Original {
    place: Place,
    files: Vec<(PathBuf, Vec<u8>)>,
    head: Head,
}

static ORIGINAL: OnceLock<std::sync::Mutex<Original>> = OnceLock::new();

fn original() -> std::sync::MutexGuard<'static, Original> {
    let original = ORIGINAL.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let place = runtime.block_on(Place::filled(40));
        let mut paths = place.segments();
        paths.push(place.digests());
        let files = paths.into_iter().map(|path| (path.clone(), fs::read(path).unwrap()));
        let head = place.verify().head.unwrap();
        std::sync::Mutex::new(Original { files: files.collect(), place, head })
    });
    let original = original.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    for (path, content) in &original.files {
        if fs::read(path).ok().as_ref() != Some(content) {
            fs::write(path, content).unwrap();
        }
    }
    original
}

/// A change of one file, by places that are taken modulo what there is.
#[derive(Debug, Clone)]
enum Change {
    Flip { at: usize, bit: u8 },
    SetByte { at: usize, byte: u8 },
    InsertByte { at: usize, byte: u8 },
    RemoveBytes { at: usize, count: usize },
    Truncate { at: usize },
    RemoveLine { line: usize },
    SwapLines { line: usize, other: usize },
    RepeatLine { line: usize, before: usize },
    InsertLine { before: usize, text: String },
    Remove,
}

fn change() -> impl Strategy<Value = Change> {
    let number = any::<usize>;
    prop_oneof![
        4 => (number(), 0..8_u8).prop_map(|(at, bit)| Change::Flip { at, bit }),
        2 => (number(), any::<u8>()).prop_map(|(at, byte)| Change::SetByte { at, byte }),
        1 => (number(), any::<u8>()).prop_map(|(at, byte)| Change::InsertByte { at, byte }),
        1 => (number(), 1..300_usize).prop_map(|(at, count)| Change::RemoveBytes { at, count }),
        1 => number().prop_map(|at| Change::Truncate { at }),
        1 => number().prop_map(|line| Change::RemoveLine { line }),
        2 => (number(), number()).prop_map(|(line, other)| Change::SwapLines { line, other }),
        1 => (number(), number()).prop_map(|(line, before)| Change::RepeatLine { line, before }),
        1 => (number(), ".{0,80}").prop_map(|(before, text)| Change::InsertLine { before, text }),
        1 => Just(Change::Remove),
    ]
}

/// The changed content; None for a file that is removed.
fn apply(change: &Change, content: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = content.to_vec();
    let mut lines: Vec<&[u8]> = content.split_inclusive(|byte| *byte == b'\n').collect();
    let (length, count) = (bytes.len(), lines.len());
    match change {
        Change::Flip { at, bit } => bytes[at % length] ^= 1 << bit,
        Change::SetByte { at, byte } => bytes[at % length] = *byte,
        Change::InsertByte { at, byte } => bytes.insert(at % length, *byte),
        Change::RemoveBytes { at, count } => {
            let at = at % length;
            bytes.drain(at..(at + count).min(length));
        }
        Change::Truncate { at } => bytes.truncate(at % length),
        Change::Remove => return None,
        Change::RemoveLine { line } => {
            lines.remove(line % count);
            return Some(lines.concat());
        }
        Change::SwapLines { line, other } => {
            lines.swap(line % count, other % count);
            return Some(lines.concat());
        }
        Change::RepeatLine { line, before } => {
            lines.insert(before % count, lines[line % count]);
            return Some(lines.concat());
        }
        Change::InsertLine { before, text } => {
            let line = text.replace('\n', "") + "\n";
            lines.insert(before % count, line.as_bytes());
            return Some(lines.concat());
        }
    }
    Some(bytes)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn every_change_is_found(file in any::<usize>(), change in change()) {
        let original = original();
        let (path, content) = &original.files[file % original.files.len()];
        let changed = apply(&change, content);
        match &changed {
            Some(changed) => fs::write(path, changed).unwrap(),
            None => fs::remove_file(path).unwrap(),
        }
        let report = original.place.verify_head(&original.head);
        let is_changed = changed.as_ref() != Some(content);
        prop_assert_eq!(report.is_whole(), !is_changed, "{}\n{}", path.display(), report);
    }

    /// Changes upon changes: what is left may be anything.
    #[test]
    fn any_number_of_changes_is_found(
        changes in prop::collection::vec((any::<usize>(), change()), 2..12),
    ) {
        let original = original();
        let mut is_changed = false;
        for (file, change) in &changes {
            let (path, _) = &original.files[file % original.files.len()];
            let Ok(content) = fs::read(path) else { continue };
            if content.is_empty() {
                continue;
            }
            match apply(change, &content) {
                Some(changed) => fs::write(path, changed).unwrap(),
                None => fs::remove_file(path).unwrap(),
            }
        }
        for (path, content) in &original.files {
            is_changed |= fs::read(path).ok().as_ref() != Some(content);
        }
        let report = original.place.verify_head(&original.head);
        prop_assert_eq!(report.is_whole(), !is_changed, "{}", report);
    }

    #[test]
    fn garbage_is_read_without_panic(
        current in garbage(), closed in garbage(), digests in garbage(), first in 1..u64::MAX,
    ) {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("audit")).unwrap();
        fs::write(directory.path().join("audit.jsonl"), current).unwrap();
        fs::write(directory.path().join("audit/digests.jsonl"), digests).unwrap();
        fs::write(directory.path().join(format!("audit/{first:012}.jsonl")), closed).unwrap();
        let report = verify(directory.path(), &[], None).unwrap();
        prop_assert!(!report.to_string().is_empty() && report.covered.is_empty());
    }
}

/// Bytes that are nearly lines, of which some are nearly records.
fn garbage() -> impl Strategy<Value = Vec<u8>> {
    let hash = "0123456789abcdef".repeat(4);
    let line = prop_oneof![
        any::<Vec<u8>>(),
        (any::<u64>(), "[{}\":,a-z0-9]{0,20}").prop_map(move |(sequence, text)| {
            format!("{{\"{text}\",\"chain\":\"{sequence}:{hash}\"}}").into_bytes()
        }),
        Just(b"{\"format\":1,\"digest\":18446744073709551615}".to_vec()),
    ];
    prop::collection::vec(line, 0..12).prop_map(|lines| lines.join(&b'\n'))
}
