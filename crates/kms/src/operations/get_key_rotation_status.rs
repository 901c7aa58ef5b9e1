//! GetKeyRotationStatus: whether and when a key's material is replaced by itself.
//!
//! Errors, in order: NotFoundException, AccessDeniedException, UnsupportedOperationException (a key
//! whose material doesn't rotate). It works in every state; a key that is pending deletion says
//! that it doesn't rotate.

use std::sync::Arc;

use service::{Authorized, Context, Error, Facts, Operation};
use wire::Timestamp;
use wire::shapes::RotationPeriodInDays;
use wire::{ErrorCode, structure};

use crate::Kms;
use crate::key::Key;
use crate::key_id::Aliases;
use crate::operations::MANAGEMENT;
use crate::rotation::rotates;

/// GetKeyRotationStatus.
pub(crate) struct GetKeyRotationStatus;

structure! {
    /// Input of GetKeyRotationStatus.
    pub(crate) struct GetKeyRotationStatusRequest {
        key_id: wire::shapes::KeyId = required "KeyId",
    }

    /// Output of GetKeyRotationStatus.
    pub(crate) struct GetKeyRotationStatusResponse {
        key_rotation_enabled: bool = optional "KeyRotationEnabled",
        key_id: wire::shapes::KeyId = optional "KeyId",
        rotation_period_in_days: RotationPeriodInDays = optional "RotationPeriodInDays",
        next_rotation_date: Timestamp = optional "NextRotationDate",
        on_demand_rotation_start_date: Timestamp = optional "OnDemandRotationStartDate",
    }
}

impl Operation for GetKeyRotationStatus {
    type Service = Kms;
    type Input = GetKeyRotationStatusRequest;
    type Output = GetKeyRotationStatusResponse;
    type Target = Arc<Key>;

    const FACTS: Facts = Facts {
        name: "GetKeyRotationStatus",
        actions: &["kms:GetKeyRotationStatus"],
        cross_account: true,
        read_only: true,
        errors: &[
            ErrorCode::NotFoundException,
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
        rotates(target)?;
        let schedule =
            target.record.rotation.filter(|_| target.record.deletion_date(cx.now).is_none());
        Ok(GetKeyRotationStatusResponse {
            key_rotation_enabled: Some(schedule.is_some()),
            key_id: Some(target.arn_as_key_id()),
            rotation_period_in_days: schedule
                .map(|schedule| RotationPeriodInDays::of(schedule.period_days)),
            next_rotation_date: schedule.map(|schedule| schedule.next),
            // A rotation on demand is over when it is answered.
            on_demand_rotation_start_date: None,
        })
    }
}
