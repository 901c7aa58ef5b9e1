//! GetKeyLastUsage is exact: whatever fails, whenever the process dies, whoever else is at work,
//! its answers are what the audit log says.

mod world;

use std::collections::HashMap;
use std::sync::Arc;

use kms::UsageKeeper;
use serde_json::{Value, json};
use world::failing::{ALL, Failing};
use world::{OWNER, World};

/// Lets the keeper store the uses, and does something just before the first commit.
fn store_and_meanwhile(
    store: &Failing,
    world: &World,
    keeper: &mut UsageKeeper,
    meanwhile: impl FnOnce(),
) {
    store.meanwhile(|| world.wait(keeper.store(world.kms())).unwrap(), meanwhile);
}

fn keeper(world: &World) -> UsageKeeper {
    let started = UsageKeeper::start(world.kms(), world.history(), world.now());
    world.wait(started).unwrap()
}

/// Another process after this one has died, which reads what it has to.
fn after_crash(world: &World, recent_uses: usize) -> (World, UsageKeeper) {
    let world = world.restarted(recent_uses);
    let keeper = keeper(&world);
    (world, keeper)
}

fn encrypt(world: &World, key: &str) {
    world.ok("Encrypt", &json!({"KeyId": key, "Plaintext": "AAAA"}));
}

fn answer(world: &World, key: &str) -> Value {
    world.ok("GetKeyLastUsage", &json!({"KeyId": key}))
}

/// What the log says of each key: the ids of the last record of an Encrypt.
fn truth(world: &World) -> HashMap<String, Value> {
    let mut last = HashMap::new();
    for record in world.records() {
        if record["eventName"] == "Encrypt" && record["errorCode"].is_null() {
            let arn = record["resources"][0]["ARN"].as_str().unwrap();
            let key = arn.rsplit('/').next().unwrap().to_owned();
            last.insert(key, json!([record["eventID"], record["requestID"]]));
        }
    }
    last
}

fn assert_exact(world: &World, keys: &[String]) {
    let truth = truth(world);
    for key in keys {
        let usage = &answer(world, key)["KeyLastUsage"];
        match truth.get(key) {
            None => assert_eq!(usage, &json!({})),
            Some(ids) => {
                assert_eq!(&json!([usage["CloudTrailEventId"], usage["KmsRequestId"]]), ids);
            }
        }
    }
}

#[test]
fn nothing_is_lost_when_storing_fails() {
    let store = Failing::new();
    let world = World::over(Arc::clone(&store) as _);
    let keys: Vec<String> = (0..5).map(|_| world.key()).collect();
    let mut keeper = keeper(&world);
    for round in 0..4 {
        encrypt(&world, &keys[round]);
        encrypt(&world, &keys[0]);
        store.takes(0);
        world.wait(keeper.store(world.kms())).unwrap_err();
        assert_exact(&world, &keys);
        store.takes(ALL);
        assert_exact(&after_crash(&world, 1_000).0, &keys);
        if round % 2 == 1 {
            world.wait(keeper.store(world.kms())).unwrap();
            assert_exact(&world, &keys);
        }
    }
}

/// However many commits of a storing have taken place when the process dies.
#[test]
fn nothing_is_lost_wherever_storing_is_cut_off() {
    // Enough keys for several batches.
    const KEYS: usize = 300;
    let store = Failing::new();
    let mut world = World::over(Arc::clone(&store) as _);
    let keys: Vec<String> = (0..KEYS).map(|_| world.key()).collect();
    let mut keeper = keeper(&world);
    for commits in 0..=5 {
        for key in keys.iter().skip(commits) {
            encrypt(&world, key);
        }
        store.takes(i64::try_from(commits).unwrap());
        // Three batches and the mark.
        assert_eq!(world.wait(keeper.store(world.kms())).is_ok(), commits >= 4, "{commits}");
        store.takes(ALL);
        (world, keeper) = after_crash(&world, 1_000);
        assert_exact(&world, &keys);
    }
}

