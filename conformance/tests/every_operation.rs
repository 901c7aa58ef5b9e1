//! What must hold for every operation of KMS, whoever wrote it: one table of sample inputs, and
//! properties over the whole registry.

mod world;

use kms::Kms;
use serde_json::{Value, json};
use service::{AnyOperation, Service as _};
use wire::enums::KeyState;
use world::{OWNER, STRANGER, World};

fn registry() -> impl Iterator<Item = &'static dyn AnyOperation<Kms>> {
    Kms::REGISTRY.iter().copied()
}

/// A fresh key of the kind that the operation works on.
fn key_for(world: &World, name: &str) -> String {
    match name {
        "Sign" | "Verify" | "GetPublicKey" => world.key_of("ECC_NIST_P256", "SIGN_VERIFY"),
        "GenerateMac" | "VerifyMac" => world.key_of("HMAC_256", "GENERATE_VERIFY_MAC"),
        "DeriveSharedSecret" => world.key_of("ECC_NIST_P256", "KEY_AGREEMENT"),
        "Encapsulate" | "Decapsulate" => world.key_of("ML_KEM_512", "ENCAPSULATE_DECAPSULATE"),
        "ReplicateKey" => primary(world),
        "UpdatePrimaryRegion" => {
            let key = primary(world);
            world.ok("ReplicateKey", &json!({"KeyId": key, "ReplicaRegion": "eu-west-1"}));
            key
        }
        _ => world.key(),
    }
}

/// An input with which the operation works on a fresh, enabled key.
fn sample(world: &World, name: &str, key: &str) -> Value {
    let blob = || world.sealed(key);
    match name {
        "CreateAlias" => json!({"AliasName": "alias/new", "TargetKeyId": key}),
        "UpdateAlias" => json!({"AliasName": world.alias(key), "TargetKeyId": world.key()}),
        "DeleteAlias" => json!({"AliasName": world.alias(key)}),
        "CreateKey" | "ListKeys" | "ListAliases" => json!({}),
        "GenerateRandom" => json!({"NumberOfBytes": 8}),
        "UpdateKeyDescription" => json!({"KeyId": key, "Description": "d"}),
        "TagResource" => json!({"KeyId": key, "Tags": [{"TagKey": "k", "TagValue": "v"}]}),
        "UntagResource" => json!({"KeyId": key, "TagKeys": ["k"]}),
        "PutKeyPolicy" => json!({"KeyId": key, "Policy": World::policy(&[OWNER])}),
        "Encrypt" => json!({"KeyId": key, "Plaintext": "AAAA"}),
        "Decrypt" => json!({"CiphertextBlob": blob()}),
        "ReEncrypt" => json!({"CiphertextBlob": blob(), "DestinationKeyId": key}),
        "GenerateDataKey" | "GenerateDataKeyWithoutPlaintext" => {
            json!({"KeyId": key, "KeySpec": "AES_256"})
        }
        "ScheduleKeyDeletion"
        | "DescribeKey"
        | "EnableKey"
        | "DisableKey"
        | "GetKeyPolicy"
        | "ListKeyPolicies"
        | "ListResourceTags"
        | "EnableKeyRotation"
        | "DisableKeyRotation"
        | "GetKeyRotationStatus"
        | "RotateKeyOnDemand"
        | "ListKeyRotations"
        | "GetPublicKey" => json!({"KeyId": key}),
        "Sign" => signed(key),
        "Verify" => {
            let mut input = signed(key);
            input["Signature"] = world.ok("Sign", &input)["Signature"].clone();
            input
        }
        "GenerateMac" => maced(key),
        "VerifyMac" => {
            let mut input = maced(key);
            input["Mac"] = world.ok("GenerateMac", &input)["Mac"].clone();
            input
        }
        "DeriveSharedSecret" => {
            let peer = world.key_of("ECC_NIST_P256", "KEY_AGREEMENT");
            let public_key = &world.ok("GetPublicKey", &json!({"KeyId": peer}))["PublicKey"];
            json!({"KeyId": key, "KeyAgreementAlgorithm": "ECDH", "PublicKey": public_key})
        }
        "Encapsulate" => json!({"KeyId": key, "EncapsulationAlgorithm": "ML_KEM"}),
        "ReplicateKey" => json!({"KeyId": key, "ReplicaRegion": "eu-west-1"}),
        "UpdatePrimaryRegion" => json!({"KeyId": key, "PrimaryRegion": "eu-west-1"}),
        "Decapsulate" => {
            let mut input = json!({"KeyId": key, "EncapsulationAlgorithm": "ML_KEM"});
            let made = world.ok("Encapsulate", &input);
            input["SharedSecretCiphertextBlob"] = made["SharedSecretCiphertextBlob"].clone();
            input
        }
        "GenerateDataKeyPair" | "GenerateDataKeyPairWithoutPlaintext" => {
            json!({"KeyId": key, "KeyPairSpec": "ECC_NIST_P256"})
        }
        // The one operation that doesn't work on an enabled key.
        "CancelKeyDeletion" => {
            world.ok("ScheduleKeyDeletion", &json!({"KeyId": key}));
            json!({"KeyId": key})
        }
        other => panic!("{other} has no sample input: add one"),
    }
}

