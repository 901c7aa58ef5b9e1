//! ListPolicyVersions: the versions of a managed policy, the newest first, without their documents.
//!
//! Errors, in order: InvalidInputException, those of a page, NoSuchEntityException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ArnText, Marker, MaxItems, PolicyVersions, ResponseMarker};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::managed::{PolicyOfArn, Version};
use crate::operations::OPERATION;
use crate::paging::Listing;

/// ListPolicyVersions.
pub(crate) struct ListPolicyVersions;

structure! {
    /// Input of ListPolicyVersions.
    pub(crate) struct ListPolicyVersionsRequest {
        policy_arn: ArnText = required "PolicyArn",
        marker: Marker = optional "Marker",
        max_items: MaxItems = optional "MaxItems",
    }

    /// Output of ListPolicyVersions.
    pub(crate) struct ListPolicyVersionsResponse {
        versions: PolicyVersions = optional "Versions",
        is_truncated: bool = optional "IsTruncated",
        marker: ResponseMarker = optional "Marker",
    }
}

impl Operation for ListPolicyVersions {
    type Service = Iam;
    type Input = ListPolicyVersionsRequest;
    type Output = ListPolicyVersionsResponse;
    type Target = PolicyOfArn;

    const FACTS: Facts = Facts {
        name: "ListPolicyVersions",
        actions: &["iam:ListPolicyVersions"],
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
        let listing = Listing::of(Self::FACTS.name, input.max_items, input.marker.as_ref())?;
        let versions = target.existing()?.told().versions();
        // The key of a page falls as numbers rise.
        let page = listing.part(versions, |version| format!("{:010}", u32::MAX - version.number));
        let versions = page.items.iter().map(Version::listed).collect();
        Ok(ListPolicyVersionsResponse {
            versions: Some(PolicyVersions(versions)),
            is_truncated: Some(page.next.is_some()),
            marker: page.next,
        })
    }
}
