//! AWS's table of key states, cell by cell: each operation, in each state, on each kind of key.
//!
//! Source: the developer guide, "Key states of AWS KMS keys"; where its table is older than the
//! operation, the operation's own text.

mod world;

use serde_json::{Value, json};
use service::Facts;
use wire::enums::KeyState;
use world::samples::{imported_key, is_for_imports, is_for_primaries, primary, registry, sample};
use world::{OWNER, World};

/// The columns of the table.
const STATES: [KeyState; 8] = [
    KeyState::Enabled,
    KeyState::Disabled,
    KeyState::PendingImport,
    KeyState::PendingDeletion,
    KeyState::PendingReplicaDeletion,
    KeyState::Unavailable,
    KeyState::Creating,
    KeyState::Updating,
];

/// Operations, and a letter for each state: `y` it works, else which refusal ([`refusal`]); `k` the
/// kind of the key decides, see [`expected`].
const TABLE: &[(&[&str], &str)] = &[
    (
        &[
            "Decapsulate",
            "Decrypt",
            "DeriveSharedSecret",
            "Encapsulate",
            "Encrypt",
            "GenerateDataKey",
            "GenerateDataKeyPair",
            "GenerateDataKeyPairWithoutPlaintext",
            "GenerateDataKeyWithoutPlaintext",
            "GenerateMac",
            "GetPublicKey",
            "ReEncrypt",
            "Sign",
            "Verify",
            "VerifyMac",
        ],
        "yDIPRUCy",
    ),
    (&["CreateGrant"], "yDIPRyyy"),
    (&["EnableKey", "DisableKey"], "yyIPRyCy"),
    (&["EnableKeyRotation", "DisableKeyRotation", "RotateKeyOnDemand"], "yDkPRUCy"),
    (&["GetParametersForImport", "ImportKeyMaterial", "DeleteImportedKeyMaterial"], "yyyPRUCG"),
    (
        &[
            "ScheduleKeyDeletion",
            "CreateAlias",
            "UpdateAlias",
            "TagResource",
            "UntagResource",
            "UpdateKeyDescription",
        ],
        "yyyPRyyy",
    ),
    (&["ReplicateKey", "UpdatePrimaryRegion"], "yDIPRUCG"),
    (&["CancelKeyDeletion"], "NNNyyNNN"),
    (
        &[
            "DeleteAlias",
            "DescribeKey",
            "GetKeyLastUsage",
            "GetKeyPolicy",
            "GetKeyRotationStatus",
            "ListGrants",
            "ListKeyPolicies",
            "ListKeyRotations",
            "ListResourceTags",
            "PutKeyPolicy",
            "RetireGrant",
            "RevokeGrant",
        ],
        "yyyyyyyy",
    ),
];

/// The code of a refusal, and what its message says of the key.
fn refusal(letter: char) -> (&'static str, &'static str) {
    const INVALID: &str = "KMSInvalidStateException";
    match letter {
        'D' => ("DisabledException", "disabled"),
        'I' => (INVALID, "pending import"),
        'P' => (INVALID, "pending deletion"),
        'R' => (INVALID, "pending replica deletion"),
        'U' => (INVALID, "unavailable"),
        'C' => (INVALID, "creating"),
        'G' => (INVALID, "updating"),
        'N' => (INVALID, "not pending deletion"),
        other => panic!("no refusal {other}"),
    }
}

fn cell(operation: &str, state: KeyState) -> char {
    let row = TABLE.iter().find(|(names, _)| names.contains(&operation));
    let (_, cells) = row.unwrap_or_else(|| panic!("{operation} has no row: add it to one"));
    let column = STATES.iter().position(|other| *other == state).unwrap();
    cells.chars().nth(column).unwrap()
}

/// A kind of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kind {
    spec: &'static str,
    usage: &'static str,
    imported: bool,
    region: Relation,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    Single,
    /// With a replica.
    Primary,
    Replica,
}

const fn kind(spec: &'static str, usage: &'static str, imported: bool) -> Kind {
    Kind { spec, usage, imported, region: Relation::Single }
}

