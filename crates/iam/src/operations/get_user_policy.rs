//! GetUserPolicy: tells an inline policy of a user.
//!
//! Errors: NoSuchEntityException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ExistingUserName, PolicyDocument, PolicyName};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Named;
use crate::inline;
use crate::operations::OPERATION;
use crate::records::UserRecord;

/// GetUserPolicy.
pub(crate) struct GetUserPolicy;

structure! {
    /// Input of GetUserPolicy.
    pub(crate) struct GetUserPolicyRequest {
        user_name: ExistingUserName = required "UserName",
        policy_name: PolicyName = required "PolicyName",
    }

    /// Output of GetUserPolicy.
    pub(crate) struct GetUserPolicyResponse {
        user_name: ExistingUserName = required "UserName",
        policy_name: PolicyName = required "PolicyName",
        policy_document: PolicyDocument = required "PolicyDocument",
    }
}

impl Operation for GetUserPolicy {
    type Service = Iam;
    type Input = GetUserPolicyRequest;
    type Output = GetUserPolicyResponse;
    type Target = Named<UserRecord>;

    const FACTS: Facts = Facts {
        name: "GetUserPolicy",
        actions: &["iam:GetUserPolicy"],
        read_only: true,
        errors: &[ErrorCode::NoSuchEntityException, ErrorCode::ServiceFailureException],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        Named::find(cx, input.user_name.as_str()).await
    }

    async fn run(
        _: &Context<'_, Iam>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let policy_document = inline::document(target, &input.policy_name)?;
        Ok(GetUserPolicyResponse {
            user_name: ExistingUserName::of(&target.existing()?.record.name),
            policy_name: input.policy_name.clone(),
            policy_document,
        })
    }
}
