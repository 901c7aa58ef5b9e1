//! GetKeyLastUsage: the last successful cryptographic operation with a key.
//!
//! Errors, in order: NotFoundException, AccessDeniedException. It works in every state.

use std::sync::Arc;

use service::{Authorized, Context, Error, Facts, Operation};
use wire::shapes::{CloudTrailEventId, KeyLastUsageData, KmsRequestId};
use wire::{ErrorCode, Timestamp, structure};

use crate::Kms;
use crate::key::Key;
use crate::key_id::Aliases;
use crate::operations::MANAGEMENT;

/// GetKeyLastUsage.
pub(crate) struct GetKeyLastUsage;

structure! {
    /// Input of GetKeyLastUsage.
    pub(crate) struct GetKeyLastUsageRequest {
        key_id: wire::shapes::KeyId = required "KeyId",
    }

    /// Output of GetKeyLastUsage.
    pub(crate) struct GetKeyLastUsageResponse {
        key_id: wire::shapes::KeyId = optional "KeyId",
        key_last_usage: KeyLastUsageData = optional "KeyLastUsage",
        tracking_start_date: Timestamp = optional "TrackingStartDate",
        key_creation_date: Timestamp = optional "KeyCreationDate",
    }
}

impl Operation for GetKeyLastUsage {
    type Service = Kms;
    type Input = GetKeyLastUsageRequest;
    type Output = GetKeyLastUsageResponse;
    type Target = Arc<Key>;

    const FACTS: Facts = Facts {
        name: "GetKeyLastUsage",
        actions: &["kms:GetKeyLastUsage"],
        read_only: true,
        errors: &[
            ErrorCode::NotFoundException,
            ErrorCode::InvalidArnException,
            ErrorCode::DependencyTimeoutException,
            ErrorCode::KMSInternalException,
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
        let last = cx.service.last_use(target).await?;
        let created = target.record.created;
        Ok(GetKeyLastUsageResponse {
            key_id: Some(wire::shapes::KeyId::of(target.id.as_str())),
            key_last_usage: Some(KeyLastUsageData {
                operation: last.map(|last| last.operation),
                timestamp: last.map(|last| last.time),
                cloud_trail_event_id: last.map(|last| CloudTrailEventId::of(last.ids.event())),
                kms_request_id: last.map(|last| KmsRequestId::of(last.ids.request())),
            }),
            tracking_start_date: Some(created.max(cx.service.tracked_since())),
            key_creation_date: Some(created),
        })
    }
}
