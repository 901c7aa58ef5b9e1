//! No audit record holds a secret: neither what a request brought nor what its answer gave.

mod world;

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use iam::{Iam, Sts};
use kms::Kms;
use serde_json::{Value, json};
use service::Service;
use wire::{MemberInfo, ShapeInfo, ShapeKind, StructureInfo};
use world::identities::Identities;
use world::samples::{key_for, registry, sample};
use world::{OWNER, STRANGER, World};

/// The members of inputs and answers, in all services, that no record may hold: keys and texts,
/// what was made of them, and what admits whoever holds it.
const SECRETS: &[&str] = &[
    "AttestationDocument",
    "CiphertextBlob",
    "CiphertextForRecipient",
    "ContextAssertion",
    "EncryptedKeyMaterial",
    "GrantToken",
    "GrantTokens",
    "ImportToken",
    "Mac",
    "Message",
    "Plaintext",
    "PrivateKeyCiphertextBlob",
    "PrivateKeyPlaintext",
    "PublicKey",
    "SecretAccessKey",
    "SessionToken",
    "SharedSecret",
    "SharedSecretCiphertextBlob",
    "Signature",
    "TokenCode",
    "WebIdentityToken",
];

/// The text to look for; in blobs, its bytes.
const MARK: &str = "a-secret-that-no-record-may-hold";

/// Calls `visit` with every member of the structure and of those in it.
fn walk(structure: &'static StructureInfo, visit: &mut dyn FnMut(&'static MemberInfo)) {
    for member in structure.members {
        visit(member);
        walk_shape(member.shape, visit);
    }
}

fn walk_shape(shape: &'static ShapeInfo, visit: &mut dyn FnMut(&'static MemberInfo)) {
    match shape.kind {
        ShapeKind::Structure(inner) => walk(inner, visit),
        ShapeKind::List { member, .. } => walk_shape(member, visit),
        ShapeKind::Map { value, .. } => walk_shape(value, visit),
        _ => {}
    }
}

/// The names of all members of the service's operations that records leave out.
fn left_out<S: Service>() -> BTreeSet<&'static str> {
    let mut names = BTreeSet::new();
    for operation in S::registry() {
        for structure in [operation.input(), operation.output()] {
            walk(structure, &mut |member| {
                if !member.shape.recorded() {
                    names.insert(member.name);
                }
            });
        }
    }
    names
}

#[test]
fn what_is_secret_is_left_out_and_nothing_else() {
    let mut all = left_out::<Kms>();
    all.extend(left_out::<Iam>());
    all.extend(left_out::<Sts>());
    assert_eq!(all.into_iter().collect::<Vec<_>>(), SECRETS);
}

/// The texts in those members of an answer that records leave out.
fn secrets_of(structure: &'static StructureInfo, value: &Value, found: &mut Vec<String>) {
    for member in structure.members {
        let Some(value) = value.get(member.name) else { continue };
        if !member.shape.recorded() {
            texts_of(value, found);
        } else if let ShapeKind::Structure(inner) = member.shape.kind {
            secrets_of(inner, value, found);
        }
    }
}

fn texts_of(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| texts_of(value, found)),
        _ => {}
    }
}

/// The forms in which a secret could stand in a record.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned()];
    if let Ok(bytes) = STANDARD.decode(secret) {
        let digits: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        forms.push(digits.concat());
        forms.extend(String::from_utf8(bytes).ok());
    }
    // Short ones stand in ids by chance.
    forms.retain(|form| form.len() >= 8);
    forms
}

fn assert_untold(world: &World, name: &str, secrets: &[String]) {
    let told: Vec<_> = world.records().iter().map(ToString::to_string).collect();
    for form in secrets.iter().flat_map(|secret| forms(secret)) {
        assert!(!told.iter().any(|line| line.contains(&form)), "{name} tells {form}");
    }
}

#[test]
fn no_record_of_kms_holds_what_was_given_out() {
    let mut met = 0;
    for operation in registry() {
        let name = operation.facts().name;
        let world = World::new();
        let input = sample(&world, name, &key_for(&world, name));
        let (status, body) = world.call(OWNER, name, &input);
        assert_eq!(status, 200, "{name}: {body}");
        let mut secrets = Vec::new();
        secrets_of(operation.output(), &body, &mut secrets);
        secrets_of(operation.input(), &input, &mut secrets);
        met += secrets.len();
        assert_untold(&world, name, &secrets);
    }
    assert!(met > 30, "{met} secrets are too few to have looked at the right members");
}

/// A value of a shape that records leave out, with the mark in it.
fn marked(shape: &'static ShapeInfo) -> Value {
    match shape.kind {
        ShapeKind::Blob { .. } => json!(STANDARD.encode(MARK)),
        ShapeKind::Text { min, .. } => json!(format!("{MARK:-<min$}")),
        ShapeKind::List { member, .. } => json!([marked(member)]),
        _ => panic!("{} can't be marked", shape.name),
    }
}

