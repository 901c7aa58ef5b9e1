//! AttachGroupPolicy: attaches a managed policy to a group; one that is attached already stays so.
//!
//! Errors, in order: NoSuchEntityException (group), InvalidInputException, NoSuchEntityException
//! (policy), PolicyNotAttachableException, LimitExceededException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ArnText, GroupName};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::attachments;
use crate::authorization::Named;
use crate::operations::{Nothing, OPERATION};
use crate::records::GroupRecord;

/// AttachGroupPolicy.
pub(crate) struct AttachGroupPolicy;

structure! {
    /// Input of AttachGroupPolicy.
    pub(crate) struct AttachGroupPolicyRequest {
        group_name: GroupName = required "GroupName",
        policy_arn: ArnText = required "PolicyArn",
    }
}

impl Operation for AttachGroupPolicy {
    type Service = Iam;
    type Input = AttachGroupPolicyRequest;
    type Output = Nothing;
    type Target = Named<GroupRecord>;

    const FACTS: Facts = Facts {
        name: "AttachGroupPolicy",
        actions: &["iam:AttachGroupPolicy"],
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
        Named::find(cx, input.group_name.as_str()).await
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
