//! DeleteAccountAlias: takes the account's alias from it.
//!
//! Errors: NoSuchEntityException, for another account's alias too.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::AccountAlias;
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::{Place, no_such};
use crate::directory::Change;
use crate::layout;
use crate::operations::{Nothing, OPERATION};

/// DeleteAccountAlias.
pub(crate) struct DeleteAccountAlias;

structure! {
    /// Input of DeleteAccountAlias.
    pub(crate) struct DeleteAccountAliasRequest {
        account_alias: AccountAlias = required "AccountAlias",
    }
}

impl Operation for DeleteAccountAlias {
    type Service = Iam;
    type Input = DeleteAccountAliasRequest;
    type Output = Nothing;
    type Target = Place;

    const FACTS: Facts = Facts {
        name: "DeleteAccountAlias",
        actions: &["iam:DeleteAccountAlias"],
        errors: &[
            ErrorCode::ConcurrentModificationException,
            ErrorCode::NoSuchEntityException,
            ErrorCode::LimitExceededException,
            ErrorCode::ServiceFailureException,
        ],
        ..OPERATION
    };

    async fn resolve(_: &Context<'_, Iam>, _: &Self::Input) -> Result<Self::Target, Error> {
        Ok(Place("*".to_owned()))
    }

    async fn run(
        cx: &Context<'_, Iam>,
        _: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let (directory, alias) = (&cx.service.directory, input.account_alias.as_str());
        let mut account = directory.account(cx.account()).await?;
        if account.record.alias.take().as_deref() != Some(alias) {
            return Err(no_such("account alias", alias));
        }
        let mut change = Change::default();
        change.forget(layout::account_alias(alias)).account(&account)?.commit(directory).await?;
        Ok(Nothing {})
    }
}
