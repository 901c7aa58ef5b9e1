//! PutRolePolicy: sets an inline policy of a role, in place of the one of that name.
//!
//! Errors, in order: NoSuchEntityException, UnmodifiableEntityException (service-linked roles),
//! MalformedPolicyDocumentException, LimitExceededException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{PolicyDocument, PolicyName, RoleName};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Named;
use crate::inline;
use crate::operations::{Nothing, OPERATION};
use crate::records::RoleRecord;

/// PutRolePolicy.
pub(crate) struct PutRolePolicy;

structure! {
    /// Input of PutRolePolicy.
    pub(crate) struct PutRolePolicyRequest {
        role_name: RoleName = required "RoleName",
        policy_name: PolicyName = required "PolicyName",
        policy_document: PolicyDocument = required "PolicyDocument",
    }
}

impl Operation for PutRolePolicy {
    type Service = Iam;
    type Input = PutRolePolicyRequest;
    type Output = Nothing;
    type Target = Named<RoleRecord>;

    const FACTS: Facts = Facts {
        name: "PutRolePolicy",
        actions: &["iam:PutRolePolicy"],
        errors: &[
            ErrorCode::LimitExceededException,
            ErrorCode::MalformedPolicyDocumentException,
            ErrorCode::NoSuchEntityException,
            ErrorCode::UnmodifiableEntityException,
            ErrorCode::ServiceFailureException,
        ],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        Named::find(cx, input.role_name.as_str()).await
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
