//! Accounts and the principals in them, and the Security Token Service.
//!
//! Owns: which access key belongs to whom ([`Credentials`]), and the operations of STS. So far the
//! only principals are the root users of accounts, and the only credentials are dev mode's.
//!
//! Must not know: HTTP, how a signature is verified, what a key is.

mod credentials;
mod operations;

use service::{AnyOperation, Protocol, Service};

pub use credentials::{
    Credential, Credentials, DevCredentials, InvalidLine, Secret, SecretAccessKey,
};
pub use operations::MISSING_STS;

/// The Security Token Service.
pub struct Sts;

impl Service for Sts {
    const SIGNING_NAME: &'static str = "sts";
    const EVENT_SOURCE: &'static str = "sts.amazonaws.com";
    const PROTOCOL: Protocol =
        Protocol::Query { namespace: "https://sts.amazonaws.com/doc/2011-06-15/" };
    const REGISTRY: &'static [&'static dyn AnyOperation<Self>] = operations::STS;
}
