//! A signed request in, a verified signature or a refusal out. Pure.
//!
//! AWS Signature Version 4 as the services other than S3 verify it, with the signature in the
//! Authorization header or in the query. This crate owns the signature's syntax, the canonical
//! form, the derivation and caching of signing keys, and AWS's words for every refusal. It must not
//! know a clock, a network, an HTTP library, or where secrets are kept.
//!
//! Source: the IAM User Guide's chapter "AWS Signature Version 4 for API requests".
//!
//! ```
//! use std::sync::Arc;
//! use sigv4::{Refusal, Request, SigningKey, SigningKeyCache};
//!
//! /// Gives the access key that signed the request.
//! fn authenticate(
//!     request: &Request<'_>,
//!     cache: &SigningKeyCache,
//!     secret_of: impl Fn(&str) -> Option<String>,
//!     now: i64,
//! ) -> Result<String, Refusal> {
//!     let signed = sigv4::parse(request)?;
//!     signed.check_scope("kms")?;
//!     signed.check_time(now)?;
//!     let (id, scope) = (signed.access_key_id(), signed.scope());
//!     match cache.find(id, &scope) {
//!         Ok(key) => signed.verify(&key)?,
//!         Err(vacancy) => {
//!             let secret = secret_of(id).ok_or(Refusal::UnrecognizedAccessKeyId)?;
//!             let key = Arc::new(SigningKey::derive(&secret, &scope));
//!             signed.verify(&key)?;
//!             cache.store(&vacancy, key, now);
//!         }
//!     }
//!     Ok(id.to_owned())
//! }
//! ```

mod canonical;
mod fuzzing;
mod parse;
mod refusal;
mod request;
mod scope;
mod signing_key;
mod signing_key_cache;
mod time;
mod verify;

pub use fuzzing::parse_and_canonicalize;
pub use parse::{MAX_EXPIRES, parse};
pub use refusal::{CLOCK_SKEW, Kind, Refusal};
pub use request::{
    MAX_HEADER_BYTES, MAX_HEADER_NAME, MAX_HEADER_VALUE, MAX_HEADERS, MAX_METHOD, MAX_PATH,
    MAX_QUERY, MAX_QUERY_PARAMETERS, MAX_SIGNED_HEADERS, Request,
};
pub use scope::{MAX_ACCESS_KEY_ID, MAX_NAME, Scope};
pub use signing_key::SigningKey;
pub use signing_key_cache::{SigningKeyCache, Vacancy};
pub use verify::Signed;

/// The only algorithm that is verified: AWS's asymmetric `AWS4-ECDSA-P256-SHA256` isn't.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";
