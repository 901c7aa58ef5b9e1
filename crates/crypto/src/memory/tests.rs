//! Tests of secret memory, against arenas of their own wherever a slot must come back.

use std::collections::HashSet;
use std::fs;

use super::*;

fn locked(bytes: &[u8]) -> Locked {
    Locked::filled::<Error>(bytes.len(), |slot| {
        slot.copy_from_slice(bytes);
        Ok(())
    })
    .expect("locked memory")
}

#[test]
fn a_secret_reads_back_at_every_size() {
    for len in [0, 1, 31, 32, 33, 64, 80, 500, 4096, 8191, 8192] {
        let secret: Vec<u8> = (0..len).map(|i| u8::try_from(i % 251).unwrap()).collect();
        let held = locked(&secret);
        assert_eq!(held.expose(), secret, "{len} bytes");
        assert!(held.slot.len() >= len && held.slot.len() <= len.max(16) * 2);
    }
}

#[test]
fn a_secret_larger_than_a_slot_is_refused() {
    let refused = Locked::filled::<Error>(8193, |_| Ok(())).err().expect("no slot");
    assert!(matches!(refused, Error::SecretTooLarge { bytes: 8193 }));
}

#[test]
fn a_slot_is_wiped_before_the_next_owner_gets_it() {
    for len in [32, 100, 8192] {
        let arena = Arena::new();
        let mut slot = arena.take(len).unwrap();
        let start = slot.start;
        slot.bytes_mut().fill(0xA5);
        arena.give_back(&mut slot);
        let again = arena.take(len).unwrap();
        assert_eq!(again.start, start, "the last slot given back is the first to be taken");
        assert!(again.bytes().iter().all(|byte| *byte == 0));
    }
}

/// Held by the two tests that take slots of 1,024 bytes, a size that no key has and no other test
/// takes: nobody else writes to their slots after a drop.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn dropping_a_secret_wipes_it() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let held = locked(&[0xA5; 1000]);
    let start = held.slot.start;
    drop(held);
    let next = Locked::filled::<Error>(1000, |slot| {
        assert!(slot.iter().all(|byte| *byte == 0));
        Ok(())
    })
    .unwrap();
    assert_eq!(next.slot.start, start);
}

#[test]
fn a_secret_that_could_not_be_filled_is_wiped() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut start = ptr::null();
    let failed = Locked::filled::<Error>(1000, |slot| {
        slot.fill(0xA5);
        start = slot.as_ptr();
        Err(Error::Random)
    });
    assert!(matches!(failed.err(), Some(Error::Random)));
    Locked::filled::<Error>(1000, |slot| {
        assert_eq!(slot.as_ptr(), start);
        assert!(slot.iter().all(|byte| *byte == 0));
        Ok(())
    })
    .unwrap();
}

#[test]
fn no_two_owners_share_a_slot() {
    let arena = Arena::new();
    let mut seen = HashSet::new();
    let slots: Vec<Slot> = (0..3000).map(|_| arena.take(64).unwrap()).collect();
    for slot in &slots {
        assert!(seen.insert(slot.start.as_ptr() as usize));
        assert_eq!(slot.start.as_ptr() as usize % 64, 0);
    }
    assert_eq!(slots.len(), seen.len());
}

#[test]
fn giving_back_never_allocates() {
    let arena = Arena::new();
    let mut slots: Vec<Slot> = (0..1000).map(|_| arena.take(32).unwrap()).collect();
    let room = arena.free(0).slots.capacity();
    for slot in &mut slots {
        arena.give_back(slot);
    }
    let free = arena.free(0);
    assert_eq!(free.slots.capacity(), room);
    assert_eq!(free.slots.len(), free.mapped);
}

#[test]
fn threads_take_and_give_back_without_mixing_secrets() {
    std::thread::scope(|scope| {
        for thread in 0..8_u8 {
            scope.spawn(move || {
                let mut held = Vec::new();
                for round in 0..2000_usize {
                    held.push(locked(&[thread; 40]));
                    if round % 3 == 0 {
                        let gone = held.swap_remove(round % held.len());
                        assert_eq!(gone.expose(), [thread; 40]);
                    }
                    if held.len() > 50 {
                        held.clear();
                    }
                }
                assert!(held.iter().all(|secret| secret.expose() == [thread; 40]));
            });
        }
    });
}

#[test]
fn the_kernel_has_the_pages_locked_undumped_unforked_and_guarded() {
    let held = locked(&[1; 32]);
    let address = held.slot.start.as_ptr() as usize;
    let maps = fs::read_to_string("/proc/self/smaps").unwrap();
    let mut found = None;
    let mut previous = String::new();
    let mut inside = false;
    for line in maps.lines() {
        if let Some((start, end)) = mapping_of(line) {
            inside = (start..end).contains(&address);
            if inside {
                assert!(line.contains(" rw-p "), "{line}");
                assert!(previous.contains(" ---p "), "no guard below: {previous}");
            }
            line.clone_into(&mut previous);
        } else if inside && line.starts_with("VmFlags:") {
            found = Some(line.to_owned());
        }
    }
    let flags = found.expect("the chunk is in the memory map");
    for flag in ["lo", "dd", "dc"] {
        assert!(flags.split_whitespace().any(|word| word == flag), "{flag} missing: {flags}");
    }
}

/// The addresses in the first line of an entry of `/proc/self/smaps`.
fn mapping_of(line: &str) -> Option<(usize, usize)> {
    let (start, end) = line.split_whitespace().next()?.split_once('-')?;
    Some((usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?))
}
