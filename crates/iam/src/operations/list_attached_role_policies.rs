//! ListAttachedRolePolicies: the managed policies attached to a role whose paths begin alike.
//!
//! Errors, in order: those of a page, NoSuchEntityException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{AttachedPolicies, Marker, MaxItems, PolicyPath, ResponseMarker, RoleName};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::attachments;
use crate::authorization::Named;
use crate::operations::OPERATION;
use crate::paging::Listing;
use crate::records::RoleRecord;

/// ListAttachedRolePolicies.
pub(crate) struct ListAttachedRolePolicies;

structure! {
    /// Input of ListAttachedRolePolicies.
    pub(crate) struct ListAttachedRolePoliciesRequest {
        role_name: RoleName = required "RoleName",
        path_prefix: PolicyPath = optional "PathPrefix",
        marker: Marker = optional "Marker",
        max_items: MaxItems = optional "MaxItems",
    }

    /// Output of ListAttachedRolePolicies.
    pub(crate) struct ListAttachedRolePoliciesResponse {
        attached_policies: AttachedPolicies = optional "AttachedPolicies",
        is_truncated: bool = optional "IsTruncated",
        marker: ResponseMarker = optional "Marker",
    }
}

impl Operation for ListAttachedRolePolicies {
    type Service = Iam;
    type Input = ListAttachedRolePoliciesRequest;
    type Output = ListAttachedRolePoliciesResponse;
    type Target = Named<RoleRecord>;

    const FACTS: Facts = Facts {
        name: "ListAttachedRolePolicies",
        actions: &["iam:ListAttachedRolePolicies"],
        read_only: true,
        errors: &[
            ErrorCode::NoSuchEntityException,
            ErrorCode::InvalidInputException,
            ErrorCode::ServiceFailureException,
        ],
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
        let page = attachments::attached(target, input.path_prefix.as_ref(), &listing)?;
        Ok(ListAttachedRolePoliciesResponse {
            attached_policies: Some(AttachedPolicies(page.items)),
            is_truncated: Some(page.next.is_some()),
            marker: page.next,
        })
    }
}
