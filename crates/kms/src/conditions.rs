//! The condition keys of KMS and their values in a request; all others are the global ones.
//!
//! A key that isn't known is refused when a policy is written: what nobody sets would, under a
//! negated operator, be a permission for all. Source: the developer guide's "AWS KMS condition
//! keys".

use std::cell::Cell;

use policy::{Value, Values};
use service::conditions::{is_global, text};
use service::{Context, GlobalKeys};
use wire::Scalar;

use crate::Kms;
use crate::deletion::WINDOW_DAYS_DEFAULT;
use crate::grants::Circumstances;
use crate::key::Key;
use crate::rotation::PERIOD_DAYS_DEFAULT;

/// What a request's condition keys are worked out from, when a policy asks for one.
pub(crate) struct Conditions<'a> {
    cx: &'a Context<'a, Kms>,
    /// The key that the request acts on; none where it acts on the account.
    key: Option<&'a Key>,
    pub(crate) action: &'a str,
    request: &'a Circumstances,
    global: GlobalKeys<'a>,
    /// The key's aliases, which are looked up only when a policy speaks of them.
    aliases: Option<Vec<String>>,
    aliases_asked: Cell<bool>,
}

impl<'a> Conditions<'a> {
    /// Those of a request that acts on a key.
    pub(crate) fn of(
        cx: &'a Context<'a, Kms>,
        key: &'a Key,
        action: &'a str,
        request: &'a Circumstances,
    ) -> Self {
        let global = GlobalKeys::of(cx, Some(key.account.as_str()), &key.record.tags);
        let aliases_asked = Cell::new(false);
        Self { cx, key: Some(key), action, request, global, aliases: None, aliases_asked }
    }

    /// Those of a request that acts on no key.
    pub(crate) fn of_account(
        cx: &'a Context<'a, Kms>,
        action: &'a str,
        request: &'a Circumstances,
    ) -> Self {
        let global = GlobalKeys::of(cx, Some(cx.account().as_str()), &[]);
        let aliases_asked = Cell::new(false);
        Self { cx, key: None, action, request, global, aliases: None, aliases_asked }
    }

    /// Whether a policy asked for the key's aliases and they aren't known: what it decided without
    /// them is void.
    pub(crate) fn lack_aliases(&self) -> bool {
        self.aliases_asked.get() && self.aliases.is_none()
    }

    /// Takes the key's aliases.
    pub(crate) fn learn_aliases(&mut self, aliases: Vec<String>) {
        self.aliases = Some(aliases);
    }
}

type Lookup = for<'a> fn(&'a Conditions<'_>) -> Values<'a>;

/// The condition keys, in lower case, each with its value.
const KEYS: &[(&str, Lookup)] = &[
    ("kms:bypasspolicylockoutsafetycheck", |c| match c.action {
        "kms:CreateKey" | "kms:PutKeyPolicy" | "kms:ReplicateKey" => {
            c.member_or("BypassPolicyLockoutSafetyCheck", Value::Bool(false))
        }
        _ => Values::Absent,
    }),
    ("kms:calleraccount", |c| text(c.cx.caller.account.as_str())),
    ("kms:datakeypairspec", |c| c.member("KeyPairSpec")),
    ("kms:encryptionalgorithm", encryption_algorithm),
    ("kms:encryptioncontextkeys", context_keys),
    ("kms:expirationmodel", |c| match c.action {
        "kms:ImportKeyMaterial" => c.member_or("ExpirationModel", "KEY_MATERIAL_EXPIRES".into()),
        _ => Values::Absent,
    }),
    ("kms:grantconstrainttype", constraint_type),
    ("kms:granteeprincipal", |c| c.member("GranteePrincipal")),
    ("kms:grantisforawsresource", |c| match c.action {
        "kms:CreateGrant" => Values::One(Value::Bool(false)),
        _ => Values::Absent,
    }),
    ("kms:grantoperations", grant_operations),
    ("kms:keyagreementalgorithm", |c| c.member("KeyAgreementAlgorithm")),
    ("kms:keyorigin", |c| c.of_key("Origin", "AWS_KMS", |key| text(key.record.origin.as_str()))),
    ("kms:keyspec", key_spec),
    ("kms:keyusage", |c| {
        c.of_key("KeyUsage", "ENCRYPT_DECRYPT", |key| text(key.record.usage.as_str()))
    }),
    ("kms:macalgorithm", |c| c.member("MacAlgorithm")),
    ("kms:messagetype", |c| match c.action {
        "kms:Sign" | "kms:Verify" => c.member_or("MessageType", "RAW".into()),
        _ => Values::Absent,
    }),
    ("kms:multiregion", |c| match c.key {
        Some(key) => Values::One(Value::Bool(key.record.multi_region.is_some())),
        None if c.action == "kms:CreateKey" => c.member_or("MultiRegion", Value::Bool(false)),
        None => Values::Absent,
    }),
    ("kms:multiregionkeytype", multi_region_key_type),
    ("kms:primaryregion", |c| c.member("PrimaryRegion")),
    ("kms:replicaregion", |c| c.member("ReplicaRegion")),
    ("kms:requestalias", request_alias),
    ("kms:resourcealiases", resource_aliases),
    ("kms:retiringprincipal", |c| c.member("RetiringPrincipal")),
    ("kms:rotationperiodindays", |c| match c.action {
        "kms:EnableKeyRotation" => {
            c.member_or("RotationPeriodInDays", Value::Number(PERIOD_DAYS_DEFAULT.into()))
        }
        _ => Values::Absent,
    }),
    ("kms:schedulekeydeletionpendingwindowindays", |c| match c.action {
        "kms:ScheduleKeyDeletion" => {
            c.member_or("PendingWindowInDays", Value::Number(WINDOW_DAYS_DEFAULT.into()))
        }
        _ => Values::Absent,
    }),
    ("kms:signingalgorithm", |c| c.member("SigningAlgorithm")),
    ("kms:validto", |c| c.member("ValidTo")),
    ("kms:viaservice", absent),
    ("kms:wrappingalgorithm", |c| c.member("WrappingAlgorithm")),
    ("kms:wrappingkeyspec", |c| c.member("WrappingKeySpec")),
];

