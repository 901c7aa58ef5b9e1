//! The table of KMS's condition keys: what each is, and how its value is found.
//!
//! Source: the developer guide's "AWS KMS condition keys".

use policy::{Value, Values};
use service::conditions::{KeyInfo, KeyKind, SetBy, key, place, text};
use wire::Scalar;

use super::Conditions;
use crate::deletion::WINDOW_DAYS_DEFAULT;
use crate::rotation::PERIOD_DAYS_DEFAULT;

pub(super) type Lookup = for<'a> fn(&'a Conditions<'_>) -> Values<'a>;

/// The members that are encryption contexts.
pub(super) const CONTEXTS: &[&str] =
    &["EncryptionContext", "SourceEncryptionContext", "DestinationEncryptionContext"];

/// The condition keys, sorted by their names in lower case, each with its value.
const KEYS: &[(KeyInfo, Lookup)] = &[
    (
        key(
            "kms:BypassPolicyLockoutSafetyCheck",
            KeyKind::Bool,
            SetBy::Members(&["BypassPolicyLockoutSafetyCheck"]),
        ),
        |c| match c.action {
            "kms:CreateKey" | "kms:PutKeyPolicy" | "kms:ReplicateKey" => {
                c.member_or("BypassPolicyLockoutSafetyCheck", Value::Bool(false))
            }
            _ => Values::Absent,
        },
    ),
    (key("kms:CallerAccount", KeyKind::Text, SetBy::Every), |c| text(c.cx.caller.account.as_str())),
    (key("kms:DataKeyPairSpec", KeyKind::Text, SetBy::Members(&["KeyPairSpec"])), |c| {
        c.member("KeyPairSpec")
    }),
    (
        key(
            "kms:EncryptionAlgorithm",
            KeyKind::Text,
            SetBy::Actions(&["kms:Decrypt", "kms:Encrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo"]),
        ),
        encryption_algorithm,
    ),
    (key("kms:EncryptionContextKeys", KeyKind::Texts, SetBy::Members(CONTEXTS)), context_keys),
    (key("kms:ExpirationModel", KeyKind::Text, SetBy::Members(&["ExpirationModel"])), |c| match c
        .action
    {
        "kms:ImportKeyMaterial" => c.member_or("ExpirationModel", "KEY_MATERIAL_EXPIRES".into()),
        _ => Values::Absent,
    }),
    (
        key("kms:GrantConstraintType", KeyKind::Text, SetBy::Actions(&["kms:CreateGrant"])),
        constraint_type,
    ),
    (key("kms:GranteePrincipal", KeyKind::Arn, SetBy::Members(&["GranteePrincipal"])), |c| {
        c.member("GranteePrincipal")
    }),
    (key("kms:GrantIsForAWSResource", KeyKind::Bool, SetBy::Actions(&["kms:CreateGrant"])), |c| {
        match c.action {
            "kms:CreateGrant" => Values::One(Value::Bool(false)),
            _ => Values::Absent,
        }
    }),
    (
        key("kms:GrantOperations", KeyKind::Texts, SetBy::Actions(&["kms:CreateGrant"])),
        grant_operations,
    ),
    (
        key("kms:KeyAgreementAlgorithm", KeyKind::Text, SetBy::Members(&["KeyAgreementAlgorithm"])),
        |c| c.member("KeyAgreementAlgorithm"),
    ),
    (key("kms:KeyOrigin", KeyKind::Text, SetBy::EveryKey), |c| {
        c.of_key("Origin", "AWS_KMS", |key| text(key.record.origin.as_str()))
    }),
    (key("kms:KeySpec", KeyKind::Text, SetBy::EveryKey), key_spec),
    (key("kms:KeyUsage", KeyKind::Text, SetBy::EveryKey), |c| {
        c.of_key("KeyUsage", "ENCRYPT_DECRYPT", |key| text(key.record.usage.as_str()))
    }),
    (key("kms:MacAlgorithm", KeyKind::Text, SetBy::Members(&["MacAlgorithm"])), |c| {
        c.member("MacAlgorithm")
    }),
    (key("kms:MessageType", KeyKind::Text, SetBy::Members(&["MessageType"])), |c| match c.action {
        "kms:Sign" | "kms:Verify" => c.member_or("MessageType", "RAW".into()),
        _ => Values::Absent,
    }),
    (key("kms:MultiRegion", KeyKind::Bool, SetBy::EveryKey), |c| match c.key {
        Some(key) => Values::One(Value::Bool(key.record.multi_region.is_some())),
        None if c.action == "kms:CreateKey" => c.member_or("MultiRegion", Value::Bool(false)),
        None => Values::Absent,
    }),
    (key("kms:MultiRegionKeyType", KeyKind::Text, SetBy::EveryKey), multi_region_key_type),
    (key("kms:PrimaryRegion", KeyKind::Text, SetBy::Members(&["PrimaryRegion"])), |c| {
        c.member("PrimaryRegion")
    }),
    (
        key(
            "kms:ReEncryptOnSameKey",
            KeyKind::Bool,
            SetBy::Actions(&["kms:ReEncryptFrom", "kms:ReEncryptTo"]),
        ),
        |c| c.request.same_key.map_or(Values::Absent, |same| Values::One(Value::Bool(same))),
    ),
    (key("kms:ReplicaRegion", KeyKind::Text, SetBy::Members(&["ReplicaRegion"])), |c| {
        c.member("ReplicaRegion")
    }),
    (
        key(
            "kms:RequestAlias",
            KeyKind::Text,
            SetBy::Members(&["KeyId", "SourceKeyId", "DestinationKeyId"]),
        ),
        request_alias,
    ),
    (key("kms:ResourceAliases", KeyKind::Texts, SetBy::EveryKey), resource_aliases),
    (key("kms:RetiringPrincipal", KeyKind::Arn, SetBy::Members(&["RetiringPrincipal"])), |c| {
        c.member("RetiringPrincipal")
    }),
    (
        key("kms:RotationPeriodInDays", KeyKind::Number, SetBy::Members(&["RotationPeriodInDays"])),
        |c| match c.action {
            "kms:EnableKeyRotation" => {
                c.member_or("RotationPeriodInDays", Value::Number(PERIOD_DAYS_DEFAULT.into()))
            }
            _ => Values::Absent,
        },
    ),
    (
        key(
            "kms:ScheduleKeyDeletionPendingWindowInDays",
            KeyKind::Number,
            SetBy::Members(&["PendingWindowInDays"]),
        ),
        |c| match c.action {
            "kms:ScheduleKeyDeletion" => {
                c.member_or("PendingWindowInDays", Value::Number(WINDOW_DAYS_DEFAULT.into()))
            }
            _ => Values::Absent,
        },
    ),
    (key("kms:SigningAlgorithm", KeyKind::Text, SetBy::Members(&["SigningAlgorithm"])), |c| {
        c.member("SigningAlgorithm")
    }),
    (key("kms:ValidTo", KeyKind::Time, SetBy::Members(&["ValidTo"])), |c| c.member("ValidTo")),
    (key("kms:ViaService", KeyKind::Text, SetBy::Never), absent),
    (key("kms:WrappingAlgorithm", KeyKind::Text, SetBy::Members(&["WrappingAlgorithm"])), |c| {
        c.member("WrappingAlgorithm")
    }),
    (key("kms:WrappingKeySpec", KeyKind::Text, SetBy::Members(&["WrappingKeySpec"])), |c| {
        c.member("WrappingKeySpec")
    }),
];

