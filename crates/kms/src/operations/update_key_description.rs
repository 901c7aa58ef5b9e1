//! UpdateKeyDescription: replaces a key's description; an empty one removes it.
//!
//! Errors, in order: NotFoundException, AccessDeniedException, KMSInvalidStateException (pending
//! deletion).

use std::sync::Arc;

use service::{Authorized, Context, Error, Facts, NOT_PENDING_DELETION, Operation};
use wire::shapes::Description;
use wire::{ErrorCode, structure};

use crate::Kms;
use crate::key::Key;
use crate::key_id::Aliases;
use crate::operations::{MANAGEMENT, Nothing};

/// UpdateKeyDescription.
pub(crate) struct UpdateKeyDescription;

structure! {
    /// Input of UpdateKeyDescription.
    pub(crate) struct UpdateKeyDescriptionRequest {
        key_id: wire::shapes::KeyId = required "KeyId",
        description: Description = required "Description",
    }
}

impl Operation for UpdateKeyDescription {
    type Service = Kms;
    type Input = UpdateKeyDescriptionRequest;
    type Output = Nothing;
    type Target = Arc<Key>;

    const FACTS: Facts = Facts {
        name: "UpdateKeyDescription",
        actions: &["kms:UpdateKeyDescription"],
        states: NOT_PENDING_DELETION,
        errors: &[
            ErrorCode::NotFoundException,
            ErrorCode::InvalidArnException,
            ErrorCode::DependencyTimeoutException,
            ErrorCode::KMSInternalException,
            ErrorCode::KMSInvalidStateException,
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
        let description = input.description.as_str();
        cx.service
            .replace(target, |record| description.clone_into(&mut record.description))
            .await?;
        Ok(Nothing {})
    }
}
