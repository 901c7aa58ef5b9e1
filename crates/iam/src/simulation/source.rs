//! The policies that a simulation weighs: those of a request, and those of a user, group or role,
//! each with what an answer calls it.
//!
//! Must not know how a request is decided.

use std::collections::{BTreeSet, HashMap};

use policy::{Attached, Document, DocumentKind};
use serde_json::Value;
use service::{Context, Error};
use wire::iam::{
    AttachmentType, ContextKeyName, PolicyDocument, PolicyIdentifier, PolicyIdentifierPolicyType,
    PolicyIdentifierText, PolicySource, SimulationPolicies, Statement,
};

use crate::Iam;
use crate::attachments::ManagedPolicy;
use crate::entities::invalid;
use crate::records::Permissions;
use crate::simulation::refused;

/// A policy that takes part in a simulation.
pub(crate) struct SourcePolicy {
    origin: Origin,
    /// What an answer calls it.
    id: String,
    text: String,
    pub(crate) document: Document,
}

/// Where a policy comes from.
enum Origin {
    /// The request's own list of policies, or its policy of the resource.
    Request(PolicySource),
    /// An inline policy of that name, of the user, group or role of that name.
    Inline(AttachmentType, String, String),
    /// A managed policy.
    Managed { arn: String, by_aws: bool },
}

impl SourcePolicy {
    /// The policies that a request lists in that member.
    ///
    /// # Errors
    /// InvalidInputException for what isn't understood.
    pub(crate) fn listed(
        member: &str,
        policies: Option<&SimulationPolicies>,
    ) -> Result<Vec<Self>, Error> {
        let texts = policies.iter().flat_map(|policies| &policies.0).enumerate();
        let parse = |(place, text)| {
            let (id, kind) = (format!("{member}.{}", place + 1), DocumentKind::Identity);
            Self::given(id, PolicySource::None, text, kind)
        };
        texts.map(parse).collect()
    }

    /// The policy that a request gives each resource.
    ///
    /// # Errors
    /// InvalidInputException for what isn't understood.
    pub(crate) fn of_resource(text: &PolicyDocument) -> Result<Self, Error> {
        let id = "ResourcePolicy".to_owned();
        Self::given(id, PolicySource::Resource, text, DocumentKind::Resource)
    }

    fn given(
        id: String,
        source: PolicySource,
        text: &PolicyDocument,
        kind: DocumentKind,
    ) -> Result<Self, Error> {
        let document = Document::parse_stored(text.as_str(), kind)
            .map_err(|malformed| refused(format!("Invalid policy {id}: {malformed}")))?;
        let text = text.as_str().to_owned();
        Ok(Self { origin: Origin::Request(source), id, text, document })
    }

