//! PutUserPolicy: sets an inline policy of a user, in place of the one of that name.
//!
//! Errors, in order: NoSuchEntityException, MalformedPolicyDocumentException,
//! LimitExceededException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ExistingUserName, PolicyDocument, PolicyName};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Named;
use crate::inline;
use crate::operations::{Nothing, OPERATION};
use crate::records::UserRecord;

/// PutUserPolicy.
pub(crate) struct PutUserPolicy;

structure! {
    /// Input of PutUserPolicy.
    pub(crate) struct PutUserPolicyRequest {
        user_name: ExistingUserName = required "UserName",
        policy_name: PolicyName = required "PolicyName",
        policy_document: PolicyDocument = required "PolicyDocument",
    }
}

impl Operation for PutUserPolicy {
    type Service = Iam;
    type Input = PutUserPolicyRequest;
    type Output = Nothing;
    type Target = Named<UserRecord>;

    const FACTS: Facts = Facts {
        name: "PutUserPolicy",
        actions: &["iam:PutUserPolicy"],
        errors: &[
            ErrorCode::LimitExceededException,
            ErrorCode::MalformedPolicyDocumentException,
            ErrorCode::NoSuchEntityException,
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
        inline::put(cx, target, &input.policy_name, &input.policy_document).await?;
        Ok(Nothing {})
    }
}