const SYMMETRIC: Kind = kind("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", false);

const KINDS: [Kind; 10] = [
    SYMMETRIC,
    Kind { imported: true, ..SYMMETRIC },
    Kind { region: Relation::Primary, ..SYMMETRIC },
    Kind { region: Relation::Replica, ..SYMMETRIC },
    kind("ECC_NIST_P256", "SIGN_VERIFY", false),
    kind("ECC_NIST_P256", "SIGN_VERIFY", true),
    kind("ECC_NIST_P256", "KEY_AGREEMENT", false),
    kind("HMAC_256", "GENERATE_VERIFY_MAC", false),
    kind("HMAC_256", "GENERATE_VERIFY_MAC", true),
    kind("ML_KEM_512", "ENCAPSULATE_DECAPSULATE", false),
];

impl Kind {
    /// A fresh key of that kind, enabled.
    fn key(self, world: &World) -> String {
        if self.imported {
            return imported_key(world, self.spec, self.usage);
        }
        if self.region == Relation::Single {
            return world.key_of(self.spec, self.usage);
        }
        let key = primary(world);
        world.ok("ReplicateKey", &json!({"KeyId": key, "ReplicaRegion": "eu-west-1"}));
        if self.region == Relation::Replica {
            world.ok("UpdatePrimaryRegion", &json!({"KeyId": key, "PrimaryRegion": "eu-west-1"}));
        }
        key
    }

    /// Whether the operation is for such keys at all, in whatever state.
    fn suits(self, facts: &Facts) -> bool {
        let symmetric = self.spec == SYMMETRIC.spec;
        let usage = facts.usage.is_none_or(|usage| usage.as_str() == self.usage);
        match facts.name {
            // The sample is for symmetric material.
            "ImportKeyMaterial" => self.imported && symmetric,
            name if is_for_imports(name) => self.imported,
            "ReplicateKey" | "UpdatePrimaryRegion" => self.region == Relation::Primary,
            _ => usage,
        }
    }

    /// The states that such a key can be brought into.
    fn states(self) -> impl Iterator<Item = KeyState> {
        STATES.into_iter().filter(move |state| match state {
            KeyState::Enabled | KeyState::Disabled => true,
            KeyState::PendingDeletion => self.region != Relation::Primary,
            KeyState::PendingImport => self.imported,
            KeyState::PendingReplicaDeletion => self.region == Relation::Primary,
            _ => false,
        })
    }
}

fn into_state(world: &World, key: &str, state: KeyState) {
    let operation = match state {
        KeyState::Enabled => return,
        KeyState::Disabled => "DisableKey",
        KeyState::PendingImport => "DeleteImportedKeyMaterial",
        KeyState::PendingDeletion | KeyState::PendingReplicaDeletion => "ScheduleKeyDeletion",
        other => panic!("no way into {other}"),
    };
    world.ok(operation, &json!({"KeyId": key}));
}

/// What an operation must answer: an error's code and message, or nothing where it works.
fn expected(
    facts: &Facts,
    kind: Kind,
    state: KeyState,
    arn: &str,
) -> Option<(&'static str, Option<String>)> {
    const UNSUPPORTED: (&str, Option<String>) = ("UnsupportedOperationException", None);
    let letter = cell(facts.name, state);
    let symmetric = kind.spec == SYMMETRIC.spec;
    let rotates = symmetric && kind.region != Relation::Replica;
    if matches!(letter, 'y' | 'k') {
        match facts.name {
            "EnableKeyRotation" | "DisableKeyRotation" if !rotates || kind.imported => {
                return Some(UNSUPPORTED);
            }
            "RotateKeyOnDemand" if !rotates => return Some(UNSUPPORTED),
            "RotateKeyOnDemand" if letter == 'k' => {
                return Some((
                    "KMSInvalidStateException",
                    Some(format!("{arn} is pending import.")),
                ));
            }
            "GetKeyRotationStatus" | "ListKeyRotations" if !symmetric => return Some(UNSUPPORTED),
            "GetPublicKey" if symmetric || kind.spec.starts_with("HMAC") => {
                return Some(UNSUPPORTED);
            }
            // Its replica's Region is taken by the one that it was made with.
            "ReplicateKey" => return Some(("AlreadyExistsException", None)),
            _ => {}
        }
        return None;
    }
    let (code, is) = refusal(letter);
    Some((code, Some(format!("{arn} is {is}."))))
}

