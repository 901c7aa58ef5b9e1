//! ListRolePolicies: the names of the inline policies of a role.
//!
//! Errors, in order: those of a page, NoSuchEntityException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{Marker, MaxItems, PolicyNames, ResponseMarker, RoleName};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Named;
use crate::inline;
use crate::operations::OPERATION;
use crate::paging::Listing;
use crate::records::RoleRecord;

/// ListRolePolicies.
pub(crate) struct ListRolePolicies;

structure! {
    /// Input of ListRolePolicies.
    pub(crate) struct ListRolePoliciesRequest {
        role_name: RoleName = required "RoleName",
        marker: Marker = optional "Marker",
        max_items: MaxItems = optional "MaxItems",
    }

    /// Output of ListRolePolicies.
    pub(crate) struct ListRolePoliciesResponse {
        policy_names: PolicyNames = required "PolicyNames",
        is_truncated: bool = optional "IsTruncated",
        marker: ResponseMarker = optional "Marker",
    }
}

impl Operation for ListRolePolicies {
    type Service = Iam;
    type Input = ListRolePoliciesRequest;
    type Output = ListRolePoliciesResponse;
    type Target = Named<RoleRecord>;

    const FACTS: Facts = Facts {
        name: "ListRolePolicies",
        actions: &["iam:ListRolePolicies"],
        read_only: true,
        errors: &[ErrorCode::NoSuchEntityException, ErrorCode::ServiceFailureException],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        Named::find(cx, input.role_name.as_str()).await
    }

    async fn run(
        _: &Context<'_, Iam>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let listing = Listing::of(Self::FACTS.name, input.max_items, input.marker.as_ref())?;
        let page = inline::names(target, &listing)?;
        Ok(ListRolePoliciesResponse {
            policy_names: PolicyNames(page.items),
            is_truncated: Some(page.next.is_some()),
            marker: page.next,
        })
    }
}
