//! GetPolicy: tells of a managed policy, but not its documents.
//!
//! Errors, in order: InvalidInputException, NoSuchEntityException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ArnText, Policy};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::managed::PolicyOfArn;
use crate::operations::OPERATION;

/// GetPolicy.
pub(crate) struct GetPolicy;

structure! {
    /// Input of GetPolicy.
    pub(crate) struct GetPolicyRequest {
        policy_arn: ArnText = required "PolicyArn",
    }

    /// Output of GetPolicy.
    pub(crate) struct GetPolicyResponse {
        policy: Policy = optional "Policy",
    }
}

impl Operation for GetPolicy {
    type Service = Iam;
    type Input = GetPolicyRequest;
    type Output = GetPolicyResponse;
    type Target = PolicyOfArn;

    const FACTS: Facts = Facts {
        name: "GetPolicy",
        actions: &["iam:GetPolicy"],
        read_only: true,
        errors: &[
            ErrorCode::NoSuchEntityException,
            ErrorCode::InvalidInputException,
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
        _: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let policy = target.existing()?;
        let usage = cx.service.directory.usage(cx.account(), policy.id()).await?;
        Ok(GetPolicyResponse { policy: Some(policy.told().whole(cx, &usage)) })
    }
}
