//! Grants where a client can't look: their number, their removal with their key, what they cost.

mod world;

use std::collections::HashSet;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use world::failing::{ALL, Failing};
use world::{OWNER, REGION, STRANGER, World};

fn root(account: &str) -> String {
    format!("arn:aws:iam::{account}:root")
}

/// The store keys that have to do with grants.
fn grant_records(world: &World) -> Vec<String> {
    let keys = world.stored_keys().into_iter();
    keys.filter(|key| key.starts_with("kms/grant")).collect()
}

fn set_count(world: &World, key: &str, grants: usize) {
    let place = format!("kms/grant-count/{OWNER}/{REGION}/{key}");
    world.store_record(&place, format!("\u{1}{{\"grants\":{grants}}}").as_bytes());
}

#[test]
fn a_key_has_at_most_50000_grants() {
    let world = World::new();
    let key = world.key();
    let input = json!({
        "KeyId": key, "GranteePrincipal": root(STRANGER), "Operations": ["Decrypt"], "Name": "n",
    });
    set_count(&world, &key, 49_999);
    let made = world.ok("CreateGrant", &input);
    let mut other = input.clone();
    other["Name"] = json!("other");
    let (status, body) = world.call(OWNER, "CreateGrant", &other);
    assert_eq!((status, &body["__type"]), (400, &json!("LimitExceededException")));
    other["DryRun"] = json!(true);
    assert_eq!(
        world.call(OWNER, "CreateGrant", &other).1["__type"],
        json!("LimitExceededException")
    );
    // The same grant again is no further one, and another key has room of its own.
    assert_eq!(world.ok("CreateGrant", &input)["GrantId"], made["GrantId"]);
    world.grant(&world.key(), STRANGER, &["Decrypt"]);
    world.ok("RevokeGrant", &json!({"KeyId": key, "GrantId": made["GrantId"]}));
    other["DryRun"] = json!(false);
    world.ok("CreateGrant", &other);
}

#[test]
fn grants_made_at_once_are_all_made_and_counted() {
    let directory = tempfile::tempdir().unwrap();
    let world = Arc::new(World::on_disk(directory.path()));
    let key = world.key();
    let makers: Vec<_> = (0..100)
        .map(|n| {
            let (world, key) = (Arc::clone(&world), key.clone());
            // Each name is made twice, by two makers.
            let name = format!("grant-{}", n / 2);
            thread::spawn(move || {
                let made = world.ok(
                    "CreateGrant",
                    &json!({
                        "KeyId": key, "GranteePrincipal": root(STRANGER),
                        "Operations": ["Decrypt"], "Name": name,
                    }),
                );
                made["GrantId"].as_str().unwrap().to_owned()
            })
        })
        .collect();
    let ids: HashSet<String> = makers.into_iter().map(|maker| maker.join().unwrap()).collect();
    assert_eq!(ids.len(), 50);
    let count = world.stored().into_iter().find(|(key, _)| key.starts_with("kms/grant-count/"));
    assert_eq!(count.unwrap().1, b"\x01{\"grants\":50}");
    for id in ids {
        world.ok("RevokeGrant", &json!({"KeyId": key, "GrantId": id}));
    }
    let left = grant_records(&world);
    assert_eq!(left, [format!("kms/grant-count/{OWNER}/{REGION}/{key}")]);
}

