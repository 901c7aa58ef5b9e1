//! ListKeys: the keys of the caller's account in this Region.
//!
//! Errors, in order: AccessDeniedException, ValidationException (limit), InvalidMarkerException.
//! Keys that other accounts share through RAM are none, as nothing is shared here.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::enums::ResourceOwnerType;
use wire::shapes::{ArnText, KeyListEntry, Keys, Limit, Marker, ResourceOwners};
use wire::{ErrorCode, structure};

use crate::Kms;
use crate::key::{Account, arn};
use crate::key_id::KeyId;
use crate::layout;
use crate::operations::MANAGEMENT;
use crate::paging::{self, PageSizes};
use crate::records::{Existence, decode};

/// ListKeys.
pub(crate) struct ListKeys;

const PAGE: PageSizes = PageSizes { max: 1000, default: 100 };

structure! {
    /// Input of ListKeys.
    pub(crate) struct ListKeysRequest {
        limit: Limit = optional "Limit",
        marker: Marker = optional "Marker",
        resource_owners: ResourceOwners = optional "ResourceOwners",
    }

    /// Output of ListKeys.
    pub(crate) struct ListKeysResponse {
        keys: Keys = optional "Keys",
        next_marker: Marker = optional "NextMarker",
        truncated: bool = optional "Truncated",
    }
}

impl Operation for ListKeys {
    type Service = Kms;
    type Input = ListKeysRequest;
    type Output = ListKeysResponse;
    type Target = Account;

    const FACTS: Facts = Facts {
        name: "ListKeys",
        actions: &["kms:ListKeys"],
        states: &[],
        read_only: true,
        errors: &[
            ErrorCode::DependencyTimeoutException,
            ErrorCode::KMSInternalException,
            ErrorCode::InvalidMarkerException,
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
        let owners = input.resource_owners.as_ref();
        if owners.is_some_and(|owners| !owners.0.contains(&ResourceOwnerType::Own)) {
            return Ok(ListKeysResponse {
                keys: Some(Keys(Vec::new())),
                next_marker: None,
                truncated: Some(false),
            });
        }
        let (account, region) = (cx.account(), cx.region);
        let prefix = layout::keys(account, region);
        let after = match page.after.as_str() {
            "" => String::new(),
            id => layout::key(account, region, id),
        };
        let found = cx.service.store.range(&prefix, &after, page.limit).await?;
        let mut keys = Vec::with_capacity(found.items.len());
        let mut last = None;
        for item in &found.items {
            let Some(id) = item.key.strip_prefix(&prefix).and_then(KeyId::parse) else {
                return Err(Error::internal("an unreadable key id in the store"));
            };
            if decode::<Existence>(&item.value)?.exists(cx.now) {
                keys.push(KeyListEntry {
                    key_id: Some(wire::shapes::KeyId::of(id.as_str())),
                    key_arn: Some(ArnText::of(arn(account, region, &id))),
                });
            }
            last = Some(id);
        }
        let last = last.filter(|_| found.more);
        Ok(ListKeysResponse {
            keys: Some(Keys(keys)),
            truncated: Some(last.is_some()),
            next_marker: last.map(|id| paging::marker(Self::FACTS.name, id.as_str())),
        })
    }
}
