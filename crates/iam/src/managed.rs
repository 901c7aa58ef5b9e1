//! Managed policies as operations act on them, by their ARNs, and as answers tell of them.
//!
//! What they are attached to is [`crate::attachments`]'s.

use policy::{Layer, Refusal};
use service::{Context, Error, Facts, Resource, Target};
use wire::iam::{
    ArnText, AttachmentCount, Policy, PolicyDescription, PolicyName, PolicyPath, PolicyVersion,
    PolicyVersionId, Tags, UniqueId,
};
use wire::{AccountId, Arn, ErrorCode, Timestamp};

use crate::Iam;
use crate::attachments::{BOUNDARY, ManagedPolicy, not_found, policy_arn};
use crate::authorization::permit;
use crate::aws_managed::AwsManaged;
use crate::directory::{Directory, Stored};
use crate::document::{encoded, size};
use crate::entities::{quota, tags};
use crate::layout;
use crate::records::{Entity as _, PolicyRecord, VersionRecord};

/// How many entries of the index are read at once.
const BATCH: usize = 1_000;

/// The managed policy of the ARN that a request has, whether or not there is one.
pub(crate) struct PolicyOfArn {
    arn: String,
    found: Option<ManagedPolicy>,
}

impl PolicyOfArn {
    /// The policy of that ARN.
    ///
    /// # Errors
    /// InvalidInputException for what is no policy's ARN.
    pub(crate) async fn find(cx: &Context<'_, Iam>, arn: &ArnText) -> Result<Self, Error> {
        let arn = policy_arn(cx, arn.as_str())?;
        let found = cx.service.directory.managed(cx.account(), arn).await?;
        Ok(Self { arn: arn.to_owned(), found })
    }

    /// The policy, which must exist.
    ///
    /// # Errors
    /// NoSuchEntityException.
    pub(crate) fn existing(&self) -> Result<&ManagedPolicy, Error> {
        self.found.as_ref().ok_or_else(|| not_found(&self.arn))
    }

    /// The record of the policy, which must exist. It is the account's own wherever an operation
    /// changes it.
    ///
    /// # Errors
    /// NoSuchEntityException.
    pub(crate) fn own(&self) -> Result<&Stored<PolicyRecord>, Error> {
        match &self.found {
            Some(ManagedPolicy::Own(stored)) => Ok(stored),
            _ => Err(not_found(&self.arn)),
        }
    }

    /// The refusal of a version that the policy doesn't have.
    pub(crate) fn no_version(&self, id: &PolicyVersionId) -> Error {
        let message = format!(
            "Policy {} version {} does not exist or is not attachable.",
            self.arn,
            id.as_str()
        );
        Error::new(ErrorCode::NoSuchEntityException, message)
    }
}

impl Target<Iam> for PolicyOfArn {
    async fn authorize(&self, facts: &Facts, cx: &Context<'_, Iam>) -> Result<(), Error> {
        let tags = self.found.as_ref().map_or(&[][..], |policy| policy.told().tags());
        let owner = Arn::parse(&self.arn).map_or("", |arn| arn.account);
        for action in facts.actions {
            permit(cx, action, &self.arn, tags, None)?;
            // Whatever the caller may do in its account: AWS's policies are read by everybody and
            // changed by nobody, those of another account are that account's alone.
            if owner != cx.account().as_str() && !(owner == "aws" && facts.read_only) {
                let reason = Refusal::Implicit(Layer::Resource).clause(action);
                return Err(cx.caller.denied(action, &self.arn, &reason));
            }
        }
        Ok(())
    }

    fn check(&self, _: &Facts, _: &Context<'_, Iam>) -> Result<(), Error> {
        Ok(())
    }

    fn resources(&self) -> Vec<Resource> {
        Vec::new()
    }
}

/// How often a policy is in use.
#[derive(Default)]
pub(crate) struct Usage {
    /// The users, groups and roles that it is attached to.
    pub(crate) attached: usize,
    /// The users and roles whose boundary it is.
    pub(crate) bounding: usize,
}

impl Directory {
    /// How often the policy of that unique id is in use in the account.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn usage(&self, account: &AccountId, id: &str) -> Result<Usage, Error> {
        let prefix = layout::attachments(account, id);
        let mut usage = Usage::default();
        let mut after = String::new();
        loop {
            let (entries, more) = self.names(&prefix, &after, BATCH).await?;
            for entry in &entries {
                let way = entry.split('/').next().unwrap_or_default();
                let count =
                    if way.ends_with(BOUNDARY) { &mut usage.bounding } else { &mut usage.attached };
                *count += 1;
            }
            match entries.into_iter().next_back() {
                Some(last) if more => after = last,
                _ => return Ok(usage),
            }
        }
    }
}

/// A version as answers have it, with its document where they tell that.
pub(crate) struct Version<'a> {
    pub(crate) number: u32,
    created: Timestamp,
    document: &'a str,
    is_default: bool,
}

