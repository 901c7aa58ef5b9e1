//! PutUserPermissionsBoundary: bounds what a user may do by a managed policy.
//!
//! Errors, in order: NoSuchEntityException (user), InvalidInputException, NoSuchEntityException
//! (policy), PolicyNotAttachableException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ArnText, UserName};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::attachments;
use crate::authorization::Named;
use crate::operations::{Nothing, OPERATION};
use crate::records::UserRecord;

/// PutUserPermissionsBoundary.
pub(crate) struct PutUserPermissionsBoundary;

structure! {
    /// Input of PutUserPermissionsBoundary.
    pub(crate) struct PutUserPermissionsBoundaryRequest {
        user_name: UserName = required "UserName",
        permissions_boundary: ArnText = required "PermissionsBoundary",
    }
}

impl Operation for PutUserPermissionsBoundary {
    type Service = Iam;
    type Input = PutUserPermissionsBoundaryRequest;
    type Output = Nothing;
    type Target = Named<UserRecord>;

    const FACTS: Facts = Facts {
        name: "PutUserPermissionsBoundary",
        actions: &["iam:PutUserPermissionsBoundary"],
        errors: &[
            ErrorCode::NoSuchEntityException,
            ErrorCode::InvalidInputException,
            ErrorCode::PolicyNotAttachableException,
            ErrorCode::ServiceFailureException,
        ],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        Named::find(cx, input.user_name.as_str()).await
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
