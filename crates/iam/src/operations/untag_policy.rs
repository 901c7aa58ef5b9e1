//! UntagPolicy: removes tags of a managed policy; those that it doesn't have need no removing.
//!
//! Errors, in order: InvalidInputException, NoSuchEntityException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ArnText, TagKeys};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::managed::PolicyOfArn;
use crate::operations::{Nothing, OPERATION};
use crate::tagging::untag;

/// UntagPolicy.
pub(crate) struct UntagPolicy;

structure! {
    /// Input of UntagPolicy.
    pub(crate) struct UntagPolicyRequest {
        policy_arn: ArnText = required "PolicyArn",
        tag_keys: TagKeys = required "TagKeys",
    }
}

impl Operation for UntagPolicy {
    type Service = Iam;
    type Input = UntagPolicyRequest;
    type Output = Nothing;
    type Target = PolicyOfArn;

    const FACTS: Facts = Facts {
        name: "UntagPolicy",
        actions: &["iam:UntagPolicy"],
        errors: &[
            ErrorCode::NoSuchEntityException,
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
        untag(cx, target.own()?, &input.tag_keys).await?;
        Ok(Nothing {})
    }
}