impl Version<'_> {
    /// What lists of versions tell of it.
    pub(crate) fn listed(&self) -> PolicyVersion {
        PolicyVersion {
            document: None,
            version_id: Some(version_id(self.number)),
            is_default_version: Some(self.is_default),
            create_date: Some(self.created),
        }
    }

    /// The same with its document.
    pub(crate) fn whole(&self) -> PolicyVersion {
        PolicyVersion { document: Some(encoded(self.document)), ..self.listed() }
    }
}

/// What a managed policy is, whosever it is.
#[derive(Clone, Copy)]
pub(crate) enum Told<'a> {
    /// One of AWS's.
    Aws(&'static AwsManaged),
    /// One of the account's own.
    Own(&'a PolicyRecord),
}

impl ManagedPolicy {
    /// What it is.
    pub(crate) fn told(&self) -> Told<'_> {
        match self {
            Self::Aws(policy) => Told::Aws(policy),
            Self::Own(stored) => Told::Own(&stored.record),
        }
    }
}

impl<'a> Told<'a> {
    /// Its tags; AWS's policies have none.
    pub(crate) fn tags(self) -> &'a [(String, String)] {
        match self {
            Self::Aws(_) => &[],
            Self::Own(policy) => &policy.tags,
        }
    }

    /// Its versions, the newest first. Of AWS's own only the one in force is known.
    pub(crate) fn versions(self) -> Vec<Version<'a>> {
        match self {
            Self::Aws(policy) => vec![Version {
                number: policy.version,
                created: policy.updated(),
                document: policy.document,
                is_default: true,
            }],
            Self::Own(policy) => {
                let versions = policy.versions.iter().rev();
                versions.map(|version| version_of(policy, version)).collect()
            }
        }
    }

    /// The version of that id.
    pub(crate) fn version(self, id: &PolicyVersionId) -> Option<Version<'a>> {
        let number = version_number(id)?;
        self.versions().into_iter().find(|version| version.number == number)
    }

    /// What lists of policies tell of it.
    pub(crate) fn listed(self, cx: &Context<'_, Iam>, usage: &Usage) -> Policy {
        let (name, id, path) = match self {
            Self::Aws(aws) => (aws.name, aws.id, aws.path),
            Self::Own(own) => (own.name.as_str(), own.id.as_str(), own.path.as_str()),
        };
        let (arn, default_version, created, updated) = match self {
            Self::Aws(aws) => (aws.arn(cx.partition()), aws.version, aws.created(), aws.updated()),
            Self::Own(own) => {
                let arn = own.arn(cx.partition(), cx.account());
                (arn, own.default_version, own.created, own.updated)
            }
        };
        Policy {
            policy_name: Some(PolicyName::of(name)),
            policy_id: Some(UniqueId::of(id)),
            arn: Some(ArnText::of(arn)),
            path: Some(PolicyPath::of(path)),
            default_version_id: Some(version_id(default_version)),
            attachment_count: Some(count(usage.attached)),
            permissions_boundary_usage_count: Some(count(usage.bounding)),
            is_attachable: Some(true),
            description: None,
            create_date: Some(created),
            update_date: Some(updated),
            tags: None,
        }
    }

    /// The same with its description and tags.
    pub(crate) fn whole(self, cx: &Context<'_, Iam>, usage: &Usage) -> Policy {
        let description = match self {
            Self::Aws(aws) => Some(aws.description),
            Self::Own(own) => own.description.as_deref(),
        };
        Policy {
            description: description.map(PolicyDescription::of),
            // Where it is the only policy, AWS lists no tags as an empty list.
            tags: tags(self.tags()).or_else(|| Some(Tags(Vec::new()))),
            ..self.listed(cx, usage)
        }
    }
}

/// A version of a policy of the account's own.
pub(crate) fn version_of<'a>(policy: &PolicyRecord, version: &'a VersionRecord) -> Version<'a> {
    Version {
        number: version.number,
        created: version.created,
        document: &version.document,
        is_default: version.number == policy.default_version,
    }
}

/// The id of the version of that number.
pub(crate) fn version_id(number: u32) -> PolicyVersionId {
    PolicyVersionId::of(format!("v{number}"))
}

/// The number of the version of that id; `None` for the id of no version that can be here.
pub(crate) fn version_number(id: &PolicyVersionId) -> Option<u32> {
    id.as_str().strip_prefix('v')?.parse().ok()
}

/// Checks how long a managed policy's document is.
///
/// # Errors
/// LimitExceededException.
pub(crate) fn check_size(cx: &Context<'_, Iam>, document: &str) -> Result<(), Error> {
    let max = cx.service.directory.limits.managed_policy_size;
    if size(document) > max { Err(quota("PolicySize", max)) } else { Ok(()) }
}

fn count(number: usize) -> AttachmentCount {
    AttachmentCount::of(i32::try_from(number).unwrap_or(i32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_numbers_of_versions() {
        assert_eq!(version_id(12).as_str(), "v12");
        assert_eq!(version_number(&version_id(12)), Some(12));
        for other in ["v1.a", "v99999999999", "w1"] {
            assert_eq!(version_number(&PolicyVersionId::of(other)), None, "{other}");
        }
    }
}
