//! GetRolePolicy: tells an inline policy of a role.
//!
//! Errors: NoSuchEntityException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{PolicyDocument, PolicyName, RoleName};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Named;
use crate::inline;
use crate::operations::OPERATION;
use crate::records::RoleRecord;

/// GetRolePolicy.
pub(crate) struct GetRolePolicy;

structure! {
    /// Input of GetRolePolicy.
    pub(crate) struct GetRolePolicyRequest {
        role_name: RoleName = required "RoleName",
        policy_name: PolicyName = required "PolicyName",
    }

    /// Output of GetRolePolicy.
    pub(crate) struct GetRolePolicyResponse {
        role_name: RoleName = required "RoleName",
        policy_name: PolicyName = required "PolicyName",
        policy_document: PolicyDocument = required "PolicyDocument",
    }
}

impl Operation for GetRolePolicy {
    type Service = Iam;
    type Input = GetRolePolicyRequest;
    type Output = GetRolePolicyResponse;
    type Target = Named<RoleRecord>;

    const FACTS: Facts = Facts {
        name: "GetRolePolicy",
        actions: &["iam:GetRolePolicy"],
        read_only: true,
        errors: &[ErrorCode::NoSuchEntityException, ErrorCode::ServiceFailureException],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        Named::find(cx, input.role_name.as_str()).await
    }

    async fn run(
        _: &Context<'_, Iam>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let policy_document = inline::document(target, &input.policy_name)?;
        Ok(GetRolePolicyResponse {
            role_name: RoleName::of(&target.existing()?.record.name),
            policy_name: input.policy_name.clone(),
            policy_document,
        })
    }
}
