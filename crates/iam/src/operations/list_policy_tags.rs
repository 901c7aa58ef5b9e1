//! ListPolicyTags: the tags of a managed policy.
//!
//! Errors, in order: InvalidInputException, those of a page, NoSuchEntityException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ArnText, Marker, MaxItems, ResponseMarker, Tags};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::managed::PolicyOfArn;
use crate::operations::OPERATION;
use crate::paging::Listing;
use crate::tagging::page_of;

/// ListPolicyTags.
pub(crate) struct ListPolicyTags;

structure! {
    /// Input of ListPolicyTags.
    pub(crate) struct ListPolicyTagsRequest {
        policy_arn: ArnText = required "PolicyArn",
        marker: Marker = optional "Marker",
        max_items: MaxItems = optional "MaxItems",
    }

    /// Output of ListPolicyTags.
    pub(crate) struct ListPolicyTagsResponse {
        tags: Tags = required "Tags",
        is_truncated: bool = optional "IsTruncated",
        marker: ResponseMarker = optional "Marker",
    }
}

impl Operation for ListPolicyTags {
    type Service = Iam;
    type Input = ListPolicyTagsRequest;
    type Output = ListPolicyTagsResponse;
    type Target = PolicyOfArn;

    const FACTS: Facts = Facts {
        name: "ListPolicyTags",
        actions: &["iam:ListPolicyTags"],
        read_only: true,
        errors: &[
            ErrorCode::NoSuchEntityException,
            ErrorCode::ServiceFailureException,
            ErrorCode::InvalidInputException,
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
        let page = page_of(&listing, target.existing()?.told().tags());
        Ok(ListPolicyTagsResponse {
            tags: Tags(page.items),
            is_truncated: Some(page.next.is_some()),
            marker: page.next,
        })
    }
}
