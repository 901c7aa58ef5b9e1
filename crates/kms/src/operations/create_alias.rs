//! CreateAlias: a name for a key, in the key's account and Region.
//!
//! Errors, in order: ValidationException or NotAuthorizedException (the name), NotFoundException,
//! AccessDeniedException, KMSInvalidStateException (pending deletion), AlreadyExistsException,
//! LimitExceededException.

use std::sync::Arc;

use service::ports::Expect;
use service::{
    Authorized, Context, Error, Facts, NOT_PENDING_DELETION, Operation, Resource, Target,
};
use wire::shapes::AliasName;
use wire::{ErrorCode, structure};

use crate::alias::{alias_resource, owned_name, permit_alias, target_name};
use crate::authorization::permit_all;
use crate::change::replacing;
use crate::key::Key;
use crate::key_id::Aliases;
use crate::lookup::alias_arn;
use crate::operations::{MANAGEMENT, Nothing, name_key};
use crate::records::{AliasRecord, encode};
use crate::{Kms, layout};

/// CreateAlias.
pub(crate) struct CreateAlias;

structure! {
    /// Input of CreateAlias.
    pub(crate) struct CreateAliasRequest {
        alias_name: AliasName = required "AliasName",
        target_key_id: wire::shapes::KeyId = required "TargetKeyId",
    }
}

/// A key that is to get an alias of that name.
pub(crate) struct NewAlias {
    name: String,
    key: Arc<Key>,
}

impl Target<Kms> for NewAlias {
    async fn authorize(&self, facts: &Facts, cx: &Context<'_, Kms>) -> Result<(), Error> {
        permit_alias(cx, facts, &self.name)?;
        permit_all(cx, facts, &self.key).await
    }

    fn check(&self, facts: &Facts, cx: &Context<'_, Kms>) -> Result<(), Error> {
        self.key.suits(facts, cx.now)
    }

    fn resources(&self) -> Vec<Resource> {
        vec![self.key.resource(), alias_resource(&self.key, &self.name)]
    }
}

impl Operation for CreateAlias {
    type Service = Kms;
    type Input = CreateAliasRequest;
    type Output = Nothing;
    type Target = NewAlias;

    const FACTS: Facts = Facts {
        name: "CreateAlias",
        actions: &["kms:CreateAlias"],
        states: NOT_PENDING_DELETION,
        errors: &[
            ErrorCode::DependencyTimeoutException,
            ErrorCode::AlreadyExistsException,
            ErrorCode::NotFoundException,
            ErrorCode::InvalidAliasNameException,
            ErrorCode::KMSInternalException,
            ErrorCode::LimitExceededException,
            ErrorCode::KMSInvalidStateException,
        ],
        ..MANAGEMENT
    };

    async fn resolve(cx: &Context<'_, Kms>, input: &Self::Input) -> Result<Self::Target, Error> {
        owned_name(&input.alias_name)?;
        let target = target_name(&input.target_key_id)?;
        let action = Self::FACTS.actions[0];
        let key = cx.service.key_named(cx, target, Aliases::Refused, action).await?;
        Ok(NewAlias { name: input.alias_name.as_str().to_owned(), key })
    }

    async fn run(
        cx: &Context<'_, Kms>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let target = &target.key;
        let (account, region, id) = (&target.account, &target.region, target.id.as_str());
        let name = input.alias_name.as_str();
        if !cx.service.is_free_alias(account, region, name, cx.now).await? {
            let arn = alias_arn(account, region, name);
            return Err(Error::new(
                ErrorCode::AlreadyExistsException,
                format!("An alias with the name {arn} already exists"),
            ));
        }
        cx.service.room_for_alias(target).await?;
        let record = AliasRecord { target: id.to_owned(), created: cx.now, updated: cx.now };
        let place = layout::alias(account, region, name);
        // The key's record is written again as it is: so each new alias of a key excludes the
        // others, and their number stays what was counted.
        let mut commit = replacing(target, &target.record)?;
        commit.preconditions.push((place.clone(), Expect::Absent));
        commit.puts.push((place, encode(&record)?));
        commit.puts.push((layout::key_alias(account, region, id, name), Vec::new()));
        cx.service.store.commit(commit).await?;
        name_key(cx, target);
        Ok(Nothing {})
    }
}
