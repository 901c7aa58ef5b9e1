//! CreateServiceLinkedRole: makes the role that a service assumes, of a form that the service sets.
//!
//! Errors: InvalidInputException for a service without such a role, a suffix, and a role that is
//! there already.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{CustomSuffix, GroupName, Role, RoleDescription};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::{NewEntity, entity_arn};
use crate::directory::Change;
use crate::ids::IdKind;
use crate::layout;
use crate::operations::OPERATION;
use crate::records::{Entity as _, Permissions, Permitted as _, RoleRecord};
use crate::roles::{max_session_duration, new_role};
use crate::service_linked::{LinkedService, path};

/// CreateServiceLinkedRole.
pub(crate) struct CreateServiceLinkedRole;

structure! {
    /// Input of CreateServiceLinkedRole.
    pub(crate) struct CreateServiceLinkedRoleRequest {
        aws_service_name: GroupName = required "AWSServiceName",
        description: RoleDescription = optional "Description",
        custom_suffix: CustomSuffix = optional "CustomSuffix",
    }

    /// Output of CreateServiceLinkedRole.
    pub(crate) struct CreateServiceLinkedRoleResponse {
        role: Role = optional "Role",
    }
}

impl Operation for CreateServiceLinkedRole {
    type Service = Iam;
    type Input = CreateServiceLinkedRoleRequest;
    type Output = CreateServiceLinkedRoleResponse;
    type Target = NewEntity;

    const FACTS: Facts = Facts {
        name: "CreateServiceLinkedRole",
        actions: &["iam:CreateServiceLinkedRole"],
        errors: &[
            ErrorCode::InvalidInputException,
            ErrorCode::LimitExceededException,
            ErrorCode::NoSuchEntityException,
            ErrorCode::ServiceFailureException,
        ],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        let principal = input.aws_service_name.as_str();
        // Of a service that isn't known nobody knows the role's name; all of its roles are meant.
        let role = LinkedService::of_principal(principal).map_or("*", |service| service.role);
        let arn = entity_arn(cx, RoleRecord::KIND, &path(principal), role);
        Ok(NewEntity { arn, tag_action: None })
    }

    async fn run(
        cx: &Context<'_, Iam>,
        _: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let (directory, principal) = (&cx.service.directory, input.aws_service_name.as_str());
        let service = LinkedService::of_principal(principal)
            .ok_or_else(|| refused(format!("Service {principal} has no service-linked role.")))?;
        if input.custom_suffix.is_some() {
            return Err(refused(format!("Custom suffix is not allowed for {principal}")));
        }
        let name = service.role;
        if directory.entity::<RoleRecord>(cx.account(), name).await?.is_some() {
            return Err(refused(format!(
                "Service role name {name} has been taken in this account, please try a different \
                 suffix."
            )));
        }
        let mut change = Change::default();
        let mut permissions = Permissions::default();
        if let Some(policy) = service.policy(cx.partition()) {
            permissions.attached.push(policy.arn(cx.partition()));
            change.note(layout::attachment(cx.account(), policy.id, RoleRecord::WAY, name));
        }
        let role = RoleRecord {
            name: name.to_owned(),
            path: path(principal),
            id: IdKind::Role.draw(directory.entropy.as_ref())?,
            created: cx.now.to_the_second(),
            description: input.description.as_ref().map(|text| text.as_str().to_owned()),
            max_session_duration: max_session_duration(None),
            trust: directory.trust_document(&service.trust()).await?,
            tags: Vec::new(),
            permissions,
            linked_service: Some(principal.to_owned()),
        };
        // An account that has as many roles as it may can still have these.
        let mut account = directory.account(cx.account()).await?;
        account.record.roles += 1;
        let place = layout::entity(cx.account(), RoleRecord::KIND, name);
        change.create(place, &role)?.account(&account)?.commit(directory).await?;
        Ok(CreateServiceLinkedRoleResponse { role: Some(new_role(cx, &role).await?) })
    }
}

fn refused(message: String) -> Error {
    Error::new(ErrorCode::InvalidInputException, message)
}
