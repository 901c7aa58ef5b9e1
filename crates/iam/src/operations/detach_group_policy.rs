//! DetachGroupPolicy: detaches a managed policy from a group.
//!
//! Errors, in order: NoSuchEntityException (group), InvalidInputException, NoSuchEntityException
//! (policy, where it isn't attached).

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ArnText, GroupName};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::attachments;
use crate::authorization::Named;
use crate::operations::{Nothing, OPERATION};
use crate::records::GroupRecord;

/// DetachGroupPolicy.
pub(crate) struct DetachGroupPolicy;

structure! {
    /// Input of DetachGroupPolicy.
    pub(crate) struct DetachGroupPolicyRequest {
        group_name: GroupName = required "GroupName",
        policy_arn: ArnText = required "PolicyArn",
    }
}

impl Operation for DetachGroupPolicy {
    type Service = Iam;
    type Input = DetachGroupPolicyRequest;
    type Output = Nothing;
    type Target = Named<GroupRecord>;

    const FACTS: Facts = Facts {
        name: "DetachGroupPolicy",
        actions: &["iam:DetachGroupPolicy"],
        errors: &[
            ErrorCode::NoSuchEntityException,
            ErrorCode::LimitExceededException,
            ErrorCode::InvalidInputException,
            ErrorCode::ServiceFailureException,
        ],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        Named::find(cx, input.group_name.as_str()).await
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
