//! PutRolePermissionsBoundary: bounds what a role may do by a managed policy.
//!
//! Errors, in order: NoSuchEntityException (role), UnmodifiableEntityException (service-linked
//! roles), InvalidInputException, NoSuchEntityException (policy), PolicyNotAttachableException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ArnText, RoleName};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::attachments;
use crate::authorization::Named;
use crate::operations::{Nothing, OPERATION};
use crate::records::RoleRecord;

/// PutRolePermissionsBoundary.
pub(crate) struct PutRolePermissionsBoundary;

structure! {
    /// Input of PutRolePermissionsBoundary.
    pub(crate) struct PutRolePermissionsBoundaryRequest {
        role_name: RoleName = required "RoleName",
        permissions_boundary: ArnText = required "PermissionsBoundary",
    }
}

impl Operation for PutRolePermissionsBoundary {
    type Service = Iam;
    type Input = PutRolePermissionsBoundaryRequest;
    type Output = Nothing;
    type Target = Named<RoleRecord>;

    const FACTS: Facts = Facts {
        name: "PutRolePermissionsBoundary",
        actions: &["iam:PutRolePermissionsBoundary"],
        errors: &[
            ErrorCode::NoSuchEntityException,
            ErrorCode::InvalidInputException,
            ErrorCode::UnmodifiableEntityException,
            ErrorCode::PolicyNotAttachableException,
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
        attachments::set_boundary(cx, target, &input.permissions_boundary).await?;
        Ok(Nothing {})
    }
}
