//! The global condition keys, `aws:…`, and their values in a request (IAM User Guide, "AWS global
//! condition context keys").
//!
//! Must not know the keys of any single service.

use policy::{Value, Values};
use wire::{Members, Region, Timestamp};

use crate::caller::{Caller, CallerKind};
use crate::context::Context;
use crate::operation::Service;
use crate::pipeline::Origin;

/// What the global condition keys of a request are worked out from, when a policy asks for one.
pub struct GlobalKeys<'a> {
    /// Who calls.
    pub caller: &'a Caller,
    /// Where the request came from.
    pub origin: Origin<'a>,
    /// The Region in which it is served.
    pub region: &'a Region,
    /// The moment at which it is decided.
    pub now: Timestamp,
    /// The account that owns what it acts on; none where it acts on nothing.
    pub resource_account: Option<&'a str>,
    /// The tags of what it acts on.
    pub resource_tags: &'a [(String, String)],
    /// Its input, for the tags that it sets or removes.
    pub(crate) input: Option<&'a dyn Members>,
}

type Lookup = for<'a> fn(&'a GlobalKeys<'_>) -> Values<'a>;

/// A condition key, as documentation tells of it.
#[derive(Debug, Clone, Copy)]
pub struct KeyInfo {
    /// Its name, as AWS writes it. Policies may write it in any case.
    pub name: &'static str,
    /// What its values are.
    pub kind: KeyKind,
    /// Which requests have it.
    pub set_by: SetBy,
}

/// What a condition key's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// One text.
    Text,
    /// Several texts: a multivalued key.
    Texts,
    /// One ARN.
    Arn,
    /// One number.
    Number,
    /// Yes or no.
    Bool,
    /// A moment.
    Time,
    /// An IP address.
    Address,
}

/// Which requests have a condition key.
#[derive(Debug, Clone, Copy)]
pub enum SetBy {
    /// Every request.
    Every,
    /// Every request that acts on a key.
    EveryKey,
    /// Requests of such callers.
    Caller(&'static str),
    /// Requests of the operations that have one of these members, where it is given or has a
    /// default.
    Members(&'static [&'static str]),
    /// Requests for these actions.
    Actions(&'static [&'static str]),
    /// None here: it tells of services, networks or organizations that aren't there. Policies may
    /// speak of it all the same.
    Never,
}

/// A row of a table of condition keys.
pub const fn key(name: &'static str, kind: KeyKind, set_by: SetBy) -> KeyInfo {
    KeyInfo { name, kind, set_by }
}

/// The place of a key, given in lower case, in a table that is sorted by names in lower case.
pub fn place<T>(table: &[(KeyInfo, T)], key: &str) -> Option<usize> {
    let lower = |info: &KeyInfo| info.name.bytes().map(|b| b.to_ascii_lowercase());
    table.binary_search_by(|(info, _)| lower(info).cmp(key.bytes())).ok()
}

