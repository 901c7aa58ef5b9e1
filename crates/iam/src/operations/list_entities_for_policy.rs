//! ListEntitiesForPolicy: the groups, roles and users that a managed policy is attached to, or the
//! boundary of.
//!
//! Errors, in order: InvalidInputException, those of a page, NoSuchEntityException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{
    ArnText, EntityPath, EntityType, Marker, MaxItems, PolicyGroups, PolicyRoles, PolicyUsage,
    PolicyUsers, ResponseMarker,
};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::managed::PolicyOfArn;
use crate::managed_lists::{WantedEntities, holders};
use crate::operations::OPERATION;
use crate::paging::Listing;

/// ListEntitiesForPolicy.
pub(crate) struct ListEntitiesForPolicy;

structure! {
    /// Input of ListEntitiesForPolicy.
    pub(crate) struct ListEntitiesForPolicyRequest {
        policy_arn: ArnText = required "PolicyArn",
        entity_filter: EntityType = optional "EntityFilter",
        path_prefix: EntityPath = optional "PathPrefix",
        policy_usage_filter: PolicyUsage = optional "PolicyUsageFilter",
        marker: Marker = optional "Marker",
        max_items: MaxItems = optional "MaxItems",
    }

    /// Output of ListEntitiesForPolicy.
    pub(crate) struct ListEntitiesForPolicyResponse {
        policy_groups: PolicyGroups = optional "PolicyGroups",
        policy_users: PolicyUsers = optional "PolicyUsers",
        policy_roles: PolicyRoles = optional "PolicyRoles",
        is_truncated: bool = optional "IsTruncated",
        marker: ResponseMarker = optional "Marker",
    }
}

impl Operation for ListEntitiesForPolicy {
    type Service = Iam;
    type Input = ListEntitiesForPolicyRequest;
    type Output = ListEntitiesForPolicyResponse;
    type Target = PolicyOfArn;

    const FACTS: Facts = Facts {
        name: "ListEntitiesForPolicy",
        actions: &["iam:ListEntitiesForPolicy"],
        read_only: true,
        errors: &[
            ErrorCode::NoSuchEntityException,
            ErrorCode::InvalidInputException,
            ErrorCode::ServiceFailureException,
        ],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        PolicyOfArn::find(cx, &input.policy_arn).await
    }

    async fn run(
        cx: &Context<'_, Iam>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let listing = Listing::of(Self::FACTS.name, input.max_items, input.marker.as_ref())?;
        let wanted = WantedEntities {
            kind: input.entity_filter,
            prefix: input.path_prefix.as_ref().map_or("/", EntityPath::as_str),
            usage: input.policy_usage_filter,
        };
        let page = holders(cx, target.existing()?, &wanted, &listing).await?;
        Ok(ListEntitiesForPolicyResponse {
            policy_groups: Some(PolicyGroups(page.groups)),
            policy_users: Some(PolicyUsers(page.users)),
            policy_roles: Some(PolicyRoles(page.roles)),
            is_truncated: Some(page.next.is_some()),
            marker: page.next,
        })
    }
}
