//! DisableKey: the key can't be used until it is enabled; a disabled one stays so.
//!
//! Errors, in order: NotFoundException, AccessDeniedException, KMSInvalidStateException (pending
//! deletion or import).

use std::sync::Arc;

use service::{Authorized, Context, Error, Facts, Operation};
use wire::{ErrorCode, structure};

use crate::Kms;
use crate::key::Key;
use crate::key_id::Aliases;
use crate::operations::{MANAGEMENT, Nothing, SWITCHABLE, name_key};

/// DisableKey.
pub(crate) struct DisableKey;

structure! {
    /// Input of DisableKey.
    pub(crate) struct DisableKeyRequest {
        key_id: wire::shapes::KeyId = required "KeyId",
    }
}

impl Operation for DisableKey {
    type Service = Kms;
    type Input = DisableKeyRequest;
    type Output = Nothing;
    type Target = Arc<Key>;

    const FACTS: Facts = Facts {
        name: "DisableKey",
        actions: &["kms:DisableKey"],
        states: SWITCHABLE,
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
        _: &Self::Input,
    ) -> Result<Self::Output, Error> {
        cx.service.replace(target, |record| record.enabled = false).await?;
        name_key(cx, target);
        Ok(Nothing {})
    }
}
