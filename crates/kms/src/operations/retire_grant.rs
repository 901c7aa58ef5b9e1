//! RetireGrant: gives a grant back, as its parties may. The grant says who they are, not the key's
//! policy: the retiring principal, the grantee if RetireGrant is among the operations, and the
//! accounts of the key and of whoever created the grant.
//!
//! Errors, in order: ValidationException (neither a token nor key and grant),
//! InvalidGrantTokenException or InvalidGrantIdException, NotFoundException,
//! AccessDeniedException, DryRunOperationException. It works in every state of the key.

use std::sync::Arc;

use policy::Means;
use service::{Authorized, Context, Error, Facts, Operation, Resource, Target};
use wire::enums::GrantOperation;
use wire::grants::GrantId as GrantIdText;
use wire::shapes::GrantToken;
use wire::{ErrorCode, structure};

use crate::Kms;
use crate::authorization::{grantees, permit_retiring, unreachable_key};
use crate::grants::{Circumstances, Found, GrantId, Principal, Token, absent, account_arn};
use crate::key::{Key, arn};
use crate::key_id::{Aliases, not_found};
use crate::operations::list_grants::grant_id;
use crate::operations::{MANAGEMENT, Nothing};

/// A grant with the key that it is on.
pub(crate) struct GrantOnKey {
    key: Arc<Key>,
    id: GrantId,
    found: Found,
}

const RETIRE: &str = "kms:RetireGrant";

impl Target<Kms> for GrantOnKey {
    async fn authorize(&self, _: &Facts, cx: &Context<'_, Kms>) -> Result<(), Error> {
        let record = &self.found.record;
        let own = *cx.account() == self.key.account || *cx.account() == record.issuer()?;
        let retiring = record.retiring.as_ref().map(Principal::as_str);
        let request = Circumstances::default();
        let retires = record.terms.allow(GrantOperation::RetireGrant, &request);
        let grantee = retires.then(|| record.grantee.as_str());
        let parties = [retiring, grantee];
        // What is given to the account itself is for its policies to pass on.
        let names = grantees(cx).into_iter().filter(|(_, means)| *means > Means::Account);
        let mut names = names.map(|(name, _)| name);
        let party = names.any(|name| parties.contains(&Some(name.as_str())));
        let account = account_arn(cx.account(), cx.region);
        let delegated = own || parties.contains(&Some(account.as_str()));
        permit_retiring(cx, &self.key, RETIRE, party, delegated)
    }

    fn check(&self, facts: &Facts, cx: &Context<'_, Kms>) -> Result<(), Error> {
        self.key.suits(facts, cx.now)
    }

    fn resources(&self) -> Vec<Resource> {
        vec![self.key.resource()]
    }
}

impl GrantOnKey {
    async fn of_token(cx: &Context<'_, Kms>, token: &GrantToken) -> Result<Self, Error> {
        let Token { account, key_id, grant_id: id } = Token::open(cx, token).await?;
        // Who has a token knows of key and grant.
        let key = cx.service.key(&account, cx.region, &key_id, cx.now).await?;
        let key = key.ok_or_else(|| {
            not_found(format!("Key '{}' does not exist", arn(&account, cx.region, &key_id)))
        })?;
        let found = cx.service.grant(&key, &id).await?.ok_or_else(|| absent(&id))?;
        Ok(Self { key, id, found })
    }

    async fn named(
        cx: &Context<'_, Kms>,
        key: &wire::shapes::KeyId,
        id: &GrantIdText,
    ) -> Result<Self, Error> {
        let id = grant_id(id)?;
        let key = cx.service.key_named(cx, key, Aliases::Refused, RETIRE).await?;
        match cx.service.grant(&key, &id).await? {
            Some(found) => Ok(Self { key, id, found }),
            None if key.account == *cx.account() => Err(absent(&id)),
            // Another account's caller doesn't learn that there is such a key.
            None => Err(unreachable_key(cx, RETIRE)),
        }
    }
}

/// RetireGrant.
pub(crate) struct RetireGrant;

structure! {
    /// Input of RetireGrant.
    pub(crate) struct RetireGrantRequest {
        grant_token: GrantToken = optional "GrantToken",
        key_id: wire::shapes::KeyId = optional "KeyId",
        grant_id: GrantIdText = optional "GrantId",
        dry_run: bool = optional "DryRun",
    }
}

impl Operation for RetireGrant {
    type Service = Kms;
    type Input = RetireGrantRequest;
    type Output = Nothing;
    type Target = GrantOnKey;

    /// AWS's records tell of the grant beside the parameters, which may hold its token.
    const PARAMETERS_RECORDED: bool = false;
    const FACTS: Facts = Facts {
        name: "RetireGrant",
        actions: &[RETIRE],
        grantable: true,
        dry_run: true,
        cross_account: true,
        errors: &[
            ErrorCode::InvalidArnException,
            ErrorCode::InvalidGrantTokenException,
            ErrorCode::InvalidGrantIdException,
            ErrorCode::NotFoundException,
            ErrorCode::DependencyTimeoutException,
            ErrorCode::KMSInternalException,
            ErrorCode::KMSInvalidStateException,
            ErrorCode::DryRunOperationException,
        ],
        ..MANAGEMENT
    };

    async fn resolve(cx: &Context<'_, Kms>, input: &Self::Input) -> Result<Self::Target, Error> {
        let grant = match (&input.grant_token, &input.key_id, &input.grant_id) {
            (Some(token), None, None) => GrantOnKey::of_token(cx, token).await?,
            (None, Some(key), Some(id)) => GrantOnKey::named(cx, key, id).await?,
            _ => {
                return Err(Error::validation(
                    "You must specify either a GrantToken, or both a KeyId and a GrantId.",
                ));
            }
        };
        cx.notes().additional("grantId", grant.id.as_str());
        Ok(grant)
    }

    async fn run(
        cx: &Context<'_, Kms>,
        target: &Authorized<Self::Target>,
        _: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let turn = cx.service.turn(&target.key).await?;
        cx.unless_dry_run()?;
        cx.service.remove_grant(&target.key, turn, &target.id, &target.found).await?;
        Ok(Nothing {})
    }
}
