//! Tests of key files on a real file system, as root key files.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;
use crate::{DomainKey, RootKey, SealKey};

fn refusal(path: &Path) -> Problem {
    let refused = RootKey::read_file(path).err().expect("a refusal");
    let text = refused.to_string();
    assert!(text.contains(&path.display().to_string()), "the text names no file: {text}");
    refused.problem
}

fn put(path: &Path, content: &[u8], mode: u32) {
    fs::write(path, content).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_file_reads_back_as_the_key_that_was_created() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("root.key");
    let created = RootKey::create_file(&path).unwrap();
    let status = fs::metadata(&path).unwrap();
    assert_eq!((status.permissions().mode() & 0o7777, status.len()), (0o600, 80));
    let read = RootKey::read_file(&path).unwrap();
    let wrapped = created.wrap_domain_key(&DomainKey::generate().unwrap(), b"b").unwrap();
    assert!(read.unwrap_domain_key(&wrapped, b"b").is_ok());
}

#[test]
fn a_file_that_exists_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("root.key");
    put(&path, b"something else", 0o600);
    let refused = RootKey::create_file(&path).err().expect("a refusal");
    assert!(matches!(refused.problem, Problem::Exists));
    assert_eq!(fs::read(&path).unwrap(), b"something else");

    let link = directory.path().join("link");
    symlink(directory.path().join("nowhere"), &link).unwrap();
    let refused = RootKey::create_file(&link).err().expect("a refusal");
    assert!(matches!(refused.problem, Problem::Exists));
    assert!(!directory.path().join("nowhere").exists());
}

#[test]
fn what_a_crash_left_beside_is_no_hindrance() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("root.key");
    put(&directory.path().join("root.key.new"), b"half", 0o600);
    RootKey::create_file(&path).unwrap();
    assert!(RootKey::read_file(&path).is_ok());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_directory_that_does_not_exist_is_not_made() {
    let directory = tempfile::tempdir().unwrap();
    let refused = RootKey::create_file(&directory.path().join("no/root.key"));
    assert!(refused.is_err());
    assert!(!directory.path().join("no").exists());
}

#[test]
fn what_is_not_a_private_regular_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("root.key");
    assert!(matches!(refusal(&path), Problem::Missing));
    assert!(matches!(refusal(directory.path()), Problem::NotRegular));

    RootKey::create_file(&path).unwrap();
    let link = directory.path().join("link");
    symlink(&path, &link).unwrap();
    assert!(matches!(refusal(&link), Problem::SymbolicLink));

    let pipe = directory.path().join("pipe");
    rustix::fs::mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    assert!(matches!(refusal(&pipe), Problem::NotRegular));

    for mode in [0o640, 0o620, 0o610, 0o604, 0o602, 0o601] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert!(matches!(refusal(&path), Problem::Permissions { mode: told } if told == mode));
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    assert!(RootKey::read_file(&path).is_ok());
}

#[test]
fn another_owner_is_refused() {
    let file = 0o100_600;
    assert!(accept(file, 1000, 1000, 80).is_ok());
    assert!(matches!(
        accept(file, 1001, 1000, 80),
        Err(Problem::Owner { owner: 1001, process: 1000 })
    ));
    assert!(matches!(accept(file, 1001, 0, 80), Err(Problem::Owner { .. })));
}

#[test]
fn damaged_content_is_refused_and_never_shown() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("root.key");
    RootKey::create_file(&path).unwrap();
    let good = fs::read(&path).unwrap();
    let altered = |position: usize| {
        let mut content = good.clone();
        content[position] ^= 0x40;
        content
    };
    for position in 0..80 {
        put(&path, &altered(position), 0o600);
        match (position, refusal(&path)) {
            (0..15, Problem::NotAKeyFile)
            | (15, Problem::Version { found: 0x41 })
            | (16..80, Problem::Damaged) => {}
            (_, other) => panic!("byte {position}: {other:?}"),
        }
    }
    for bytes in [0, 1, 79, 81, 5000] {
        put(&path, &vec![b's'; bytes], 0o600);
        let told = bytes as u64;
        assert!(matches!(refusal(&path), Problem::Length { bytes } if bytes == told));
    }
    put(&path, &good, 0o600);
    assert!(RootKey::read_file(&path).is_ok());
}

#[test]
fn a_file_of_one_kind_is_none_of_the_other() {
    let directory = tempfile::tempdir().unwrap();
    let (root, seal) = (directory.path().join("root.key"), directory.path().join("seal.key"));
    RootKey::create_file(&root).unwrap();
    SealKey::create_file(&seal).unwrap();
    assert!(matches!(refusal(&seal), Problem::NotAKeyFile));
    let refused = SealKey::read_file(&root).err().expect("a refusal");
    assert!(matches!(refused.problem, Problem::NotAKeyFile));
    assert!(refused.to_string().contains("it is not a seal key file"));

    // The check value binds the kind, so a magic that was put in front doesn't help.
    let mut content = fs::read(&root).unwrap();
    content[..MAGIC].copy_from_slice(KeyFileKind::SealKey.magic());
    put(&root, &content, 0o600);
    let refused = SealKey::read_file(&root).err().expect("a refusal");
    assert!(matches!(refused.problem, Problem::Damaged));
}
