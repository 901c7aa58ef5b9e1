//! The operations of STS, one file each, and the registry that holds them.

mod assume_role;
mod assume_role_with_web_identity;
mod authorization;
mod decode_authorization_message;
mod get_access_key_info;
mod get_caller_identity;
mod get_federation_token;
mod get_session_token;
mod new_session;
mod role;
mod role_session;
mod session_tags;
mod web_identity;

use service::{AnyOperation, Facts};

use crate::Sts;

/// What is true of an operation of STS, unless it says otherwise.
const OPERATION: Facts = Facts {
    name: "",
    actions: &[],
    states: &[],
    usage: None,
    grantable: false,
    dry_run: false,
    cross_account: false,
    read_only: true,
    errors: &[],
};

/// Every operation of STS that exists.
pub(crate) static REGISTRY: &[&dyn AnyOperation<Sts>] = &[
    &assume_role::AssumeRole,
    &assume_role_with_web_identity::AssumeRoleWithWebIdentity,
    &decode_authorization_message::DecodeAuthorizationMessage,
    &get_access_key_info::GetAccessKeyInfo,
    &get_caller_identity::GetCallerIdentity,
    &get_federation_token::GetFederationToken,
    &get_session_token::GetSessionToken,
];

/// The operations of STS's service model that don't exist yet; they answer InvalidAction. A new
/// operation moves from here into the registry.
pub const MISSING: &[&str] =
    &["AssumeRoleWithSAML", "AssumeRoot", "GetDelegatedAccessToken", "GetWebIdentityToken"];
