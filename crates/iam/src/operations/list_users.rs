//! ListUsers: the users of the account whose paths begin alike, by name.
//!
//! Errors: those of a page.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{Marker, MaxItems, PathPrefix, ResponseMarker, Users};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::{Place, entity_arn};
use crate::entities::user;
use crate::operations::OPERATION;
use crate::paging::Listing;
use crate::records::{Entity as _, UserRecord};

/// ListUsers.
pub(crate) struct ListUsers;

structure! {
    /// Input of ListUsers.
    pub(crate) struct ListUsersRequest {
        path_prefix: PathPrefix = optional "PathPrefix",
        marker: Marker = optional "Marker",
        max_items: MaxItems = optional "MaxItems",
    }

    /// Output of ListUsers.
    pub(crate) struct ListUsersResponse {
        users: Users = required "Users",
        is_truncated: bool = optional "IsTruncated",
        marker: ResponseMarker = optional "Marker",
    }
}

impl Operation for ListUsers {
    type Service = Iam;
    type Input = ListUsersRequest;
    type Output = ListUsersResponse;
    type Target = Place;

    const FACTS: Facts = Facts {
        name: "ListUsers",
        actions: &["iam:ListUsers"],
        read_only: true,
        errors: &[ErrorCode::ServiceFailureException],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        let prefix = input.path_prefix.as_ref().map_or("/", PathPrefix::as_str);
        Ok(Place(entity_arn(cx, UserRecord::KIND, prefix, "")))
    }

    async fn run(
        cx: &Context<'_, Iam>,
        _: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let listing = Listing::of(Self::FACTS.name, input.max_items, input.marker.as_ref())?;
        let prefix = input.path_prefix.as_ref().map_or("/", PathPrefix::as_str);
        let page = listing.entities::<UserRecord>(cx, prefix).await?;
        let (partition, account) = (cx.partition(), cx.account());
        Ok(ListUsersResponse {
            users: Users(page.items.iter().map(|one| user(one, partition, account)).collect()),
            is_truncated: Some(page.next.is_some()),
            marker: page.next,
        })
    }
}
