//! CreateAccountAlias: gives the account an alias, in place of the one that it has. No two accounts
//! have the same.
//!
//! Errors: EntityAlreadyExistsException, for the account's own alias too.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::AccountAlias;
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Place;
use crate::directory::Change;
use crate::entities::already_exists;
use crate::layout;
use crate::operations::{Nothing, OPERATION};

/// CreateAccountAlias.
pub(crate) struct CreateAccountAlias;

structure! {
    /// Input of CreateAccountAlias.
    pub(crate) struct CreateAccountAliasRequest {
        account_alias: AccountAlias = required "AccountAlias",
    }
}

impl Operation for CreateAccountAlias {
    type Service = Iam;
    type Input = CreateAccountAliasRequest;
    type Output = Nothing;
    type Target = Place;

    const FACTS: Facts = Facts {
        name: "CreateAccountAlias",
        actions: &["iam:CreateAccountAlias"],
        errors: &[
            ErrorCode::ConcurrentModificationException,
            ErrorCode::EntityAlreadyExistsException,
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
        let place = layout::account_alias(alias);
        if directory.stored::<String>(place.clone()).await?.is_some() {
            return Err(already_exists(format!("The account alias {alias} already exists.")));
        }
        let mut account = directory.account(cx.account()).await?;
        let mut change = Change::default();
        if let Some(old) = account.record.alias.replace(alias.to_owned()) {
            change.forget(layout::account_alias(&old));
        }
        change.create(place, &cx.account().as_str())?.account(&account)?.commit(directory).await?;
        Ok(Nothing {})
    }
}
