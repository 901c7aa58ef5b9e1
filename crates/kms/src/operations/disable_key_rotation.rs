//! DisableKeyRotation: the material of a key is no longer replaced by itself.
//!
//! Errors, in order: NotFoundException, AccessDeniedException, DisabledException or
//! KMSInvalidStateException, UnsupportedOperationException (a key whose material
//! doesn't rotate by itself).

use std::sync::Arc;

use service::{Authorized, Context, Error, Facts, Operation};

use wire::{ErrorCode, structure};

use crate::Kms;
use crate::key::Key;
use crate::key_id::Aliases;
use crate::operations::{MANAGEMENT, Nothing, ROTATABLE};
use crate::records::KeyRecord;
use crate::rotation::{rotates_by_itself, rotates_here};

/// DisableKeyRotation.
pub(crate) struct DisableKeyRotation;

structure! {
    /// Input of DisableKeyRotation.
    pub(crate) struct DisableKeyRotationRequest {
        key_id: wire::shapes::KeyId = required "KeyId",
    }
}

impl Operation for DisableKeyRotation {
    type Service = Kms;
    type Input = DisableKeyRotationRequest;
    type Output = Nothing;
    type Target = Arc<Key>;

    const FACTS: Facts = Facts {
        name: "DisableKeyRotation",
        actions: &["kms:DisableKeyRotation"],
        states: ROTATABLE,
        errors: &[
            ErrorCode::NotFoundException,
            ErrorCode::DisabledException,
            ErrorCode::InvalidArnException,
            ErrorCode::DependencyTimeoutException,
            ErrorCode::KMSInternalException,
            ErrorCode::KMSInvalidStateException,
            ErrorCode::UnsupportedOperationException,
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
        rotates_by_itself(target)?;
        rotates_here(target)?;
        let set = |_: &Key, record: &mut KeyRecord| record.rotation = None;
        cx.service.replace_family(target, cx.now, set).await?;
        Ok(Nothing {})
    }
}
