//! AttachUserPolicy: attaches a managed policy to a user; one that is attached already stays so.
//!
//! Errors, in order: NoSuchEntityException (user), InvalidInputException, NoSuchEntityException
//! (policy), PolicyNotAttachableException, LimitExceededException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ArnText, UserName};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::attachments;
use crate::authorization::Named;
use crate::operations::{Nothing, OPERATION};
use crate::records::UserRecord;

/// AttachUserPolicy.
pub(crate) struct AttachUserPolicy;

structure! {
    /// Input of AttachUserPolicy.
    pub(crate) struct AttachUserPolicyRequest {
        user_name: UserName = required "UserName",
        policy_arn: ArnText = required "PolicyArn",
    }
}

impl Operation for AttachUserPolicy {
    type Service = Iam;
    type Input = AttachUserPolicyRequest;
    type Output = Nothing;
    type Target = Named<UserRecord>;

    const FACTS: Facts = Facts {
        name: "AttachUserPolicy",
        actions: &["iam:AttachUserPolicy"],
        errors: &[
            ErrorCode::NoSuchEntityException,
            ErrorCode::LimitExceededException,
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
        attachments::attach(cx, target, &input.policy_arn).await?;
        Ok(Nothing {})
    }
}