/// What precedes the name of a pair in `kms:EncryptionContext:name`.
const ENCRYPTION_CONTEXT: &str = "kms:encryptioncontext:";

/// Whether that condition key, in lower case, is one that says nothing in a policy of one key.
pub(crate) fn is_forbidden(key: &str) -> bool {
    let name = key.split_once('/').map_or(key, |(name, _)| name);
    matches!(name, "aws:resourcetag" | "kms:resourcetag" | "kms:resourcealiases")
}

/// The condition keys of KMS without those for single pairs of an encryption context, in lower case,
/// for documentation.
pub fn condition_keys() -> impl Iterator<Item = &'static str> {
    KEYS.iter().map(|(key, _)| *key)
}

/// Whether policies may speak of that condition key, which is in lower case.
pub fn is_known(key: &str) -> bool {
    lookup(key).is_some()
        || is_global(key)
        || key.strip_prefix(ENCRYPTION_CONTEXT).is_some_and(|name| !name.is_empty())
}

/// How the value of a key of the table is found; the table is sorted, as a test holds.
fn lookup(key: &str) -> Option<Lookup> {
    let place = KEYS.binary_search_by(|(known, _)| known.cmp(&key)).ok()?;
    Some(KEYS[place].1)
}

impl policy::Context for Conditions<'_> {
    fn values(&self, key: &str) -> Values<'_> {
        if let Some(name) = key.strip_prefix(ENCRYPTION_CONTEXT) {
            return self.encryption_context(name);
        }
        lookup(key).map_or_else(|| self.global.values(key), |lookup| lookup(self))
    }
}

impl Conditions<'_> {
    /// A member of the request.
    fn member(&self, name: &str) -> Values<'_> {
        self.cx.member(name).map_or(Values::Absent, |member| Values::One(value(member)))
    }

    /// A member of the request, or what the operation takes where it is absent.
    fn member_or<'a>(&'a self, name: &str, default: Value<'a>) -> Values<'a> {
        Values::One(self.cx.member(name).map_or(default, value))
    }

    /// What is true of the key, or of the one that CreateKey is asked for by that member.
    fn of_key<'b>(
        &'b self,
        name: &str,
        default: &'static str,
        of: impl FnOnce(&'b Key) -> Values<'b>,
    ) -> Values<'b> {
        match self.key {
            Some(key) => of(key),
            None if self.action == "kms:CreateKey" => self.member_or(name, default.into()),
            None => Values::Absent,
        }
    }

    /// The values of the pairs of that name, whose case doesn't count.
    fn encryption_context(&self, name: &str) -> Values<'_> {
        let pairs = self.request.context.iter().flat_map(|context| context.0.iter());
        let named = pairs.filter(|(key, _)| key.to_lowercase() == name);
        let mut values: Vec<_> = named.map(|(_, value)| Value::from(value.as_str())).collect();
        match values.len() {
            0 => Values::Absent,
            1 => Values::One(values.remove(0)),
            _ => Values::Many(values),
        }
    }
}

fn value<'a>(member: Scalar) -> Value<'a> {
    match member {
        Scalar::Text(text) => text.into(),
        Scalar::Integer(number) => Value::Number(number),
        Scalar::Boolean(yes) => Value::Bool(yes),
        Scalar::Time(time) => Value::Time(time.millis()),
    }
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
    fn the_table_is_sorted_and_in_lower_case() {
        assert!(KEYS.is_sorted_by(|(one, _), (next, _)| one < next));
        assert!(KEYS.iter().all(|(key, _)| key.to_lowercase() == *key));
    }

    #[test]
    fn what_nobody_sets_is_not_known() {
        assert!(is_known("kms:viaservice") && is_known("kms:encryptioncontext:purpose"));
        for key in ["kms:encryptioncontext:", "kms:viaservices", "aws:unheardof", "s3:prefix"] {
            assert!(!is_known(key), "{key}");
        }
    }
}
