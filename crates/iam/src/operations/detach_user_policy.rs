//! DetachUserPolicy: detaches a managed policy from a user.
//!
//! Errors, in order: NoSuchEntityException (user), InvalidInputException, NoSuchEntityException
//! (policy, where it isn't attached).

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ArnText, UserName};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::attachments;
use crate::authorization::Named;
use crate::operations::{Nothing, OPERATION};
use crate::records::UserRecord;

/// DetachUserPolicy.
pub(crate) struct DetachUserPolicy;

structure! {
    /// Input of DetachUserPolicy.
    pub(crate) struct DetachUserPolicyRequest {
        user_name: UserName = required "UserName",
        policy_arn: ArnText = required "PolicyArn",
    }
}

impl Operation for DetachUserPolicy {
    type Service = Iam;
    type Input = DetachUserPolicyRequest;
    type Output = Nothing;
    type Target = Named<UserRecord>;

    const FACTS: Facts = Facts {
        name: "DetachUserPolicy",
        actions: &["iam:DetachUserPolicy"],
        errors: &[
            ErrorCode::NoSuchEntityException,
            ErrorCode::LimitExceededException,
            ErrorCode::InvalidInputException,
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
        attachments::detach(cx, target, &input.policy_arn).await?;
        Ok(Nothing {})
    }
}
