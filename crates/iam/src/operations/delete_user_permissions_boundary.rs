//! DeleteUserPermissionsBoundary: what a user may do is bounded no more. Without a boundary,
//! nothing changes.
//!
//! Errors: NoSuchEntityException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::UserName;
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::attachments;
use crate::authorization::Named;
use crate::operations::{Nothing, OPERATION};
use crate::records::UserRecord;

/// DeleteUserPermissionsBoundary.
pub(crate) struct DeleteUserPermissionsBoundary;

structure! {
    /// Input of DeleteUserPermissionsBoundary.
    pub(crate) struct DeleteUserPermissionsBoundaryRequest {
        user_name: UserName = required "UserName",
    }
}

impl Operation for DeleteUserPermissionsBoundary {
    type Service = Iam;
    type Input = DeleteUserPermissionsBoundaryRequest;
    type Output = Nothing;
    type Target = Named<UserRecord>;

    const FACTS: Facts = Facts {
        name: "DeleteUserPermissionsBoundary",
        actions: &["iam:DeleteUserPermissionsBoundary"],
        errors: &[ErrorCode::NoSuchEntityException, ErrorCode::ServiceFailureException],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        Named::find(cx, input.user_name.as_str()).await
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
