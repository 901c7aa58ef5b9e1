//! The shapes of grants, as in the service model of KMS (2014-11-01).
//!
//! A type's name is the Rust name of the thing; the string is the shape's name in the model.

use crate::arn::Arn;
use crate::declare::{list, text};
use crate::shapes::{EncryptionContext, KeyId, UNBOUNDED, is_name, is_word};

fn is_principal(text: &str) -> bool {
    let others = ['+', '=', ',', '.', '@', ':', '/', '-'];
    !text.is_empty() && text.chars().all(|c| is_word(c) || others.contains(&c))
}

fn is_service(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    text.split('.').count() >= 3 && text.split('.').all(is_label)
}

fn is_source_arn(text: &str) -> bool {
    let is_low = |part: &str| {
        part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    Arn::parse(text).is_some_and(|arn| {
        arn.partition.strip_prefix("aws").is_some_and(is_low)
            && is_low(arn.service)
            && !arn.service.is_empty()
            && is_low(arn.region)
            && arn.account.len() == 12
            && arn.account.bytes().all(|b| b.is_ascii_digit())
            && !arn.resource.contains('\n')
    })
}

text! {
    /// The id of a grant: 64 hex digits.
    GrantId = "GrantIdType", 1..=128;
    /// A name by which a repeated CreateGrant is known for what it is.
    GrantName = "GrantNameType", 1..=256, pattern "^[a-zA-Z0-9:/_-]+$" by is_name;
    /// A principal, by its ARN.
    PrincipalId = "PrincipalIdType", 1..=256, pattern "^[\\w+=,.@:/-]+$" by is_principal;
    /// An AWS service as a principal, such as `s3.amazonaws.com`.
    ServicePrincipal = "ServicePrincipalType", 1..=128,
        pattern "^([A-Za-z0-9\\-]+)\\.([A-Za-z0-9\\-]+)(\\.[A-Za-z0-9\\-]+)+$" by is_service;
    /// The resource on whose behalf a service calls.
    SourceArn = "GrantConstraintSourceArnType", 20..=512,
        pattern "^arn:aws[a-z0-9-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]{12}:.+$" by is_source_arn;
}

list! {
    /// What a grant allows.
    GrantOperations = "GrantOperationList" of crate::enums::GrantOperation, 0..=UNBOUNDED;
    /// Grants of a page.
    Grants = "GrantList" of GrantListEntry, 0..=UNBOUNDED;
}

crate::structure! {
    /// When a grant allows what it allows.
    pub struct GrantConstraints {
        encryption_context_subset: EncryptionContext = optional "EncryptionContextSubset",
        encryption_context_equals: EncryptionContext = optional "EncryptionContextEquals",
        source_arn: SourceArn = optional "SourceArn",
    }

    /// An entry of ListGrants and ListRetirableGrants.
    pub struct GrantListEntry {
        key_id: KeyId = optional "KeyId",
        grant_id: GrantId = optional "GrantId",
        name: GrantName = optional "Name",
        creation_date: crate::Timestamp = optional "CreationDate",
        grantee_principal: PrincipalId = optional "GranteePrincipal",
        retiring_principal: PrincipalId = optional "RetiringPrincipal",
        issuing_account: PrincipalId = optional "IssuingAccount",
        operations: GrantOperations = optional "Operations",
        constraints: GrantConstraints = optional "Constraints",
        grantee_service_principal: ServicePrincipal = optional "GranteeServicePrincipal",
        retiring_service_principal: ServicePrincipal = optional "RetiringServicePrincipal",
    }
}