/// The keys without a part of the caller's choosing, sorted by their names in lower case.
const KEYS: &[(KeyInfo, Lookup)] = &[
    (key("aws:CalledVia", KeyKind::Texts, SetBy::Never), absent),
    (key("aws:CalledViaFirst", KeyKind::Text, SetBy::Never), absent),
    (key("aws:CalledViaLast", KeyKind::Text, SetBy::Never), absent),
    (key("aws:CurrentTime", KeyKind::Time, SetBy::Every), |keys| {
        Values::One(Value::Time(keys.now.millis()))
    }),
    (key("aws:Ec2InstanceSourcePrivateIPv4", KeyKind::Address, SetBy::Never), absent),
    (key("aws:Ec2InstanceSourceVpc", KeyKind::Text, SetBy::Never), absent),
    (key("aws:EpochTime", KeyKind::Number, SetBy::Every), |keys| {
        Values::One(Value::Number(keys.now.seconds()))
    }),
    (
        key(
            "aws:FederatedProvider",
            KeyKind::Text,
            SetBy::Caller("AssumeRoleWithWebIdentity sessions"),
        ),
        |keys| {
            keys.caller
                .session
                .as_deref()
                .map_or(Values::Absent, |s| optional(s.provider.as_deref()))
        },
    ),
    (key("aws:MultiFactorAuthAge", KeyKind::Number, SetBy::Never), absent),
    // Temporary credentials say that they came about without a second factor; long-term ones say
    // nothing.
    (
        key(
            "aws:MultiFactorAuthPresent",
            KeyKind::Bool,
            SetBy::Caller("temporary credentials; always false"),
        ),
        |keys| match keys.caller.session {
            Some(_) => Values::One(Value::Bool(false)),
            None => Values::Absent,
        },
    ),
    // A web identity has neither account nor ARN nor id before it has a session.
    (key("aws:PrincipalAccount", KeyKind::Text, SetBy::Every), |keys| match keys.caller.kind {
        CallerKind::WebIdentity => Values::Absent,
        _ => text(keys.caller.account.as_str()),
    }),
    // Of a role's session it is the role's.
    (key("aws:PrincipalArn", KeyKind::Arn, SetBy::Every), |keys| {
        match (keys.caller.kind, &keys.caller.principal) {
            (CallerKind::WebIdentity, _) => Values::Absent,
            (CallerKind::AssumedRole, Some(role)) => text(&role.arn),
            _ => text(&keys.caller.arn),
        }
    }),
    (key("aws:PrincipalIsAWSService", KeyKind::Bool, SetBy::Every), |_| {
        Values::One(Value::Bool(false))
    }),
    (key("aws:PrincipalOrgID", KeyKind::Text, SetBy::Never), absent),
    (key("aws:PrincipalOrgPaths", KeyKind::Texts, SetBy::Never), absent),
    (key("aws:PrincipalServiceName", KeyKind::Text, SetBy::Never), absent),
    (key("aws:PrincipalServiceNamesList", KeyKind::Texts, SetBy::Never), absent),
    (key("aws:PrincipalType", KeyKind::Text, SetBy::Every), |keys| {
        text(keys.caller.kind.principal_type())
    }),
    (key("aws:Referer", KeyKind::Text, SetBy::Never), absent),
    (key("aws:RequestedRegion", KeyKind::Text, SetBy::Every), |keys| text(keys.region.as_str())),
    (key("aws:ResourceAccount", KeyKind::Text, SetBy::Every), |keys| {
        optional(keys.resource_account)
    }),
    (key("aws:ResourceOrgID", KeyKind::Text, SetBy::Never), absent),
    (key("aws:ResourceOrgPaths", KeyKind::Texts, SetBy::Never), absent),
    (key("aws:SecureTransport", KeyKind::Bool, SetBy::Every), |keys| {
        Values::One(Value::Bool(keys.origin.tls.is_some()))
    }),
    (key("aws:SourceAccount", KeyKind::Text, SetBy::Never), absent),
    (key("aws:SourceArn", KeyKind::Arn, SetBy::Never), absent),
    (
        key("aws:SourceIdentity", KeyKind::Text, SetBy::Caller("sessions with a source identity")),
        |keys| {
            let session = keys.caller.session.as_deref();
            session.map_or(Values::Absent, |session| optional(session.source_identity.as_deref()))
        },
    ),
    (key("aws:SourceIp", KeyKind::Address, SetBy::Every), |keys| {
        match keys.origin.source_ip.parse() {
            Ok(address) => Values::One(Value::Address(address)),
            Err(_) => Values::Absent,
        }
    }),
    (key("aws:SourceOrgID", KeyKind::Text, SetBy::Never), absent),
    (key("aws:SourceOrgPaths", KeyKind::Texts, SetBy::Never), absent),
    (key("aws:SourceOwner", KeyKind::Text, SetBy::Never), absent),
    (key("aws:SourceVpc", KeyKind::Text, SetBy::Never), absent),
    (key("aws:SourceVpcArn", KeyKind::Arn, SetBy::Never), absent),
    (key("aws:SourceVpce", KeyKind::Text, SetBy::Never), absent),
    (key("aws:TagKeys", KeyKind::Texts, SetBy::Members(&["Tags", "TagKeys"])), tag_keys),
    (key("aws:TokenIssueTime", KeyKind::Time, SetBy::Caller("temporary credentials")), |keys| {
        match &keys.caller.session {
            Some(session) => Values::One(Value::Time(session.issued.millis())),
            None => Values::Absent,
        }
    }),
    (key("aws:UserAgent", KeyKind::Text, SetBy::Every), |keys| text(keys.origin.user_agent)),
    (key("aws:userid", KeyKind::Text, SetBy::Every), |keys| match keys.caller.kind {
        CallerKind::WebIdentity => Values::Absent,
        _ => text(&keys.caller.principal_id),
    }),
    (key("aws:username", KeyKind::Text, SetBy::Caller("IAM users")), |keys| {
        match (keys.caller.kind, &keys.caller.principal) {
            (CallerKind::User, Some(user)) => text(&user.name),
            _ => Values::Absent,
        }
    }),
    (key("aws:ViaAWSService", KeyKind::Bool, SetBy::Every), |_| Values::One(Value::Bool(false))),
    (key("aws:VpcSourceIp", KeyKind::Address, SetBy::Never), absent),
];

