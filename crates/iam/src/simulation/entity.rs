//! The user, group or role whose policies a simulation weighs.

use service::{Context, Error, Facts, Resource, Target};
use wire::Arn;
use wire::iam::{ArnText, AttachmentType, PolicyIdentifier};

use crate::Iam;
use crate::authorization::{Named, no_such};
use crate::directory::Stored;
use crate::records::{Entity, GroupRecord, Permissions, RoleRecord, UserRecord};
use crate::simulation::refused;
use crate::simulation::source::SourcePolicy;

/// Whose policies are weighed, whether or not it exists.
pub(crate) enum PolicyHolder {
    User(Named<UserRecord>),
    Group(Named<GroupRecord>),
    Role(Named<RoleRecord>),
}

/// The policies of a user, group or role.
pub(crate) struct Held {
    pub(crate) identity: Vec<SourcePolicy>,
    pub(crate) boundary: Option<SourcePolicy>,
}

impl PolicyHolder {
    /// The entity of that ARN.
    ///
    /// # Errors
    /// InvalidInputException for what is no ARN of a user, group or role.
    pub(crate) async fn find(cx: &Context<'_, Iam>, arn: &ArnText) -> Result<Self, Error> {
        let text = arn.as_str();
        let parsed = Arn::parse(text).filter(|arn| arn.service == "iam" && arn.region.is_empty());
        let kind = parsed.and_then(|arn| arn.resource.split_once('/')).map(|(kind, _)| kind);
        match kind {
            Some(UserRecord::KIND) => named(cx, text).await.map(Self::User),
            Some(GroupRecord::KIND) => named(cx, text).await.map(Self::Group),
            Some(RoleRecord::KIND) => named(cx, text).await.map(Self::Role),
            _ => Err(refused(format!("Invalid Entity Arn: {text}"))),
        }
    }

    /// Its policies but for those that a request leaves out.
    ///
    /// # Errors
    /// NoSuchEntityException; InvalidInputException for an exclusion that isn't understood.
    pub(crate) async fn policies(
        &self,
        cx: &Context<'_, Iam>,
        exclusions: &[PolicyIdentifier],
    ) -> Result<Held, Error> {
        let mut identity = Vec::new();
        let permissions = match self {
            Self::User(user) => {
                let user = &user.existing()?.record;
                identity.extend(of(cx, AttachmentType::User, user, &user.permissions).await?);
                for id in &user.groups {
                    if let Some(group) = cx.service.directory.group_of_id(cx.account(), id).await? {
                        let kind = AttachmentType::Group;
                        identity.extend(of(cx, kind, &group, &group.permissions).await?);
                    }
                }
                &user.permissions
            }
            Self::Group(group) => {
                let group = &group.existing()?.record;
                identity.extend(of(cx, AttachmentType::Group, group, &group.permissions).await?);
                &group.permissions
            }
            Self::Role(role) => {
                let role = &role.existing()?.record;
                identity.extend(of(cx, AttachmentType::Role, role, &role.permissions).await?);
                &role.permissions
            }
        };
        let mut kept = Vec::with_capacity(identity.len());
        for policy in identity {
            if !policy.is_excluded(exclusions, false)? {
                kept.push(policy);
            }
        }
        let boundary = match &permissions.boundary {
            Some(arn) => Some(SourcePolicy::managed(cx, arn).await?),
            None => None,
        };
        let boundary = match boundary {
            Some(boundary) if boundary.is_excluded(exclusions, true)? => None,
            boundary => boundary,
        };
        Ok(Held { identity: kept, boundary })
    }

    /// Its ARN if it is a user, who then is the simulated caller.
    pub(crate) fn user_arn(&self) -> Option<&str> {
        if let Self::User(user) = self { Some(&user.arn) } else { None }
    }
}

async fn of<R: Entity>(
    cx: &Context<'_, Iam>,
    kind: AttachmentType,
    record: &R,
    permissions: &Permissions,
) -> Result<Vec<SourcePolicy>, Error> {
    SourcePolicy::of_entity(cx, kind, record.name(), permissions).await
}

/// The entity of that ARN, the path and the account of which are part of the name here.
async fn named<R: Entity>(cx: &Context<'_, Iam>, arn: &str) -> Result<Named<R>, Error> {
    let name = arn.rsplit('/').next().unwrap_or_default();
    if name.is_empty() {
        return Err(no_such(R::KIND, name));
    }
    let found = Named::<R>::find(cx, name).await?;
    let of_arn = |stored: &Stored<R>| stored.record.arn(cx.partition(), cx.account()) == arn;
    let stored = found.stored.filter(of_arn);
    Ok(Named { arn: arn.to_owned(), stored, ..found })
}

impl Target<Iam> for PolicyHolder {
    async fn authorize(&self, facts: &Facts, cx: &Context<'_, Iam>) -> Result<(), Error> {
        match self {
            Self::User(user) => user.authorize(facts, cx).await,
            Self::Group(group) => group.authorize(facts, cx).await,
            Self::Role(role) => role.authorize(facts, cx).await,
        }
    }

    fn check(&self, _: &Facts, _: &Context<'_, Iam>) -> Result<(), Error> {
        Ok(())
    }

    fn resources(&self) -> Vec<Resource> {
        Vec::new()
    }
}
