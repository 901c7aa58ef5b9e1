//! SetDefaultPolicyVersion: puts a version of a managed policy in force.
//!
//! Errors, in order: InvalidInputException, NoSuchEntityException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ArnText, PolicyVersionId};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::directory::Change;
use crate::managed::{PolicyOfArn, Told};
use crate::operations::{Nothing, OPERATION};

/// SetDefaultPolicyVersion.
pub(crate) struct SetDefaultPolicyVersion;

structure! {
    /// Input of SetDefaultPolicyVersion.
    pub(crate) struct SetDefaultPolicyVersionRequest {
        policy_arn: ArnText = required "PolicyArn",
        version_id: PolicyVersionId = required "VersionId",
    }
}

impl Operation for SetDefaultPolicyVersion {
    type Service = Iam;
    type Input = SetDefaultPolicyVersionRequest;
    type Output = Nothing;
    type Target = PolicyOfArn;

    const FACTS: Facts = Facts {
        name: "SetDefaultPolicyVersion",
        actions: &["iam:SetDefaultPolicyVersion"],
        errors: &[
            ErrorCode::NoSuchEntityException,
            ErrorCode::InvalidInputException,
            ErrorCode::LimitExceededException,
            ErrorCode::ServiceFailureException,
        ],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        PolicyOfArn::find(cx, &input.policy_arn).await
    }

    async fn run(
        cx: &Context<'_, Iam>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let stored = target.own()?;
        let mut record = stored.record.clone();
        let version = Told::Own(&record).version(&input.version_id).map(|version| version.number);
        record.default_version = version.ok_or_else(|| target.no_version(&input.version_id))?;
        Change::default().replace(stored, &record)?.commit(&cx.service.directory).await?;
        Ok(Nothing {})
    }
}
