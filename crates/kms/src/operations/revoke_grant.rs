//! RevokeGrant: takes a grant away, as the key's administrators may. Whoever sees it answered meets
//! the grant nowhere any more.
//!
//! Errors, in order: NotFoundException (the key), AccessDeniedException, InvalidGrantIdException,
//! NotFoundException (the grant), DryRunOperationException. It works in every state.

use std::sync::Arc;

use service::{Authorized, Context, Error, Facts, Operation};
use wire::grants::GrantId as GrantIdText;
use wire::{ErrorCode, structure};

use crate::Kms;
use crate::grants::absent;
use crate::key::Key;
use crate::key_id::Aliases;
use crate::operations::list_grants::grant_id;
use crate::operations::{MANAGEMENT, Nothing};

/// RevokeGrant.
pub(crate) struct RevokeGrant;

structure! {
    /// Input of RevokeGrant.
    pub(crate) struct RevokeGrantRequest {
        key_id: wire::shapes::KeyId = required "KeyId",
        grant_id: GrantIdText = required "GrantId",
        dry_run: bool = optional "DryRun",
    }
}

impl Operation for RevokeGrant {
    type Service = Kms;
    type Input = RevokeGrantRequest;
    type Output = Nothing;
    type Target = Arc<Key>;

    const FACTS: Facts = Facts {
        name: "RevokeGrant",
        actions: &["kms:RevokeGrant"],
        dry_run: true,
        cross_account: true,
        errors: &[
            ErrorCode::NotFoundException,
            ErrorCode::DependencyTimeoutException,
            ErrorCode::InvalidArnException,
            ErrorCode::InvalidGrantIdException,
            ErrorCode::KMSInternalException,
            ErrorCode::KMSInvalidStateException,
            ErrorCode::DryRunOperationException,
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
        let id = grant_id(&input.grant_id)?;
        let turn = cx.service.turn(target).await?;
        let found = cx.service.grant(target, &id).await?.ok_or_else(|| absent(&id))?;
        cx.unless_dry_run()?;
        cx.service.remove_grant(target, turn, &id, &found).await?;
        Ok(Nothing {})
    }
}
