//! DeletePolicyVersion: removes a version of a managed policy, other than the one in force.
//!
//! Errors, in order: InvalidInputException, NoSuchEntityException, DeleteConflictException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ArnText, PolicyVersionId};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::directory::Change;
use crate::managed::{PolicyOfArn, Told};
use crate::operations::{Nothing, OPERATION};

/// DeletePolicyVersion.
pub(crate) struct DeletePolicyVersion;

structure! {
    /// Input of DeletePolicyVersion.
    pub(crate) struct DeletePolicyVersionRequest {
        policy_arn: ArnText = required "PolicyArn",
        version_id: PolicyVersionId = required "VersionId",
    }
}

impl Operation for DeletePolicyVersion {
    type Service = Iam;
    type Input = DeletePolicyVersionRequest;
    type Output = Nothing;
    type Target = PolicyOfArn;

    const FACTS: Facts = Facts {
        name: "DeletePolicyVersion",
        actions: &["iam:DeletePolicyVersion"],
        errors: &[
            ErrorCode::NoSuchEntityException,
            ErrorCode::LimitExceededException,
            ErrorCode::InvalidInputException,
            ErrorCode::DeleteConflictException,
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
        let (directory, stored) = (&cx.service.directory, target.own()?);
        let mut record = stored.record.clone();
        let version = Told::Own(&record).version(&input.version_id).map(|version| version.number);
        let number = version.ok_or_else(|| target.no_version(&input.version_id))?;
        if number == record.default_version {
            return Err(Error::new(
                ErrorCode::DeleteConflictException,
                "Cannot delete the default version of a policy.",
            ));
        }
        record.versions.retain(|version| version.number != number);
        let mut account = directory.account(cx.account()).await?;
        account.record.policy_versions = account.record.policy_versions.saturating_sub(1);
        let mut change = Change::default();
        change.replace(stored, &record)?.account(&account)?.commit(directory).await?;
        Ok(Nothing {})
    }
}
