//! DeletePolicy: removes a managed policy that is attached nowhere, with its only version.
//!
//! Errors, in order: InvalidInputException, NoSuchEntityException, DeleteConflictException
//! (attachments, versions).

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::ArnText;
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::directory::Change;
use crate::layout;
use crate::managed::PolicyOfArn;
use crate::operations::{Nothing, OPERATION};

/// DeletePolicy.
pub(crate) struct DeletePolicy;

structure! {
    /// Input of DeletePolicy.
    pub(crate) struct DeletePolicyRequest {
        policy_arn: ArnText = required "PolicyArn",
    }
}

impl Operation for DeletePolicy {
    type Service = Iam;
    type Input = DeletePolicyRequest;
    type Output = Nothing;
    type Target = PolicyOfArn;

    const FACTS: Facts = Facts {
        name: "DeletePolicy",
        actions: &["iam:DeletePolicy"],
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
        _: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let (directory, stored) = (&cx.service.directory, target.own()?);
        if !directory.is_empty(&layout::attachments(cx.account(), &stored.record.id)).await? {
            return Err(Error::new(
                ErrorCode::DeleteConflictException,
                "Cannot delete a policy attached to entities.",
            ));
        }
        if stored.record.versions.len() > 1 {
            return Err(Error::new(
                ErrorCode::DeleteConflictException,
                "This policy has more than one version. Before you delete a policy, you must \
                 delete the policy's versions. The default version is deleted with the policy.",
            ));
        }
        let mut account = directory.account(cx.account()).await?;
        account.record.policies = account.record.policies.saturating_sub(1);
        account.record.policy_versions = account.record.policy_versions.saturating_sub(1);
        Change::default().delete(stored).account(&account)?.commit(directory).await?;
        Ok(Nothing {})
    }
}
