//! GetPolicyVersion: tells a version of a managed policy, with its document.
//!
//! Errors, in order: InvalidInputException, NoSuchEntityException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ArnText, PolicyVersion, PolicyVersionId};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::managed::PolicyOfArn;
use crate::operations::OPERATION;

/// GetPolicyVersion.
pub(crate) struct GetPolicyVersion;

structure! {
    /// Input of GetPolicyVersion.
    pub(crate) struct GetPolicyVersionRequest {
        policy_arn: ArnText = required "PolicyArn",
        version_id: PolicyVersionId = required "VersionId",
    }

    /// Output of GetPolicyVersion.
    pub(crate) struct GetPolicyVersionResponse {
        policy_version: PolicyVersion = optional "PolicyVersion",
    }
}

impl Operation for GetPolicyVersion {
    type Service = Iam;
    type Input = GetPolicyVersionRequest;
    type Output = GetPolicyVersionResponse;
    type Target = PolicyOfArn;

    const FACTS: Facts = Facts {
        name: "GetPolicyVersion",
        actions: &["iam:GetPolicyVersion"],
        read_only: true,
        errors: &[
            ErrorCode::NoSuchEntityException,
            ErrorCode::InvalidInputException,
            ErrorCode::ServiceFailureException,
        ],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        PolicyOfArn::find(cx, &input.policy_arn).await
    }

    async fn run(
        _: &Context<'_, Iam>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let version = target.existing()?.told().version(&input.version_id);
        let version = version.ok_or_else(|| target.no_version(&input.version_id))?;
        Ok(GetPolicyVersionResponse { policy_version: Some(version.whole()) })
    }
}
