//! ListAttachedGroupPolicies: the managed policies attached to a group whose paths begin alike.
//!
//! Errors, in order: those of a page, NoSuchEntityException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{AttachedPolicies, GroupName, Marker, MaxItems, PolicyPath, ResponseMarker};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::attachments;
use crate::authorization::Named;
use crate::operations::OPERATION;
use crate::paging::Listing;
use crate::records::GroupRecord;

/// ListAttachedGroupPolicies.
pub(crate) struct ListAttachedGroupPolicies;

structure! {
    /// Input of ListAttachedGroupPolicies.
    pub(crate) struct ListAttachedGroupPoliciesRequest {
        group_name: GroupName = required "GroupName",
        path_prefix: PolicyPath = optional "PathPrefix",
        marker: Marker = optional "Marker",
        max_items: MaxItems = optional "MaxItems",
    }

    /// Output of ListAttachedGroupPolicies.
    pub(crate) struct ListAttachedGroupPoliciesResponse {
        attached_policies: AttachedPolicies = optional "AttachedPolicies",
        is_truncated: bool = optional "IsTruncated",
        marker: ResponseMarker = optional "Marker",
    }
}

impl Operation for ListAttachedGroupPolicies {
    type Service = Iam;
    type Input = ListAttachedGroupPoliciesRequest;
    type Output = ListAttachedGroupPoliciesResponse;
    type Target = Named<GroupRecord>;

    const FACTS: Facts = Facts {
        name: "ListAttachedGroupPolicies",
        actions: &["iam:ListAttachedGroupPolicies"],
        read_only: true,
        errors: &[
            ErrorCode::NoSuchEntityException,
            ErrorCode::InvalidInputException,
            ErrorCode::ServiceFailureException,
        ],
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
        let page = attachments::attached(target, input.path_prefix.as_ref(), &listing)?;
        Ok(ListAttachedGroupPoliciesResponse {
            attached_policies: Some(AttachedPolicies(page.items)),
            is_truncated: Some(page.next.is_some()),
            marker: page.next,
        })
    }
}
