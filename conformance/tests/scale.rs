//! What must not grow with the number of keys: the records that a page of a list reads, and what is
//! kept in memory. Counted, not timed.

mod world;

use std::sync::Arc;

use kms::UsageKeeper;
use serde_json::{Value, json};
use service::ports::Store as _;
use world::World;
use world::counting::Counting;

/// How many keys, aliases and grants there are.
const MANY: usize = 120;
/// How many of them a page has.
const LIMIT: usize = 20;

/// A world with many keys that each have an alias, and many grants on the one that is given.
fn crowded(cached_keys: usize) -> (World, Arc<Counting>, String) {
    let store = Arc::new(Counting::default());
    let world = World::with_cache(Arc::clone(&store) as _, cached_keys);
    let mut last = String::new();
    for number in 0..MANY {
        last = world.key();
        let name = format!("alias/{number}");
        world.ok("CreateAlias", &json!({"AliasName": name, "TargetKeyId": last}));
    }
    for number in 0..MANY {
        let subset = json!({"EncryptionContextSubset": {"number": number.to_string()}});
        world.ok(
            "CreateGrant",
            &json!({
                "KeyId": last,
                "GranteePrincipal": "arn:aws:iam::444455556666:root",
                "Operations": ["Encrypt"],
                "Constraints": subset,
            }),
        );
    }
    (world, store, last)
}

/// How many records each page of a list reads, and how many items it has.
fn pages(world: &World, store: &Counting, list: &str, input: &Value) -> Vec<(usize, usize)> {
    let (mut input, mut found) = (input.clone(), Vec::new());
    input["Limit"] = LIMIT.into();
    let items = list.strip_prefix("List").unwrap();
    loop {
        let mut answer = Value::Null;
        let read = store.during(|| answer = world.ok(list, &input));
        found.push((read, answer[items].as_array().unwrap().len()));
        match answer.get("NextMarker") {
            Some(marker) => input["Marker"] = marker.clone(),
            None => return found,
        }
    }
}

#[test]
fn a_page_reads_as_many_records_wherever_it_is() {
    let (world, store, key) = crowded(1);
    let of_key = json!({"KeyId": key});
    let mut records = [("ListKeys", json!({}), 1), ("ListAliases", json!({}), 2)].to_vec();
    records.push(("ListGrants", of_key, 1));
    for (list, input, each) in records {
        let found = pages(&world, &store, list, &input);
        assert_eq!(found.len(), MANY / LIMIT, "{list}");
        for (read, items) in found {
            assert_eq!(items, LIMIT, "{list}");
            // The key that a list is of is read beside its items.
            let most = each * LIMIT + usize::from(list == "ListGrants");
            assert!(read >= LIMIT && read <= most, "{list} read {read} records for {items}");
        }
    }
}

#[test]
fn lists_leave_the_caches_to_those_who_use_keys() {
    let (world, store, _) = crowded(4 * MANY);
    let world = world.restarted(10);
    let key = world.ok("ListKeys", &json!({"Limit": 1}))["Keys"][0]["KeyId"].clone();
    world.sealed(key.as_str().unwrap());
    let entries = || world.kms().cache_stats().map(|(_, stats)| stats.entries);
    let before = entries();
    assert_eq!(before[0], 1);
    for list in ["ListKeys", "ListAliases"] {
        pages(&world, &store, list, &json!({}));
    }
    assert_eq!(entries(), before);
}

#[test]
fn keys_with_long_policies_take_the_room_of_several() {
    let capacity = 200;
    let world = World::with_cache(Arc::new(storage::Memory::new()), capacity);
    let statement = json!({
        "Effect": "Allow", "Principal": {"AWS": world::OWNER}, "Action": "kms:*", "Resource": "*",
        "Condition": {"StringNotEquals": {"kms:EncryptionContext:long": "x".repeat(8_000)}},
    });
    let policy = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
    let keys: Vec<_> = (0..capacity)
        .map(|_| {
            let input = json!({"Policy": policy, "BypassPolicyLockoutSafetyCheck": true});
            world.ok("CreateKey", &input)["KeyMetadata"]["KeyId"].clone()
        })
        .collect();
    for key in keys {
        world.ok("DescribeKey", &json!({"KeyId": key}));
    }
    let (_, stats) = world.kms().cache_stats()[0];
    assert!(stats.weight <= stats.capacity && stats.entries > 0, "{stats:?}");
    // 8,000 bytes are four times those that an ordinary key stands for.
    assert!(stats.entries <= capacity / 4, "{stats:?}");
}

#[test]
fn a_start_reads_what_is_not_stored_and_waits_for_no_commit() {
    let store = Arc::new(Counting::default());
    let world = World::with_cache(Arc::clone(&store) as _, 100);
    let start = |world: &World| {
        let keeper = UsageKeeper::start(world.kms(), world.history(), world.now());
        world.wait(keeper).unwrap()
    };
    let _first = start(&world);
    let keys: Vec<_> = (0..10).map(|_| world.key()).collect();
    for key in &keys {
        world.sealed(key);
    }
    let before = store.revision();
    let world = world.restarted(100);
    let _second = start(&world);
    assert_eq!(store.revision(), before);
    for key in &keys {
        let told = world.ok("GetKeyLastUsage", &json!({"KeyId": key}));
        assert!(told.to_string().contains("\"Encrypt\""), "{told}");
    }
}
