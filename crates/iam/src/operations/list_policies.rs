//! ListPolicies: the managed policies that the account can attach, its own and AWS's, without their
//! descriptions and tags.
//!
//! Errors: those of a page.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{Marker, MaxItems, Policies, PolicyPath, PolicyScope, PolicyUsage, ResponseMarker};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::{Place, entity_arn};
use crate::managed_lists::{Wanted, policies};
use crate::operations::OPERATION;
use crate::paging::Listing;
use crate::records::{Entity as _, PolicyRecord};

/// ListPolicies.
pub(crate) struct ListPolicies;

structure! {
    /// Input of ListPolicies.
    pub(crate) struct ListPoliciesRequest {
        scope: PolicyScope = optional "Scope",
        only_attached: bool = optional "OnlyAttached",
        path_prefix: PolicyPath = optional "PathPrefix",
        policy_usage_filter: PolicyUsage = optional "PolicyUsageFilter",
        marker: Marker = optional "Marker",
        max_items: MaxItems = optional "MaxItems",
    }

    /// Output of ListPolicies.
    pub(crate) struct ListPoliciesResponse {
        policies: Policies = optional "Policies",
        is_truncated: bool = optional "IsTruncated",
        marker: ResponseMarker = optional "Marker",
    }
}

impl Operation for ListPolicies {
    type Service = Iam;
    type Input = ListPoliciesRequest;
    type Output = ListPoliciesResponse;
    type Target = Place;

    const FACTS: Facts = Facts {
        name: "ListPolicies",
        actions: &["iam:ListPolicies"],
        read_only: true,
        errors: &[ErrorCode::ServiceFailureException],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        let prefix = input.path_prefix.as_ref().map_or("/", PolicyPath::as_str);
        Ok(Place(entity_arn(cx, PolicyRecord::KIND, prefix, "")))
    }

    async fn run(
        cx: &Context<'_, Iam>,
        _: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let listing = Listing::of(Self::FACTS.name, input.max_items, input.marker.as_ref())?;
        let wanted = Wanted {
            scope: input.scope.unwrap_or(PolicyScope::All),
            only_attached: input.only_attached == Some(true),
            prefix: input.path_prefix.as_ref().map_or("/", PolicyPath::as_str),
            usage: input.policy_usage_filter,
        };
        let page = policies(cx, &wanted, &listing).await?;
        Ok(ListPoliciesResponse {
            policies: Some(Policies(page.items)),
            is_truncated: Some(page.next.is_some()),
            marker: page.next,
        })
    }
}
