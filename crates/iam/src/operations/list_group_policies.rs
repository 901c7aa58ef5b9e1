//! ListGroupPolicies: the names of the inline policies of a group.
//!
//! Errors, in order: those of a page, NoSuchEntityException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{GroupName, Marker, MaxItems, PolicyNames, ResponseMarker};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Named;
use crate::inline;
use crate::operations::OPERATION;
use crate::paging::Listing;
use crate::records::GroupRecord;

/// ListGroupPolicies.
pub(crate) struct ListGroupPolicies;

structure! {
    /// Input of ListGroupPolicies.
    pub(crate) struct ListGroupPoliciesRequest {
        group_name: GroupName = required "GroupName",
        marker: Marker = optional "Marker",
        max_items: MaxItems = optional "MaxItems",
    }

    /// Output of ListGroupPolicies.
    pub(crate) struct ListGroupPoliciesResponse {
        policy_names: PolicyNames = required "PolicyNames",
        is_truncated: bool = optional "IsTruncated",
        marker: ResponseMarker = optional "Marker",
    }
}

impl Operation for ListGroupPolicies {
    type Service = Iam;
    type Input = ListGroupPoliciesRequest;
    type Output = ListGroupPoliciesResponse;
    type Target = Named<GroupRecord>;

    const FACTS: Facts = Facts {
        name: "ListGroupPolicies",
        actions: &["iam:ListGroupPolicies"],
        read_only: true,
        errors: &[ErrorCode::NoSuchEntityException, ErrorCode::ServiceFailureException],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        Named::find(cx, input.group_name.as_str()).await
    }

    async fn run(
        _: &Context<'_, Iam>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let listing = Listing::of(Self::FACTS.name, input.max_items, input.marker.as_ref())?;
        let page = inline::names(target, &listing)?;
        Ok(ListGroupPoliciesResponse {
            policy_names: PolicyNames(page.items),
            is_truncated: Some(page.next.is_some()),
            marker: page.next,
        })
    }
}
