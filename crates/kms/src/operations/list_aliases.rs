//! ListAliases: the aliases of the caller's account in this Region, or those of one key.
//!
//! Errors, in order: NotFoundException (the key), AccessDeniedException, ValidationException
//! (limit), InvalidMarkerException. A key of another account has no aliases here.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::shapes::{AliasListEntry, AliasName, Aliases as AliasList, ArnText, Limit, Marker};
use wire::{ErrorCode, structure};

use crate::Kms;
use crate::authorization::unreachable_key;
use crate::key::Account;
use crate::key_id::{Aliases, KeyId};
use crate::layout;
use crate::lookup::alias_arn;
use crate::operations::MANAGEMENT;
use crate::paging::{self, PageSizes};
use crate::records::{AliasRecord, decode};

/// ListAliases.
pub(crate) struct ListAliases;

const PAGE: PageSizes = PageSizes { max: 100, default: 50 };

structure! {
    /// Input of ListAliases.
    pub(crate) struct ListAliasesRequest {
        key_id: wire::shapes::KeyId = optional "KeyId",
        limit: Limit = optional "Limit",
        marker: Marker = optional "Marker",
    }

    /// Output of ListAliases.
    pub(crate) struct ListAliasesResponse {
        aliases: AliasList = optional "Aliases",
        next_marker: Marker = optional "NextMarker",
        truncated: bool = optional "Truncated",
    }
}

impl Operation for ListAliases {
    type Service = Kms;
    type Input = ListAliasesRequest;
    type Output = ListAliasesResponse;
    type Target = Account;

    const FACTS: Facts = Facts {
        name: "ListAliases",
        actions: &["kms:ListAliases"],
        states: &[],
        read_only: true,
        errors: &[
            ErrorCode::DependencyTimeoutException,
            ErrorCode::InvalidMarkerException,
            ErrorCode::KMSInternalException,
            ErrorCode::InvalidArnException,
            ErrorCode::NotFoundException,
        ],
        ..MANAGEMENT
    };

    async fn resolve(_: &Context<'_, Kms>, _: &Self::Input) -> Result<Self::Target, Error> {
        Ok(Account)
    }

    async fn run(
        cx: &Context<'_, Kms>,
        _: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let page = PAGE.request(Self::FACTS.name, input.limit, input.marker.as_ref())?;
        let (account, region) = (cx.account(), cx.region);
        // Either list holds the names in the same order, so one marker serves both.
        let prefix = match &input.key_id {
            None => layout::aliases(account, region),
            Some(name) => {
                let action = Self::FACTS.actions[0];
                let key = cx.service.key_named(cx, name, Aliases::Refused, action).await?;
                // Whether another account has such a key is not to be learnt here.
                if key.account != *account {
                    return Err(unreachable_key(cx, action));
                }
                layout::key_aliases(account, region, key.id.as_str())
            }
        };
        let after =
            if page.after.is_empty() { String::new() } else { format!("{prefix}{}", page.after) };
        let found = cx.service.store.range(&prefix, &after, page.limit).await?;
        let mut aliases = Vec::with_capacity(found.items.len());
        let mut last = None;
        for item in &found.items {
            let Some(name) = item.key.strip_prefix(&prefix) else { continue };
            // The entries of one key's aliases are empty; the others are the aliases' records.
            let record = if input.key_id.is_none() {
                Some(decode(&item.value)?)
            } else {
                let alias = cx.service.alias(account, region, name).await?;
                alias.map(|alias| alias.record.clone())
            };
            if let Some(record) = record {
                aliases.extend(entry(cx, name, &record).await?);
            }
            last = Some(name);
        }
        let last = last.filter(|_| found.more);
        Ok(ListAliasesResponse {
            aliases: Some(AliasList(aliases)),
            truncated: Some(last.is_some()),
            next_marker: last.map(|name| paging::marker(Self::FACTS.name, name)),
        })
    }
}

/// What the list tells of one alias; nothing of one whose key is gone.
async fn entry(
    cx: &Context<'_, Kms>,
    name: &str,
    alias: &AliasRecord,
) -> Result<Option<AliasListEntry>, Error> {
    let (account, region) = (cx.account(), cx.region);
    let Some(id) = KeyId::parse(&alias.target) else { return Ok(None) };
    if !cx.service.has_key(account, region, &id, cx.now).await? {
        return Ok(None);
    }
    Ok(Some(AliasListEntry {
        alias_name: Some(AliasName::of(name)),
        alias_arn: Some(ArnText::of(alias_arn(account, region, name))),
        target_key_id: Some(wire::shapes::KeyId::of(id.as_str())),
        creation_date: Some(alias.created),
        last_updated_date: Some(alias.updated),
    }))
}
