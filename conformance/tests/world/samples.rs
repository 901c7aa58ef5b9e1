//! A sample input for every operation, and keys of the kinds that the operations work on.

use crypto::{Curve, DataKeyPair, DataKeyPairSpec, MlKemSpec};
use kms::Kms;
use serde_json::{Value, json};
use service::{AnyOperation, Service as _};

use super::{OWNER, STRANGER, World};

/// Every operation of KMS.
pub(crate) fn registry() -> impl Iterator<Item = &'static dyn AnyOperation<Kms>> {
    Kms::registry().iter().copied()
}

/// Spec and usage of the keys that the operation works on.
pub(crate) fn kind_for(name: &str) -> (&'static str, &'static str) {
    match name {
        "Sign" | "Verify" | "GetPublicKey" => ("ECC_NIST_P256", "SIGN_VERIFY"),
        "GenerateMac" | "VerifyMac" => ("HMAC_256", "GENERATE_VERIFY_MAC"),
        "DeriveSharedSecret" => ("ECC_NIST_P256", "KEY_AGREEMENT"),
        "Encapsulate" | "Decapsulate" => ("ML_KEM_512", "ENCAPSULATE_DECAPSULATE"),
        _ => ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"),
    }
}

/// Whether the operation works on keys of imported material alone.
pub(crate) fn is_for_imports(name: &str) -> bool {
    matches!(name, "GetParametersForImport" | "ImportKeyMaterial" | "DeleteImportedKeyMaterial")
}

/// Whether the operation works on multi-Region primary keys alone.
pub(crate) fn is_for_primaries(name: &str) -> bool {
    matches!(name, "ReplicateKey" | "UpdatePrimaryRegion")
}

/// A fresh key of the kind that the operation works on.
pub(crate) fn key_for(world: &World, name: &str) -> String {
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
pub(crate) fn imported_key(world: &World, spec: &str, usage: &str) -> String {
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
pub(crate) const MATERIAL: [u8; 32] = [7; 32];

/// An input with which the operation works on a fresh, enabled key.
pub(crate) fn sample(world: &World, name: &str, key: &str) -> Value {
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
        | "ListGrants"
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
        "CreateGrant" | "RetireGrant" | "RevokeGrant" | "ListRetirableGrants" => {
            grant_sample(world, name, key)
        }
        other => use_of(world, other, key),
    }
}

/// The same for operations that use a key's material.
pub(crate) fn use_of(world: &World, name: &str, key: &str) -> Value {
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
pub(crate) fn primary(world: &World) -> String {
    let made = world.ok("CreateKey", &json!({"MultiRegion": true}));
    made["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned()
}

pub(crate) fn parameters_of(key: &str) -> Value {
    let (algorithm, spec) = ("RSA_AES_KEY_WRAP_SHA_256", "RSA_2048");
    json!({"KeyId": key, "WrappingAlgorithm": algorithm, "WrappingKeySpec": spec})
}

pub(crate) fn grant_sample(world: &World, name: &str, key: &str) -> Value {
    let root = |account: &str| format!("arn:aws:iam::{account}:root");
    let operations = ["DescribeKey"];
    match name {
        "CreateGrant" => {
            json!({"KeyId": key, "GranteePrincipal": root(STRANGER), "Operations": operations})
        }
        "ListRetirableGrants" => json!({"RetiringPrincipal": root(OWNER)}),
        _ => json!({"KeyId": key, "GrantId": world.grant(key, STRANGER, &operations)["GrantId"]}),
    }
}

pub(crate) fn signed(key: &str) -> Value {
    json!({"KeyId": key, "Message": "AAAA", "SigningAlgorithm": "ECDSA_SHA_256"})
}

pub(crate) fn maced(key: &str) -> Value {
    json!({"KeyId": key, "Message": "AAAA", "MacAlgorithm": "HMAC_SHA_256"})
}

/// Whether the operation acts on a key that the caller must be allowed to use.
pub(crate) fn has_key(name: &str) -> bool {
    let keyless = ["CreateKey", "ListKeys", "ListAliases", "ListRetirableGrants", "GenerateRandom"];
    !keyless.contains(&name)
}

/// Whether the key's policy decides on the operation. RetireGrant is for the grant to decide.
pub(crate) fn has_policy(name: &str) -> bool {
    has_key(name) && name != "RetireGrant"
}