/// A use that is noted after the others were copied isn't behind the mark.
#[test]
fn a_use_while_others_are_stored_is_not_lost() {
    let store = Failing::new();
    let world = World::over(Arc::clone(&store) as _);
    let keys = [world.key(), world.key()];
    let mut keeper = keeper(&world);
    for _ in 0..2 {
        encrypt(&world, &keys[0]);
        store_and_meanwhile(&store, &world, &mut keeper, || {
            encrypt(&world, &keys[0]);
            encrypt(&world, &keys[1]);
        });
        assert_exact(&world, &keys);
        assert_exact(&after_crash(&world, 10).0, &keys);
    }
}

#[test]
fn a_key_that_is_deleted_while_its_use_is_stored_leaves_none() {
    let store = Failing::new();
    let world = World::over(Arc::clone(&store) as _);
    let keys = [world.key(), world.key()];
    let mut keeper = keeper(&world);
    encrypt(&world, &keys[0]);
    encrypt(&world, &keys[1]);
    store_and_meanwhile(&store, &world, &mut keeper, || {
        world.ok("ScheduleKeyDeletion", &json!({"KeyId": keys[0], "PendingWindowInDays": 7}));
        assert_eq!(world.wait(world.kms().remove_due(world.now().plus_days(8))).unwrap(), 1);
    });
    let stored = world.stored_keys();
    assert!(!stored.iter().any(|place| place.contains(&keys[0])), "{stored:?}");
    assert_exact(&after_crash(&world, 10).0, &keys[1..]);
}

#[test]
fn what_does_not_fit_is_refused_until_it_was_read_again() {
    const ROOM: usize = 4;
    let store = Failing::new();
    let world = World::over(Arc::clone(&store) as _);
    let keys: Vec<String> = (0..40).map(|_| world.key()).collect();
    let (world, mut keeper) = after_crash(&world, ROOM);
    for round in 0..3 {
        for key in keys.iter().cycle().skip(round * 7).take(50) {
            encrypt(&world, key);
        }
        let refused = world.call(OWNER, "GetKeyLastUsage", &json!({"KeyId": keys[30]}));
        assert_eq!((refused.0, &refused.1["__type"]), (500, &json!("KMSInternalException")));
        store.takes(1);
        world.wait(keeper.turn(world.kms())).unwrap_err();
        let still = world.call(OWNER, "GetKeyLastUsage", &json!({"KeyId": keys[30]}));
        assert_eq!(still.0, 500);
        store.takes(ALL);
        // Killed now, or going on.
        assert_exact(&after_crash(&world, ROOM).0, &keys);
        world.wait(keeper.turn(world.kms())).unwrap();
        assert_exact(&world, &keys);
    }
}

/// Several at work on the same keys, while uses are stored all the time in too little room.
#[test]
fn concurrent_uses_are_exact() {
    let world = World::new();
    let keys: Vec<String> = (0..12).map(|_| world.key()).collect();
    let (mut world, mut keeper) = after_crash(&world, 1_000);
    for (round, room) in [1_000, 6, 1_000, 6, 3].into_iter().enumerate() {
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..3)
                .map(|worker| {
                    let (world, keys) = (&world, &keys);
                    scope.spawn(move || {
                        for step in 0..60 {
                            encrypt(world, &keys[(step * (worker + 2) + round) % keys.len()]);
                            if worker == 0 && step % 5 == 0 {
                                // The key's record changes under the keeper.
                                let key = &keys[step % keys.len()];
                                let tags = json!([{"TagKey": "k", "TagValue": step.to_string()}]);
                                world.ok("TagResource", &json!({"KeyId": key, "Tags": tags}));
                            }
                        }
                    })
                })
                .collect();
            while workers.iter().any(|worker| !worker.is_finished()) {
                // In too little room a use may be left out again at once.
                let _ = world.wait(keeper.turn(world.kms()));
            }
        });
        if round % 2 == 0 {
            world.wait(keeper.turn(world.kms())).unwrap();
            assert_exact(&world, &keys);
        }
        (world, keeper) = after_crash(&world, room);
        assert_exact(&world, &keys);
    }
}

