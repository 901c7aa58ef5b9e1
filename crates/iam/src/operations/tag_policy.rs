//! TagPolicy: sets tags of a managed policy.
//!
//! Errors, in order: InvalidInputException (ARN), NoSuchEntityException, InvalidInputException and
//! LimitExceededException (tags).

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ArnText, Tags};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::managed::PolicyOfArn;
use crate::operations::{Nothing, OPERATION};
use crate::tagging::tag;

/// TagPolicy.
pub(crate) struct TagPolicy;

structure! {
    /// Input of TagPolicy.
    pub(crate) struct TagPolicyRequest {
        policy_arn: ArnText = required "PolicyArn",
        tags: Tags = required "Tags",
    }
}

impl Operation for TagPolicy {
    type Service = Iam;
    type Input = TagPolicyRequest;
    type Output = Nothing;
    type Target = PolicyOfArn;

    const FACTS: Facts = Facts {
        name: "TagPolicy",
        actions: &["iam:TagPolicy"],
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
        PolicyOfArn::find(cx, &input.policy_arn).await
    }

    async fn run(
        cx: &Context<'_, Iam>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        tag(cx, target.own()?, &input.tags).await?;
        Ok(Nothing {})
    }
}
