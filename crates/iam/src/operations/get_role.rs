//! GetRole: tells of a role, and of when it was last used.
//!
//! Errors: NoSuchEntityException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{Role, RoleName};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Named;
use crate::operations::OPERATION;
use crate::records::RoleRecord;
use crate::roles::whole_role;

/// GetRole.
pub(crate) struct GetRole;

structure! {
    /// Input of GetRole.
    pub(crate) struct GetRoleRequest {
        role_name: RoleName = required "RoleName",
    }

    /// Output of GetRole.
    pub(crate) struct GetRoleResponse {
        role: Role = required "Role",
    }
}

impl Operation for GetRole {
    type Service = Iam;
    type Input = GetRoleRequest;
    type Output = GetRoleResponse;
    type Target = Named<RoleRecord>;

    const FACTS: Facts = Facts {
        name: "GetRole",
        actions: &["iam:GetRole"],
        read_only: true,
        errors: &[ErrorCode::NoSuchEntityException, ErrorCode::ServiceFailureException],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        Named::find(cx, input.role_name.as_str()).await
    }

    async fn run(
        cx: &Context<'_, Iam>,
        target: &Authorized<Self::Target>,
        _: &Self::Input,
    ) -> Result<Self::Output, Error> {
        Ok(GetRoleResponse { role: whole_role(cx, &target.existing()?.record).await? })
    }
}
