//! ListRetirableGrants: the grants of a Region that a principal of the caller's account may retire
//! as their retiring principal, whosever keys they are on.
//!
//! Errors, in order: ValidationException (not exactly one principal; limit), InvalidArnException,
//! AccessDeniedException (a service, or another account's principal), InvalidMarkerException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::grants::{Grants, PrincipalId, ServicePrincipal};
use wire::shapes::{Limit, Marker};
use wire::{Arn, ErrorCode, structure};

use crate::authorization::no_service;
use crate::grants::{GrantId, PAGE, Principal, entry, retiring};
use crate::key::Account;
use crate::key_id::KeyId;
use crate::operations::MANAGEMENT;
use crate::operations::list_grants::ListGrantsResponse;
use crate::{Kms, layout, paging};

/// ListRetirableGrants.
pub(crate) struct ListRetirableGrants;

structure! {
    /// Input of ListRetirableGrants.
    pub(crate) struct ListRetirableGrantsRequest {
        limit: Limit = optional "Limit",
        marker: Marker = optional "Marker",
        retiring_principal: PrincipalId = optional "RetiringPrincipal",
        retiring_service_principal: ServicePrincipal = optional "RetiringServicePrincipal",
    }
}

impl Operation for ListRetirableGrants {
    type Service = Kms;
    type Input = ListRetirableGrantsRequest;
    type Output = ListGrantsResponse;
    type Target = Account;

    const FACTS: Facts = Facts {
        name: "ListRetirableGrants",
        actions: &["kms:ListRetirableGrants"],
        states: &[],
        read_only: true,
        errors: &[
            ErrorCode::DependencyTimeoutException,
            ErrorCode::InvalidMarkerException,
            ErrorCode::InvalidArnException,
            ErrorCode::NotFoundException,
            ErrorCode::KMSInternalException,
        ],
        ..MANAGEMENT
    };

    async fn resolve(_: &Context<'_, Kms>, _: &Self::Input) -> Result<Self::Target, Error> {
        Ok(Account)
    }

    async fn run(
        cx: &Context<'_, Kms>,
        _: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let principal = own_principal(cx, input).await?;
        let page = PAGE.request(Self::FACTS.name, input.limit, input.marker.as_ref())?;
        let prefix = layout::retirable(cx.region, principal.as_str());
        let after = format!("{prefix}{}", page.after);
        let found = cx.service.store.range(&prefix, &after, page.limit).await?;
        let mut grants = Vec::with_capacity(found.items.len());
        let mut last = None;
        for (place, item) in found.items.iter().enumerate() {
            paging::pause(place).await;
            let part = item.key.strip_prefix(&prefix).unwrap_or_default();
            let parsed = layout::parse_retirable(part)
                .and_then(|(a, k, g)| Some((a, KeyId::parse(k)?, GrantId::parse(g)?)));
            let Some((account, key_id, id)) = parsed else {
                return Err(Error::internal("an unreadable entry among the retirable grants"));
            };
            last = Some(part);
            // A key that is gone has no grants, whether or not they have been removed yet.
            let key = cx.service.key(&account, cx.region, &key_id, cx.now).await?;
            let Some(key) = key else { continue };
            let Some(found) = cx.service.grant(&key, &id).await? else { continue };
            grants.push(entry(cx.service, &key, &id, &found.record).await?);
        }
        let last = last.filter(|_| found.more);
        Ok(ListGrantsResponse {
            grants: Some(Grants(grants)),
            truncated: Some(last.is_some()),
            next_marker: last.map(|part| paging::marker(Self::FACTS.name, part)),
        })
    }
}

/// The principal that a request names: one of the caller's account.
async fn own_principal(
    cx: &Context<'_, Kms>,
    input: &ListRetirableGrantsRequest,
) -> Result<Principal, Error> {
    let service = input.retiring_service_principal.as_ref();
    let principal = retiring(cx, input.retiring_principal.as_ref(), service).await?;
    let principal = principal.ok_or_else(|| {
        Error::validation("You must specify either RetiringPrincipal or RetiringServicePrincipal.")
    })?;
    // Only services may ask for a service's, and no caller is one.
    let arn = principal.arn().and_then(Arn::parse);
    if arn.is_some_and(|arn| arn.account == cx.account().as_str()) {
        return Ok(principal);
    }
    Err(no_service(cx, "kms:ListRetirableGrants", principal.as_str()))
}
