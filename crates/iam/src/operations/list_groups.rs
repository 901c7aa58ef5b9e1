//! ListGroups: the groups of the account whose paths begin alike, by name.
//!
//! Errors: those of a page.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{Groups, Marker, MaxItems, PathPrefix, ResponseMarker};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::{Place, entity_arn};
use crate::entities::group;
use crate::operations::OPERATION;
use crate::paging::Listing;
use crate::records::{Entity as _, GroupRecord};

/// ListGroups.
pub(crate) struct ListGroups;

structure! {
    /// Input of ListGroups.
    pub(crate) struct ListGroupsRequest {
        path_prefix: PathPrefix = optional "PathPrefix",
        marker: Marker = optional "Marker",
        max_items: MaxItems = optional "MaxItems",
    }

    /// Output of ListGroups.
    pub(crate) struct ListGroupsResponse {
        groups: Groups = required "Groups",
        is_truncated: bool = optional "IsTruncated",
        marker: ResponseMarker = optional "Marker",
    }
}

impl Operation for ListGroups {
    type Service = Iam;
    type Input = ListGroupsRequest;
    type Output = ListGroupsResponse;
    type Target = Place;

    const FACTS: Facts = Facts {
        name: "ListGroups",
        actions: &["iam:ListGroups"],
        read_only: true,
        errors: &[ErrorCode::ServiceFailureException],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        let prefix = input.path_prefix.as_ref().map_or("/", PathPrefix::as_str);
        Ok(Place(entity_arn(cx, GroupRecord::KIND, prefix, "")))
    }

    async fn run(
        cx: &Context<'_, Iam>,
        _: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let listing = Listing::of(Self::FACTS.name, input.max_items, input.marker.as_ref())?;
        let prefix = input.path_prefix.as_ref().map_or("/", PathPrefix::as_str);
        let page = listing.entities::<GroupRecord>(cx, prefix).await?;
        let (partition, account) = (cx.partition(), cx.account());
        Ok(ListGroupsResponse {
            groups: Groups(page.items.iter().map(|one| group(one, partition, account)).collect()),
            is_truncated: Some(page.next.is_some()),
            marker: page.next,
        })
    }
}
