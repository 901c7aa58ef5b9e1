//! DeleteUserPolicy: removes an inline policy of a user.
//!
//! Errors: NoSuchEntityException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ExistingUserName, PolicyName};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Named;
use crate::inline;
use crate::operations::{Nothing, OPERATION};
use crate::records::UserRecord;

/// DeleteUserPolicy.
pub(crate) struct DeleteUserPolicy;

structure! {
    /// Input of DeleteUserPolicy.
    pub(crate) struct DeleteUserPolicyRequest {
        user_name: ExistingUserName = required "UserName",
        policy_name: PolicyName = required "PolicyName",
    }
}

impl Operation for DeleteUserPolicy {
    type Service = Iam;
    type Input = DeleteUserPolicyRequest;
    type Output = Nothing;
    type Target = Named<UserRecord>;

    const FACTS: Facts = Facts {
        name: "DeleteUserPolicy",
        actions: &["iam:DeleteUserPolicy"],
        errors: &[
            ErrorCode::NoSuchEntityException,
            ErrorCode::LimitExceededException,
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
        inline::delete(cx, target, &input.policy_name).await?;
        Ok(Nothing {})
    }
}
