//! What must hold for every operation of KMS, whoever wrote it: one table of sample inputs, and
//! properties over the whole registry.

mod world;

use crypto::{Curve, DataKeyPair, DataKeyPairSpec, MlKemSpec};
use kms::Kms;
use serde_json::{Value, json};
use service::{AnyOperation, Facts, Service as _};
use wire::enums::{KeyLastUsageTrackingOperation, KeyState};
use world::{OWNER, STRANGER, World};

fn registry() -> impl Iterator<Item = &'static dyn AnyOperation<Kms>> {
    Kms::REGISTRY.iter().copied()
}

/// Spec and usage of the keys that the operation works on.
fn kind_for(name: &str) -> (&'static str, &'static str) {
    match name {
        "Sign" | "Verify" | "GetPublicKey" => ("ECC_NIST_P256", "SIGN_VERIFY"),
        "GenerateMac" | "VerifyMac" => ("HMAC_256", "GENERATE_VERIFY_MAC"),
        "DeriveSharedSecret" => ("ECC_NIST_P256", "KEY_AGREEMENT"),
        "Encapsulate" | "Decapsulate" => ("ML_KEM_512", "ENCAPSULATE_DECAPSULATE"),
        _ => ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"),
    }
}

/// Whether the operation works on keys of imported material alone.
fn is_for_imports(name: &str) -> bool {
    matches!(name, "GetParametersForImport" | "ImportKeyMaterial" | "DeleteImportedKeyMaterial")
}

/// Whether the operation works on multi-Region primary keys alone.
fn is_for_primaries(name: &str) -> bool {
    matches!(name, "ReplicateKey" | "UpdatePrimaryRegion")
}

/// A fresh key of the kind that the operation works on.
fn key_for(world: &World, name: &str) -> String {
    let (spec, usage) = kind_for(name);
    match name {
        "ReplicateKey" => return primary(world),
        "UpdatePrimaryRegion" => {
            let key = primary(world);
            world.ok("ReplicateKey", &json!({"KeyId": key, "ReplicaRegion": "eu-west-1"}));
            return key;
        }
        _ => {}
    }
    if is_for_imports(name) { imported_key(world, spec, usage) } else { world.key_of(spec, usage) }
}

/// A fresh key of that kind with imported material.
fn imported_key(world: &World, spec: &str, usage: &str) -> String {
    let pair = |spec| DataKeyPair::generate(spec).unwrap().private_key.to_vec();
    let material = match spec {
        "ECC_NIST_P256" => pair(DataKeyPairSpec::Ec(Curve::P256)),
        "ML_KEM_512" => pair(DataKeyPairSpec::MlKem(MlKemSpec::MlKem512)),
        _ => MATERIAL.to_vec(),
    };
    let key = world.external_key(spec, usage);
    world.ok("ImportKeyMaterial", &world.import(&key, &material));
    key
}

/// Material of keys that take any 32 bytes.
const MATERIAL: [u8; 32] = [7; 32];

/// An input with which the operation works on a fresh, enabled key.
fn sample(world: &World, name: &str, key: &str) -> Value {
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
        "ScheduleKeyDeletion"
        | "DescribeKey"
        | "EnableKey"
        | "DisableKey"
        | "GetKeyLastUsage"
        | "GetKeyPolicy"
        | "ListKeyPolicies"
        | "ListResourceTags"
        | "EnableKeyRotation"
        | "DisableKeyRotation"
        | "GetKeyRotationStatus"
        | "RotateKeyOnDemand"
        | "ListKeyRotations"
        | "DeleteImportedKeyMaterial"
        | "GetPublicKey" => json!({"KeyId": key}),
        "GetParametersForImport" => parameters_of(key),
        "ImportKeyMaterial" => world.import(key, &MATERIAL),
        "ReplicateKey" => json!({"KeyId": key, "ReplicaRegion": "eu-west-1"}),
        "UpdatePrimaryRegion" => json!({"KeyId": key, "PrimaryRegion": "eu-west-1"}),
        // The one operation that doesn't work on an enabled key.
        "CancelKeyDeletion" => {
            world.ok("ScheduleKeyDeletion", &json!({"KeyId": key}));
            json!({"KeyId": key})
        }
        other => use_of(world, other, key),
    }
}

