//! UpdateAssumeRolePolicy: changes who may assume a role.
//!
//! Errors, in order: NoSuchEntityException, UnmodifiableEntityException (linked to a service),
//! LimitExceededException (length), MalformedPolicyDocumentException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{PolicyDocument, RoleName};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Named;
use crate::directory::Change;
use crate::inline::modifiable;
use crate::operations::{Nothing, OPERATION};
use crate::records::RoleRecord;
use crate::roles::trust;

/// UpdateAssumeRolePolicy.
pub(crate) struct UpdateAssumeRolePolicy;

structure! {
    /// Input of UpdateAssumeRolePolicy.
    pub(crate) struct UpdateAssumeRolePolicyRequest {
        role_name: RoleName = required "RoleName",
        policy_document: PolicyDocument = required "PolicyDocument",
    }
}

impl Operation for UpdateAssumeRolePolicy {
    type Service = Iam;
    type Input = UpdateAssumeRolePolicyRequest;
    type Output = Nothing;
    type Target = Named<RoleRecord>;

    const FACTS: Facts = Facts {
        name: "UpdateAssumeRolePolicy",
        actions: &["iam:UpdateAssumeRolePolicy"],
        errors: &[
            ErrorCode::NoSuchEntityException,
            ErrorCode::MalformedPolicyDocumentException,
            ErrorCode::LimitExceededException,
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
        let (directory, stored) = (&cx.service.directory, modifiable(target)?);
        let trust = trust(directory, input.policy_document.as_str()).await?;
        let role = RoleRecord { trust, ..stored.record.clone() };
        Change::default().replace(stored, &role)?.commit(directory).await?;
        Ok(Nothing {})
    }
}
