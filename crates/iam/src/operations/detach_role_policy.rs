//! DetachRolePolicy: detaches a managed policy from a role.
//!
//! Errors, in order: NoSuchEntityException (role), UnmodifiableEntityException (service-linked
//! roles), InvalidInputException, NoSuchEntityException (policy, where it isn't attached).

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ArnText, RoleName};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::attachments;
use crate::authorization::Named;
use crate::operations::{Nothing, OPERATION};
use crate::records::RoleRecord;

/// DetachRolePolicy.
pub(crate) struct DetachRolePolicy;

structure! {
    /// Input of DetachRolePolicy.
    pub(crate) struct DetachRolePolicyRequest {
        role_name: RoleName = required "RoleName",
        policy_arn: ArnText = required "PolicyArn",
    }
}

impl Operation for DetachRolePolicy {
    type Service = Iam;
    type Input = DetachRolePolicyRequest;
    type Output = Nothing;
    type Target = Named<RoleRecord>;

    const FACTS: Facts = Facts {
        name: "DetachRolePolicy",
        actions: &["iam:DetachRolePolicy"],
        errors: &[
            ErrorCode::NoSuchEntityException,
            ErrorCode::LimitExceededException,
            ErrorCode::InvalidInputException,
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
        attachments::detach(cx, target, &input.policy_arn).await?;
        Ok(Nothing {})
    }
}
