//! TagRole: sets tags of a role, also of one linked to a service.
//!
//! Errors, in order: NoSuchEntityException, InvalidInputException and LimitExceededException
//! (tags).

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{RoleName, Tags};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Named;
use crate::operations::{Nothing, OPERATION};
use crate::records::RoleRecord;
use crate::tagging;

/// TagRole.
pub(crate) struct TagRole;

structure! {
    /// Input of TagRole.
    pub(crate) struct TagRoleRequest {
        role_name: RoleName = required "RoleName",
        tags: Tags = required "Tags",
    }
}

impl Operation for TagRole {
    type Service = Iam;
    type Input = TagRoleRequest;
    type Output = Nothing;
    type Target = Named<RoleRecord>;

    const FACTS: Facts = Facts {
        name: "TagRole",
        actions: &["iam:TagRole"],
        errors: &[
            ErrorCode::NoSuchEntityException,
            ErrorCode::LimitExceededException,
            ErrorCode::InvalidInputException,
            ErrorCode::ConcurrentModificationException,
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
        tagging::tag(cx, target.existing()?, &input.tags).await?;
        Ok(Nothing {})
    }
}
