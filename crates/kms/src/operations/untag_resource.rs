//! UntagResource: removes tags of a key; those that it doesn't have are no error.
//!
//! Errors, in order: NotFoundException, AccessDeniedException, KMSInvalidStateException (pending
//! deletion).

use std::sync::Arc;

use service::{Authorized, Context, Error, Facts, NOT_PENDING_DELETION, Operation};
use wire::shapes::TagKeys;
use wire::{ErrorCode, structure};

use crate::Kms;
use crate::key::Key;
use crate::key_id::Aliases;
use crate::operations::{MANAGEMENT, Nothing};
use crate::tags;

/// UntagResource.
pub(crate) struct UntagResource;

structure! {
    /// Input of UntagResource.
    pub(crate) struct UntagResourceRequest {
        key_id: wire::shapes::KeyId = required "KeyId",
        tag_keys: TagKeys = required "TagKeys",
    }
}

impl Operation for UntagResource {
    type Service = Kms;
    type Input = UntagResourceRequest;
    type Output = Nothing;
    type Target = Arc<Key>;

    const FACTS: Facts = Facts {
        name: "UntagResource",
        actions: &["kms:UntagResource"],
        states: NOT_PENDING_DELETION,
        errors: &[
            ErrorCode::KMSInternalException,
            ErrorCode::NotFoundException,
            ErrorCode::InvalidArnException,
            ErrorCode::KMSInvalidStateException,
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
        cx.service
            .replace(target, |record| tags::remove(&mut record.tags, &input.tag_keys.0))
            .await?;
        Ok(Nothing {})
    }
}
