//! EnableKey: a disabled key can be used again; an enabled one stays so.
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

/// EnableKey.
pub(crate) struct EnableKey;

structure! {
    /// Input of EnableKey.
    pub(crate) struct EnableKeyRequest {
        key_id: wire::shapes::KeyId = required "KeyId",
    }
}

impl Operation for EnableKey {
    type Service = Kms;
    type Input = EnableKeyRequest;
    type Output = Nothing;
    type Target = Arc<Key>;

    const FACTS: Facts = Facts {
        name: "EnableKey",
        actions: &["kms:EnableKey"],
        states: SWITCHABLE,
        errors: &[
            ErrorCode::NotFoundException,
            ErrorCode::InvalidArnException,
            ErrorCode::DependencyTimeoutException,
            ErrorCode::KMSInternalException,
            ErrorCode::LimitExceededException,
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
        cx.service
            .replace(target, |record| {
                record.enabled = true;
                if let Some(schedule) = &mut record.rotation {
                    // Dates that passed while the key was disabled are one rotation, now.
                    schedule.next = schedule.next.max(cx.now);
                }
            })
            .await?;
        name_key(cx, target);
        Ok(Nothing {})
    }
}
