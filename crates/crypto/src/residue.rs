//! A test that looks for key bytes in everything this process can write to.
//!
//! It runs every operation on known keys and then reads the whole address space, the stacks of the
//! threads that ran them included. Key bytes may stand in locked memory only.

use std::fs::{self, File};
use std::hint::black_box;
use std::mem::forget;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Barrier;
use std::thread;

use crate::derive::{self, Label};
use crate::envelope::{Envelope, Salt};
use crate::memory::Locked;
use crate::{DomainKey, Error, RootKey, StoredKind, SymmetricKey, aead};

mod kinds;
mod seals;

/// A register, a cache line or a copy that was half overwritten leaves at least this much.
const PIECE: usize = 16;
const STEP: usize = 64 * 1024;

/// The writable parts of the address space, and whether the kernel keeps them in RAM (`lo`) and
/// out of dumps (`dd`).
fn writable() -> Vec<(Range<u64>, bool)> {
    let mut parts = Vec::new();
    let mut range = None;
    for line in fs::read_to_string("/proc/self/smaps").unwrap().lines() {
        let mut words = line.split_whitespace();
        let first = words.next().unwrap_or_default();
        if let Some((start, end)) = first.split_once('-') {
            let address = |text| u64::from_str_radix(text, 16).unwrap();
            let usable = words.next().is_some_and(|access| access.starts_with("rw"));
            range = usable.then(|| address(start)..address(end));
        } else if first == "VmFlags:" {
            let flags: Vec<_> = words.collect();
            let secret = flags.contains(&"lo") && flags.contains(&"dd");
            parts.extend(range.take().map(|range| (range, secret)));
        }
    }
    parts
}

/// Counts, for each of `wanted`, where its first or its last 16 bytes stand in `range`.
fn count(memory: &File, range: &Range<u64>, wanted: &[&[u8]], counts: &mut [usize]) {
    let mut starts = [false; 256];
    for key in wanted {
        starts[usize::from(key[0])] = true;
        starts[usize::from(key[key.len() - PIECE])] = true;
    }
    let mut window = vec![0; STEP + PIECE - 1];
    for start in range.clone().step_by(STEP) {
        let len = window.len().min(usize::try_from(range.end - start).unwrap());
        // A thread that ends while this runs takes its stack along.
        let Ok(read) = memory.read_at(&mut window[..len], start) else { continue };
        for piece in window[..read].windows(PIECE) {
            if !starts[usize::from(piece[0])] {
                continue;
            }
            for (key, count) in wanted.iter().zip(&mut *counts) {
                *count += usize::from(key.starts_with(piece) || key.ends_with(piece));
            }
        }
    }
    window.fill(0);
}

/// How often each of `wanted` stands in (locked, other) memory.
fn search(wanted: &[&[u8]]) -> Vec<(usize, usize)> {
    let memory = File::open("/proc/self/mem").unwrap();
    let (mut locked, mut elsewhere) = (vec![0; wanted.len()], vec![0; wanted.len()]);
    // Locked memory comes last, so that the window can't be what is found elsewhere.
    let (secret, other): (Vec<_>, Vec<_>) = writable().into_iter().partition(|(_, secret)| *secret);
    for (range, _) in other {
        count(&memory, &range, wanted, &mut elsewhere);
    }
    for (range, _) in secret {
        count(&memory, &range, wanted, &mut locked);
    }
    locked.into_iter().zip(elsewhere).collect()
}

/// The one-time key of an envelope, derived where it can be compared and not found.
fn one_time_key(secret: &Locked, label: Label, salt: &Salt) -> Locked {
    Locked::filled::<Error>(aead::KEY, |slot| {
        let key = slot.first_chunk_mut().expect("the slot is as long as a key");
        derive::fill(secret, label, salt.nonce(), key)
    })
    .unwrap()
}

/// Runs `operation` far below the caller's frame, so that what it leaves on the stack is not
/// overwritten by what the caller does next.
#[inline(never)]
fn deep_down(operation: &(dyn Fn() + Sync)) {
    let distance = black_box([0_u8; 8 * 1024]);
    operation();
    black_box(distance);
}

/// Runs every operation on a thread of its own, and `look` while the threads, stacks and all, are
/// still there.
fn look_after(operations: &[&(dyn Fn() + Sync)], look: impl FnOnce()) {
    let (done, looked) = (Barrier::new(operations.len() + 1), Barrier::new(operations.len() + 1));
    thread::scope(|scope| {
        for operation in operations {
            scope.spawn(|| {
                deep_down(operation);
                done.wait();
                looked.wait();
            });
        }
        done.wait();
        // A failed assertion must not leave the threads waiting for ever.
        let outcome = catch_unwind(AssertUnwindSafe(look));
        looked.wait();
        outcome.unwrap_or_else(|panic| resume_unwind(panic));
    });
}

