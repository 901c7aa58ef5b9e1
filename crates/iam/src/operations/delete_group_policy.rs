//! DeleteGroupPolicy: removes an inline policy of a group.
//!
//! Errors: NoSuchEntityException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{GroupName, PolicyName};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Named;
use crate::inline;
use crate::operations::{Nothing, OPERATION};
use crate::records::GroupRecord;

/// DeleteGroupPolicy.
pub(crate) struct DeleteGroupPolicy;

structure! {
    /// Input of DeleteGroupPolicy.
    pub(crate) struct DeleteGroupPolicyRequest {
        group_name: GroupName = required "GroupName",
        policy_name: PolicyName = required "PolicyName",
    }
}

impl Operation for DeleteGroupPolicy {
    type Service = Iam;
    type Input = DeleteGroupPolicyRequest;
    type Output = Nothing;
    type Target = Named<GroupRecord>;

    const FACTS: Facts = Facts {
        name: "DeleteGroupPolicy",
        actions: &["iam:DeleteGroupPolicy"],
        errors: &[
            ErrorCode::NoSuchEntityException,
            ErrorCode::LimitExceededException,
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
        inline::delete(cx, target, &input.policy_name).await?;
        Ok(Nothing {})
    }
}
