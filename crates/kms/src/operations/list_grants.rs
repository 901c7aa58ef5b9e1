//! ListGrants: the grants on a key, all of them or those of one grantee or id, in pages.
//!
//! Errors, in order: NotFoundException, AccessDeniedException, ValidationException (limit, both
//! kinds of grantee), InvalidMarkerException, AccessDeniedException (a service as grantee),
//! InvalidArnException, InvalidGrantIdException. It works in every state.

use std::sync::Arc;

use service::{Authorized, Context, Error, Facts, Operation};
use wire::grants::{GrantId as GrantIdText, Grants, PrincipalId, ServicePrincipal};
use wire::shapes::{Limit, Marker};
use wire::{ErrorCode, structure};

use crate::authorization::no_service;
use crate::grants::{GrantId, GrantRecord, PAGE, Principal, entry, principal};
use crate::key::Key;
use crate::key_id::Aliases;
use crate::operations::MANAGEMENT;
use crate::records::decode;
use crate::{Kms, layout, paging};

/// ListGrants.
pub(crate) struct ListGrants;

structure! {
    /// Input of ListGrants.
    pub(crate) struct ListGrantsRequest {
        limit: Limit = optional "Limit",
        marker: Marker = optional "Marker",
        key_id: wire::shapes::KeyId = required "KeyId",
        grant_id: GrantIdText = optional "GrantId",
        grantee_principal: PrincipalId = optional "GranteePrincipal",
        grantee_service_principal: ServicePrincipal = optional "GranteeServicePrincipal",
    }

    /// A page of grants.
    pub(crate) struct ListGrantsResponse {
        grants: Grants = optional "Grants",
        next_marker: Marker = optional "NextMarker",
        truncated: bool = optional "Truncated",
    }
}

impl Operation for ListGrants {
    type Service = Kms;
    type Input = ListGrantsRequest;
    type Output = ListGrantsResponse;
    type Target = Arc<Key>;

    const FACTS: Facts = Facts {
        name: "ListGrants",
        actions: &["kms:ListGrants"],
        cross_account: true,
        read_only: true,
        errors: &[
            ErrorCode::NotFoundException,
            ErrorCode::DependencyTimeoutException,
            ErrorCode::InvalidMarkerException,
            ErrorCode::InvalidGrantIdException,
            ErrorCode::InvalidArnException,
            ErrorCode::KMSInternalException,
            ErrorCode::KMSInvalidStateException,
        ],
        ..MANAGEMENT
    };

    async fn resolve(cx: &Context<'_, Kms>, input: &Self::Input) -> Result<Self::Target, Error> {
        cx.service.key_named(cx, &input.key_id, Aliases::Refused, Self::FACTS.actions[0]).await
    }

    async fn run(
        cx: &Context<'_, Kms>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let page = PAGE.request(Self::FACTS.name, input.limit, input.marker.as_ref())?;
        let grantee = grantee(cx, target, input).await?;
        let id = input.grant_id.as_ref().map(grant_id).transpose()?;
        let (account, region, key_id) = (&target.account, &target.region, target.id.as_str());
        let (listed, truncated) = if let Some(id) = id {
            (vec![Listed { id, record: None }], false)
        } else {
            let prefix = match &grantee {
                Some(grantee) => layout::grantee(account, region, key_id, grantee.as_str()),
                None => layout::grants(account, region, key_id),
            };
            let after = format!("{prefix}{}", page.after);
            let found = cx.service.store.range(&prefix, &after, page.limit).await?;
            let is_record = grantee.is_none();
            let listed = found.items.into_iter().map(|item| {
                let id = item.key.strip_prefix(&prefix).and_then(GrantId::parse);
                let id = id.ok_or_else(|| Error::internal("an unreadable entry among the grants"));
                Ok::<_, Error>(Listed { id: id?, record: is_record.then_some(item.value) })
            });
            (listed.collect::<Result<Vec<_>, _>>()?, found.more)
        };
        let mut grants = Vec::with_capacity(listed.len());
        for (place, Listed { id, record }) in listed.iter().enumerate() {
            paging::pause(place).await;
            let record: GrantRecord = match record {
                Some(record) => decode(record)?,
                // One that was removed since the page was read is left out.
                None => match cx.service.grant(target, id).await? {
                    Some(found) => found.record,
                    None => continue,
                },
            };
            if grantee.as_ref().is_none_or(|grantee| *grantee == record.grantee) {
                grants.push(entry(cx.service, target, id, &record).await?);
            }
        }
        let last = listed.last().filter(|_| truncated);
        Ok(ListGrantsResponse {
            grants: Some(Grants(grants)),
            next_marker: last.map(|last| paging::marker(Self::FACTS.name, last.id.as_str())),
            truncated: Some(truncated),
        })
    }
}

/// A grant of a page: its record, if what was read is that and no index.
struct Listed {
    id: GrantId,
    record: Option<Vec<u8>>,
}

/// The id that a request names.
///
/// # Errors
/// InvalidGrantIdException for what can be none.
pub(super) fn grant_id(id: &GrantIdText) -> Result<GrantId, Error> {
    GrantId::parse(id.as_str()).ok_or_else(|| {
        Error::new(ErrorCode::InvalidGrantIdException, format!("Invalid grantId '{}'", id.as_str()))
    })
}

/// The grantee whose grants alone a request asks for.
async fn grantee(
    cx: &Context<'_, Kms>,
    key: &Key,
    input: &ListGrantsRequest,
) -> Result<Option<Principal>, Error> {
    match (&input.grantee_principal, &input.grantee_service_principal) {
        (Some(id), None) => principal(cx, id).await.map(Some),
        (None, None) => Ok(None),
        // Only services may ask for a service's, and no caller is one.
        (None, Some(_)) => Err(no_service(cx, "kms:ListGrants", &key.arn)),
        (Some(_), Some(_)) => Err(Error::validation(
            "You can specify either GranteePrincipal or GranteeServicePrincipal, but not both.",
        )),
    }
}
