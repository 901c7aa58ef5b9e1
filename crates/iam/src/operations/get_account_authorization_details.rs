//! GetAccountAuthorizationDetails: all users, groups, roles and managed policies of the account, in
//! this order, and the policies of AWS's that are in use in it.
//!
//! Errors: those of a page.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{
    EntityType, EntityTypes, GroupDetail, GroupDetails, ManagedPolicyDetail, ManagedPolicyDetails,
    Marker, MaxItems, ResponseMarker, RoleDetail, RoleDetails, UserDetail, UserDetails,
};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Place;
use crate::aws_managed::AWS_MANAGED;
use crate::details::{group_detail, policy_detail, role_detail, user_detail};
use crate::managed::Told;
use crate::operations::OPERATION;
use crate::paging::Listing;
use crate::records::{Entity, PolicyRecord};

/// The parts of the list, in its order.
const PARTS: [EntityType; 5] = [
    EntityType::User,
    EntityType::Group,
    EntityType::Role,
    EntityType::LocalManagedPolicy,
    EntityType::AwsManagedPolicy,
];

/// GetAccountAuthorizationDetails.
pub(crate) struct GetAccountAuthorizationDetails;

structure! {
    /// Input of GetAccountAuthorizationDetails.
    pub(crate) struct GetAccountAuthorizationDetailsRequest {
        filter: EntityTypes = optional "Filter",
        max_items: MaxItems = optional "MaxItems",
        marker: Marker = optional "Marker",
    }

    /// Output of GetAccountAuthorizationDetails.
    pub(crate) struct GetAccountAuthorizationDetailsResponse {
        user_detail_list: UserDetails = optional "UserDetailList",
        group_detail_list: GroupDetails = optional "GroupDetailList",
        role_detail_list: RoleDetails = optional "RoleDetailList",
        policies: ManagedPolicyDetails = optional "Policies",
        is_truncated: bool = optional "IsTruncated",
        marker: ResponseMarker = optional "Marker",
    }
}

impl Operation for GetAccountAuthorizationDetails {
    type Service = Iam;
    type Input = GetAccountAuthorizationDetailsRequest;
    type Output = GetAccountAuthorizationDetailsResponse;
    type Target = Place;

    const FACTS: Facts = Facts {
        name: "GetAccountAuthorizationDetails",
        actions: &["iam:GetAccountAuthorizationDetails"],
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
        let wanted = input.filter.as_ref().map(|types| types.0.as_slice()).unwrap_or_default();
        let (first, mut after) = listing.after.split_once('/').unwrap_or_default();
        // A marker begins with the part that it is in; without one all parts are looked at.
        let parts = PARTS.iter().skip_while(|part| !first.is_empty() && part.as_str() != first);
        let parts = parts.filter(|part| wanted.is_empty() || wanted.contains(part));
        let (mut details, mut left) = (Details::default(), listing.limit);
        let (mut last, mut next) = (String::new(), None);
        for part in parts {
            if left == 0 {
                // Whether there is a next page depends on whether anything is left.
                if Details::default().add(cx, *part, "", 1).await?.last.is_none() {
                    continue;
                }
                next = Some(listing.marker(&last));
                break;
            }
            let from = if part.as_str() == first { std::mem::take(&mut after) } else { "" };
            let added = details.add(cx, *part, from, left).await?;
            left = left.saturating_sub(added.count);
            if let Some(name) = added.last {
                last = format!("{}/{name}", part.as_str());
            }
            if added.more {
                next = Some(listing.marker(&last));
                break;
            }
        }
        Ok(GetAccountAuthorizationDetailsResponse {
            user_detail_list: Some(UserDetails(details.users)),
            group_detail_list: Some(GroupDetails(details.groups)),
            role_detail_list: Some(RoleDetails(details.roles)),
            policies: Some(ManagedPolicyDetails(details.policies)),
            is_truncated: Some(next.is_some()),
            marker: next,
        })
    }
}

/// What a page holds.
#[derive(Default)]
struct Details {
    users: Vec<UserDetail>,
    groups: Vec<GroupDetail>,
    roles: Vec<RoleDetail>,
    policies: Vec<ManagedPolicyDetail>,
}

/// What was added to a page.
struct Added {
    count: usize,
    /// By what the last one is found again; none if nothing was added.
    last: Option<String>,
    /// Whether that part of the list goes on.
    more: bool,
}

impl Added {
    fn of<R: Entity>((records, more): &(Vec<R>, bool)) -> Self {
        let last = records.last().map(|record| record.name().to_lowercase());
        Self { count: records.len(), last, more: *more }
    }
}

impl Details {
    /// Adds up to `limit` items of a part of the list that follow the one of the name `after`.
    async fn add(
        &mut self,
        cx: &Context<'_, Iam>,
        part: EntityType,
        after: &str,
        limit: usize,
    ) -> Result<Added, Error> {
        let (directory, account) = (&cx.service.directory, cx.account());
        match part {
            EntityType::User => {
                let page = directory.entities(account, after, limit).await?;
                for user in &page.0 {
                    self.users.push(user_detail(cx, user).await?);
                }
                Ok(Added::of(&page))
            }
            EntityType::Group => {
                let page = directory.entities(account, after, limit).await?;
                self.groups.extend(page.0.iter().map(|group| group_detail(cx, group)));
                Ok(Added::of(&page))
            }
            EntityType::Role => {
                let page = directory.entities(account, after, limit).await?;
                for role in &page.0 {
                    self.roles.push(role_detail(cx, role).await?);
                }
                Ok(Added::of(&page))
            }
            EntityType::LocalManagedPolicy => {
                let page = directory.entities::<PolicyRecord>(account, after, limit).await?;
                for policy in &page.0 {
                    let usage = directory.usage(account, &policy.id).await?;
                    self.policies.push(policy_detail(cx, Told::Own(policy), &usage));
                }
                Ok(Added::of(&page))
            }
            EntityType::AwsManagedPolicy => self.add_aws(cx, after, limit).await,
        }
    }

    /// The same for the policies of AWS's that are in use.
    async fn add_aws(
        &mut self,
        cx: &Context<'_, Iam>,
        after: &str,
        limit: usize,
    ) -> Result<Added, Error> {
        let mut added = Added { count: 0, last: None, more: false };
        for policy in AWS_MANAGED.iter().filter(|policy| policy.name > after) {
            let usage = cx.service.directory.usage(cx.account(), policy.id).await?;
            if usage.attached + usage.bounding == 0 {
                continue;
            }
            if added.count == limit {
                added.more = true;
                break;
            }
            self.policies.push(policy_detail(cx, Told::Aws(policy), &usage));
            added.count += 1;
            added.last = Some(policy.name.to_owned());
        }
        Ok(added)
    }
}
