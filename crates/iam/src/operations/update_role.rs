//! UpdateRole: changes a role's description and how long its sessions may last at most.
//!
//! Errors, in order: NoSuchEntityException, UnmodifiableEntityException (of a role that is linked
//! to a service only the description can be changed).

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{RoleDescription, RoleMaxSessionDuration, RoleName};
use wire::{ErrorCode, Integer as _, structure};

use crate::Iam;
use crate::authorization::Named;
use crate::directory::Change;
use crate::inline::modifiable;
use crate::operations::OPERATION;
use crate::records::RoleRecord;

/// UpdateRole.
pub(crate) struct UpdateRole;

structure! {
    /// Input of UpdateRole.
    pub(crate) struct UpdateRoleRequest {
        role_name: RoleName = required "RoleName",
        description: RoleDescription = optional "Description",
        max_session_duration: RoleMaxSessionDuration = optional "MaxSessionDuration",
    }

    /// Output of UpdateRole.
    pub(crate) struct UpdateRoleResponse {}
}

impl Operation for UpdateRole {
    type Service = Iam;
    type Input = UpdateRoleRequest;
    type Output = UpdateRoleResponse;
    type Target = Named<RoleRecord>;

    const FACTS: Facts = Facts {
        name: "UpdateRole",
        actions: &["iam:UpdateRole"],
        errors: &[
            ErrorCode::UnmodifiableEntityException,
            ErrorCode::NoSuchEntityException,
            ErrorCode::ServiceFailureException,
        ],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        Named::find(cx, input.role_name.as_str()).await
    }

    async fn run(
        cx: &Context<'_, Iam>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let stored = target.existing()?;
        let mut role = stored.record.clone();
        if let Some(description) = &input.description {
            role.description = Some(description.as_str().to_owned());
        }
        if let Some(longest) = input.max_session_duration {
            modifiable(target)?;
            role.max_session_duration = longest.value();
        }
        Change::default().replace(stored, &role)?.commit(&cx.service.directory).await?;
        Ok(UpdateRoleResponse {})
    }
}
