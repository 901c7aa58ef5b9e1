//! ListAccessKeys: the access keys of a user, the oldest first; of the caller if none is named.
//!
//! Errors: NoSuchEntityException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{
    AccessKeyId, AccessKeyMetadata, AccessKeyMetadataList, ExistingUserName, Marker, MaxItems,
    ResponseMarker,
};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::UserOrCaller;
use crate::key_holder::{KeyHolder, status};
use crate::layout;
use crate::operations::OPERATION;
use crate::paging::Listing;
use crate::records::AccessKeyRecord;

/// ListAccessKeys.
pub(crate) struct ListAccessKeys;

structure! {
    /// Input of ListAccessKeys.
    pub(crate) struct ListAccessKeysRequest {
        user_name: ExistingUserName = optional "UserName",
        marker: Marker = optional "Marker",
        max_items: MaxItems = optional "MaxItems",
    }

    /// Output of ListAccessKeys.
    pub(crate) struct ListAccessKeysResponse {
        access_key_metadata: AccessKeyMetadataList = required "AccessKeyMetadata",
        is_truncated: bool = optional "IsTruncated",
        marker: ResponseMarker = optional "Marker",
    }
}

impl Operation for ListAccessKeys {
    type Service = Iam;
    type Input = ListAccessKeysRequest;
    type Output = ListAccessKeysResponse;
    type Target = UserOrCaller;

    const FACTS: Facts = Facts {
        name: "ListAccessKeys",
        actions: &["iam:ListAccessKeys"],
        read_only: true,
        errors: &[ErrorCode::NoSuchEntityException, ErrorCode::ServiceFailureException],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        UserOrCaller::find(cx, input.user_name.as_ref()).await
    }

    async fn run(
        cx: &Context<'_, Iam>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let listing = Listing::of(Self::FACTS.name, input.max_items, input.marker.as_ref())?;
        let holder = KeyHolder::of(cx, target).await?;
        let mut keys = Vec::new();
        for id in holder.access_keys() {
            let place = layout::access_key(id);
            // One that was deleted since the holder was read is not listed.
            if let Some(stored) = cx.service.directory.stored::<AccessKeyRecord>(place).await? {
                keys.push((id, stored.record));
            }
        }
        let place = |(id, record): &(&String, AccessKeyRecord)| {
            format!("{:020}{id}", record.created.millis())
        };
        keys.sort_by_key(place);
        let page = listing.part(keys, place);
        let metadata = page.items.into_iter().map(|(id, record)| AccessKeyMetadata {
            user_name: Some(holder.name()),
            access_key_id: Some(AccessKeyId::of(id)),
            status: Some(status(&record)),
            create_date: Some(record.created),
        });
        Ok(ListAccessKeysResponse {
            access_key_metadata: AccessKeyMetadataList(metadata.collect()),
            is_truncated: Some(page.next.is_some()),
            marker: page.next,
        })
    }
}