#[test]
fn a_key_takes_its_grants_along_whenever_its_removal_is_interrupted() {
    let store = Failing::new();
    let world = World::over(Arc::clone(&store) as _);
    let (key, kept) = (world.key(), world.key());
    for n in 0..70 {
        let mut input = json!({
            "KeyId": key, "GranteePrincipal": root(STRANGER), "RetiringPrincipal": root(STRANGER),
            "Operations": ["Decrypt", "DescribeKey"], "Name": format!("n{n}"),
        });
        world.ok("CreateGrant", &input);
        if n == 0 {
            input["KeyId"] = json!(kept);
            world.ok("CreateGrant", &input);
        }
    }
    world.ok("ScheduleKeyDeletion", &json!({"KeyId": key, "PendingWindowInDays": 7}));
    let describe = json!({"KeyId": world.arn(&key)});
    assert_eq!(world.call(STRANGER, "DescribeKey", &describe).0, 200);
    let retirable = json!({"RetiringPrincipal": root(STRANGER), "Limit": 100});
    let listed = |world: &World| {
        let (_, body) = world.call(STRANGER, "ListRetirableGrants", &retirable);
        body["Grants"].as_array().unwrap().len()
    };
    assert_eq!(listed(&world), 71);
    world.pass_days(7);
    // Gone for everybody before the first record is removed.
    assert_eq!(world.call(STRANGER, "DescribeKey", &describe).0, 400);
    assert_eq!(listed(&world), 1);
    let mut failures = 0;
    loop {
        let before = grant_records(&world).len();
        store.takes(1);
        let removed = world.remove_due();
        store.takes(ALL);
        if removed.is_ok() {
            break;
        }
        failures += 1;
        assert!(grant_records(&world).len() < before);
        assert!(world.stored_keys().iter().any(|k| k.starts_with("kms/key/") && k.ends_with(&key)));
    }
    assert_eq!(failures, 3, "three commits of 30 grants at most come before the key's own");
    let left: Vec<_> = world.stored_keys().into_iter().filter(|k| k.contains(&key)).collect();
    assert!(left.is_empty(), "{left:?}");
    // A record, an entry each by grantee, by retiring principal and by parameters, and the count.
    assert_eq!(world.stored_keys().iter().filter(|k| k.contains(&kept)).count(), 6);
    assert_eq!(listed(&world), 1);
}

/// The median time of an Encrypt by that account, and the time of the first one.
fn cost(world: &World, account: &str, key: &str, context: &Value) -> (Duration, Duration) {
    let input = json!({"KeyId": world.arn(key), "Plaintext": "AAAA", "EncryptionContext": context});
    let mut times: Vec<_> = (0..2_001)
        .map(|_| {
            let start = Instant::now();
            let (status, body) = world.call(account, "Encrypt", &input);
            assert_eq!(status, 200, "{body}");
            start.elapsed()
        })
        .collect();
    let first = times[0];
    times.sort_unstable();
    (first, times[times.len() / 2])
}

/// Prints what a request by a grant costs beside 50,000 others. By hand, in a release build:
/// `cargo test --release -p conformance --test grants -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
fn fifty_thousand_grants() {
    let world = World::with_cache(Arc::new(storage::Memory::new()), 100_000);
    let others = |n: usize| format!("{:012}", 200_000_000_000 + n);
    let print = |what: &str, (first, median): (Duration, Duration)| {
        println!("{what}: first {first:?}, then {median:?}");
    };
    let key = world.key();
    print("by the key policy", cost(&world, OWNER, &key, &json!({"n": "1"})));
    world.grant(&key, STRANGER, &["Encrypt"]);
    print("one grant", cost(&world, STRANGER, &key, &json!({"n": "1"})));
    let start = Instant::now();
    for n in 1..50_000 {
        world.grant(&key, &others(n), &["Encrypt"]);
    }
    println!("49,999 grants to other accounts made in {:?}", start.elapsed());
    // Again, since by now this process holds more of everything.
    print("by the key policy", cost(&world, OWNER, &key, &json!({"n": "1"})));
    print("beside 49,999 to others", cost(&world, STRANGER, &key, &json!({"n": "1"})));
    let key = world.key();
    for n in 0..50_000 {
        world.ok(
            "CreateGrant",
            &json!({
                "KeyId": key, "GranteePrincipal": root(STRANGER), "Operations": ["Encrypt"],
                "Constraints": {"EncryptionContextEquals": {"n": n.to_string()}},
            }),
        );
    }
    let context = json!({"n": "49999"});
    print("one of 50,000 of the same grantee", cost(&world, STRANGER, &key, &context));
}
