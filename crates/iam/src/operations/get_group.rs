//! GetGroup: tells of a group and of its members, by name.
//!
//! Errors: NoSuchEntityException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{Group, GroupName, Marker, MaxItems, ResponseMarker, Users};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Named;
use crate::entities::{group, user};
use crate::membership::member_page;
use crate::operations::OPERATION;
use crate::paging::Listing;
use crate::records::GroupRecord;

/// GetGroup.
pub(crate) struct GetGroup;

structure! {
    /// Input of GetGroup.
    pub(crate) struct GetGroupRequest {
        group_name: GroupName = required "GroupName",
        marker: Marker = optional "Marker",
        max_items: MaxItems = optional "MaxItems",
    }

    /// Output of GetGroup.
    pub(crate) struct GetGroupResponse {
        group: Group = required "Group",
        users: Users = required "Users",
        is_truncated: bool = optional "IsTruncated",
        marker: ResponseMarker = optional "Marker",
    }
}

impl Operation for GetGroup {
    type Service = Iam;
    type Input = GetGroupRequest;
    type Output = GetGroupResponse;
    type Target = Named<GroupRecord>;

    const FACTS: Facts = Facts {
        name: "GetGroup",
        actions: &["iam:GetGroup"],
        read_only: true,
        errors: &[ErrorCode::NoSuchEntityException, ErrorCode::ServiceFailureException],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        Named::find(cx, input.group_name.as_str()).await
    }

    async fn run(
        cx: &Context<'_, Iam>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let listing = Listing::of(Self::FACTS.name, input.max_items, input.marker.as_ref())?;
        let record = &target.existing()?.record;
        let page = member_page(cx, &listing, record).await?;
        let (partition, account) = (cx.partition(), cx.account());
        Ok(GetGroupResponse {
            group: group(record, partition, account),
            users: Users(page.items.iter().map(|one| user(one, partition, account)).collect()),
            is_truncated: Some(page.next.is_some()),
            marker: page.next,
        })
    }
}
