//! ListUserPolicies: the names of the inline policies of a user.
//!
//! Errors, in order: those of a page, NoSuchEntityException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ExistingUserName, Marker, MaxItems, PolicyNames, ResponseMarker};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Named;
use crate::inline;
use crate::operations::OPERATION;
use crate::paging::Listing;
use crate::records::UserRecord;

/// ListUserPolicies.
pub(crate) struct ListUserPolicies;

structure! {
    /// Input of ListUserPolicies.
    pub(crate) struct ListUserPoliciesRequest {
        user_name: ExistingUserName = required "UserName",
        marker: Marker = optional "Marker",
        max_items: MaxItems = optional "MaxItems",
    }

    /// Output of ListUserPolicies.
    pub(crate) struct ListUserPoliciesResponse {
        policy_names: PolicyNames = required "PolicyNames",
        is_truncated: bool = optional "IsTruncated",
        marker: ResponseMarker = optional "Marker",
    }
}

impl Operation for ListUserPolicies {
    type Service = Iam;
    type Input = ListUserPoliciesRequest;
    type Output = ListUserPoliciesResponse;
    type Target = Named<UserRecord>;

    const FACTS: Facts = Facts {
        name: "ListUserPolicies",
        actions: &["iam:ListUserPolicies"],
        read_only: true,
        errors: &[ErrorCode::NoSuchEntityException, ErrorCode::ServiceFailureException],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        Named::find(cx, input.user_name.as_str()).await
    }

    async fn run(
        _: &Context<'_, Iam>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let listing = Listing::of(Self::FACTS.name, input.max_items, input.marker.as_ref())?;
        let page = inline::names(target, &listing)?;
        Ok(ListUserPoliciesResponse {
            policy_names: PolicyNames(page.items),
            is_truncated: Some(page.next.is_some()),
            marker: page.next,
        })
    }
}