#[test]
fn the_log_says_what_is_last_and_not_the_clock() {
    let world = World::new();
    let key = world.key();
    let mut keeper = keeper(&world);
    for (millis, seconds) in
        [(1_800_000_000_999, 1_800_000_000), (1_600_000_000_500, 1_600_000_000), (1_700, 1)]
    {
        world.set_clock(millis);
        encrypt(&world, &key);
        assert_exact(&world, std::slice::from_ref(&key));
        let restarted = after_crash(&world, 10).0;
        for world in [&world, &restarted] {
            assert_eq!(answer(world, &key)["KeyLastUsage"]["Timestamp"], seconds);
        }
        world.wait(keeper.store(world.kms())).unwrap();
        assert_eq!(answer(&world, &key)["KeyLastUsage"]["Timestamp"], seconds);
    }
}

#[test]
fn a_use_goes_with_its_key() {
    let world = World::new();
    let keys = [world.key(), world.key()];
    let mut keeper = keeper(&world);
    encrypt(&world, &keys[0]);
    world.wait(keeper.store(world.kms())).unwrap();
    encrypt(&world, &keys[0]);
    encrypt(&world, &keys[1]);
    for key in &keys {
        world.ok("ScheduleKeyDeletion", &json!({"KeyId": key, "PendingWindowInDays": 7}));
    }
    assert_exact(&world, &keys);
    let (reader, _) = after_crash(&world, 10);
    let later = world.now().plus_days(8);
    assert_eq!(world.wait(world.kms().remove_due(later)).unwrap(), 2);
    // Neither what was in memory nor what another process reads brings them back.
    world.wait(keeper.store(world.kms())).unwrap();
    let (_world, _keeper) = after_crash(&reader, 10);
    let left: Vec<String> =
        world.stored_keys().into_iter().filter(|key| key.starts_with("kms/")).collect();
    assert_eq!(left, ["kms/usage-tracking"]);
}

#[test]
fn a_reset_forgets_uses() {
    let world = World::new();
    let key = world.key();
    let mut keeper = keeper(&world);
    encrypt(&world, &key);
    world.wait(keeper.reset(world.kms())).unwrap();
    assert_eq!(answer(&world, &key)["KeyLastUsage"], json!({}));
    assert_eq!(answer(&after_crash(&world, 10).0, &key)["KeyLastUsage"], json!({}));
}

#[test]
fn a_servers_first_key_is_tracked_since_it_was_made() {
    let world = World::new();
    let _keeper = keeper(&world);
    let key = world.key();
    // Also if the clock went back before.
    let world = world.restarted(10);
    world.set_clock(1_000_000);
    let earlier = world.key();
    for (key, made) in [(&key, json!(1_700_000_000)), (&earlier, json!(1_000))] {
        let answer = answer(&world, key);
        assert_eq!(answer["KeyId"], json!(key));
        assert_eq!((&answer["TrackingStartDate"], &answer["KeyCreationDate"]), (&made, &made));
    }
}

/// A version that didn't track uses has left keys and a log.
#[test]
fn a_server_that_did_not_track_starts_with_its_log() {
    let world = World::new();
    let old = world.key();
    encrypt(&world, &old);
    let (world, _keeper) = after_crash(&world, 10);
    assert_exact(&world, std::slice::from_ref(&old));
    assert_eq!(answer(&world, &old)["TrackingStartDate"], 1_700_000_000);

    // The same without the log of that time.
    let world = World::new();
    let old = world.key();
    let other = world.restarted_without_log(10);
    other.set_clock(1_750_000_000_000);
    let _keeper = keeper(&other);
    other.set_clock(1_760_000_000_000);
    let (new, restarted) = (other.key(), after_crash(&other, 10).0);
    for world in [&other, &restarted] {
        let of_old = answer(world, &old);
        assert_eq!(of_old["KeyLastUsage"], json!({}));
        assert_eq!(of_old["KeyCreationDate"], 1_700_000_000);
        assert_eq!(of_old["TrackingStartDate"], 1_750_000_000);
        assert_eq!(answer(world, &new)["TrackingStartDate"], 1_760_000_000);
    }
}

#[test]
fn a_request_without_a_record_is_no_use() {
    let world = World::new();
    let key = world.key();
    encrypt(&world, &key);
    let before = answer(&world, &key);
    world.break_audit();
    let (status, _) = world.call(OWNER, "Encrypt", &json!({"KeyId": key, "Plaintext": "AAAA"}));
    assert_eq!(status, 500);
    let (world, _keeper) = after_crash(&world, 10);
    world.mend_audit();
    assert_eq!(answer(&world, &key), before);
}
