//! PutGroupPolicy: sets an inline policy of a group, in place of the one of that name.
//!
//! Errors, in order: NoSuchEntityException, MalformedPolicyDocumentException,
//! LimitExceededException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{GroupName, PolicyDocument, PolicyName};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Named;
use crate::inline;
use crate::operations::{Nothing, OPERATION};
use crate::records::GroupRecord;

/// PutGroupPolicy.
pub(crate) struct PutGroupPolicy;

structure! {
    /// Input of PutGroupPolicy.
    pub(crate) struct PutGroupPolicyRequest {
        group_name: GroupName = required "GroupName",
        policy_name: PolicyName = required "PolicyName",
        policy_document: PolicyDocument = required "PolicyDocument",
    }
}

impl Operation for PutGroupPolicy {
    type Service = Iam;
    type Input = PutGroupPolicyRequest;
    type Output = Nothing;
    type Target = Named<GroupRecord>;

    const FACTS: Facts = Facts {
        name: "PutGroupPolicy",
        actions: &["iam:PutGroupPolicy"],
        errors: &[
            ErrorCode::LimitExceededException,
            ErrorCode::MalformedPolicyDocumentException,
            ErrorCode::NoSuchEntityException,
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
        inline::put(cx, target, &input.policy_name, &input.policy_document).await?;
        Ok(Nothing {})
    }
}
