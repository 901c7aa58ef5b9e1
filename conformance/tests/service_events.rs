//! What KMS does by itself: told to the audit log before it is done, once.

mod world;

use std::sync::Arc;

use serde_json::{Value, json};
use world::samples::{MATERIAL, imported_key};
use world::{OWNER, World};

const DAY: i64 = 86_400;

/// What every event of the server's own has.
fn assert_own(event: &Value, name: &str, arn: &str) {
    assert_eq!(event["eventName"], name);
    assert_eq!(event["userIdentity"], json!({"accountId": OWNER, "invokedBy": "AWS Internal"}));
    assert_eq!(event["eventType"], "AwsServiceEvent");
    assert_eq!(event["recipientAccountId"], OWNER);
    assert_eq!(event["resources"][0]["ARN"], arn);
    assert_eq!(event["readOnly"], false);
    assert!(event.get("requestID").is_none());
    assert_eq!(event["serviceEventDetails"]["keyId"], arn.rsplit('/').next().unwrap());
}

fn material(world: &World, key: &str) -> Value {
    let described = world.ok("DescribeKey", &json!({"KeyId": key}));
    described["KeyMetadata"]["CurrentKeyMaterialId"].clone()
}

fn rotations(world: &World, key: &str) -> usize {
    let listed = world.ok("ListKeyRotations", &json!({"KeyId": key}));
    listed["Rotations"].as_array().unwrap().len()
}

#[test]
fn an_automatic_rotation_is_told_before_it_happens() {
    let world = World::new();
    let key = world.key();
    let first = material(&world, &key);
    world.ok("EnableKeyRotation", &json!({"KeyId": key, "RotationPeriodInDays": 90}));
    world.pass_days(91);
    world.break_audit();
    assert_eq!(world.call(OWNER, "DescribeKey", &json!({"KeyId": key})).0, 500);
    world.mend_audit();
    assert!(world.own_events().is_empty());
    let second = material(&world, &key);
    assert_ne!(first, second);
    let events = world.own_events();
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_own(event, "RotateKey", &world.arn(&key));
    let details = &event["serviceEventDetails"];
    assert_eq!(
        (&details["rotationType"], &details["keyOrigin"]),
        (&json!("AUTOMATIC"), &json!("AWS_KMS"))
    );
    assert_eq!(details["previousKeyMaterialId"], first);
    assert_eq!(details["currentKeyMaterialId"], second);
    assert_eq!(rotations(&world, &key), 1);
    // Years that nobody asked are made up for, each rotation with its event.
    world.pass_days(360);
    material(&world, &key);
    assert_eq!((world.own_events().len(), rotations(&world, &key)), (5, 5));
}

#[test]
fn many_that_meet_a_due_rotation_make_one() {
    let world = Arc::new(World::new());
    let key = world.key();
    world.ok("EnableKeyRotation", &json!({"KeyId": key}));
    world.pass_days(366);
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let (world, key) = (Arc::clone(&world), key.clone());
            std::thread::spawn(move || material(&world, &key))
        })
        .collect();
    let found: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert!(found.iter().all(|material| *material == found[0]));
    assert_eq!((world.own_events().len(), rotations(&world, &key)), (1, 1));
}

