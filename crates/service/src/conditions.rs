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

/// The keys without a part of the caller's choosing, in lower case. Those that only other services
/// or networks set are absent in every request; policies may speak of them.
const KEYS: &[(&str, Lookup)] = &[
    ("aws:calledvia", absent),
    ("aws:calledviafirst", absent),
    ("aws:calledvialast", absent),
    ("aws:currenttime", |keys| Values::One(Value::Time(keys.now.millis()))),
    ("aws:ec2instancesourceprivateipv4", absent),
    ("aws:ec2instancesourcevpc", absent),
    ("aws:epochtime", |keys| Values::One(Value::Number(keys.now.seconds()))),
    ("aws:federatedprovider", |keys| {
        keys.caller.session.as_deref().map_or(Values::Absent, |s| optional(s.provider.as_deref()))
    }),
    ("aws:multifactorauthage", absent),
    // Temporary credentials say that they came about without a second factor; long-term ones say
    // nothing.
    ("aws:multifactorauthpresent", |keys| match keys.caller.session {
        Some(_) => Values::One(Value::Bool(false)),
        None => Values::Absent,
    }),
    ("aws:principalaccount", |keys| text(keys.caller.account.as_str())),
    // Of a role's session it is the role's.
    ("aws:principalarn", |keys| match (keys.caller.kind, &keys.caller.principal) {
        (CallerKind::AssumedRole, Some(role)) => text(&role.arn),
        _ => text(&keys.caller.arn),
    }),
    ("aws:principalisawsservice", |_| Values::One(Value::Bool(false))),
    ("aws:principalorgid", absent),
    ("aws:principalorgpaths", absent),
    ("aws:principalservicename", absent),
    ("aws:principalservicenameslist", absent),
    ("aws:principaltype", |keys| text(keys.caller.kind.principal_type())),
    ("aws:referer", absent),
    ("aws:requestedregion", |keys| text(keys.region.as_str())),
    ("aws:resourceaccount", |keys| optional(keys.resource_account)),
    ("aws:resourceorgid", absent),
    ("aws:resourceorgpaths", absent),
    ("aws:securetransport", |keys| Values::One(Value::Bool(keys.origin.secure))),
    ("aws:sourceaccount", absent),
    ("aws:sourcearn", absent),
    ("aws:sourceidentity", |keys| {
        let session = keys.caller.session.as_deref();
        session.map_or(Values::Absent, |session| optional(session.source_identity.as_deref()))
    }),
    ("aws:sourceip", |keys| match keys.origin.source_ip.parse() {
        Ok(address) => Values::One(Value::Address(address)),
        Err(_) => Values::Absent,
    }),
    ("aws:sourceorgid", absent),
    ("aws:sourceorgpaths", absent),
    ("aws:sourceowner", absent),
    ("aws:sourcevpc", absent),
    ("aws:sourcevpcarn", absent),
    ("aws:sourcevpce", absent),
    ("aws:tagkeys", tag_keys),
    ("aws:tokenissuetime", |keys| match &keys.caller.session {
        Some(session) => Values::One(Value::Time(session.issued.millis())),
        None => Values::Absent,
    }),
    ("aws:useragent", |keys| text(keys.origin.user_agent)),
    ("aws:userid", |keys| text(&keys.caller.principal_id)),
    ("aws:username", |keys| match (keys.caller.kind, &keys.caller.principal) {
        (CallerKind::User, Some(user)) => text(&user.name),
        _ => Values::Absent,
    }),
    ("aws:viaawsservice", |_| Values::One(Value::Bool(false))),
    ("aws:vpcsourceip", absent),
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

/// The global keys without those for tags, in lower case, for documentation.
pub fn global_keys() -> impl Iterator<Item = &'static str> {
    KEYS.iter().map(|(key, _)| *key)
}

fn lookup(key: &str) -> Option<Lookup> {
    // Sorted, as a test holds.
    let place = KEYS.binary_search_by(|(known, _)| known.cmp(&key)).ok()?;
    Some(KEYS[place].1)
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
    fn the_table_is_sorted_and_in_lower_case() {
        assert!(KEYS.is_sorted_by(|(one, _), (next, _)| one < next));
        assert!(KEYS.iter().all(|(key, _)| key.to_lowercase() == *key));
    }

    #[test]
    fn keys_for_tags_name_one() {
        assert!(is_global("aws:principaltag/team") && is_global("aws:sourceip"));
        assert!(!is_global("aws:principaltag/") && !is_global("aws:unheardof"));
    }
}
