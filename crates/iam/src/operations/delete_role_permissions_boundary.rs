//! DeleteRolePermissionsBoundary: what a role may do is bounded no more. Without a boundary,
//! nothing changes.
//!
//! Errors, in order: NoSuchEntityException, UnmodifiableEntityException (service-linked roles).

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::RoleName;
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::attachments;
use crate::authorization::Named;
use crate::operations::{Nothing, OPERATION};
use crate::records::RoleRecord;

/// DeleteRolePermissionsBoundary.
pub(crate) struct DeleteRolePermissionsBoundary;

structure! {
    /// Input of DeleteRolePermissionsBoundary.
    pub(crate) struct DeleteRolePermissionsBoundaryRequest {
        role_name: RoleName = required "RoleName",
    }
}

impl Operation for DeleteRolePermissionsBoundary {
    type Service = Iam;
    type Input = DeleteRolePermissionsBoundaryRequest;
    type Output = Nothing;
    type Target = Named<RoleRecord>;

    const FACTS: Facts = Facts {
        name: "DeleteRolePermissionsBoundary",
        actions: &["iam:DeleteRolePermissionsBoundary"],
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
        _: &Self::Input,
    ) -> Result<Self::Output, Error> {
        attachments::delete_boundary(cx, target).await?;
        Ok(Nothing {})
    }
}
