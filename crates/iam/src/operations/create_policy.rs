//! CreatePolicy: makes a managed policy with one version, which is in force wherever it is
//! attached.
//!
//! Errors, in order: MalformedPolicyDocumentException, LimitExceededException (size),
//! EntityAlreadyExistsException, InvalidInputException and LimitExceededException (tags),
//! LimitExceededException (policies).

use policy::DocumentKind;
use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{Policy, PolicyDescription, PolicyDocument, PolicyName, PolicyPath, Tags};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::{NewEntity, entity_arn};
use crate::directory::Change;
use crate::entities::{already_exists, new_tags, quota, tags as shown_tags};
use crate::ids::IdKind;
use crate::layout;
use crate::managed::{Told, Usage, check_size};
use crate::operations::OPERATION;
use crate::records::{Entity as _, PolicyRecord, VersionRecord};

/// CreatePolicy.
pub(crate) struct CreatePolicy;

structure! {
    /// Input of CreatePolicy.
    pub(crate) struct CreatePolicyRequest {
        policy_name: PolicyName = required "PolicyName",
        path: PolicyPath = optional "Path",
        policy_document: PolicyDocument = required "PolicyDocument",
        description: PolicyDescription = optional "Description",
        tags: Tags = optional "Tags",
    }

    /// Output of CreatePolicy.
    pub(crate) struct CreatePolicyResponse {
        policy: Policy = optional "Policy",
    }
}

impl Operation for CreatePolicy {
    type Service = Iam;
    type Input = CreatePolicyRequest;
    type Output = CreatePolicyResponse;
    type Target = NewEntity;

    const FACTS: Facts = Facts {
        name: "CreatePolicy",
        actions: &["iam:CreatePolicy"],
        errors: &[
            ErrorCode::InvalidInputException,
            ErrorCode::LimitExceededException,
            ErrorCode::EntityAlreadyExistsException,
            ErrorCode::MalformedPolicyDocumentException,
            ErrorCode::ConcurrentModificationException,
            ErrorCode::ServiceFailureException,
        ],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        let arn = entity_arn(cx, PolicyRecord::KIND, path(input), input.policy_name.as_str());
        Ok(NewEntity { arn, tag_action: input.tags.as_ref().map(|_| "iam:TagPolicy") })
    }

    async fn run(
        cx: &Context<'_, Iam>,
        _: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let (directory, name) = (&cx.service.directory, input.policy_name.as_str());
        let document = input.policy_document.as_str();
        directory.identity_document(document, DocumentKind::Managed)?;
        check_size(cx, document)?;
        if directory.entity::<PolicyRecord>(cx.account(), name).await?.is_some() {
            return Err(already_exists(format!(
                "A policy called {name} already exists. Duplicate names are not allowed."
            )));
        }
        let tags = new_tags(input.tags.as_ref(), directory.limits.tags)?;
        let mut account = directory.account(cx.account()).await?;
        account.record.policies += 1;
        account.record.policy_versions += 1;
        if account.record.policies > directory.limits.policies {
            return Err(quota("PoliciesPerAccount", directory.limits.policies));
        }
        let created = cx.now.to_the_second();
        let version = VersionRecord { number: 1, created, document: document.to_owned() };
        let policy = PolicyRecord {
            name: name.to_owned(),
            path: path(input).to_owned(),
            id: IdKind::Policy.draw(directory.entropy.as_ref())?,
            created,
            updated: created,
            description: input.description.as_ref().map(|text| text.as_str().to_owned()),
            default_version: version.number,
            next_version: version.number + 1,
            versions: vec![version],
            tags,
        };
        let place = layout::entity(cx.account(), PolicyRecord::KIND, name);
        Change::default().create(place, &policy)?.account(&account)?.commit(directory).await?;
        let told = Told::Own(&policy).listed(cx, &Usage::default());
        Ok(CreatePolicyResponse { policy: Some(Policy { tags: shown_tags(&policy.tags), ..told }) })
    }
}

fn path(input: &CreatePolicyRequest) -> &str {
    input.path.as_ref().map_or("/", PolicyPath::as_str)
}
