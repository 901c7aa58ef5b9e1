//! GetGroupPolicy: tells an inline policy of a group.
//!
//! Errors: NoSuchEntityException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{GroupName, PolicyDocument, PolicyName};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Named;
use crate::inline;
use crate::operations::OPERATION;
use crate::records::GroupRecord;

/// GetGroupPolicy.
pub(crate) struct GetGroupPolicy;

structure! {
    /// Input of GetGroupPolicy.
    pub(crate) struct GetGroupPolicyRequest {
        group_name: GroupName = required "GroupName",
        policy_name: PolicyName = required "PolicyName",
    }

    /// Output of GetGroupPolicy.
    pub(crate) struct GetGroupPolicyResponse {
        group_name: GroupName = required "GroupName",
        policy_name: PolicyName = required "PolicyName",
        policy_document: PolicyDocument = required "PolicyDocument",
    }
}

impl Operation for GetGroupPolicy {
    type Service = Iam;
    type Input = GetGroupPolicyRequest;
    type Output = GetGroupPolicyResponse;
    type Target = Named<GroupRecord>;

    const FACTS: Facts = Facts {
        name: "GetGroupPolicy",
        actions: &["iam:GetGroupPolicy"],
        read_only: true,
        errors: &[ErrorCode::NoSuchEntityException, ErrorCode::ServiceFailureException],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        Named::find(cx, input.group_name.as_str()).await
    }

    async fn run(
        _: &Context<'_, Iam>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let policy_document = inline::document(target, &input.policy_name)?;
        Ok(GetGroupPolicyResponse {
            group_name: GroupName::of(&target.existing()?.record.name),
            policy_name: input.policy_name.clone(),
            policy_document,
        })
    }
}
