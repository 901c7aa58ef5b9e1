//! Accounts and the principals in them: IAM and the Security Token Service.
//!
//! Owns users, groups, roles, policies, identity providers and access keys ([`Directory`]), whom an
//! access key speaks for ([`Credentials`]), and the operations of both services, one file each.
//!
//! Must not know: HTTP, how a signature is verified, what a key is.

mod access_key;
mod attachments;
mod authorization;
mod aws_managed;
mod callers;
mod conditions;
mod credentials;
mod deletion;
mod details;
mod directory;
mod document;
mod entities;
mod explain;
mod founding;
mod identity;
mod identity_token;
mod ids;
mod inline;
mod key_holder;
mod last_use;
mod layout;
mod limits;
mod managed;
mod managed_lists;
mod membership;
mod operations;
mod paging;
mod providers;
mod records;
mod renaming;
mod roles;
mod service_linked;
mod session;
mod simulation;
mod sts;
mod tagging;
mod trust;
mod wrapped_access_keys;

use std::sync::Arc;

use service::ports::IssuerKeys;
use service::{AnyOperation, Protocol, Service};
use wire::DateForm;

pub use conditions::{condition_keys, is_condition_key};
pub use credentials::{
    Credential, Credentials, DevCredentials, InvalidLine, NoCredential, Secret, SecretAccessKey,
};
pub use directory::Directory;
pub use founding::Administrator;
pub use layout::PREFIX;
pub use limits::Limits;
pub use operations::MISSING;
pub use sts::MISSING as MISSING_STS;
pub use wrapped_access_keys::WrappedAccessKeys;

/// Identity and Access Management.
pub struct Iam {
    /// The principals of all accounts.
    pub directory: Arc<Directory>,
}

/// The Security Token Service.
pub struct Sts {
    /// The principals of all accounts.
    pub directory: Arc<Directory>,
    /// The keys by which the issuers of identity tokens sign.
    pub issuer_keys: Arc<dyn IssuerKeys>,
}

impl Service for Iam {
    const SIGNING_NAME: &'static str = "iam";
    const EVENT_SOURCE: &'static str = "iam.amazonaws.com";
    const PROTOCOL: Protocol =
        Protocol::Query { namespace: "https://iam.amazonaws.com/doc/2010-05-08/" };
    const RECORDED_DATES: DateForm = DateForm::SpelledWithoutComma;
    const RESOURCES_RECORDED: bool = false;
    fn registry() -> &'static [&'static dyn AnyOperation<Self>] {
        operations::REGISTRY
    }
}

impl Service for Sts {
    const SIGNING_NAME: &'static str = "sts";
    const EVENT_SOURCE: &'static str = "sts.amazonaws.com";
    const PROTOCOL: Protocol =
        Protocol::Query { namespace: "https://sts.amazonaws.com/doc/2011-06-15/" };
    const RECORDED_DATES: DateForm = DateForm::Spelled;
    const RESOURCES_RECORDED: bool = false;
    fn registry() -> &'static [&'static dyn AnyOperation<Self>] {
        sts::REGISTRY
    }
}
