//! CreatePolicyVersion: adds a version to a managed policy, and puts it in force if asked to.
//!
//! Errors, in order: InvalidInputException, NoSuchEntityException,
//! MalformedPolicyDocumentException, LimitExceededException (size, versions).

use policy::DocumentKind;
use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ArnText, PolicyDocument, PolicyVersion};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::directory::Change;
use crate::managed::{PolicyOfArn, check_size, version_of};
use crate::operations::OPERATION;
use crate::records::VersionRecord;

/// CreatePolicyVersion.
pub(crate) struct CreatePolicyVersion;

structure! {
    /// Input of CreatePolicyVersion.
    pub(crate) struct CreatePolicyVersionRequest {
        policy_arn: ArnText = required "PolicyArn",
        policy_document: PolicyDocument = required "PolicyDocument",
        set_as_default: bool = optional "SetAsDefault",
    }

    /// Output of CreatePolicyVersion.
    pub(crate) struct CreatePolicyVersionResponse {
        policy_version: PolicyVersion = optional "PolicyVersion",
    }
}

impl Operation for CreatePolicyVersion {
    type Service = Iam;
    type Input = CreatePolicyVersionRequest;
    type Output = CreatePolicyVersionResponse;
    type Target = PolicyOfArn;

    const FACTS: Facts = Facts {
        name: "CreatePolicyVersion",
        actions: &["iam:CreatePolicyVersion"],
        errors: &[
            ErrorCode::NoSuchEntityException,
            ErrorCode::MalformedPolicyDocumentException,
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
        let (directory, stored) = (&cx.service.directory, target.own()?);
        let document = input.policy_document.as_str();
        directory.identity_document(document, DocumentKind::Managed)?;
        check_size(cx, document)?;
        let mut record = stored.record.clone();
        let max = directory.limits.policy_versions;
        if record.versions.len() >= max {
            return Err(Error::new(
                ErrorCode::LimitExceededException,
                format!(
                    "A managed policy can have up to {max} versions. Before you create a new \
                     version, you must delete an existing version."
                ),
            ));
        }
        let version = VersionRecord {
            number: record.next_version,
            created: cx.now.to_the_second(),
            document: document.to_owned(),
        };
        record.next_version += 1;
        record.updated = version.created;
        if input.set_as_default == Some(true) {
            record.default_version = version.number;
        }
        record.versions.push(version.clone());
        let mut account = directory.account(cx.account()).await?;
        account.record.policy_versions += 1;
        let mut change = Change::default();
        change.replace(stored, &record)?.account(&account)?.commit(directory).await?;
        let version = version_of(&record, &version).listed();
        Ok(CreatePolicyVersionResponse { policy_version: Some(version) })
    }
}
