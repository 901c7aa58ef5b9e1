//! ListRoleTags: the tags of a role, by key.
//!
//! Errors, in order: NoSuchEntityException, those of a page.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{Marker, MaxItems, ResponseMarker, RoleName, Tags};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Named;
use crate::operations::OPERATION;
use crate::records::RoleRecord;
use crate::tagging::tags_page;

/// ListRoleTags.
pub(crate) struct ListRoleTags;

structure! {
    /// Input of ListRoleTags.
    pub(crate) struct ListRoleTagsRequest {
        role_name: RoleName = required "RoleName",
        marker: Marker = optional "Marker",
        max_items: MaxItems = optional "MaxItems",
    }

    /// Output of ListRoleTags.
    pub(crate) struct ListRoleTagsResponse {
        tags: Tags = required "Tags",
        is_truncated: bool = optional "IsTruncated",
        marker: ResponseMarker = optional "Marker",
    }
}

impl Operation for ListRoleTags {
    type Service = Iam;
    type Input = ListRoleTagsRequest;
    type Output = ListRoleTagsResponse;
    type Target = Named<RoleRecord>;

    const FACTS: Facts = Facts {
        name: "ListRoleTags",
        actions: &["iam:ListRoleTags"],
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
        let (role, marker) = (&target.existing()?.record, input.marker.as_ref());
        let page = tags_page(Self::FACTS.name, role, input.max_items, marker)?;
        Ok(ListRoleTagsResponse {
            tags: Tags(page.items),
            is_truncated: Some(page.next.is_some()),
            marker: page.next,
        })
    }
}
