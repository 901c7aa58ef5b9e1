//! The operations of STS, one file each, and the registry that holds them.

mod get_caller_identity;

use service::AnyOperation;

use crate::Sts;

/// Every operation of STS that exists.
pub(crate) const REGISTRY: &[&dyn AnyOperation<Sts>] = &[&get_caller_identity::GetCallerIdentity];

/// The operations of STS's service model that don't exist yet; they answer InvalidAction. A new
/// operation moves from here into the registry.
pub const MISSING: &[&str] = &[
    "AssumeRole",
    "AssumeRoleWithSAML",
    "AssumeRoleWithWebIdentity",
    "AssumeRoot",
    "DecodeAuthorizationMessage",
    "GetAccessKeyInfo",
    "GetDelegatedAccessToken",
    "GetFederationToken",
    "GetSessionToken",
    "GetWebIdentityToken",
];
