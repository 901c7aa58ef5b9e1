//! UpdateRoleDescription: changes a role's description, also that of one linked to a service.
//!
//! Errors: NoSuchEntityException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{Role, RoleDescription, RoleName};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Named;
use crate::directory::Change;
use crate::operations::OPERATION;
use crate::records::RoleRecord;
use crate::roles::described_role;

/// UpdateRoleDescription.
pub(crate) struct UpdateRoleDescription;

structure! {
    /// Input of UpdateRoleDescription.
    pub(crate) struct UpdateRoleDescriptionRequest {
        role_name: RoleName = required "RoleName",
        description: RoleDescription = required "Description",
    }

    /// Output of UpdateRoleDescription.
    pub(crate) struct UpdateRoleDescriptionResponse {
        role: Role = optional "Role",
    }
}

impl Operation for UpdateRoleDescription {
    type Service = Iam;
    type Input = UpdateRoleDescriptionRequest;
    type Output = UpdateRoleDescriptionResponse;
    type Target = Named<RoleRecord>;

    const FACTS: Facts = Facts {
        name: "UpdateRoleDescription",
        actions: &["iam:UpdateRoleDescription"],
        errors: &[
            ErrorCode::NoSuchEntityException,
            ErrorCode::UnmodifiableEntityException,
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
        let description = Some(input.description.as_str().to_owned());
        let role = RoleRecord { description, ..stored.record.clone() };
        Change::default().replace(stored, &role)?.commit(&cx.service.directory).await?;
        Ok(UpdateRoleDescriptionResponse { role: Some(described_role(cx, &role).await?) })
    }
}
