//! Roles as answers tell of them, and what may be done to them.
//!
//! Must not know how a role is assumed.

use service::{Context, Error};
use wire::Integer as _;
use wire::iam::{
    AnyText, ArnText, EntityPath, Role, RoleDescription, RoleLastUsed, RoleMaxSessionDuration,
    RoleName, UniqueId,
};

use wire::ErrorCode;

use crate::Iam;
use crate::attachments::{in_use, remove_boundary};
use crate::directory::{Change, Directory, Stored};
use crate::document::encoded;
use crate::entities::{boundary, quota, tags};
use crate::layout;
use crate::records::{BoundDocument, Entity as _, Permitted, RoleRecord};

/// The longest session of a role that says nothing of it, in seconds (IAM User Guide).
const MAX_SESSION_DURATION: i32 = 3600;

/// The longest session of a new role, in seconds.
pub(crate) fn max_session_duration(asked: Option<RoleMaxSessionDuration>) -> i32 {
    asked.map_or(MAX_SESSION_DURATION, RoleMaxSessionDuration::value)
}

/// Checks the trust policy that a role is to have.
///
/// # Errors
/// LimitExceededException for one that is too long, MalformedPolicyDocumentException.
pub(crate) async fn trust(directory: &Directory, text: &str) -> Result<BoundDocument, Error> {
    let max = directory.limits.trust_policy_size;
    if text.chars().count() > max {
        return Err(quota("ACLSizePerRole", max));
    }
    directory.trust_document(text).await
}

/// Refuses what only a service may do to the role that is linked to it.
///
/// # Errors
/// UnmodifiableEntityException.
pub(crate) fn modifiable<R: Permitted>(record: &R) -> Result<(), Error> {
    if record.linked_service().is_none() {
        return Ok(());
    }
    Err(Error::new(
        ErrorCode::UnmodifiableEntityException,
        format!(
            "Cannot perform the operation on the protected role '{}' - this role is only \
             modifiable by AWS",
            record.name()
        ),
    ))
}

/// Removes a role, with all that the indexes say of it.
///
/// # Errors
/// Those of the store.
pub(crate) async fn remove(
    cx: &Context<'_, Iam>,
    stored: &Stored<RoleRecord>,
    change: &mut Change,
) -> Result<(), Error> {
    let (directory, account, role) = (&cx.service.directory, cx.account(), &stored.record);
    remove_boundary(cx, stored, change).await?;
    for arn in &role.permissions.attached {
        let policy = in_use(cx, arn).await?;
        change.forget(layout::attachment(account, policy.id(), RoleRecord::WAY, &role.name));
    }
    change.forget(layout::last_use(&role.id));
    directory.forget_last_use(&role.id);
    let mut of_account = directory.account(account).await?;
    of_account.record.roles = of_account.record.roles.saturating_sub(1);
    change.delete(stored).account(&of_account)?;
    Ok(())
}

/// A role as CreateRole answers it: without much that it has. (Recorded answers of AWS have
/// neither its description nor its longest session.)
///
/// # Errors
/// Those of the store.
pub(crate) async fn new_role(cx: &Context<'_, Iam>, record: &RoleRecord) -> Result<Role, Error> {
    let (partition, account) = (cx.partition(), cx.account());
    let trust = cx.service.directory.shown_trust(&record.trust).await?;
    Ok(Role {
        path: EntityPath::of(&record.path),
        role_name: RoleName::of(&record.name),
        role_id: UniqueId::of(&record.id),
        arn: ArnText::of(record.arn(partition, account)),
        create_date: record.created,
        assume_role_policy_document: Some(encoded(&trust)),
        description: None,
        max_session_duration: None,
        permissions_boundary: None,
        tags: tags(&record.tags),
        role_last_used: None,
        source_role_template: None,
    })
}

/// A role as UpdateRoleDescription answers it.
///
/// # Errors
/// Those of the store.
pub(crate) async fn described_role(
    cx: &Context<'_, Iam>,
    record: &RoleRecord,
) -> Result<Role, Error> {
    let description = record.description.as_deref().filter(|text| !text.is_empty());
    let role = new_role(cx, record).await?;
    Ok(Role { description: description.map(RoleDescription::of), tags: None, ..role })
}

/// A role as ListRoles tells of it: without tags, boundary and last use.
///
/// # Errors
/// Those of the store.
pub(crate) async fn listed_role(cx: &Context<'_, Iam>, record: &RoleRecord) -> Result<Role, Error> {
    let longest = RoleMaxSessionDuration::of(record.max_session_duration);
    let role = described_role(cx, record).await?;
    Ok(Role { max_session_duration: Some(longest), ..role })
}

/// A role with all that GetRole tells of it.
///
/// # Errors
/// Those of the store.
pub(crate) async fn whole_role(cx: &Context<'_, Iam>, record: &RoleRecord) -> Result<Role, Error> {
    let used = cx.service.directory.last_use(&record.id).await?;
    let last_used = RoleLastUsed {
        last_used_date: used.as_ref().and_then(|used| Some(used.at?.to_the_second())),
        region: used.map(|used| AnyText::of(used.region)),
    };
    Ok(Role {
        permissions_boundary: boundary(&record.permissions),
        tags: tags(&record.tags),
        role_last_used: Some(last_used),
        ..listed_role(cx, record).await?
    })
}
