//! What must hold for every operation of KMS, whoever wrote it: properties over the whole registry.

mod world;

use serde_json::json;
use service::Facts;
use wire::enums::{KeyLastUsageTrackingOperation, KeyState};
use world::samples::{has_key, has_policy, key_for, registry, sample};
use world::{OWNER, STRANGER, World};

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
    for operation in registry().filter(|o| has_policy(o.facts().name)) {
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
        if facts.cross_account && has_policy(facts.name) {
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
            let disabled = facts.states.contains(&KeyState::Disabled);
            let code = if disabled { "DryRunOperationException" } else { "DisabledException" };
            assert_eq!(body["__type"], code, "{}", facts.name);
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

/// What a grant must list for the operation to be allowed.
fn granted_for(facts: &Facts) -> Vec<&'static str> {
    let mut operations: Vec<_> =
        facts.actions.iter().filter_map(|action| action.strip_prefix("kms:")).collect();
    if facts.name == "CreateGrant" {
        // A grant can't be of CreateGrant alone, and what it creates can't allow more than it.
        operations.push("DescribeKey");
    }
    operations
}

#[test]
fn a_grant_allows_its_operations_while_it_is_there() {
    for operation in registry().filter(|o| o.facts().grantable && has_policy(o.facts().name)) {
        let facts = operation.facts();
        let world = World::new();
        let key = key_for(&world, facts.name);
        let input = sample(&world, facts.name, &world.arn(&key));
        let refused = (400, json!("AccessDeniedException"));
        let call = |account: &str| {
            let (status, body) = world.call(account, facts.name, &input);
            (status, body["__type"].clone())
        };
        world.grant(&key, STRANGER, &["DescribeKey", "RetireGrant"]);
        if facts.name == "DescribeKey" {
            assert_eq!(call(STRANGER).0, 200);
            continue;
        }
        assert_eq!(call(STRANGER), refused, "{} by another grant", facts.name);
        let grant = world.grant(&key, STRANGER, &granted_for(facts));
        assert_eq!(call(STRANGER).0, 200, "{}", facts.name);
        assert_eq!(call("777788889999"), refused, "{} by another's grant", facts.name);
        // The owner's own policy may be silent; an explicit denial no grant overrides.
        world.deny(&key, facts.actions);
        assert_eq!(call(STRANGER), refused, "{} despite a denial", facts.name);
        world.open_to(&key, &[OWNER]);
        assert_eq!(call(STRANGER).0, 200, "{}", facts.name);
        world.ok("RevokeGrant", &json!({"KeyId": key, "GrantId": grant["GrantId"]}));
        assert_eq!(call(STRANGER), refused, "{} by a revoked grant", facts.name);
    }
}

#[test]
fn grant_tokens_must_be_some_also_where_none_is_needed() {
    for operation in registry() {
        let facts = operation.facts();
        let takes_tokens = operation.input().members.iter().any(|m| m.name == "GrantTokens");
        assert_eq!(takes_tokens, facts.grantable && has_policy(facts.name), "{}", facts.name);
        if !takes_tokens {
            continue;
        }
        let world = World::new();
        let key = key_for(&world, facts.name);
        let mut input = sample(&world, facts.name, &key);
        let other = world.key();
        let token = world.grant(&other, STRANGER, &["Decrypt"])["GrantToken"].clone();
        input["GrantTokens"] = json!([token, token]);
        let (status, body) = world.call(OWNER, facts.name, &input);
        assert_eq!(status, 200, "{}: {body}", facts.name);
        assert!(!world.last_record().to_string().contains(token.as_str().unwrap()));
        input["GrantTokens"] = json!([token, "AAAA"]);
        let (status, body) = world.call(OWNER, facts.name, &input);
        let expected = json!({"__type": "InvalidGrantTokenException"});
        assert_eq!((status, body), (400, expected), "{}", facts.name);
        input["GrantTokens"] = json!(vec![token; 11]);
        let (_, body) = world.call(OWNER, facts.name, &input);
        assert_eq!(body["__type"], "ValidationException", "{}", facts.name);
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
