//! ListGroupsForUser: the groups that a user is in, by name.
//!
//! Errors: NoSuchEntityException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ExistingUserName, Groups, Marker, MaxItems, ResponseMarker};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Named;
use crate::entities::group;
use crate::membership::groups_of;
use crate::operations::OPERATION;
use crate::paging::Listing;
use crate::records::UserRecord;

/// ListGroupsForUser.
pub(crate) struct ListGroupsForUser;

structure! {
    /// Input of ListGroupsForUser.
    pub(crate) struct ListGroupsForUserRequest {
        user_name: ExistingUserName = required "UserName",
        marker: Marker = optional "Marker",
        max_items: MaxItems = optional "MaxItems",
    }

    /// Output of ListGroupsForUser.
    pub(crate) struct ListGroupsForUserResponse {
        groups: Groups = required "Groups",
        is_truncated: bool = optional "IsTruncated",
        marker: ResponseMarker = optional "Marker",
    }
}

impl Operation for ListGroupsForUser {
    type Service = Iam;
    type Input = ListGroupsForUserRequest;
    type Output = ListGroupsForUserResponse;
    type Target = Named<UserRecord>;

    const FACTS: Facts = Facts {
        name: "ListGroupsForUser",
        actions: &["iam:ListGroupsForUser"],
        read_only: true,
        errors: &[ErrorCode::NoSuchEntityException, ErrorCode::ServiceFailureException],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        Named::find(cx, input.user_name.as_str()).await
    }

    async fn run(
        cx: &Context<'_, Iam>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let listing = Listing::of(Self::FACTS.name, input.max_items, input.marker.as_ref())?;
        let groups = groups_of(cx, &target.existing()?.record).await?;
        let page = listing.part(groups, |group| group.name.to_lowercase());
        let (partition, account) = (cx.partition(), cx.account());
        Ok(ListGroupsForUserResponse {
            groups: Groups(page.items.iter().map(|one| group(one, partition, account)).collect()),
            is_truncated: Some(page.next.is_some()),
            marker: page.next,
        })
    }
}
