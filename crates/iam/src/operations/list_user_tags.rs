//! ListUserTags: the tags of a user, by their keys.
//!
//! Errors: NoSuchEntityException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ExistingUserName, Marker, MaxItems, ResponseMarker, Tags};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Named;
use crate::operations::OPERATION;
use crate::records::UserRecord;
use crate::tagging::tags_page;

/// ListUserTags.
pub(crate) struct ListUserTags;

structure! {
    /// Input of ListUserTags.
    pub(crate) struct ListUserTagsRequest {
        user_name: ExistingUserName = required "UserName",
        marker: Marker = optional "Marker",
        max_items: MaxItems = optional "MaxItems",
    }

    /// Output of ListUserTags.
    pub(crate) struct ListUserTagsResponse {
        tags: Tags = required "Tags",
        is_truncated: bool = optional "IsTruncated",
        marker: ResponseMarker = optional "Marker",
    }
}

impl Operation for ListUserTags {
    type Service = Iam;
    type Input = ListUserTagsRequest;
    type Output = ListUserTagsResponse;
    type Target = Named<UserRecord>;

    const FACTS: Facts = Facts {
        name: "ListUserTags",
        actions: &["iam:ListUserTags"],
        read_only: true,
        errors: &[ErrorCode::NoSuchEntityException, ErrorCode::ServiceFailureException],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        Named::find(cx, input.user_name.as_str()).await
    }

    async fn run(
        _: &Context<'_, Iam>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let (user, marker) = (&target.existing()?.record, input.marker.as_ref());
        let page = tags_page(Self::FACTS.name, user, input.max_items, marker)?;
        Ok(ListUserTagsResponse {
            tags: Tags(page.items),
            is_truncated: Some(page.next.is_some()),
            marker: page.next,
        })
    }
}
