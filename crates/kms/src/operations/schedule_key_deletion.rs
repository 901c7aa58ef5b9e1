//! ScheduleKeyDeletion: the key is pending deletion from now on and gone after the window.
//!
//! Errors, in order: NotFoundException, AccessDeniedException, KMSInvalidStateException (pending
//! deletion already), ValidationException (a window that isn't 7 to 30 days).

use std::sync::Arc;

use service::{Authorized, Context, Error, Facts, FilledIn, NOT_PENDING_DELETION, Operation};
use wire::enums::KeyState;
use wire::shapes::PendingWindowInDays;
use wire::{ErrorCode, structure};
use wire::{Integer, Timestamp};

use crate::Kms;
use crate::deletion::WINDOW_DAYS_DEFAULT;
use crate::key::Key;
use crate::key_id::Aliases;
use crate::operations::MANAGEMENT;
use crate::records::WaitingDeletion;

/// ScheduleKeyDeletion.
pub(crate) struct ScheduleKeyDeletion;

/// The windows that the service allows; the model's bounds are wider.
const WINDOW_DAYS: std::ops::RangeInclusive<i32> = 7..=30;

structure! {
    /// Input of ScheduleKeyDeletion.
    pub(crate) struct ScheduleKeyDeletionRequest {
        key_id: wire::shapes::KeyId = required "KeyId",
        pending_window_in_days: PendingWindowInDays = optional "PendingWindowInDays",
    }

    /// Output of ScheduleKeyDeletion.
    pub(crate) struct ScheduleKeyDeletionResponse {
        key_id: wire::shapes::KeyId = optional "KeyId",
        deletion_date: Timestamp = optional "DeletionDate",
        key_state: KeyState = optional "KeyState",
        pending_window_in_days: PendingWindowInDays = optional "PendingWindowInDays",
    }
}

impl Operation for ScheduleKeyDeletion {
    type Service = Kms;
    type Input = ScheduleKeyDeletionRequest;
    type Output = ScheduleKeyDeletionResponse;
    type Target = Arc<Key>;

    const FILLED_IN: &'static [(&'static str, FilledIn)] =
        &[("PendingWindowInDays", FilledIn::Integer(WINDOW_DAYS_DEFAULT))];
    const FACTS: Facts = Facts {
        name: "ScheduleKeyDeletion",
        actions: &["kms:ScheduleKeyDeletion"],
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
        let days = input.pending_window_in_days.map_or(WINDOW_DAYS_DEFAULT, Integer::value);
        if !WINDOW_DAYS.contains(&days) {
            return Err(Error::validation("PendingWindowInDays must be between 7 and 30"));
        }
        let answer = |deletion_date, state| ScheduleKeyDeletionResponse {
            key_id: Some(target.arn_as_key_id()),
            deletion_date,
            key_state: Some(state),
            pending_window_in_days: Some(PendingWindowInDays::of(days)),
        };
        if !target.is_replica() && target.has_replicas(cx.now) {
            let waiting = WaitingDeletion { since: cx.now, days };
            cx.service.replace(target, |record| record.waiting = Some(waiting)).await?;
            return Ok(answer(None, KeyState::PendingReplicaDeletion));
        }
        let at = cx.now.plus_days(i64::from(days));
        cx.service.set_deletion(target, cx.now, Some(at)).await?;
        Ok(answer(Some(at), KeyState::PendingDeletion))
    }
}
