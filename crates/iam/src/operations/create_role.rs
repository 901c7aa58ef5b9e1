//! CreateRole: makes a role, which may do nothing yet.
//!
//! Errors, in order: EntityAlreadyExistsException, LimitExceededException and
//! MalformedPolicyDocumentException (trust policy), InvalidInputException and
//! LimitExceededException (tags), NoSuchEntityException (boundary), LimitExceededException (roles).

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{
    ArnText, EntityPath, PolicyDocument, Role, RoleDescription, RoleMaxSessionDuration, RoleName,
    Tags,
};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::attachments::new_boundary;
use crate::authorization::{NewEntity, entity_arn};
use crate::directory::Change;
use crate::entities::{name_taken, new_tags, path, quota};
use crate::ids::IdKind;
use crate::layout;
use crate::operations::OPERATION;
use crate::records::{Entity as _, Permissions, RoleRecord};
use crate::roles::{max_session_duration, new_role, trust};

/// CreateRole.
pub(crate) struct CreateRole;

structure! {
    /// Input of CreateRole.
    pub(crate) struct CreateRoleRequest {
        path: EntityPath = optional "Path",
        role_name: RoleName = required "RoleName",
        assume_role_policy_document: PolicyDocument = required "AssumeRolePolicyDocument",
        description: RoleDescription = optional "Description",
        max_session_duration: RoleMaxSessionDuration = optional "MaxSessionDuration",
        permissions_boundary: ArnText = optional "PermissionsBoundary",
        tags: Tags = optional "Tags",
    }

    /// Output of CreateRole.
    pub(crate) struct CreateRoleResponse {
        role: Role = required "Role",
    }
}

impl Operation for CreateRole {
    type Service = Iam;
    type Input = CreateRoleRequest;
    type Output = CreateRoleResponse;
    type Target = NewEntity;

    const FACTS: Facts = Facts {
        name: "CreateRole",
        actions: &["iam:CreateRole"],
        errors: &[
            ErrorCode::LimitExceededException,
            ErrorCode::InvalidInputException,
            ErrorCode::EntityAlreadyExistsException,
            ErrorCode::MalformedPolicyDocumentException,
            ErrorCode::ConcurrentModificationException,
            ErrorCode::ServiceFailureException,
        ],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        let path = path(input.path.as_ref());
        let arn = entity_arn(cx, RoleRecord::KIND, &path, input.role_name.as_str());
        Ok(NewEntity { arn, tag_action: input.tags.as_ref().map(|_| "iam:TagRole") })
    }

    async fn run(
        cx: &Context<'_, Iam>,
        _: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let (directory, name) = (&cx.service.directory, input.role_name.as_str());
        if directory.entity::<RoleRecord>(cx.account(), name).await?.is_some() {
            return Err(name_taken(RoleRecord::KIND, name));
        }
        let trust = trust(directory, input.assume_role_policy_document.as_str()).await?;
        let tags = new_tags(input.tags.as_ref(), directory.limits.tags)?;
        let mut change = Change::default();
        let boundary = input.permissions_boundary.as_ref();
        let boundary = new_boundary::<RoleRecord>(cx, boundary, name, &mut change).await?;
        let mut account = directory.account(cx.account()).await?;
        account.record.roles += 1;
        if account.record.roles > directory.limits.roles {
            return Err(quota("RolesPerAccount", directory.limits.roles));
        }
        let role = RoleRecord {
            name: name.to_owned(),
            path: path(input.path.as_ref()),
            id: IdKind::Role.draw(directory.entropy.as_ref())?,
            created: cx.now.to_the_second(),
            description: input.description.as_ref().map(|text| text.as_str().to_owned()),
            max_session_duration: max_session_duration(input.max_session_duration),
            trust,
            tags,
            permissions: Permissions { boundary, ..Permissions::default() },
            linked_service: None,
        };
        let place = layout::entity(cx.account(), RoleRecord::KIND, name);
        change.create(place, &role)?.account(&account)?.commit(directory).await?;
        Ok(CreateRoleResponse { role: new_role(cx, &role).await? })
    }
}