#[test]
fn a_rotation_on_demand_is_told_beside_its_request() {
    let world = World::new();
    let key = world.key();
    let first = material(&world, &key);
    world.ok("RotateKeyOnDemand", &json!({"KeyId": key}));
    let events = world.own_events();
    assert_own(&events[0], "RotateKey", &world.arn(&key));
    let details = &events[0]["serviceEventDetails"];
    assert_eq!(details["rotationType"], "ON_DEMAND");
    assert_eq!(details["previousKeyMaterialId"], first);
    assert_eq!(details["currentKeyMaterialId"], material(&world, &key));
    // Imported material that waited.
    let key = imported_key(&world, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT");
    let mut input = world.import(&key, &[8; 32]);
    input["ImportType"] = json!("NEW_KEY_MATERIAL");
    let waiting = world.ok("ImportKeyMaterial", &input)["KeyMaterialId"].clone();
    let first = material(&world, &key);
    world.ok("RotateKeyOnDemand", &json!({"KeyId": key}));
    let event = world.own_events().pop().unwrap();
    assert_own(&event, "RotateKey", &world.arn(&key));
    let details = &event["serviceEventDetails"];
    assert_eq!(details["keyOrigin"], "EXTERNAL");
    assert_eq!(details["previousKeyMaterialId"], first);
    assert_eq!(details["currentKeyMaterialId"], waiting);
}

#[test]
fn a_key_is_removed_only_if_that_can_be_told() {
    let world = World::new();
    let key = world.key();
    world.ok("ScheduleKeyDeletion", &json!({"KeyId": key, "PendingWindowInDays": 7}));
    assert_eq!(world.remove_due().unwrap(), 0);
    world.pass_days(7);
    world.break_audit();
    assert!(world.remove_due().is_err());
    assert!(world.stored_keys().iter().any(|place| place.ends_with(&key)));
    world.mend_audit();
    assert_eq!(world.remove_due().unwrap(), 1);
    assert_eq!(world.remove_due().unwrap(), 0);
    let events = world.own_events();
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_own(event, "DeleteKey", &world.arn(&key));
    assert!(!world.stored_keys().iter().any(|place| place.ends_with(&key)));
}

/// A key whose material expires in a day; gives its id and the material's.
fn expiring(world: &World) -> (String, Value) {
    let key = world.external_key("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT");
    let mut input = world.import(&key, &MATERIAL);
    input["ExpirationModel"] = json!("KEY_MATERIAL_EXPIRES");
    input["ValidTo"] = json!(world.now().seconds() + DAY);
    let id = world.ok("ImportKeyMaterial", &input)["KeyMaterialId"].clone();
    (key, id)
}

fn holds_material(world: &World, key: &str) -> bool {
    let stored = world.stored();
    let record =
        stored.iter().find(|(place, _)| place.starts_with("kms/key/") && place.ends_with(key));
    String::from_utf8_lossy(&record.unwrap().1).contains("\"wrapped\"")
}

#[test]
fn expired_material_is_removed_and_that_is_told() {
    let world = World::new();
    let (key, id) = expiring(&world);
    assert_eq!(world.remove_expired().unwrap(), 0);
    world.pass_days(1);
    let describe = || world.ok("DescribeKey", &json!({"KeyId": key}))["KeyMetadata"].clone();
    let before = describe();
    assert_eq!(before["KeyState"], "PendingImport");
    world.break_audit();
    assert!(world.remove_expired().is_err());
    assert!(holds_material(&world, &key));
    world.mend_audit();
    assert_eq!(world.remove_expired().unwrap(), 1);
    assert!(!holds_material(&world, &key));
    assert_eq!(describe(), before);
    assert_eq!(world.remove_expired().unwrap(), 0);
    let events = world.own_events();
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_own(event, "DeleteExpiredKeyMaterial", &world.arn(&key));
    assert_eq!(event["serviceEventDetails"]["keyMaterialId"], id);
    assert!(!world.stored_keys().iter().any(|place| place.starts_with("kms/expiration/")));
    world.ok("ImportKeyMaterial", &world.import(&key, &MATERIAL));
    assert_eq!(describe()["KeyState"], "Enabled");
}

#[test]
fn material_that_got_more_time_stays() {
    let world = World::new();
    let (key, _) = expiring(&world);
    let mut input = world.import(&key, &MATERIAL);
    input["ExpirationModel"] = json!("KEY_MATERIAL_EXPIRES");
    input["ValidTo"] = json!(world.now().seconds() + 5 * DAY);
    world.ok("ImportKeyMaterial", &input);
    world.pass_days(2);
    assert_eq!(world.remove_expired().unwrap(), 0);
    assert!(holds_material(&world, &key));
    world.pass_days(3);
    assert_eq!(world.remove_expired().unwrap(), 1);
}

/// Directories of earlier versions have no index of expirations.
#[test]
fn material_that_came_in_before_there_was_an_index_is_found() {
    let world = World::new();
    let keys: Vec<_> = (0..3).map(|_| expiring(&world).0).collect();
    let for_good = imported_key(&world, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT");
    world.remove_expired().unwrap();
    world.forget_records("kms/expiration");
    world.pass_days(1);
    assert_eq!(world.remove_expired().unwrap(), 3);
    assert!(keys.iter().all(|key| !holds_material(&world, key)));
    assert!(holds_material(&world, &for_good));
}
