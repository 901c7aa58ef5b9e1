//! UpdateAlias: a name stands for another key from now on.
//!
//! Errors, in order: ValidationException or NotAuthorizedException (the name), NotFoundException
//! (alias, key), AccessDeniedException (old key, new key), KMSInvalidStateException (the new key is
//! pending deletion; the old one may be), ValidationException (keys of different kinds),
//! LimitExceededException.

use std::sync::Arc;

use service::ports::Expect;
use service::{
    Authorized, Context, Error, Facts, NOT_PENDING_DELETION, Operation, Resource, Target,
};
use wire::shapes::AliasName;
use wire::{ErrorCode, structure};

use crate::alias::{AliasTarget, alias_resource, owned_name, permit_alias, target_name};
use crate::authorization::permit_all;
use crate::change::replacing;
use crate::key::Key;
use crate::key_id::Aliases;
use crate::operations::{MANAGEMENT, Nothing, name_key};
use crate::records::{AliasRecord, encode};
use crate::{Kms, layout};

/// An alias with the key that it stands for and the one that it shall stand for.
pub(crate) struct Move {
    from: AliasTarget,
    to: Arc<Key>,
}

impl Target<Kms> for Move {
    async fn authorize(&self, facts: &Facts, cx: &Context<'_, Kms>) -> Result<(), Error> {
        permit_alias(cx, facts, &self.from.name)?;
        for key in [&self.from.key, &self.to] {
            permit_all(cx, facts, key).await?;
        }
        Ok(())
    }

    fn check(&self, facts: &Facts, cx: &Context<'_, Kms>) -> Result<(), Error> {
        self.to.suits(facts, cx.now)
    }

    fn resources(&self) -> Vec<Resource> {
        let alias = alias_resource(&self.from.key, &self.from.name);
        let mut resources = vec![alias, self.to.resource()];
        if self.from.key.arn != self.to.arn {
            resources.push(self.from.key.resource());
        }
        resources
    }
}

/// UpdateAlias.
pub(crate) struct UpdateAlias;

structure! {
    /// Input of UpdateAlias.
    pub(crate) struct UpdateAliasRequest {
        alias_name: AliasName = required "AliasName",
        target_key_id: wire::shapes::KeyId = required "TargetKeyId",
    }
}

impl Operation for UpdateAlias {
    type Service = Kms;
    type Input = UpdateAliasRequest;
    type Output = Nothing;
    type Target = Move;

    const FACTS: Facts = Facts {
        name: "UpdateAlias",
        actions: &["kms:UpdateAlias"],
        states: NOT_PENDING_DELETION,
        errors: &[
            ErrorCode::DependencyTimeoutException,
            ErrorCode::NotFoundException,
            ErrorCode::KMSInternalException,
            ErrorCode::LimitExceededException,
            ErrorCode::KMSInvalidStateException,
        ],
        ..MANAGEMENT
    };

    async fn resolve(cx: &Context<'_, Kms>, input: &Self::Input) -> Result<Self::Target, Error> {
        owned_name(&input.alias_name)?;
        let to = target_name(&input.target_key_id)?;
        let from = AliasTarget::resolve(cx, &input.alias_name).await?;
        let to = cx.service.key_named(cx, to, Aliases::Refused, Self::FACTS.actions[0]).await?;
        Ok(Move { from, to })
    }

    async fn run(
        cx: &Context<'_, Kms>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let (old, new, name) = (&target.from.key, &target.to, input.alias_name.as_str());
        if (old.record.spec, old.record.usage) != (new.record.spec, new.record.usage) {
            return Err(Error::validation(
                "The current and the new KMS key of an alias must be of the same type and have \
                 the same key usage",
            ));
        }
        let (account, region) = (&new.account, &new.region);
        let record = AliasRecord {
            target: new.id.as_str().to_owned(),
            updated: cx.now,
            ..target.from.alias.record.clone()
        };
        let place = layout::alias(account, region, name);
        let mut commit = replacing(new, &new.record)?;
        commit.preconditions.push((place.clone(), Expect::At(target.from.alias.revision)));
        commit.puts.push((place, encode(&record)?));
        if old.id != new.id {
            cx.service.room_for_alias(new).await?;
            commit.deletes.push(layout::key_alias(account, region, old.id.as_str(), name));
            let entry = layout::key_alias(account, region, new.id.as_str(), name);
            commit.puts.push((entry, Vec::new()));
        }
        cx.service.store.commit(commit).await?;
        name_key(cx, new);
        Ok(Nothing {})
    }
}
