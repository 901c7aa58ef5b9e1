//! ListKeyPolicies: the names of a key's policies, which is `default` alone.
//!
//! Errors, in order: NotFoundException, AccessDeniedException, then what a page can refuse.

use std::sync::Arc;

use service::{Authorized, Context, Error, Facts, Operation};
use wire::shapes::{Limit, Marker, PolicyName, PolicyNames};
use wire::{ErrorCode, structure};

use crate::Kms;
use crate::key::Key;
use crate::key_id::Aliases;
use crate::key_policy::DEFAULT_NAME;
use crate::operations::MANAGEMENT;
use crate::paging::PageSizes;

/// ListKeyPolicies.
pub(crate) struct ListKeyPolicies;

const PAGE: PageSizes = PageSizes { max: 1000, default: 100 };

structure! {
    /// Input of ListKeyPolicies.
    pub(crate) struct ListKeyPoliciesRequest {
        key_id: wire::shapes::KeyId = required "KeyId",
        limit: Limit = optional "Limit",
        marker: Marker = optional "Marker",
    }

    /// Output of ListKeyPolicies.
    pub(crate) struct ListKeyPoliciesResponse {
        policy_names: PolicyNames = optional "PolicyNames",
        next_marker: Marker = optional "NextMarker",
        truncated: bool = optional "Truncated",
    }
}

impl Operation for ListKeyPolicies {
    type Service = Kms;
    type Input = ListKeyPoliciesRequest;
    type Output = ListKeyPoliciesResponse;
    type Target = Arc<Key>;

    const FACTS: Facts = Facts {
        name: "ListKeyPolicies",
        actions: &["kms:ListKeyPolicies"],
        read_only: true,
        errors: &[
            ErrorCode::NotFoundException,
            ErrorCode::InvalidArnException,
            ErrorCode::DependencyTimeoutException,
            ErrorCode::KMSInternalException,
            ErrorCode::KMSInvalidStateException,
        ],
        ..MANAGEMENT
    };

    async fn resolve(cx: &Context<'_, Kms>, input: &Self::Input) -> Result<Self::Target, Error> {
        cx.service.key_named(cx, &input.key_id, Aliases::Refused, Self::FACTS.actions[0]).await
    }

    async fn run(
        _: &Context<'_, Kms>,
        _: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        // No page of this list gives a marker, so every marker is an invalid one.
        let page = PAGE.request(Self::FACTS.name, input.limit, input.marker.as_ref())?;
        let names = if page.after.is_empty() { vec![PolicyName::of(DEFAULT_NAME)] } else { vec![] };
        Ok(ListKeyPoliciesResponse {
            policy_names: Some(PolicyNames(names)),
            next_marker: None,
            truncated: Some(false),
        })
    }
}
