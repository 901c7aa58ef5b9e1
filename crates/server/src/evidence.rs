//! Who sent a request: its signature, held against the credentials that are known.

use std::sync::Arc;

use iam::{Credentials, NoCredential, Secret};
use service::ports::Pending;
use service::{Authenticate, Error, Session};
use sigv4::{Kind, Refusal, SigningKey, SigningKeyCache};
use wire::{ErrorCode, Region, Timestamp};

/// A request with all that its signature is checked against.
pub(crate) struct SignedRequest<'a> {
    pub(crate) request: sigv4::Request<'a>,
    /// The service's name in credential scopes.
    pub(crate) service: &'static str,
    pub(crate) credentials: &'a Credentials,
    pub(crate) signing_keys: &'a SigningKeyCache,
    /// The system's time, in seconds since 1970, which signatures are held against.
    pub(crate) system_now: i64,
    /// The services' time, which sessions expire by.
    pub(crate) now: Timestamp,
}

impl SignedRequest<'_> {
    async fn session(&self) -> Result<Session, Error> {
        let signed = sigv4::parse(&self.request).map_err(|refusal| refused(&refusal))?;
        let region = self.check_scope(&signed).map_err(|refusal| refused(&refusal))?;
        let (id, scope) = (signed.access_key_id(), signed.scope());
        let vacancy = self.signing_keys.find(id, &scope);
        let token = signed.session_token();
        let found = self.credentials.find(id, token, region.as_str(), self.now).await;
        let credential = found.map_err(Self::no_credential)?;
        let checked = match (credential.secret, vacancy) {
            // The signature says nothing, but the body's hash still must be the body's.
            (Secret::Any, _) => signed.check_body(),
            (Secret::Key(_), Ok(key)) => signed.verify(&key),
            (Secret::Key(secret), Err(vacancy)) => {
                let key = Arc::new(SigningKey::derive(secret.expose(), &scope));
                signed.verify(&key).map(|()| {
                    self.signing_keys.store(&vacancy, key, self.system_now);
                })
            }
        };
        checked.map_err(|refusal| refused(&refusal))?;
        let caller = credential.caller;
        self.credentials.directory().used(&caller, self.service, &region, self.now);
        Ok(Session { caller, region })
    }

    fn check_scope(&self, signed: &sigv4::Signed<'_>) -> Result<Region, Refusal> {
        signed.check_scope(self.service)?;
        signed.check_region(|name| Region::parse(name).is_some())?;
        signed.check_time(self.system_now)?;
        Region::parse(signed.scope().region()).ok_or(Refusal::UnrecognizedAccessKeyId)
    }

    fn no_credential(none: NoCredential) -> Error {
        match none {
            NoCredential::Failed(error) => error,
            NoCredential::Unknown => refused(&Refusal::UnrecognizedAccessKeyId),
            NoCredential::Expired => Error::new(
                ErrorCode::ExpiredSessionToken,
                "The security token included in the request is expired",
            ),
        }
    }
}

impl Authenticate for SignedRequest<'_> {
    fn authenticate(&self) -> Pending<'_, Result<Session, Error>> {
        Box::pin(self.session())
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
