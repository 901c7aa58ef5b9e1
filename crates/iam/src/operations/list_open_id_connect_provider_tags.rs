//! ListOpenIDConnectProviderTags: the tags of an identity provider, by key.
//!
//! Errors, in order: InvalidInputException (ARN), NoSuchEntityException, those of a page.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ArnText, Marker, MaxItems, ResponseMarker, Tags};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Named;
use crate::operations::OPERATION;
use crate::providers;
use crate::records::ProviderRecord;
use crate::tagging::tags_page;

/// ListOpenIDConnectProviderTags.
pub(crate) struct ListOpenIDConnectProviderTags;

structure! {
    /// Input of ListOpenIDConnectProviderTags.
    pub(crate) struct ListOpenIDConnectProviderTagsRequest {
        open_id_connect_provider_arn: ArnText = required "OpenIDConnectProviderArn",
        marker: Marker = optional "Marker",
        max_items: MaxItems = optional "MaxItems",
    }

    /// Output of ListOpenIDConnectProviderTags.
    pub(crate) struct ListOpenIDConnectProviderTagsResponse {
        tags: Tags = required "Tags",
        is_truncated: bool = optional "IsTruncated",
        marker: ResponseMarker = optional "Marker",
    }
}

impl Operation for ListOpenIDConnectProviderTags {
    type Service = Iam;
    type Input = ListOpenIDConnectProviderTagsRequest;
    type Output = ListOpenIDConnectProviderTagsResponse;
    type Target = Named<ProviderRecord>;

    const FACTS: Facts = Facts {
        name: "ListOpenIDConnectProviderTags",
        actions: &["iam:ListOpenIDConnectProviderTags"],
        read_only: true,
        errors: &[
            ErrorCode::NoSuchEntityException,
            ErrorCode::ServiceFailureException,
            ErrorCode::InvalidInputException,
        ],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        providers::find(cx, &input.open_id_connect_provider_arn).await
    }

    async fn run(
        _: &Context<'_, Iam>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let (provider, marker) = (&providers::existing(target)?.record, input.marker.as_ref());
        let page = tags_page(Self::FACTS.name, provider, input.max_items, marker)?;
        Ok(ListOpenIDConnectProviderTagsResponse {
            tags: Tags(page.items),
            is_truncated: Some(page.next.is_some()),
            marker: page.next,
        })
    }
}
