//! AttachRolePolicy: attaches a managed policy to a role; one that is attached already stays so.
//!
//! Errors, in order: NoSuchEntityException (role), UnmodifiableEntityException (service-linked
//! roles), InvalidInputException, NoSuchEntityException (policy), PolicyNotAttachableException,
//! LimitExceededException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ArnText, RoleName};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::attachments;
use crate::authorization::Named;
use crate::operations::{Nothing, OPERATION};
use crate::records::RoleRecord;

/// AttachRolePolicy.
pub(crate) struct AttachRolePolicy;

structure! {
    /// Input of AttachRolePolicy.
    pub(crate) struct AttachRolePolicyRequest {
        role_name: RoleName = required "RoleName",
        policy_arn: ArnText = required "PolicyArn",
    }
}

impl Operation for AttachRolePolicy {
    type Service = Iam;
    type Input = AttachRolePolicyRequest;
    type Output = Nothing;
    type Target = Named<RoleRecord>;

    const FACTS: Facts = Facts {
        name: "AttachRolePolicy",
        actions: &["iam:AttachRolePolicy"],
        errors: &[
            ErrorCode::NoSuchEntityException,
            ErrorCode::LimitExceededException,
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
        attachments::attach(cx, target, &input.policy_arn).await?;
        Ok(Nothing {})
    }
}
