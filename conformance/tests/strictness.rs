//! Revocation is strict: once a change is answered, nobody acts on the old state.
//!
//! Readers use a key as fast as they can while a writer disables and enables it, or takes the
//! permission away and gives it back. A use that began after DisableKey was answered must be
//! refused, one after EnableKey must work.

mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use serde_json::json;
use world::{OWNER, STRANGER, World};

const ROUNDS: u64 = 300;
const READERS: usize = 4;

fn hold(world: World, caller: &'static str, change: impl Fn(&World, &str, bool)) {
    let world = Arc::new(world);
    let key = world.key();
    change(&world, &key, true);
    // Even while the key may be used, odd from just before a change's request on.
    let (stable, done) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let readers: Vec<_> = (0..READERS)
        .map(|_| {
            let (world, key) = (Arc::clone(&world), key.clone());
            let (stable, done) = (Arc::clone(&stable), Arc::clone(&done));
            thread::spawn(move || {
                let input = json!({"KeyId": world.arn(&key), "Plaintext": "AAAA"});
                let mut judged = 0;
                while !done.load(Ordering::SeqCst) {
                    let before = stable.load(Ordering::SeqCst);
                    let (status, _) = world.call(caller, "Encrypt", &input);
                    // Judged only if no change was under way at any moment of the use.
                    if before % 2 == 1 || stable.load(Ordering::SeqCst) != before {
                        continue;
                    }
                    let enabled = (before / 2) % 2 == 0;
                    assert_eq!(status == 200, enabled, "after change {before}");
                    judged += 1;
                }
                judged
            })
        })
        .collect();
    for round in 0..ROUNDS {
        stable.fetch_add(1, Ordering::SeqCst);
        change(&world, &key, round % 2 == 1);
        stable.fetch_add(1, Ordering::SeqCst);
        // Long enough for each reader to be judged, short enough to change often.
        thread::sleep(std::time::Duration::from_millis(1));
    }
    done.store(true, Ordering::SeqCst);
    let judged: u64 = readers.into_iter().map(|reader| reader.join().unwrap()).sum();
    assert!(judged > ROUNDS, "only {judged} uses were judged");
}

fn switch(world: &World, key: &str, on: bool) {
    world.ok(if on { "EnableKey" } else { "DisableKey" }, &json!({"KeyId": key}));
}

fn repolicy(world: &World, key: &str, on: bool) {
    world.deny(key, if on { &["kms:Sign"] } else { &["kms:Encrypt"] });
}

/// Grants Encrypt, or takes all grants away again, half of them by retiring.
fn regrant(world: &World, key: &str, on: bool) {
    if on {
        world.grant(key, STRANGER, &["Encrypt"]);
        return;
    }
    let listed = world.ok("ListGrants", &json!({"KeyId": key}));
    for grant in listed["Grants"].as_array().unwrap() {
        let id = grant["GrantId"].as_str().unwrap();
        let operation = if id < "8" { "RevokeGrant" } else { "RetireGrant" };
        world.ok(operation, &json!({"KeyId": key, "GrantId": grant["GrantId"]}));
    }
}

#[test]
fn a_grant_is_in_force_when_it_is_answered_and_gone_when_it_is_revoked_in_memory() {
    hold(World::new(), STRANGER, regrant);
}

#[test]
fn a_grant_is_in_force_when_it_is_answered_and_gone_when_it_is_revoked_on_disk() {
    let directory = tempfile::tempdir().unwrap();
    hold(World::on_disk(directory.path()), STRANGER, regrant);
}

#[test]
fn a_disabled_key_is_not_used_in_memory() {
    hold(World::new(), OWNER, switch);
}

#[test]
fn a_disabled_key_is_not_used_on_disk() {
    let directory = tempfile::tempdir().unwrap();
    hold(World::on_disk(directory.path()), OWNER, switch);
}

#[test]
fn a_policy_is_in_force_when_it_is_answered() {
    let directory = tempfile::tempdir().unwrap();
    hold(World::on_disk(directory.path()), OWNER, repolicy);
}