#[test]
fn key_bytes_stand_in_locked_memory_only() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("root.key");
    let root = RootKey::create_file(&path).unwrap();
    let domain = DomainKey::generate().unwrap();
    let material = SymmetricKey::generate().unwrap();
    let salt = Salt::random().unwrap();
    let wrapped_domain = root.wrap_domain_key_with(&salt, &domain, b"b").unwrap();
    let wrapped = domain.wrap_symmetric_with(&salt, &material, b"b").unwrap();
    let next_root = RootKey::generate().unwrap();
    let wrapped_root = next_root.wrap_root_key(&root).unwrap();
    let next_domain = DomainKey::generate().unwrap();
    let mut sealed = Vec::new();
    material.seal_with(&salt, b"header", b"context", &[7; 100], &mut sealed).unwrap();

    // Wiping the results would overwrite part of the stack, so they are kept.
    let operations: [&(dyn Fn() + Sync); 15] = [
        &|| forget(RootKey::read_file(&path).unwrap()),
        &|| drop(root.wrap_domain_key_with(&salt, &domain, b"b").unwrap()),
        &|| forget(root.unwrap_domain_key(&wrapped_domain, b"b").unwrap()),
        &|| forget(root.unwrap_domain_key(&wrapped_domain, b"other").err().unwrap()),
        &|| drop(domain.wrap_symmetric_with(&salt, &material, b"b").unwrap()),
        &|| forget(domain.unwrap_symmetric(&wrapped, b"b").unwrap()),
        &|| forget(domain.unwrap_symmetric(&wrapped, b"other").err().unwrap()),
        &|| material.seal_with(&salt, b"", b"", &[7; 100], &mut Vec::new()).unwrap(),
        &|| forget(material.open(b"header", b"context", &sealed).unwrap()),
        &|| assert_eq!(material.material_id(b"key").unwrap().len(), 32),
        &|| drop(next_root.wrap_root_key(&root).unwrap()),
        &|| forget(next_root.unwrap_root_key(&wrapped_root).unwrap()),
        &|| drop(next_domain.rewrap(&domain, StoredKind::Symmetric, &wrapped, b"b").unwrap()),
        &|| domain.check(StoredKind::Symmetric, &wrapped, b"b").unwrap(),
        // What the callers above do after this call would hide a key that it leaves behind.
        &|| {
            let envelope = Envelope::parse(&sealed).unwrap();
            envelope.open(material.locked(), Label::BLOB, b"", &mut [0; 100]).unwrap_err();
        },
    ];
    let keys = [
        ("root key", root.locked()),
        ("next root key", next_root.locked()),
        ("next domain key", next_domain.locked()),
        ("domain key", domain.locked()),
        ("material", material.locked()),
        ("blob key", &one_time_key(material.locked(), Label::BLOB, &salt)),
        ("wrapping key", &one_time_key(domain.locked(), Label::WRAP_SYMMETRIC, &salt)),
        ("root's wrapping key", &one_time_key(root.locked(), Label::WRAP_DOMAIN_KEY, &salt)),
    ];
    look_after(&operations, || {
        let found = search(&keys.map(|(_, key)| key.expose()));
        for ((name, _), (locked, elsewhere)) in keys.iter().zip(found) {
            assert!(locked >= 2, "the search does not find the {name} where it is");
            assert_eq!(elsewhere, 0, "the {name} stands outside locked memory");
        }
    });
}

#[test]
fn the_search_finds_what_an_operation_leaves_on_its_stack() {
    let secret = DomainKey::generate().unwrap();
    let careless = || {
        let mut copy = [0; 32];
        copy.copy_from_slice(secret.locked().expose());
        black_box(&copy);
    };
    look_after(&[&careless], || {
        let found = search(&[secret.locked().expose()]);
        // What the thread does until it waits may overwrite one half of the copy.
        assert!(found[0].0 >= 2 && found[0].1 >= 1, "{found:?}");
    });
}

#[test]
fn the_search_finds_bytes_on_the_heap_and_the_stack() {
    let mut heap = vec![0; 32];
    crate::random::fill(&mut heap).unwrap();
    let mut stack = [0; 32];
    crate::random::fill(&mut stack).unwrap();
    for (locked, elsewhere) in search(&[&heap, &stack]) {
        assert!(locked == 0 && elsewhere >= 2);
    }
}