/// A fresh multi-Region primary key.
fn primary(world: &World) -> String {
    let made = world.ok("CreateKey", &json!({"MultiRegion": true}));
    made["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned()
}

fn signed(key: &str) -> Value {
    json!({"KeyId": key, "Message": "AAAA", "SigningAlgorithm": "ECDSA_SHA_256"})
}

fn maced(key: &str) -> Value {
    json!({"KeyId": key, "Message": "AAAA", "MacAlgorithm": "HMAC_SHA_256"})
}

/// Whether the operation acts on a key that the caller must be allowed to use.
fn has_key(name: &str) -> bool {
    !matches!(name, "CreateKey" | "ListKeys" | "ListAliases" | "GenerateRandom")
}

#[test]
fn the_sample_works() {
    for operation in registry() {
        let world = World::new();
        let name = operation.facts().name;
        let input = sample(&world, name, &key_for(&world, name));
        let (status, body) = world.call(OWNER, name, &input);
        assert_eq!(status, 200, "{name}: {body}");
    }
}

#[test]
fn an_unsigned_request_is_refused_before_it_is_read() {
    let world = World::new();
    for operation in registry() {
        let name = operation.facts().name;
        let (status, body) = world.send(None, name, b"not even JSON");
        assert_eq!((status, &body["__type"]), (400, &json!("MissingAuthenticationTokenException")));
        let record = world.last_record();
        assert_eq!(record["eventName"], name);
        assert_eq!(record["userIdentity"], json!({"type": "Unknown"}));
        assert_eq!(record["errorCode"], "MissingAuthenticationTokenException");
    }
}

#[test]
fn every_request_leaves_a_record_and_none_without_it_is_answered() {
    for operation in registry() {
        let world = World::new();
        let name = operation.facts().name;
        let input = sample(&world, name, &key_for(&world, name));
        world.call(OWNER, name, &input);
        let record = world.last_record();
        assert_eq!(record["eventName"], name);
        assert_eq!(record["readOnly"], operation.facts().read_only, "{name}");
        assert_eq!(record["userIdentity"]["arn"], format!("arn:aws:iam::{OWNER}:root"));
        let named = record["resources"].as_array().is_some_and(|resources| !resources.is_empty());
        assert_eq!(named, has_key(name) || name == "CreateKey", "{name}: {record}");
        let text = record.to_string();
        for secret in ["\"plaintext\":", "\"ciphertextBlob\":", "\"AAAA"] {
            assert!(!text.contains(secret), "{name} records {secret}: {text}");
        }
        let world = World::new();
        let input = sample(&world, name, &key_for(&world, name));
        world.break_audit();
        let (status, body) = world.call(OWNER, name, &input);
        assert_eq!((status, &body["__type"]), (500, &json!("KMSInternalException")), "{name}");
        assert_eq!(body.as_object().unwrap().len(), 1, "{name} tells why: {body}");
    }
}

#[test]
fn without_permission_nothing_works_and_nothing_changes() {
    for operation in registry().filter(|o| has_key(o.facts().name)) {
        let name = operation.facts().name;
        // The key's policy lets the account do all but this.
        let world = World::new();
        let key = key_for(&world, name);
        let input = sample(&world, name, &key);
        world.deny(&key, operation.facts().actions);
        let before = world.stored();
        let (status, body) = world.call(OWNER, name, &input);
        assert_eq!((status, &body["__type"]), (400, &json!("AccessDeniedException")), "{name}");
        let message = body["message"].as_str().unwrap();
        let user = format!("User: arn:aws:iam::{OWNER}:root is not authorized to perform: kms:");
        assert!(message.starts_with(&user), "{message}");
        assert!(message.ends_with("with an explicit deny in a resource-based policy"), "{message}");
        assert_eq!(world.stored(), before, "{name} changed something");
    }
}

#[test]
fn another_accounts_key_is_closed_unless_its_policy_opens_it() {
    for operation in registry().filter(|o| has_key(o.facts().name)) {
        let facts = operation.facts();
        let world = World::new();
        let key = key_for(&world, facts.name);
        let input = sample(&world, facts.name, &world.arn(&key));
        // Aliases are names of the caller's account: there is nothing of the owner's to reach.
        if facts.name.ends_with("Alias") && facts.name != "CreateAlias" {
            assert_eq!(world.call(STRANGER, facts.name, &input).0, 400);
            continue;
        }
        let before = world.stored();
        let (status, body) = world.call(STRANGER, facts.name, &input);
        assert_eq!(
            (status, &body["__type"]),
            (400, &json!("AccessDeniedException")),
            "{}",
            facts.name
        );
        world.open_to(&key, &[OWNER, STRANGER]);
        let (status, body) = world.call(STRANGER, facts.name, &input);
        if facts.cross_account {
            assert_eq!(status, 200, "{}: {body}", facts.name);
        } else {
            assert_eq!(
                (status, &body["__type"]),
                (400, &json!("AccessDeniedException")),
                "{}",
                facts.name
            );
            world.open_to(&key, &[OWNER]);
            assert_eq!(world.stored_keys(), keys_of(&before), "{}", facts.name);
        }
    }
}

fn keys_of(records: &[(String, Vec<u8>)]) -> Vec<String> {
    records.iter().map(|(key, _)| key.clone()).collect()
}

/// The states that this version's keys can be in, and how a key gets there.
fn into_state(world: &World, key: &str, state: KeyState) {
    match state {
        KeyState::Enabled => {}
        KeyState::Disabled => {
            world.ok("DisableKey", &json!({"KeyId": key}));
        }
        KeyState::PendingDeletion => {
            world.ok("ScheduleKeyDeletion", &json!({"KeyId": key}));
        }
        other => panic!("no way into {other}"),
    }
}

#[test]
fn each_state_allows_what_the_facts_say() {
    for operation in registry().filter(|o| has_key(o.facts().name)) {
        let facts = operation.facts();
        for state in [KeyState::Enabled, KeyState::Disabled, KeyState::PendingDeletion] {
            let world = World::new();
            let key = key_for(&world, facts.name);
            // UpdateAlias asks for the state of the key that it moves the alias to.
            let (input, key) = if facts.name == "UpdateAlias" {
                let target = world.key();
                (json!({"AliasName": world.alias(&key), "TargetKeyId": target}), target)
            } else if facts.name == "CancelKeyDeletion" {
                (json!({"KeyId": key}), key)
            } else {
                (sample(&world, facts.name, &key), key)
            };
            into_state(&world, &key, state);
            let (status, body) = world.call(OWNER, facts.name, &input);
            let at = format!("{} of a key {state}: {body}", facts.name);
            if facts.name == "CancelKeyDeletion" && state != KeyState::PendingDeletion {
                assert_eq!(body["__type"], "KMSInvalidStateException", "{at}");
                let message = format!("{} is not pending deletion.", world.arn(&key));
                assert_eq!(body["message"], message);
            } else if facts.states.contains(&state) {
                assert_eq!(status, 200, "{at}");
            } else {
                let (code, is) = match state {
                    KeyState::Disabled => ("DisabledException", "disabled"),
                    // Its key has a replica, for whose end it waits.
                    _ if facts.name == "UpdatePrimaryRegion" => {
                        ("KMSInvalidStateException", "pending replica deletion")
                    }
                    _ => ("KMSInvalidStateException", "pending deletion"),
                };
                assert_eq!((status, body["__type"].as_str()), (400, Some(code)), "{at}");
                assert_eq!(body["message"], format!("{} is {is}.", world.arn(&key)));
            }
        }
    }
}

#[test]
fn a_key_of_another_usage_is_refused() {
    for operation in registry() {
        let facts = operation.facts();
        let Some(usage) = facts.usage else { continue };
        let world = World::new();
        let mut input = sample(&world, facts.name, &key_for(&world, facts.name));
        // RSA keys can have either of two usages; here it's the other one.
        let other = if usage.as_str() == "SIGN_VERIFY" { "ENCRYPT_DECRYPT" } else { "SIGN_VERIFY" };
        let key = world.key_of("RSA_2048", other);
        let member = if facts.name == "ReEncrypt" { "DestinationKeyId" } else { "KeyId" };
        input[member] = json!(key);
        let (status, body) = world.call(OWNER, facts.name, &input);
        let expected = (400, &json!("InvalidKeyUsageException"));
        assert_eq!((status, &body["__type"]), expected, "{}: {body}", facts.name);
        let message = format!(
            "{} key usage is {other} which is not valid for {}.",
            world.arn(&key),
            facts.name
        );
        assert_eq!(body["message"], message);
    }
}

#[test]
fn a_dry_run_tells_and_does_nothing() {
    for operation in registry() {
        let facts = operation.facts();
        let world = World::new();
        let key = key_for(&world, facts.name);
        let mut input = sample(&world, facts.name, &key);
        input["DryRun"] = json!(true);
        let before = world.stored();
        let (status, body) = world.call(OWNER, facts.name, &input);
        if facts.dry_run {
            assert_eq!((status, &body["__type"]), (400, &json!("DryRunOperationException")));
            assert_eq!(
                body["message"],
                "The request would have succeeded, but the DryRun option is set."
            );
            assert_eq!(world.stored(), before);
            world.ok("DisableKey", &json!({"KeyId": key}));
            let (_, body) = world.call(OWNER, facts.name, &input);
            assert_eq!(body["__type"], "DisabledException", "{}", facts.name);
        } else {
            assert_eq!(status, 200, "{} ignores what it doesn't know: {body}", facts.name);
        }
    }
}

#[test]
fn unknown_members_are_ignored() {
    for operation in registry() {
        let world = World::new();
        let name = operation.facts().name;
        let mut input = sample(&world, name, &key_for(&world, name));
        input["Unheard"] = json!({"Of": [1, null, {"a": "b"}]});
        let (status, body) = world.call(OWNER, name, &input);
        assert_eq!(status, 200, "{name}: {body}");
    }
}

#[test]
fn a_member_of_the_wrong_type_or_length_is_refused() {
    let world = World::new();
    for operation in registry() {
        let name = operation.facts().name;
        for member in operation.input().members {
            // Nothing but a map or a structure may be an object; those may be no list.
            let wrong = match member.shape.kind {
                wire::ShapeKind::Map { .. } | wire::ShapeKind::Structure(_) => json!([]),
                _ => json!({}),
            };
            let (status, body) = world.call(OWNER, name, &json!({ member.name: wrong }));
            let expected = (400, &json!("SerializationException"));
            assert_eq!((status, &body["__type"]), expected, "{name} {}", member.name);
            let wire::ShapeKind::Text { max, .. } = member.shape.kind else { continue };
            let (status, body) =
                world.call(OWNER, name, &json!({ member.name: "x".repeat(max + 1) }));
            let expected = (400, &json!("ValidationException"));
            assert_eq!((status, &body["__type"]), expected, "{name} {}", member.name);
            let rule = format!("Member must have length less than or equal to {max}");
            assert!(body["message"].as_str().unwrap().contains(&rule), "{body}");
        }
    }
}

#[test]
fn a_required_member_that_is_absent_is_named() {
    let world = World::new();
    for operation in registry() {
        let (_, body) = world.call(OWNER, operation.facts().name, &json!({}));
        for member in operation.input().members.iter().filter(|member| member.required) {
            let name = member.name[..1].to_lowercase() + &member.name[1..];
            let text = format!(
                "Value null at '{name}' failed to satisfy constraint: Member must not be null"
            );
            assert!(body["message"].as_str().unwrap().contains(&text), "{body}");
        }
    }
}

#[test]
fn a_key_that_is_not_there_is_not_found() {
    let id = "11111111-2222-4333-8444-555555555555";
    for operation in registry().filter(|o| has_key(o.facts().name)) {
        let name = operation.facts().name;
        // These name their key in other ways.
        if matches!(name, "DeleteAlias" | "Decrypt") {
            continue;
        }
        let world = World::new();
        let mut input = sample(&world, name, &key_for(&world, name));
        for member in ["KeyId", "TargetKeyId", "DestinationKeyId"] {
            if input.get(member).is_some() {
                input[member] = json!(id);
            }
        }
        let (status, body) = world.call(OWNER, name, &input);
        assert_eq!((status, &body["__type"]), (400, &json!("NotFoundException")), "{name}");
        let arn = world.arn(id);
        assert_eq!(body["message"], format!("Key '{arn}' does not exist"), "{name}");
    }
}