/// The same for operations that use a key's material.
fn use_of(world: &World, name: &str, key: &str) -> Value {
    let blob = || world.sealed(key);
    match name {
        "Encrypt" => json!({"KeyId": key, "Plaintext": "AAAA"}),
        "Decrypt" => json!({"CiphertextBlob": blob()}),
        "ReEncrypt" => json!({"CiphertextBlob": blob(), "DestinationKeyId": key}),
        "GenerateDataKey" | "GenerateDataKeyWithoutPlaintext" => {
            json!({"KeyId": key, "KeySpec": "AES_256"})
        }
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
        "Decapsulate" => {
            let mut input = json!({"KeyId": key, "EncapsulationAlgorithm": "ML_KEM"});
            let made = world.ok("Encapsulate", &input);
            input["SharedSecretCiphertextBlob"] = made["SharedSecretCiphertextBlob"].clone();
            input
        }
        "GenerateDataKeyPair" | "GenerateDataKeyPairWithoutPlaintext" => {
            json!({"KeyId": key, "KeyPairSpec": "ECC_NIST_P256"})
        }
        other => panic!("{other} has no sample input: add one"),
    }
}

/// A fresh multi-Region primary key.
fn primary(world: &World) -> String {
    let made = world.ok("CreateKey", &json!({"MultiRegion": true}));
    made["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned()
}

fn parameters_of(key: &str) -> Value {
    let (algorithm, spec) = ("RSA_AES_KEY_WRAP_SHA_256", "RSA_2048");
    json!({"KeyId": key, "WrappingAlgorithm": algorithm, "WrappingKeySpec": spec})
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
        for secret in [
            "\"plaintext\":",
            "\"ciphertextBlob\":",
            "\"importToken\":",
            "\"encryptedKeyMaterial\":",
            "\"AAAA",
        ] {
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
        KeyState::PendingImport => {
            world.ok("DeleteImportedKeyMaterial", &json!({"KeyId": key}));
        }
        KeyState::PendingDeletion => {
            world.ok("ScheduleKeyDeletion", &json!({"KeyId": key}));
        }
        other => panic!("no way into {other}"),
    }
}

/// What an operation must answer to a key in that state: its error's code and what the message
/// says of the key, or nothing where it works.
fn refusal(facts: &Facts, state: KeyState, imported: bool) -> Option<(&'static str, &'static str)> {
    const INVALID_STATE: &str = "KMSInvalidStateException";
    match (facts.name, state) {
        ("CancelKeyDeletion", KeyState::PendingDeletion) => return None,
        ("CancelKeyDeletion", _) => return Some((INVALID_STATE, "not pending deletion")),
        // Of rotation, keys of imported material know only what is on demand.
        (
            "EnableKeyRotation" | "DisableKeyRotation",
            KeyState::Enabled | KeyState::PendingImport,
        ) if imported => {
            return Some(("UnsupportedOperationException", ""));
        }
        ("RotateKeyOnDemand", KeyState::PendingImport) => {
            return Some((INVALID_STATE, "pending import"));
        }
        // Its key has a replica, for whose end it waits.
        ("UpdatePrimaryRegion", KeyState::PendingDeletion) => {
            return Some((INVALID_STATE, "pending replica deletion"));
        }
        _ if facts.states.contains(&state) => return None,
        _ => {}
    }
    Some(match state {
        KeyState::Disabled => ("DisabledException", "disabled"),
        KeyState::PendingImport => (INVALID_STATE, "pending import"),
        KeyState::PendingDeletion => (INVALID_STATE, "pending deletion"),
        other => panic!("no words for {other}"),
    })
}

/// Tries the operation on a fresh key in that state.
fn holds_in(facts: &Facts, state: KeyState, imported: bool) {
    let world = World::new();
    let (spec, usage) = kind_for(facts.name);
    let fresh = || {
        if is_for_primaries(facts.name) {
            return key_for(&world, facts.name);
        }
        if imported { imported_key(&world, spec, usage) } else { world.key_of(spec, usage) }
    };
    let key = fresh();
    // UpdateAlias asks for the state of the key that it moves the alias to.
    let (input, key) = if facts.name == "UpdateAlias" {
        let target = fresh();
        (json!({"AliasName": world.alias(&key), "TargetKeyId": target}), target)
    } else if facts.name == "CancelKeyDeletion" {
        (json!({"KeyId": key}), key)
    } else {
        (sample(&world, facts.name, &key), key)
    };
    if imported && facts.name == "RotateKeyOnDemand" {
        let mut input = world.import(&key, &[8; 32]);
        input["ImportType"] = json!("NEW_KEY_MATERIAL");
        world.ok("ImportKeyMaterial", &input);
    }
    into_state(&world, &key, state);
    let (status, body) = world.call(OWNER, facts.name, &input);
    let at = format!("{} of a key {state}, imported {imported}: {body}", facts.name);
    let Some((code, is)) = refusal(facts, state, imported) else {
        assert_eq!(status, 200, "{at}");
        return;
    };
    assert_eq!((status, body["__type"].as_str()), (400, Some(code)), "{at}");
    let message = format!("{} is {is}.", world.arn(&key));
    assert_eq!(body["message"].as_str(), (!is.is_empty()).then_some(message.as_str()), "{at}");
}

#[test]
fn each_state_allows_what_the_facts_say() {
    for operation in registry().filter(|o| has_key(o.facts().name)) {
        let facts = operation.facts();
        for state in [KeyState::Enabled, KeyState::Disabled, KeyState::PendingDeletion] {
            if !is_for_imports(facts.name) {
                holds_in(facts, state, false);
            }
            if !is_for_primaries(facts.name) {
                holds_in(facts, state, true);
            }
        }
        if !is_for_primaries(facts.name) {
            holds_in(facts, KeyState::PendingImport, true);
        }
    }
}

#[test]
fn keys_of_another_origin_take_no_imports() {
    for operation in registry().filter(|o| is_for_imports(o.facts().name)) {
        let world = World::new();
        let name = operation.facts().name;
        let mut input = sample(&world, name, &key_for(&world, name));
        let key = world.key();
        input["KeyId"] = json!(key);
        let (status, body) = world.call(OWNER, name, &input);
        let expected = (400, &json!("UnsupportedOperationException"));
        assert_eq!((status, &body["__type"]), expected, "{name}: {body}");
        let message =
            format!("{} origin is AWS_KMS which is not valid for this operation.", world.arn(&key));
        assert_eq!(body["message"], message);
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

/// The operations that count as uses are those that the model's enum names, as the oracle says.
#[test]
fn each_use_of_a_key_and_nothing_else_is_its_last() {
    for operation in registry() {
        let name = operation.facts().name;
        let world = World::new();
        let key = key_for(&world, name);
        let input = sample(&world, name, &key);
        let usage = || world.ok("GetKeyLastUsage", &json!({"KeyId": key}))["KeyLastUsage"].clone();
        let before = usage();
        world.ok(name, &input);
        let record = world.last_record();
        assert_eq!(record["eventName"], name);
        if KeyLastUsageTrackingOperation::parse(name).is_none() {
            assert_eq!(usage(), before, "{name} counts");
            continue;
        }
        let expected = json!({
            "Operation": name,
            "Timestamp": 1_700_000_000,
            "CloudTrailEventId": record["eventID"],
            "KmsRequestId": record["requestID"],
        });
        assert_eq!(usage(), expected);
        // A dry run, a refusal and a request without a record are no uses.
        let mut dry = input.clone();
        dry["DryRun"] = json!(true);
        assert_eq!(world.call(OWNER, name, &dry).0, 400);
        assert_eq!(world.call(STRANGER, name, &input).0, 400, "{name}");
        world.ok("DisableKey", &json!({"KeyId": key}));
        assert_eq!(world.call(OWNER, name, &input).0, 400);
        assert_eq!(usage(), expected, "{name}");
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
