//! ListInstanceProfilesForRole: the instance profiles that name a role. There are none here: no
//! virtual machines are run.
//!
//! Errors, in order: NoSuchEntityException, those of a page.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{InstanceProfiles, Marker, MaxItems, ResponseMarker, RoleName};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Named;
use crate::operations::OPERATION;
use crate::paging::Listing;
use crate::records::RoleRecord;

/// ListInstanceProfilesForRole.
pub(crate) struct ListInstanceProfilesForRole;

structure! {
    /// Input of ListInstanceProfilesForRole.
    pub(crate) struct ListInstanceProfilesForRoleRequest {
        role_name: RoleName = required "RoleName",
        marker: Marker = optional "Marker",
        max_items: MaxItems = optional "MaxItems",
    }

    /// Output of ListInstanceProfilesForRole.
    pub(crate) struct ListInstanceProfilesForRoleResponse {
        instance_profiles: InstanceProfiles = required "InstanceProfiles",
        is_truncated: bool = optional "IsTruncated",
        marker: ResponseMarker = optional "Marker",
    }
}

impl Operation for ListInstanceProfilesForRole {
    type Service = Iam;
    type Input = ListInstanceProfilesForRoleRequest;
    type Output = ListInstanceProfilesForRoleResponse;
    type Target = Named<RoleRecord>;

    const FACTS: Facts = Facts {
        name: "ListInstanceProfilesForRole",
        actions: &["iam:ListInstanceProfilesForRole"],
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
        target.existing()?;
        Listing::of(Self::FACTS.name, input.max_items, input.marker.as_ref())?;
        Ok(ListInstanceProfilesForRoleResponse {
            instance_profiles: InstanceProfiles(Vec::new()),
            is_truncated: Some(false),
            marker: None,
        })
    }
}
