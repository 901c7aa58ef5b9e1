//! CancelKeyDeletion: the key stays, disabled.
//!
//! Errors, in order: NotFoundException, AccessDeniedException, KMSInvalidStateException (not
//! pending deletion).

use std::sync::Arc;

use service::{Authorized, Context, Error, Facts, Operation};
use wire::{ErrorCode, structure};

use crate::Kms;
use crate::key::Key;
use crate::key_id::Aliases;
use crate::operations::MANAGEMENT;

/// CancelKeyDeletion.
pub(crate) struct CancelKeyDeletion;

structure! {
    /// Input of CancelKeyDeletion.
    pub(crate) struct CancelKeyDeletionRequest {
        key_id: wire::shapes::KeyId = required "KeyId",
    }

    /// Output of CancelKeyDeletion.
    pub(crate) struct CancelKeyDeletionResponse {
        key_id: wire::shapes::KeyId = optional "KeyId",
    }
}

impl Operation for CancelKeyDeletion {
    type Service = Kms;
    type Input = CancelKeyDeletionRequest;
    type Output = CancelKeyDeletionResponse;
    type Target = Arc<Key>;

    const FACTS: Facts = Facts {
        name: "CancelKeyDeletion",
        actions: &["kms:CancelKeyDeletion"],
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
        // The one operation that wants this state; the words for all others are its own.
        let record = &target.record;
        if record.deletion.is_none() && record.waiting.is_none() {
            return Err(Error::new(
                ErrorCode::KMSInvalidStateException,
                format!("{} is not pending deletion.", target.arn),
            ));
        }
        cx.service.set_deletion(target, cx.now, None).await?;
        Ok(CancelKeyDeletionResponse { key_id: Some(target.arn_as_key_id()) })
    }
}
