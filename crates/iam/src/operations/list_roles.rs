//! ListRoles: the roles of the account whose paths begin alike, by name.
//!
//! Errors: those of a page.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{Marker, MaxItems, PathPrefix, ResponseMarker, Roles};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::{Place, entity_arn};
use crate::operations::OPERATION;
use crate::paging::Listing;
use crate::records::{Entity as _, RoleRecord};
use crate::roles::listed_role;

/// ListRoles.
pub(crate) struct ListRoles;

structure! {
    /// Input of ListRoles.
    pub(crate) struct ListRolesRequest {
        path_prefix: PathPrefix = optional "PathPrefix",
        marker: Marker = optional "Marker",
        max_items: MaxItems = optional "MaxItems",
    }

    /// Output of ListRoles.
    pub(crate) struct ListRolesResponse {
        roles: Roles = required "Roles",
        is_truncated: bool = optional "IsTruncated",
        marker: ResponseMarker = optional "Marker",
    }
}

impl Operation for ListRoles {
    type Service = Iam;
    type Input = ListRolesRequest;
    type Output = ListRolesResponse;
    type Target = Place;

    const FACTS: Facts = Facts {
        name: "ListRoles",
        actions: &["iam:ListRoles"],
        read_only: true,
        errors: &[ErrorCode::ServiceFailureException],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        let prefix = input.path_prefix.as_ref().map_or("/", PathPrefix::as_str);
        Ok(Place(entity_arn(cx, RoleRecord::KIND, prefix, "")))
    }

    async fn run(
        cx: &Context<'_, Iam>,
        _: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let listing = Listing::of(Self::FACTS.name, input.max_items, input.marker.as_ref())?;
        let prefix = input.path_prefix.as_ref().map_or("/", PathPrefix::as_str);
        let page = listing.entities::<RoleRecord>(cx, prefix).await?;
        let mut roles = Vec::with_capacity(page.items.len());
        for role in &page.items {
            roles.push(listed_role(cx, role).await?);
        }
        Ok(ListRolesResponse {
            roles: Roles(roles),
            is_truncated: Some(page.next.is_some()),
            marker: page.next,
        })
    }
}