    /// The inline and attached policies of a user, group or role of that name.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn of_entity(
        cx: &Context<'_, Iam>,
        kind: AttachmentType,
        name: &str,
        permissions: &Permissions,
    ) -> Result<Vec<Self>, Error> {
        let mut policies = Vec::new();
        for (policy, text) in &permissions.inline {
            let origin = Origin::Inline(kind, name.to_owned(), policy.clone());
            let id = format!("{kind}_{name}_{policy}");
            policies.push(Self::stored(origin, id, text, DocumentKind::Identity)?);
        }
        for arn in &permissions.attached {
            policies.push(Self::managed(cx, arn).await?);
        }
        Ok(policies)
    }

    /// The managed policy of that ARN, which is attached somewhere and so exists.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn managed(cx: &Context<'_, Iam>, arn: &str) -> Result<Self, Error> {
        let found = cx.service.directory.managed(cx.account(), arn).await?;
        let gone = || Error::internal(format!("an attached policy is gone: {arn}"));
        let policy = found.ok_or_else(gone)?;
        let by_aws = matches!(policy, ManagedPolicy::Aws(_));
        let text = match &policy {
            ManagedPolicy::Aws(policy) => Some(policy.document),
            ManagedPolicy::Own(stored) => {
                let (versions, default) = (&stored.record.versions, stored.record.default_version);
                let version = versions.iter().find(|version| version.number == default);
                version.map(|version| version.document.as_str())
            }
        };
        let origin = Origin::Managed { arn: arn.to_owned(), by_aws };
        let (id, text) = (policy.name().to_owned(), text.ok_or_else(gone)?);
        Self::stored(origin, id, text, DocumentKind::Managed)
    }

    fn stored(origin: Origin, id: String, text: &str, kind: DocumentKind) -> Result<Self, Error> {
        let document = Document::parse_stored(text, kind)
            .map_err(|malformed| Error::internal(format!("a stored policy: {malformed}")))?;
        Ok(Self { origin, id, text: text.to_owned(), document })
    }

    /// The policy as decisions take it.
    pub(crate) fn attached(&self) -> Attached<'_> {
        Attached { name: &self.id, document: &self.document }
    }

    /// How long it is, in bytes.
    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// A statement of it, as an answer tells of it.
    pub(crate) fn statement(&self) -> Statement {
        let kind = match &self.origin {
            Origin::Request(source) => *source,
            Origin::Inline(AttachmentType::User, ..) => PolicySource::User,
            Origin::Inline(AttachmentType::Group, ..) => PolicySource::Group,
            Origin::Inline(AttachmentType::Role, ..) => PolicySource::Role,
            Origin::Managed { by_aws: true, .. } => PolicySource::AwsManaged,
            Origin::Managed { by_aws: false, .. } => PolicySource::UserManaged,
        };
        Statement {
            source_policy_id: Some(PolicyIdentifierText::of(&self.id)),
            source_policy_type: Some(kind),
            start_position: None,
            end_position: None,
        }
    }

    /// Whether a request leaves it out, as the permissions boundary if it serves as one.
    ///
    /// # Errors
    /// InvalidInputException for an exclusion that says more or less than one thing.
    pub(crate) fn is_excluded(
        &self,
        exclusions: &[PolicyIdentifier],
        as_boundary: bool,
    ) -> Result<bool, Error> {
        let mut excluded = false;
        for exclusion in exclusions {
            let PolicyIdentifier { policy_type, policy_arn, inline_policy_identifier } = exclusion;
            excluded |= match (policy_type, policy_arn, inline_policy_identifier) {
                (Some(kind), None, None) => self.is_of(*kind, as_boundary),
                (None, Some(arn), None) => {
                    matches!(&self.origin, Origin::Managed { arn: own, .. } if own == arn.as_str())
                }
                (None, None, Some(inline)) => matches!(
                    &self.origin,
                    Origin::Inline(kind, name, policy)
                        if *kind == inline.attachment_type
                            && name.eq_ignore_ascii_case(inline.attachment_name.as_str())
                            && policy == inline.policy_name.as_str()
                ),
                _ => {
                    return Err(invalid(
                        "An excluded policy must be given by one of PolicyType, PolicyArn and \
                         InlinePolicyIdentifier.",
                    ));
                }
            };
        }
        Ok(excluded)
    }

    fn is_of(&self, kind: PolicyIdentifierPolicyType, as_boundary: bool) -> bool {
        match kind {
            PolicyIdentifierPolicyType::PermissionBoundary => as_boundary,
            _ if as_boundary => false,
            PolicyIdentifierPolicyType::Inline => matches!(self.origin, Origin::Inline(..)),
            PolicyIdentifierPolicyType::AwsManaged => {
                matches!(self.origin, Origin::Managed { by_aws: true, .. })
            }
            PolicyIdentifierPolicyType::UserManaged => {
                matches!(self.origin, Origin::Managed { by_aws: false, .. })
            }
            // There is no organization.
            PolicyIdentifierPolicyType::Scp | PolicyIdentifierPolicyType::Rcp => false,
        }
    }
}

/// The condition keys that policies ask for, as they are written there, sorted.
pub(crate) fn context_keys<'a>(
    policies: impl Iterator<Item = &'a SourcePolicy>,
) -> Vec<ContextKeyName> {
    let (mut written, mut asked) = (HashMap::new(), BTreeSet::new());
    for policy in policies {
        // The document was understood, so that this is JSON.
        if let Ok(json) = serde_json::from_str(&policy.text) {
            collect_names(&json, &mut written);
        }
        asked.extend(policy.document.condition_keys().map(str::to_owned));
    }
    let name = |key: String| ContextKeyName::of(written.get(&key).unwrap_or(&key));
    asked.into_iter().map(name).collect()
}

/// Every name in a document that may be a condition key's, by its lower case: those of members, and
/// those of policy variables.
fn collect_names(json: &Value, names: &mut HashMap<String, String>) {
    match json {
        Value::Object(members) => {
            for (name, value) in members {
                names.entry(name.to_lowercase()).or_insert_with(|| name.clone());
                collect_names(value, names);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect_names(value, names)),
        Value::String(text) => {
            for variable in text.split("${").skip(1) {
                let name = variable.split(['}', ',']).next().unwrap_or_default().trim();
                names.entry(name.to_lowercase()).or_insert_with(|| name.to_owned());
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn context_keys_are_named_as_they_are_written() {
        let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:*",
            "Resource":"arn:aws:s3:::b/${aws:UserName}/${aws:PrincipalTag/Team, 'x'}",
            "Condition":{"Bool":{"aws:SecureTransport":"true"},
                "StringLike":{"kms:ViaService":"${AWS:userid}","aws:SECUREtransport":"x"}}}}"#;
        let policies = SimulationPolicies(vec![PolicyDocument::of(text)]);
        let policies = SourcePolicy::listed("PolicyInputList", Some(&policies))
            .unwrap_or_else(|error| panic!("{error}"));
        let keys = context_keys(policies.iter());
        let keys: Vec<&str> = keys.iter().map(ContextKeyName::as_str).collect();
        assert_eq!(
            keys,
            [
                "aws:PrincipalTag/Team",
                "aws:SecureTransport",
                "AWS:userid",
                "aws:UserName",
                "kms:ViaService"
            ]
        );
    }
}
