//! UntagRole: removes tags of a role.
//!
//! Errors: NoSuchEntityException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{RoleName, TagKeys};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Named;
use crate::operations::{Nothing, OPERATION};
use crate::records::RoleRecord;
use crate::tagging;

/// UntagRole.
pub(crate) struct UntagRole;

structure! {
    /// Input of UntagRole.
    pub(crate) struct UntagRoleRequest {
        role_name: RoleName = required "RoleName",
        tag_keys: TagKeys = required "TagKeys",
    }
}

impl Operation for UntagRole {
    type Service = Iam;
    type Input = UntagRoleRequest;
    type Output = Nothing;
    type Target = Named<RoleRecord>;

    const FACTS: Facts = Facts {
        name: "UntagRole",
        actions: &["iam:UntagRole"],
        errors: &[
            ErrorCode::NoSuchEntityException,
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
        tagging::untag(cx, target.existing()?, &input.tag_keys).await?;
        Ok(Nothing {})
    }
}