const PRINCIPAL_TAG: &str = "aws:principaltag/";
const REQUEST_TAG: &str = "aws:requesttag/";
/// The members of requests that set and remove tags, the same in every service here.
const TAGS: &str = "Tags";
const TAG_KEYS: &str = "TagKeys";
const RESOURCE_TAG: &str = "aws:resourcetag/";

/// Whether that is a global key, in lower case.
pub fn is_global(key: &str) -> bool {
    let tag = [PRINCIPAL_TAG, REQUEST_TAG, RESOURCE_TAG].iter();
    let is_tag = tag.filter_map(|prefix| key.strip_prefix(prefix)).any(|tag| !tag.is_empty());
    is_tag || lookup(key).is_some()
}

/// The global keys, for documentation.
pub fn global_keys() -> impl Iterator<Item = KeyInfo> {
    KEYS.iter().map(|(info, _)| *info).chain(TAG_KEYS_INFO)
}

/// The keys that name a tag.
const TAG_KEYS_INFO: [KeyInfo; 3] = [
    key("aws:PrincipalTag/key", KeyKind::Text, SetBy::Caller("principals and sessions with tags")),
    key("aws:RequestTag/key", KeyKind::Text, SetBy::Members(&["Tags"])),
    key("aws:ResourceTag/key", KeyKind::Text, SetBy::Caller("resources with tags")),
];

fn lookup(key: &str) -> Option<Lookup> {
    Some(KEYS[place(KEYS, key)?].1)
}

impl<'a> GlobalKeys<'a> {
    /// The global keys of a request that acts on a resource of that account with those tags.
    pub fn of<S: Service>(
        cx: &'a Context<'_, S>,
        resource_account: Option<&'a str>,
        resource_tags: &'a [(String, String)],
    ) -> Self {
        Self {
            caller: cx.caller,
            origin: cx.origin,
            region: cx.region,
            now: cx.now,
            resource_account,
            resource_tags,
            input: cx.input,
        }
    }
}

impl policy::Context for GlobalKeys<'_> {
    fn values(&self, key: &str) -> Values<'_> {
        if let Some(lookup) = lookup(key) {
            return lookup(self);
        }
        if let Some(name) = key.strip_prefix(PRINCIPAL_TAG) {
            return optional(self.caller.tag(name));
        }
        if let Some(name) = key.strip_prefix(REQUEST_TAG) {
            let tags = self.input.map_or_else(Vec::new, |input| input.pairs(TAGS));
            let set = tags.into_iter().find(|(key, _)| key.to_lowercase() == name);
            return set.map_or(Values::Absent, |(_, value)| Values::One(value.into()));
        }
        key.strip_prefix(RESOURCE_TAG).map_or(Values::Absent, |name| tag(self.resource_tags, name))
    }
}

/// The value of a tag, whose key's case doesn't count in conditions.
pub fn tag<'a>(tags: &'a [(String, String)], name: &str) -> Values<'a> {
    let found = tags.iter().find(|(key, _)| key.to_lowercase() == name);
    optional(found.map(|(_, value)| value.as_str()))
}

fn absent<'a>(_: &'a GlobalKeys<'_>) -> Values<'a> {
    Values::Absent
}

/// One text.
pub fn text(value: &str) -> Values<'_> {
    Values::One(Value::from(value))
}

/// One text, or none.
pub fn optional(value: Option<&str>) -> Values<'_> {
    value.map_or(Values::Absent, text)
}

/// The keys of the tags that a request sets or removes.
fn tag_keys<'a>(keys: &'a GlobalKeys<'_>) -> Values<'a> {
    let Some(input) = keys.input else { return Values::Absent };
    let set = input.pairs(TAGS).into_iter().map(|(key, _)| key);
    Values::Many(set.chain(input.texts(TAG_KEYS)).map(Value::from).collect())
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

    #[test]
    fn keys_for_tags_name_one() {
        assert!(is_global("aws:principaltag/team") && is_global("aws:sourceip"));
        assert!(!is_global("aws:principaltag/") && !is_global("aws:unheardof"));
    }
}