/// An input with which the operation works on that key, and the key whose state decides.
fn input(world: &World, facts: &Facts, kind: Kind, key: String) -> (Value, String) {
    match facts.name {
        // It asks for the state of the key that it moves the alias to.
        "UpdateAlias" => {
            let target = kind.key(world);
            (json!({"AliasName": world.alias(&key), "TargetKeyId": target}), target)
        }
        "CancelKeyDeletion" | "GetPublicKey" => (json!({"KeyId": key}), key),
        name => {
            if name == "RotateKeyOnDemand" && kind.imported && kind.spec == SYMMETRIC.spec {
                let mut input = world.import(&key, &[8; 32]);
                input["ImportType"] = json!("NEW_KEY_MATERIAL");
                world.ok("ImportKeyMaterial", &input);
            }
            (sample(world, name, &key), key)
        }
    }
}

/// Whether the operation acts on one key.
fn has_row(facts: &Facts) -> bool {
    let keyless = ["CreateKey", "ListKeys", "ListAliases", "ListRetirableGrants", "GenerateRandom"];
    !keyless.contains(&facts.name)
}

/// The facts hold what the table says, also of states that no key of this version gets into.
#[test]
fn the_facts_are_the_table() {
    let mut differences = Vec::new();
    for operation in registry().filter(|operation| has_row(operation.facts())) {
        let facts = operation.facts();
        for state in STATES {
            let letter = cell(facts.name, state);
            // What CancelKeyDeletion refuses, it refuses by itself.
            let works = matches!(letter, 'y' | 'k' | 'N');
            if facts.states.contains(&state) != works {
                differences.push(format!("{} of {state}", facts.name));
            }
        }
    }
    assert!(differences.is_empty(), "{differences:?}");
}

#[test]
fn each_operation_in_each_state_on_each_kind_of_key() {
    let mut cells = 0;
    for operation in registry().filter(|operation| has_row(operation.facts())) {
        let facts = operation.facts();
        for kind in KINDS.into_iter().filter(|kind| kind.suits(facts)) {
            for state in kind.states() {
                let world = World::new();
                let (input, key) = input(&world, facts, kind, kind.key(&world));
                into_state(&world, &key, state);
                let (status, body) = world.call(OWNER, facts.name, &input);
                let at = format!("{} of {kind:?} {state}: {body}", facts.name);
                cells += 1;
                let Some((code, message)) = expected(facts, kind, state, &world.arn(&key)) else {
                    assert_eq!(status, 200, "{at}");
                    continue;
                };
                assert_eq!((status, body["__type"].as_str()), (400, Some(code)), "{at}");
                if code != "AlreadyExistsException" {
                    assert_eq!(body["message"].as_str(), message.as_deref(), "{at}");
                }
            }
        }
    }
    assert!(cells > 700, "only {cells} cells were tried");
}

#[test]
fn keys_of_another_origin_take_no_imports() {
    for operation in registry().filter(|o| is_for_imports(o.facts().name)) {
        let world = World::new();
        let name = operation.facts().name;
        let imported = imported_key(&world, SYMMETRIC.spec, SYMMETRIC.usage);
        let mut input = sample(&world, name, &imported);
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
fn single_region_keys_have_no_relatives() {
    for operation in registry().filter(|o| is_for_primaries(o.facts().name)) {
        let world = World::new();
        let name = operation.facts().name;
        let key = world.key();
        let (status, body) = world.call(OWNER, name, &sample(&world, name, &key));
        assert_eq!((status, &body["__type"]), (400, &json!("UnsupportedOperationException")));
        let message = format!("{} is not a multi-region primary key.", world.arn(&key));
        assert_eq!(body["message"], message);
    }
}
