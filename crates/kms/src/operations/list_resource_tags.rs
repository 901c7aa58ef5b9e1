//! ListResourceTags: a key's tags, in the order in which they were first set.
//!
//! Errors, in order: NotFoundException, AccessDeniedException, ValidationException (limit),
//! InvalidMarkerException.

use std::sync::Arc;

use service::{Authorized, Context, Error, Facts, Operation};
use wire::shapes::{Limit, Marker, Tag, TagKey, TagValue, Tags};
use wire::{ErrorCode, structure};

use crate::Kms;
use crate::key::Key;
use crate::key_id::Aliases;
use crate::operations::MANAGEMENT;
use crate::paging::{self, PageSizes};

/// ListResourceTags.
pub(crate) struct ListResourceTags;

const PAGE: PageSizes = PageSizes { max: 50, default: 50 };

structure! {
    /// Input of ListResourceTags.
    pub(crate) struct ListResourceTagsRequest {
        key_id: wire::shapes::KeyId = required "KeyId",
        limit: Limit = optional "Limit",
        marker: Marker = optional "Marker",
    }

    /// Output of ListResourceTags.
    pub(crate) struct ListResourceTagsResponse {
        tags: Tags = optional "Tags",
        next_marker: Marker = optional "NextMarker",
        truncated: bool = optional "Truncated",
    }
}

impl Operation for ListResourceTags {
    type Service = Kms;
    type Input = ListResourceTagsRequest;
    type Output = ListResourceTagsResponse;
    type Target = Arc<Key>;

    const FACTS: Facts = Facts {
        name: "ListResourceTags",
        actions: &["kms:ListResourceTags"],
        read_only: true,
        errors: &[
            ErrorCode::KMSInternalException,
            ErrorCode::NotFoundException,
            ErrorCode::InvalidArnException,
            ErrorCode::InvalidMarkerException,
        ],
        ..MANAGEMENT
    };

    async fn resolve(cx: &Context<'_, Kms>, input: &Self::Input) -> Result<Self::Target, Error> {
        cx.service.key_named(cx, &input.key_id, Aliases::Refused, Self::FACTS.actions[0]).await
    }

    async fn run(
        _: &Context<'_, Kms>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let page = PAGE.request(Self::FACTS.name, input.limit, input.marker.as_ref())?;
        let (part, truncated) = page.part(&target.record.tags, |(key, _), after| key == after);
        let last = part.last().filter(|_| truncated);
        let tags = part
            .iter()
            .map(|(key, value)| Tag { tag_key: TagKey::of(key), tag_value: TagValue::of(value) });
        Ok(ListResourceTagsResponse {
            tags: Some(Tags(tags.collect())),
            next_marker: last.map(|(key, _)| paging::marker(Self::FACTS.name, key)),
            truncated: Some(truncated),
        })
    }
}
