//! The condition keys that key policies may speak of, and their values in a request.
//!
//! A key that isn't in the table is refused when a policy is written: what nobody sets would, under
//! a negated operator, be a permission for all. Sources: the developer guide's "AWS KMS condition
//! keys" and IAM's "AWS global condition context keys".

use policy::{Value, Values};
use service::{CallerKind, Context};
use wire::Scalar;

use crate::Kms;
use crate::deletion::WINDOW_DAYS_DEFAULT;
use crate::grants::Circumstances;
use crate::key::Key;
use crate::rotation::PERIOD_DAYS_DEFAULT;

/// What a request's condition keys are worked out from, when a policy asks for one.
pub(crate) struct Conditions<'a> {
    pub(crate) cx: &'a Context<'a, Kms>,
    /// The key that the request acts on.
    pub(crate) key: &'a Key,
    pub(crate) action: &'a str,
    pub(crate) request: &'a Circumstances,
}

type Lookup = for<'a> fn(&'a Conditions<'_>) -> Values<'a>;

/// The condition keys, in lower case, each with its value. Those that only services, sessions or
/// users have are absent as long as there are none of these.
const KEYS: &[(&str, Lookup)] = &[
    ("aws:calledvia", absent),
    ("aws:currenttime", |c| Values::One(Value::Time(c.cx.now.millis()))),
    ("aws:epochtime", |c| Values::One(Value::Number(c.cx.now.seconds()))),
    ("aws:multifactorauthage", absent),
    ("aws:multifactorauthpresent", absent),
    ("aws:principalaccount", |c| text(c.cx.caller.account.as_str())),
    ("aws:principalarn", |c| text(&c.cx.caller.arn)),
    ("aws:principaltype", |c| match c.cx.caller.kind {
        CallerKind::Root => text("Account"),
    }),
    ("aws:requestedregion", |c| text(c.cx.region.as_str())),
    ("aws:resourceaccount", |c| text(c.key.account.as_str())),
    ("aws:sourceaccount", absent),
    ("aws:sourcearn", absent),
    ("aws:userid", |c| text(&c.cx.caller.principal_id)),
    ("aws:username", absent),
    ("aws:viaawsservice", |_| Values::One(Value::Bool(false))),
    ("kms:bypasspolicylockoutsafetycheck", |c| match c.action {
        "kms:PutKeyPolicy" => c.member_or("BypassPolicyLockoutSafetyCheck", Value::Bool(false)),
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
    ("kms:keyorigin", |c| text(c.key.record.origin.as_str())),
    ("kms:keyspec", |c| text(c.key.record.spec.as_str())),
    ("kms:keyusage", |c| text(c.key.record.usage.as_str())),
    ("kms:macalgorithm", |c| c.member("MacAlgorithm")),
    ("kms:messagetype", |c| match c.action {
        "kms:Sign" | "kms:Verify" => c.member_or("MessageType", "RAW".into()),
        _ => Values::Absent,
    }),
    ("kms:multiregion", |c| Values::One(Value::Bool(c.key.record.multi_region.is_some()))),
    ("kms:multiregionkeytype", multi_region_key_type),
    ("kms:primaryregion", |c| c.member("PrimaryRegion")),
    ("kms:replicaregion", |c| c.member("ReplicaRegion")),
    ("kms:requestalias", request_alias),
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

/// Whether a key policy may speak of that condition key, which is in lower case.
pub(crate) fn is_known(key: &str) -> bool {
    lookup(key).is_some()
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
        lookup(key).map_or(Values::Absent, |lookup| lookup(self))
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

fn absent<'a>(_: &'a Conditions<'_>) -> Values<'a> {
    Values::Absent
}

fn text(value: &str) -> Values<'_> {
    Values::One(Value::from(value))
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
    match &conditions.key.record.multi_region {
        None => Values::Absent,
        Some(_) if conditions.key.is_replica() => text("REPLICA"),
        Some(_) => text("PRIMARY"),
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
        for key in ["kms:encryptioncontext:", "kms:viaservices", "aws:resourcetag/a", "s3:prefix"] {
            assert!(!is_known(key), "{key}");
        }
    }
}
