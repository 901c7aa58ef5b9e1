//! EnableKeyRotation: the material of a key is replaced by itself from now on, period by period.
//!
//! Errors, in order: NotFoundException, AccessDeniedException, DisabledException or
//! KMSInvalidStateException, UnsupportedOperationException (a key whose material
//! doesn't rotate by itself).

use std::sync::Arc;

use service::{Authorized, Context, Error, Facts, Operation};
use wire::Integer;
use wire::shapes::RotationPeriodInDays;
use wire::{ErrorCode, structure};

use crate::Kms;
use crate::key::Key;
use crate::key_id::Aliases;
use crate::operations::{MANAGEMENT, Nothing, ROTATABLE, name_key};
use crate::records::{KeyRecord, RotationSchedule};
use crate::rotation::{PERIOD_DAYS_DEFAULT, rotates_by_itself, rotates_here};

/// EnableKeyRotation.
pub(crate) struct EnableKeyRotation;

structure! {
    /// Input of EnableKeyRotation.
    pub(crate) struct EnableKeyRotationRequest {
        key_id: wire::shapes::KeyId = required "KeyId",
        rotation_period_in_days: RotationPeriodInDays = optional "RotationPeriodInDays",
    }
}

impl Operation for EnableKeyRotation {
    type Service = Kms;
    type Input = EnableKeyRotationRequest;
    type Output = Nothing;
    type Target = Arc<Key>;

    const FACTS: Facts = Facts {
        name: "EnableKeyRotation",
        actions: &["kms:EnableKeyRotation"],
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
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        rotates_by_itself(target)?;
        rotates_here(target)?;
        let days = input.rotation_period_in_days.map_or(PERIOD_DAYS_DEFAULT, Integer::value);
        let next = cx.now.plus_days(i64::from(days));
        let schedule = RotationSchedule { period_days: days, next };
        let set = |_: &Key, record: &mut KeyRecord| record.rotation = Some(schedule);
        cx.service.replace_family(target, cx.now, set).await?;
        name_key(cx, target);
        Ok(Nothing {})
    }
}
