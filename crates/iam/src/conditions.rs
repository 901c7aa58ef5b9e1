//! The condition keys of IAM and STS, and their values in a request (Service Authorization
//! Reference, "Actions, resources, and condition keys" for IAM and for STS).

use policy::{Value, Values};
use service::conditions::{KeyInfo, KeyKind, SetBy, key, optional, place, tag};
use service::{Context, GlobalKeys, Service};
use wire::Scalar;

/// What the condition keys of a request to IAM or STS are worked out from.
pub(crate) struct Conditions<'a, S: Service> {
    pub(crate) cx: &'a Context<'a, S>,
    pub(crate) global: GlobalKeys<'a>,
    /// The permissions boundary of what the request acts on.
    pub(crate) boundary: Option<&'a str>,
    /// Keys that only this operation sets, in lower case.
    pub(crate) more: Vec<(String, Values<'a>)>,
}

/// The keys of IAM and STS, sorted by their names in lower case. Those that an operation sets
/// itself stand in [`Conditions::more`].
const KEYS: &[(KeyInfo, ())] = &[
    (key("iam:AssociatedResourceArn", KeyKind::Arn, SetBy::Never), ()),
    (key("iam:AWSServiceName", KeyKind::Text, SetBy::Members(&["AWSServiceName"])), ()),
    (key("iam:OrganizationsPolicyId", KeyKind::Text, SetBy::Never), ()),
    (key("iam:PassedToService", KeyKind::Text, SetBy::Never), ()),
    (
        key(
            "iam:PermissionsBoundary",
            KeyKind::Arn,
            SetBy::Caller(
                "operations on users and roles that have, or get, a permissions boundary",
            ),
        ),
        (),
    ),
    (key("iam:PolicyARN", KeyKind::Arn, SetBy::Members(&["PolicyArn"])), ()),
    (key("sts:AWSServiceName", KeyKind::Text, SetBy::Never), ()),
    (key("sts:DurationSeconds", KeyKind::Number, SetBy::Members(&["DurationSeconds"])), ()),
    (key("sts:ExternalId", KeyKind::Text, SetBy::Members(&["ExternalId"])), ()),
    (key("sts:RoleSessionName", KeyKind::Text, SetBy::Members(&["RoleSessionName"])), ()),
    (key("sts:SourceIdentity", KeyKind::Text, SetBy::Members(&["SourceIdentity"])), ()),
    (key("sts:TaskPolicyArn", KeyKind::Arn, SetBy::Never), ()),
    (key("sts:TransitiveTagKeys", KeyKind::Texts, SetBy::Members(&["TransitiveTagKeys"])), ()),
];

const RESOURCE_TAG: &str = "iam:resourcetag/";

/// Whether that is a condition key of IAM or STS, in lower case.
pub fn is_condition_key(key: &str) -> bool {
    place(KEYS, key).is_some() || key.strip_prefix(RESOURCE_TAG).is_some_and(|tag| !tag.is_empty())
}

/// The keys of IAM and STS, for documentation.
pub fn condition_keys() -> impl Iterator<Item = KeyInfo> {
    let tag = SetBy::Caller("operations on users, roles, policies and providers with tags");
    let tag = key("iam:ResourceTag/key", KeyKind::Text, tag);
    KEYS.iter().map(|(info, ())| *info).chain([tag])
}

impl<S: Service> policy::Context for Conditions<'_, S> {
    fn values(&self, key: &str) -> Values<'_> {
        if let Some((_, values)) = self.more.iter().find(|(known, _)| known == key) {
            return values.clone();
        }
        if let Some(name) = key.strip_prefix(RESOURCE_TAG) {
            return tag(self.global.resource_tags, name);
        }
        match key {
            "iam:policyarn" => self.member("PolicyArn"),
            "iam:awsservicename" => self.member("AWSServiceName"),
            // What a request sets, else what there is.
            "iam:permissionsboundary" => match self.member("PermissionsBoundary") {
                Values::Absent => optional(self.boundary),
                set => set,
            },
            "sts:externalid" => self.member("ExternalId"),
            "sts:rolesessionname" => self.member("RoleSessionName"),
            "sts:sourceidentity" => self.member("SourceIdentity"),
            "sts:durationseconds" => self.member("DurationSeconds"),
            _ => self.global.values(key),
        }
    }
}

impl<S: Service> Conditions<'_, S> {
    fn member(&self, name: &str) -> Values<'_> {
        match self.cx.member(name) {
            None => Values::Absent,
            Some(Scalar::Text(text)) => Values::One(text.into()),
            Some(Scalar::Integer(number)) => Values::One(Value::Number(number)),
            Some(Scalar::Boolean(yes)) => Values::One(Value::Bool(yes)),
            Some(Scalar::Time(time)) => Values::One(Value::Time(time.millis())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        let lower: Vec<_> = KEYS.iter().map(|(info, ())| info.name.to_lowercase()).collect();
        assert!(lower.is_sorted());
        assert!(lower.iter().all(|key| is_condition_key(key)));
        assert!(is_condition_key("iam:resourcetag/a") && !is_condition_key("iam:resourcetag/"));
        assert!(!is_condition_key("iam:unheardof"));
    }
}
