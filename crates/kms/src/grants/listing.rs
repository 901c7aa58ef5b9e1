//! Grants as lists tell of them.

use std::sync::Arc;

use service::Error;
use wire::Map;
use wire::grants::{
    GrantConstraints, GrantListEntry, GrantName, GrantOperations, PrincipalId, ServicePrincipal,
    SourceArn,
};
use wire::shapes::EncryptionContext;

use crate::Kms;
use crate::grants::{GrantId, GrantRecord, account_arn};
use crate::key::Key;
use crate::paging::PageSizes;

/// The pages of both lists of grants.
pub(crate) const PAGE: PageSizes = PageSizes { max: 100, default: 50 };

/// What a list tells of a grant on the key.
pub(crate) async fn entry(
    kms: &Kms,
    key: &Key,
    id: &GrantId,
    record: &GrantRecord,
) -> Result<GrantListEntry, Error> {
    let issuer = account_arn(&record.issuer()?, &key.region);
    let (grantee, retiring) = (&record.grantee, record.retiring.as_ref());
    let retiring_principal = match retiring {
        Some(principal) => kms.shown(principal).await?,
        None => None,
    };
    Ok(GrantListEntry {
        key_id: Some(key.arn_as_key_id()),
        grant_id: Some(wire::grants::GrantId::of(id.as_str())),
        name: record.name.as_ref().map(GrantName::of),
        creation_date: Some(record.created),
        grantee_principal: kms.shown(grantee).await?,
        retiring_principal,
        issuing_account: Some(PrincipalId::of(issuer)),
        operations: Some(GrantOperations(record.terms.operations.clone())),
        constraints: constraints(record),
        grantee_service_principal: grantee.service().map(ServicePrincipal::of),
        retiring_service_principal: retiring.and_then(|p| p.service()).map(ServicePrincipal::of),
    })
}

fn constraints(record: &GrantRecord) -> Option<GrantConstraints> {
    let context = |pairs: &Option<Map>| {
        pairs.as_ref().map(|pairs| EncryptionContext(Arc::new(pairs.clone())))
    };
    let terms = &record.terms;
    let constraints = GrantConstraints {
        encryption_context_subset: context(&terms.subset),
        encryption_context_equals: context(&terms.equals),
        source_arn: terms.source_arn.as_ref().map(SourceArn::of),
    };
    let has_any = terms.subset.is_some() || terms.equals.is_some() || terms.source_arn.is_some();
    has_any.then_some(constraints)
}
