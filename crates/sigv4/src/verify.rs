//! A signature that was found, and the checks that prove it.
//!
//! Owns the order-free checks: time, scope, body, signature. Must not know where secrets come from
//! or what time it is.

use std::borrow::Cow;

use crate::canonical::{ToSign, hex_sha256, string_to_sign};
use crate::refusal::{CLOCK_SKEW, Refusal};
use crate::request::Request;
use crate::scope::{Credential, Scope};
use crate::signing_key::SigningKey;
use crate::time::Moment;

/// Where the signature stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// In the Authorization header.
    Header,
    /// In the query.
    Presigned {
        /// X-Amz-Expires in seconds.
        expires: Option<i64>,
    },
}

/// A request together with the signature that it claims.
///
/// It holds the request, so that no check can be made against another one. A request is authentic
/// when [`Signed::check_time`], [`Signed::check_scope`] and [`Signed::verify`] have all succeeded.
/// No Debug: a session token is a credential.
pub struct Signed<'a> {
    pub(crate) request: Request<'a>,
    pub(crate) form: Form,
    pub(crate) credential: Credential<'a>,
    /// SignedHeaders: lower-case names, sorted, separated by semicolons.
    pub(crate) header_list: Cow<'a, str>,
    pub(crate) signature: [u8; 32],
    pub(crate) moment: Moment,
    pub(crate) session_token: Option<Cow<'a, str>>,
}

impl Signed<'_> {
    /// The access key that the request claims to be signed with: 1 to 128 characters out of
    /// letters, digits, `_`, `-` and `.`.
    pub fn access_key_id(&self) -> &str {
        self.credential.access_key_id()
    }

    /// The day, region and service that the signature is for.
    pub fn scope(&self) -> Scope<'_> {
        self.credential.scope()
    }

    /// The session token that came along, signed with the rest. Whether it belongs to the access
    /// key is for the caller to find out.
    pub fn session_token(&self) -> Option<&str> {
        self.session_token.as_deref()
    }

    /// True where the signature stands in the query.
    pub fn is_presigned(&self) -> bool {
        matches!(self.form, Form::Presigned { .. })
    }

    /// When the request was signed, in Unix seconds.
    pub fn signed_at(&self) -> i64 {
        self.moment.unix
    }

    /// Holds the request's age against the clock. `now` is in Unix seconds.
    ///
    /// # Errors
    /// Five minutes off in either direction is still allowed, more is
    /// [`Refusal::SignatureExpired`] or [`Refusal::SignatureNotYetCurrent`]. A presigned request
    /// that names a lifetime is good for that long instead, and then
    /// [`Refusal::PresignedExpired`].
    pub fn check_time(&self, now: i64) -> Result<(), Refusal> {
        let signed = self.moment.unix;
        if signed > now.saturating_add(CLOCK_SKEW) {
            return Err(Refusal::SignatureNotYetCurrent { signed, now });
        }
        if let Form::Presigned { expires: Some(expires) } = self.form {
            let expired = signed.saturating_add(expires);
            if expired < now {
                return Err(Refusal::PresignedExpired { expired, now });
            }
        } else if signed < now.saturating_sub(CLOCK_SKEW) {
            return Err(Refusal::SignatureExpired { signed, now });
        }
        Ok(())
    }

    /// Holds the scope's service against the one that was called, `kms` say.
    ///
    /// # Errors
    /// [`Refusal::WrongService`].
    pub fn check_scope(&self, service: &str) -> Result<(), Refusal> {
        if self.scope().service() == service {
            return Ok(());
        }
        Err(Refusal::WrongService { expected: service.to_owned() })
    }

    /// Holds the scope's region against those that are served here.
    ///
    /// # Errors
    /// [`Refusal::WrongRegion`].
    pub fn check_region(&self, is_served: impl FnOnce(&str) -> bool) -> Result<(), Refusal> {
        let region = self.scope().region();
        if is_served(region) {
            return Ok(());
        }
        Err(Refusal::WrongRegion { region: region.to_owned() })
    }

    /// Holds the body against the hash that the client declared, if it declared one.
    /// [`Signed::verify`] does this as well; alone it is for a server that takes any secret.
    ///
    /// # Errors
    /// [`Refusal::BodyHashMismatch`] for another hash, and for S3's `UNSIGNED-PAYLOAD` and
    /// `STREAMING-…`, which would leave the body unsigned.
    pub fn check_body(&self) -> Result<(), Refusal> {
        if self.request.header("x-amz-content-sha256")?.is_none() {
            return Ok(());
        }
        self.check_body_hash(&hex_sha256(self.request.body))
    }

    fn check_body_hash(&self, hash: &[u8; 64]) -> Result<(), Refusal> {
        match self.request.header("x-amz-content-sha256")? {
            Some(declared) if declared != hash => Err(Refusal::BodyHashMismatch),
            _ => Ok(()),
        }
    }

    /// Computes the signature anew and compares it, in a time that doesn't depend on where they
    /// differ.
    ///
    /// # Errors
    /// [`Refusal::SignatureDoesNotMatch`], and those of [`Signed::check_body`].
    pub fn verify(&self, key: &SigningKey) -> Result<(), Refusal> {
        let hash = hex_sha256(self.request.body);
        self.check_body_hash(&hash)?;
        let to_sign = self.to_sign(&hash);
        let mut buffer = Vec::with_capacity(1024);
        string_to_sign(&self.request, &to_sign, &mut buffer)?;
        key.verify(&buffer, &self.signature)
    }

    pub(crate) fn to_sign<'s>(&'s self, body_hash: &'s [u8; 64]) -> ToSign<'s> {
        ToSign {
            stamp: &self.moment.stamp,
            scope: self.credential.scope_text().as_bytes(),
            signed_headers: &self.header_list,
            presigned: self.is_presigned(),
            body_hash,
        }
    }
}