#[test]
fn no_record_of_kms_holds_what_was_brought() {
    let marks = [MARK.to_owned(), STANDARD.encode(MARK)];
    for operation in registry() {
        let name = operation.facts().name;
        let world = World::new();
        let input = sample(&world, name, &key_for(&world, name));
        let before = world.records().len();
        let mut count = 0;
        for member in operation.input().members {
            let mut input = input.clone();
            match member.shape.kind {
                _ if !member.shape.recorded() => input[member.name] = marked(member.shape),
                ShapeKind::Structure(inner) => {
                    for member_of in inner.members.iter().filter(|one| !one.shape.recorded()) {
                        input[member.name] =
                            json!({"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256"});
                        input[member.name][member_of.name] = marked(member_of.shape);
                    }
                    if input.get(member.name).is_none() {
                        continue;
                    }
                }
                _ => continue,
            }
            count += 1;
            // It works or is refused; the record is the same business.
            world.call(OWNER, name, &input);
            world.call(STRANGER, name, &input);
        }
        assert_eq!(world.records().len(), before + 2 * count, "{name}");
        assert_untold(&world, name, &marks);
    }
}

#[test]
fn no_refusal_repeats_what_admits() {
    let world = World::new();
    let key = world.key();
    let token = world.grant(&key, STRANGER, &["Decrypt"])["GrantToken"].clone();
    let tokens = json!(vec![token.clone(); 11]);
    let input = json!({"KeyId": key, "GrantTokens": tokens});
    let (_, body) = world.call(OWNER, "DescribeKey", &input);
    assert_eq!(body["__type"], "ValidationException");
    let long = json!({"KeyId": key, "GrantTokens": [MARK.repeat(300)]});
    assert_eq!(world.call(OWNER, "DescribeKey", &long).0, 400);
    world.call(OWNER, "RetireGrant", &json!({"GrantToken": token, "KeyId": key}));
    world.ok("RetireGrant", &json!({"GrantToken": token}));
    let secrets = [token.as_str().unwrap().to_owned(), MARK.to_owned()];
    assert_untold(&world, "DescribeKey", &secrets);
}

#[test]
fn no_record_of_iam_and_sts_holds_what_was_given_out() {
    let world = Identities::new();
    world.iam(OWNER, "CreateUser", "UserName=ann");
    let mut secrets = 0;
    for (status, answer) in [
        world.iam(OWNER, "CreateAccessKey", "UserName=ann"),
        world.iam(OWNER, "CreateAccessKey", ""),
        world.sts(OWNER, "GetFederationToken", "Name=fed"),
        world.sts(OWNER, "GetSessionToken", ""),
    ] {
        assert_eq!(status, 200, "{answer}");
        for element in ["SecretAccessKey", "SessionToken"] {
            let Some(secret) = inner(&answer, element) else { continue };
            secrets += 1;
            let told = world.records().iter().any(|record| record.to_string().contains(secret));
            assert!(!told, "{element}");
        }
        let id = inner(&answer, "AccessKeyId").unwrap();
        let tells = |record: &Value| record["responseElements"].to_string().contains(id);
        assert!(world.records().iter().any(tells), "{id}");
    }
    assert_eq!(secrets, 6);
}

/// What stands in the first element of that name.
fn inner<'a>(xml: &'a str, element: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{element}>"))?;
    Some(rest.split_once(&format!("</{element}>"))?.0)
}

#[test]
fn no_record_of_iam_and_sts_holds_what_was_brought() {
    let role = format!("RoleArn=arn:aws:iam::{OWNER}:role/nobody&RoleSessionName=nn");
    let device = "SerialNumber=arn:aws:iam::111122223333:mfa/d&TokenCode=718293";
    let forms = [
        ("AssumeRole", format!("{role}&{device}")),
        (
            "AssumeRole",
            format!(
                "{role}&ProvidedContexts.member.1.ProviderArn=arn:aws:iam::aws:contextProvider/x\
                 &ProvidedContexts.member.1.ContextAssertion={MARK}"
            ),
        ),
        ("AssumeRoleWithWebIdentity", format!("{role}&WebIdentityToken={MARK}")),
        ("AssumeRoleWithWebIdentity", format!("{role}&WebIdentityToken={}", MARK.repeat(700))),
        ("GetSessionToken", device.to_owned()),
        ("GetSessionToken", format!("{device}718293")),
    ];
    let world = Identities::new();
    for (name, form) in &forms {
        let (status, answer) = world.sts(OWNER, name, form);
        assert_ne!(status, 200, "{name}: {answer}");
        let record = world.last_record();
        assert_eq!(record["eventName"], *name);
        let text = record.to_string();
        assert!(!text.contains(MARK) && !text.contains("718293"), "{text}");
    }
    // These are the members that were brought.
    let mut brought = BTreeSet::new();
    let mut inputs = |operations: &[&'static StructureInfo]| {
        for input in operations {
            walk(input, &mut |member| {
                if !member.shape.recorded() {
                    brought.insert(member.name);
                }
            });
        }
    };
    inputs(&Iam::registry().iter().map(|operation| operation.input()).collect::<Vec<_>>());
    inputs(&Sts::registry().iter().map(|operation| operation.input()).collect::<Vec<_>>());
    let brought: Vec<_> = brought.into_iter().collect();
    assert_eq!(brought, ["ContextAssertion", "TokenCode", "WebIdentityToken"]);
}
