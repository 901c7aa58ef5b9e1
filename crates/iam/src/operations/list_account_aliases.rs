//! ListAccountAliases: the account's alias, if it has one.
//!
//! Errors: those of a page.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{AccountAlias, AccountAliases, Marker, MaxItems, ResponseMarker};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Place;
use crate::operations::OPERATION;
use crate::paging::Listing;

/// ListAccountAliases.
pub(crate) struct ListAccountAliases;

structure! {
    /// Input of ListAccountAliases.
    pub(crate) struct ListAccountAliasesRequest {
        marker: Marker = optional "Marker",
        max_items: MaxItems = optional "MaxItems",
    }

    /// Output of ListAccountAliases.
    pub(crate) struct ListAccountAliasesResponse {
        account_aliases: AccountAliases = required "AccountAliases",
        is_truncated: bool = optional "IsTruncated",
        marker: ResponseMarker = optional "Marker",
    }
}

impl Operation for ListAccountAliases {
    type Service = Iam;
    type Input = ListAccountAliasesRequest;
    type Output = ListAccountAliasesResponse;
    type Target = Place;

    const FACTS: Facts = Facts {
        name: "ListAccountAliases",
        actions: &["iam:ListAccountAliases"],
        read_only: true,
        errors: &[ErrorCode::ServiceFailureException],
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
        let listing = Listing::of(Self::FACTS.name, input.max_items, input.marker.as_ref())?;
        let account = cx.service.directory.account(cx.account()).await?;
        let page = listing.part(account.record.alias.into_iter().collect(), String::clone);
        Ok(ListAccountAliasesResponse {
            account_aliases: AccountAliases(page.items.iter().map(AccountAlias::of).collect()),
            is_truncated: Some(page.next.is_some()),
            marker: page.next,
        })
    }
}
