//! The keys of identity tokens' issuers: what a service asks that takes such tokens as evidence.

use super::Pending;

/// The longest key set that is taken, in bytes: a hundred RSA keys with certificates.
pub const KEY_SET_MAX: usize = 256 * 1024;

/// Why an issuer's keys can't be had.
#[derive(Debug)]
pub enum IssuerKeysError {
    /// It isn't known where they are.
    Unknown,
    /// They can't be read or fetched now; for the log.
    Unavailable(Box<dyn std::error::Error + Send + Sync>),
}

/// Knows by which keys issuers of identity tokens sign.
pub trait IssuerKeys: Send + Sync {
    /// The key set (JWKS, RFC 7517) of the issuer of that URL, which comes without its scheme,
    /// `https://`: as of now, or as of a few minutes ago. At most [`KEY_SET_MAX`] bytes; what it
    /// holds is for the caller to judge.
    fn key_set<'a>(&'a self, issuer: &'a str) -> Pending<'a, Result<String, IssuerKeysError>>;
}
