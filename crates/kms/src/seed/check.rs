//! What a seed's keys must be, by the rules of the operations that would have made the same.
//!
//! Must not know the store: whether an id or alias is taken is asked elsewhere.

use std::borrow::Cow;
use std::collections::HashSet;

use service::{Caller, Error};
use wire::enums::{KeySpec, KeyUsageType, OriginType};
use wire::shapes::{
    AliasName, Description, PolicyText, RotationPeriodInDays, Tag, TagKey, TagValue,
};
use wire::{Invalid, Node, Reader, Shape, Timestamp};

use super::{Refusal, SeedError, SeedField, SeedKey, refused};
use crate::alias::owned_name;
use crate::key::arn;
use crate::key_policy::check_planted;
use crate::limits::Limits;
use crate::spec::algorithms;
use crate::tags;

/// How many materials a key may be planted with.
const MATERIALS_MAX: usize = 100;

/// Checks that no two keys have the same id or alias in one account and Region.
pub(super) fn apart(seed: &[SeedKey]) -> Result<(), SeedError> {
    let mut ids = HashSet::new();
    let mut aliases = HashSet::new();
    for (place, key) in seed.iter().enumerate() {
        let owner = (key.account, &key.region);
        if !ids.insert((owner, key.id.as_str())) {
            let message = format!("{} is an earlier key's id", key.id);
            return Err(refused(SeedField::Id, message).of(place));
        }
        for (at, name) in key.aliases.iter().enumerate() {
            if !aliases.insert((owner, name)) {
                let message = format!("{name} stands in the seed twice");
                return Err(refused(SeedField::Alias(at), message).of(place));
            }
        }
    }
    Ok(())
}

/// Checks one key.
pub(super) fn key(key: &SeedKey, limits: &Limits, now: Timestamp) -> Result<(), Refusal> {
    if key.id.is_multi_region() {
        let message = "a UUID is expected; multi-Region keys cannot be planted";
        return Err(refused(SeedField::Id, message));
    }
    usage(key.spec, key.usage)?;
    if !matches!(key.origin, OriginType::AwsKms | OriginType::External) {
        let message = format!("AWS_KMS or EXTERNAL is expected, not {}", key.origin);
        return Err(refused(SeedField::Origin, message));
    }
    if key.created.is_some_and(|created| created > now) {
        return Err(refused(SeedField::Created, "the date is in the future"));
    }
    shaped::<Description>(&key.description, SeedField::Description)?;
    check_tags(key, limits)?;
    check_aliases(key, limits)?;
    check_policy(key, limits)?;
    check_rotation(key)?;
    check_materials(key)
}

/// The usage of a key of that spec, where it is said or there is only one.
pub(super) fn usage(spec: KeySpec, said: Option<KeyUsageType>) -> Result<KeyUsageType, Refusal> {
    let possible: Vec<KeyUsageType> =
        KeyUsageType::ALL.iter().copied().filter(|one| algorithms(spec, *one).is_some()).collect();
    match (said, possible.as_slice()) {
        (_, []) => Err(refused(SeedField::Spec, format!("there are no keys of spec {spec}"))),
        (Some(said), possible) if possible.contains(&said) => Ok(said),
        (None, [only]) => Ok(*only),
        (said, possible) => {
            let words: Vec<_> = possible.iter().map(|usage| usage.as_str()).collect();
            let words = words.join(" or ");
            Err(match said {
                Some(said) => refused(
                    SeedField::Usage,
                    format!("a key of spec {spec} is for {words}, not for {said}"),
                ),
                None => {
                    refused(SeedField::Key, format!("a key of spec {spec} needs a usage: {words}"))
                }
            })
        }
    }
}

fn check_tags(key: &SeedKey, limits: &Limits) -> Result<(), Refusal> {
    let tags: Result<Vec<Tag>, Refusal> = key
        .tags
        .iter()
        .map(|(key, value)| {
            Ok(Tag {
                tag_key: shaped::<TagKey>(key, SeedField::Tags)?,
                tag_value: shaped::<TagValue>(value, SeedField::Tags)?,
            })
        })
        .collect();
    tags::check(&tags?, limits.tags_per_key).map_err(|error| worded(SeedField::Tags, &error))
}

fn check_aliases(key: &SeedKey, limits: &Limits) -> Result<(), Refusal> {
    let max = limits.aliases_per_key;
    if key.aliases.len() > max {
        let message = format!("a key has at most {max} aliases");
        return Err(refused(SeedField::Alias(max), message));
    }
    for (at, name) in key.aliases.iter().enumerate() {
        let field = SeedField::Alias(at);
        let name = shaped::<AliasName>(name, field)?;
        owned_name(&name).map_err(|error| match error.message() {
            Some(_) => worded(field, &error),
            None => refused(field, "names that begin with alias/aws/ are AWS's own"),
        })?;
    }
    Ok(())
}

fn check_policy(key: &SeedKey, limits: &Limits) -> Result<(), Refusal> {
    let Some(policy) = &key.policy else { return Ok(()) };
    shaped::<PolicyText>(policy, SeedField::Policy)?;
    let root = Caller::root(key.account, wire::partition(key.region.as_str()), "");
    let key_arn = arn(&key.account, &key.region, &key.id);
    let bypass = key.bypass_policy_lockout_safety_check;
    check_planted(&root, policy, bypass, &key_arn, limits.policy_bytes)
        .map_err(|error| worded(SeedField::Policy, &error))
}

fn check_rotation(key: &SeedKey) -> Result<(), Refusal> {
    let Some(days) = key.rotation_period_days else { return Ok(()) };
    let field = SeedField::Rotation;
    if key.spec != KeySpec::SymmetricDefault || key.origin != OriginType::AwsKms {
        let message = "only symmetric encryption keys of origin AWS_KMS rotate by themselves";
        return Err(refused(field, message));
    }
    read::<RotationPeriodInDays>(&Node::Integer(i64::from(days)), field).map(|_| ())
}

fn check_materials(key: &SeedKey) -> Result<(), Refusal> {
    let max = if key.spec == KeySpec::SymmetricDefault { MATERIALS_MAX } else { 1 };
    if key.materials.len() > max {
        let message = format!("a key of spec {} has at most {max} materials", key.spec);
        return Err(refused(SeedField::Material(max), message));
    }
    Ok(())
}

/// The text as a value of a shape of the model.
fn shaped<T: Shape>(text: &str, field: SeedField) -> Result<T, Refusal> {
    read(&Node::Text(Cow::Borrowed(text)), field)
}

fn read<T: Shape>(node: &Node<'_>, field: SeedField) -> Result<T, Refusal> {
    Reader::json().read(node).map_err(|invalid| {
        let Invalid::Violations(text) = invalid else {
            return refused(field, "the value is of another type");
        };
        // What stands before repeats the value, and calls its place nothing.
        let rule = text.rsplit_once("failed to satisfy constraint: ").map(|(_, rule)| rule);
        let rule = rule.unwrap_or(&text).replace("Member must", "it must");
        refused(field, rule)
    })
}

fn worded(field: SeedField, error: &Error) -> Refusal {
    refused(field, error.message().unwrap_or(error.code().as_str()))
}
