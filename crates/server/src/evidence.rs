//! Who sent a request: its signature, held against the credentials that are known.

use std::sync::Arc;

use iam::{Credentials, Secret};
use service::ports::Pending;
use service::{Authenticate, Error, Session};
use sigv4::{Kind, Refusal, SigningKey, SigningKeyCache};
use wire::{ErrorCode, Region};

/// A request with all that its signature is checked against.
pub(crate) struct SignedRequest<'a> {
    pub(crate) request: sigv4::Request<'a>,
    /// The service's name in credential scopes.
    pub(crate) service: &'static str,
    pub(crate) credentials: &'a dyn Credentials,
    pub(crate) signing_keys: &'a SigningKeyCache,
    /// The system's time, in seconds since 1970.
    pub(crate) now: i64,
}

impl SignedRequest<'_> {
    fn session(&self) -> Result<Session, Refusal> {
        let signed = sigv4::parse(&self.request)?;
        signed.check_scope(self.service)?;
        signed.check_region(|name| Region::parse(name).is_some())?;
        signed.check_time(self.now)?;
        let (id, scope) = (signed.access_key_id(), signed.scope());
        let region = Region::parse(scope.region()).ok_or(Refusal::UnrecognizedAccessKeyId)?;
        let vacancy = self.signing_keys.find(id, &scope);
        let credential = self
            .credentials
            .find(id, signed.session_token(), region.as_str())
            .ok_or(Refusal::UnrecognizedAccessKeyId)?;
        match (credential.secret, vacancy) {
            // The signature says nothing, but the body's hash still must be the body's.
            (Secret::Any, _) => signed.check_body()?,
            (Secret::Key(_), Ok(key)) => signed.verify(&key)?,
            (Secret::Key(secret), Err(vacancy)) => {
                let key = Arc::new(SigningKey::derive(secret.expose(), &scope));
                signed.verify(&key)?;
                self.signing_keys.store(&vacancy, key, self.now);
            }
        }
        Ok(Session { caller: credential.caller, region })
    }
}

impl Authenticate for SignedRequest<'_> {
    fn authenticate(&self) -> Pending<'_, Result<Session, Error>> {
        Box::pin(std::future::ready(self.session().map_err(|refusal| refused(&refusal))))
    }
}

fn refused(refusal: &Refusal) -> Error {
    let code = match refusal.kind() {
        Kind::MissingAuthenticationToken => ErrorCode::MissingAuthenticationTokenException,
        Kind::IncompleteSignature => ErrorCode::IncompleteSignatureException,
        Kind::UnrecognizedClient => ErrorCode::UnrecognizedClientException,
        Kind::InvalidSignature => ErrorCode::InvalidSignatureException,
    };
    Error::new(code, refusal.message())
}
