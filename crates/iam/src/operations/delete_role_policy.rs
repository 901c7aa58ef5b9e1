//! DeleteRolePolicy: removes an inline policy of a role.
//!
//! Errors, in order: NoSuchEntityException, UnmodifiableEntityException (service-linked roles).

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{PolicyName, RoleName};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Named;
use crate::inline;
use crate::operations::{Nothing, OPERATION};
use crate::records::RoleRecord;

/// DeleteRolePolicy.
pub(crate) struct DeleteRolePolicy;

structure! {
    /// Input of DeleteRolePolicy.
    pub(crate) struct DeleteRolePolicyRequest {
        role_name: RoleName = required "RoleName",
        policy_name: PolicyName = required "PolicyName",
    }
}

impl Operation for DeleteRolePolicy {
    type Service = Iam;
    type Input = DeleteRolePolicyRequest;
    type Output = Nothing;
    type Target = Named<RoleRecord>;

    const FACTS: Facts = Facts {
        name: "DeleteRolePolicy",
        actions: &["iam:DeleteRolePolicy"],
        errors: &[
            ErrorCode::NoSuchEntityException,
            ErrorCode::LimitExceededException,
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
        inline::delete(cx, target, &input.policy_name).await?;
        Ok(Nothing {})
    }
}