/// The keys that are in the table, for documentation.
pub(super) fn infos() -> impl Iterator<Item = KeyInfo> {
    KEYS.iter().map(|(info, _)| *info)
}

/// How the value of a key of the table is found.
pub(super) fn lookup(key: &str) -> Option<Lookup> {
    Some(KEYS[place(KEYS, key)?].1)
}

/// The algorithm of an operation that encrypts or decrypts; symmetric where it says none.
fn encryption_algorithm<'a>(conditions: &'a Conditions<'_>) -> Values<'a> {
    let name = match conditions.action {
        "kms:Encrypt" | "kms:Decrypt" => "EncryptionAlgorithm",
        "kms:ReEncryptFrom" => "SourceEncryptionAlgorithm",
        "kms:ReEncryptTo" => "DestinationEncryptionAlgorithm",
        _ => return Values::Absent,
    };
    conditions.member_or(name, "SYMMETRIC_DEFAULT".into())
}

/// The alias by which a request names its key, with its prefix but without its ARN.
fn request_alias<'a>(conditions: &'a Conditions<'_>) -> Values<'a> {
    let name = match conditions.action {
        "kms:ReEncryptFrom" => "SourceKeyId",
        "kms:ReEncryptTo" => "DestinationKeyId",
        _ => "KeyId",
    };
    let Some(Scalar::Text(name)) = conditions.cx.member(name) else { return Values::Absent };
    match name.find("alias/") {
        Some(at) if at == 0 || name.starts_with("arn:") => {
            Values::One(name[at..].to_owned().into())
        }
        _ => Values::Absent,
    }
}

/// The spec of the key; of one that is to be made by either of the members that name it.
fn key_spec<'a>(conditions: &'a Conditions<'_>) -> Values<'a> {
    match conditions.member("CustomerMasterKeySpec") {
        Values::Absent => {
            conditions.of_key("KeySpec", "SYMMETRIC_DEFAULT", |key| text(key.record.spec.as_str()))
        }
        named => named,
    }
}

fn absent<'a>(_: &'a Conditions<'_>) -> Values<'a> {
    Values::Absent
}

/// The aliases of the key, with their prefix but without their ARNs.
fn resource_aliases<'a>(conditions: &'a Conditions<'_>) -> Values<'a> {
    conditions.aliases_asked.set(conditions.key.is_some());
    let aliases = conditions.aliases.iter().flatten();
    Values::Many(aliases.map(|alias| Value::from(alias.as_str())).collect())
}

fn context_keys<'a>(conditions: &'a Conditions<'_>) -> Values<'a> {
    let pairs = conditions.request.context.iter().flat_map(|context| context.0.iter());
    Values::Many(pairs.map(|(key, _)| Value::from(key.as_str())).collect())
}

fn grant_operations<'a>(conditions: &'a Conditions<'_>) -> Values<'a> {
    let Some(grant) = &conditions.request.child else { return Values::Absent };
    Values::Many(grant.operations.iter().map(|one| Value::from(one.as_str())).collect())
}

fn constraint_type<'a>(conditions: &'a Conditions<'_>) -> Values<'a> {
    match &conditions.request.child {
        Some(grant) if grant.equals.is_some() => text("EncryptionContextEquals"),
        Some(grant) if grant.subset.is_some() => text("EncryptionContextSubset"),
        _ => Values::Absent,
    }
}

fn multi_region_key_type<'a>(conditions: &'a Conditions<'_>) -> Values<'a> {
    match conditions.key {
        Some(key) if key.is_replica() => text("REPLICA"),
        Some(key) if key.record.multi_region.is_some() => text("PRIMARY"),
        _ => Values::Absent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        let lower: Vec<_> = KEYS.iter().map(|(info, _)| info.name.to_lowercase()).collect();
        assert!(lower.is_sorted_by(|one, next| one < next));
        assert!(lower.iter().all(|key| lookup(key).is_some()));
    }
}
