//! TagResource: sets tags of a key; a key that is there gets the new value.
//!
//! Errors, in order: NotFoundException, AccessDeniedException, KMSInvalidStateException (pending
//! deletion), TagException.

use std::sync::Arc;

use service::{Authorized, Context, Error, Facts, NOT_PENDING_DELETION, Operation};
use wire::shapes::Tags;
use wire::{ErrorCode, structure};

use crate::Kms;
use crate::key::Key;
use crate::key_id::Aliases;
use crate::operations::{MANAGEMENT, Nothing};
use crate::tags;

/// TagResource.
pub(crate) struct TagResource;

structure! {
    /// Input of TagResource.
    pub(crate) struct TagResourceRequest {
        key_id: wire::shapes::KeyId = required "KeyId",
        tags: Tags = required "Tags",
    }
}

impl Operation for TagResource {
    type Service = Kms;
    type Input = TagResourceRequest;
    type Output = Nothing;
    type Target = Arc<Key>;

    const FACTS: Facts = Facts {
        name: "TagResource",
        actions: &["kms:TagResource"],
        states: NOT_PENDING_DELETION,
        errors: &[
            ErrorCode::KMSInternalException,
            ErrorCode::NotFoundException,
            ErrorCode::InvalidArnException,
            ErrorCode::KMSInvalidStateException,
            ErrorCode::LimitExceededException,
            ErrorCode::TagException,
        ],
        ..MANAGEMENT
    };

    async fn resolve(cx: &Context<'_, Kms>, input: &Self::Input) -> Result<Self::Target, Error> {
        cx.service.key_named(cx, &input.key_id, Aliases::Refused, Self::FACTS.actions[0]).await
    }

    async fn run(
        cx: &Context<'_, Kms>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        tags::check(&input.tags.0, cx.service.limits.tags_per_key)?;
        let mut tags = target.record.tags.clone();
        tags::set(&mut tags, &input.tags.0, cx.service.limits.tags_per_key)?;
        cx.service.replace(target, |record| record.tags = tags).await?;
        Ok(Nothing {})
    }
}
