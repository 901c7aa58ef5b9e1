//! RotateKeyOnDemand: replaces a key's material now; what the older ones encrypted still opens.
//!
//! Errors, in order: NotFoundException, AccessDeniedException, DisabledException or
//! KMSInvalidStateException (pending deletion), UnsupportedOperationException without a message (a
//! key whose material doesn't rotate), KMSInvalidStateException (pending import),
//! ConflictException (an automatic rotation is near), LimitExceededException,
//! KMSInvalidStateException (a key of imported material, none of which waits for this).

use std::sync::Arc;

use service::{Authorized, Context, Error, Facts, Operation};
use wire::enums::{KeyState, OriginType, RotationType};
use wire::{ErrorCode, structure};

use crate::Kms;
use crate::key::Key;
use crate::key_id::Aliases;
use crate::operations::{MANAGEMENT, ROTATABLE};
use crate::rotation::{NEAR_MS, rotates, rotates_here};

/// RotateKeyOnDemand.
pub(crate) struct RotateKeyOnDemand;

structure! {
    /// Input of RotateKeyOnDemand.
    pub(crate) struct RotateKeyOnDemandRequest {
        key_id: wire::shapes::KeyId = required "KeyId",
    }

    /// Output of RotateKeyOnDemand.
    pub(crate) struct RotateKeyOnDemandResponse {
        key_id: wire::shapes::KeyId = optional "KeyId",
    }
}

impl Operation for RotateKeyOnDemand {
    type Service = Kms;
    type Input = RotateKeyOnDemandRequest;
    type Output = RotateKeyOnDemandResponse;
    type Target = Arc<Key>;

    const FACTS: Facts = Facts {
        name: "RotateKeyOnDemand",
        actions: &["kms:RotateKeyOnDemand"],
        states: ROTATABLE,
        errors: &[
            ErrorCode::NotFoundException,
            ErrorCode::DisabledException,
            ErrorCode::InvalidArnException,
            ErrorCode::DependencyTimeoutException,
            ErrorCode::KMSInternalException,
            ErrorCode::KMSInvalidStateException,
            ErrorCode::UnsupportedOperationException,
            ErrorCode::LimitExceededException,
            ErrorCode::ConflictException,
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
        rotates(target)?;
        rotates_here(target)?;
        if target.record.lacks_material(cx.now) {
            return Err(target.wrong_state(KeyState::PendingImport));
        }
        let near = |next: wire::Timestamp| next.millis() - cx.now.millis() <= NEAR_MS;
        if target.record.rotation.is_some_and(|schedule| near(schedule.next)) {
            return Err(Error::bare(ErrorCode::ConflictException));
        }
        let on_demand = |material: &&crate::records::MaterialRecord| {
            material.rotated.is_some_and(|rotated| rotated.kind == RotationType::OnDemand)
        };
        let limit = cx.service.limits.on_demand_rotations;
        if target.record.materials.iter().filter(on_demand).count() >= limit {
            return Err(Error::new(
                ErrorCode::LimitExceededException,
                format!(
                    "The on-demand rotations limit has been reached for the given keyId. No more \
                     on-demand rotations can be performed for this key: {}",
                    target.arn
                ),
            ));
        }
        if target.record.origin == OriginType::External {
            cx.service.rotate_imported(target, cx.now).await?;
        } else {
            cx.service.rotate_on_demand(target, cx.now).await?;
        }
        Ok(RotateKeyOnDemandResponse { key_id: Some(target.arn_as_key_id()) })
    }
}
