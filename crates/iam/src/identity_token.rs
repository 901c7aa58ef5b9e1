//! Identity tokens of OpenID Connect providers: JSON Web Tokens (RFC 7519) that tell of whoever
//! holds them. Owns what a token must have, and the check of its signature by its issuer's keys.
//!
//! Must not know which providers are trusted, nor what a token admits to.

use jsonwebtoken::jwk::{Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, dangerous, decode, decode_header};
use serde::Deserialize;
use serde_json::{Map, Value};
use service::Error;
use wire::{ErrorCode, Timestamp};

/// The algorithms that providers may sign with (IAM User Guide, "Create an OpenID Connect (OIDC)
/// identity provider in IAM"); ES512 is beyond the library.
const ALGORITHMS: [Algorithm; 5] =
    [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::ES256, Algorithm::ES384];
/// How far an issuer's clock may be ahead, in seconds.
const SKEW: i64 = 300;
/// How many keys of a set are looked at.
const KEYS_MAX: usize = 100;
/// How many keys are tried for one token that names none.
const TRIED_MAX: usize = 8;

/// What a token says. Only [`IdentityToken::verify`] makes it more than a claim.
pub(crate) struct IdentityToken {
    /// All that it says.
    pub(crate) claims: Map<String, Value>,
    /// Its issuer, without `https://`.
    pub(crate) issuer: String,
    /// Whom it tells of.
    pub(crate) subject: String,
    expires: i64,
    not_before: i64,
}

/// The keys of a set, each still to be understood: one that isn't spoils no other.
#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

impl IdentityToken {
    /// Reads what a token claims.
    ///
    /// # Errors
    /// InvalidIdentityTokenException for what is no token, or lacks what every token must have:
    /// issuer, audience, subject, and when it was issued and expires.
    pub(crate) fn claimed(token: &str) -> Result<Self, Error> {
        let claims: Map<String, Value> =
            dangerous::insecure_decode_claims(token).map_err(|_| no_token())?;
        let text = |name: &str| {
            let value = claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            value.map(str::to_owned).ok_or_else(|| missing(name))
        };
        let issuer = text("iss")?;
        let issuer = issuer.strip_prefix("https://").ok_or_else(|| {
            invalid("The issuer of the ID Token must be a URL that begins with https://")
        })?;
        let seconds = |name: &str| seconds(claims.get(name)?);
        let issued_at = seconds("iat").ok_or_else(|| missing("iat"))?;
        let expires = seconds("exp").ok_or_else(|| missing("exp"))?;
        let not_before = match claims.get("nbf") {
            None => issued_at,
            Some(_) => seconds("nbf").ok_or_else(|| missing("nbf"))?.max(issued_at),
        };
        let (issuer, subject) = (issuer.to_owned(), text("sub")?);
        let token = Self { claims, issuer, subject, expires, not_before };
        if token.audiences().next().is_none() {
            return Err(missing("aud"));
        }
        Ok(token)
    }

    /// Whom it is for: who was authorized (`azp`) if it says so, else any of its audiences.
    pub(crate) fn audiences(&self) -> impl Iterator<Item = &str> {
        let of = |name: &str| -> Vec<&str> {
            match self.claims.get(name) {
                Some(Value::String(one)) => vec![one],
                Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
                _ => Vec::new(),
            }
        };
        let authorized = if self.claims.contains_key("azp") { of("azp") } else { of("aud") };
        authorized.into_iter().filter(|audience| !audience.is_empty())
    }

    /// Checks that it is in force now.
    ///
    /// # Errors
    /// ExpiredTokenException, InvalidIdentityTokenException for one from the future.
    pub(crate) fn check_time(&self, now: Timestamp) -> Result<(), Error> {
        let now = now.seconds();
        if now >= self.expires {
            let expires = self.expires;
            return Err(Error::new(
                ErrorCode::ExpiredTokenException,
                format!(
                    "Token expired: current date/time {now} must be before the expiration \
                     date/time {expires}"
                ),
            ));
        }
        if self.not_before > now.saturating_add(SKEW) {
            return Err(invalid("The ID Token provided is not yet valid"));
        }
        Ok(())
    }

    /// Checks the signature of the token that this was read from, by its issuer's key set.
    ///
    /// # Errors
    /// InvalidIdentityTokenException.
    pub(crate) fn verify(token: &str, key_set: &str) -> Result<(), Error> {
        let header = decode_header(token).map_err(|_| no_token())?;
        // What a header calls critical must be understood, and nothing is (RFC 7515, 4.1.11).
        if !ALGORITHMS.contains(&header.alg) || header.crit.is_some() {
            return Err(no_token());
        }
        let KeySet { keys } = serde_json::from_str(key_set).map_err(|_| no_key())?;
        let keys = keys.into_iter().take(KEYS_MAX).filter_map(|key| Jwk::deserialize(key).ok());
        let fitting: Vec<Jwk> = keys
            .filter(|key| serves(key, header.alg))
            .filter(|key| header.kid.is_none() || key.common.key_id == header.kid)
            .take(TRIED_MAX)
            .collect();
        if fitting.is_empty() {
            return Err(no_key());
        }
        // Times are checked against the services' clock, and audiences by who knows the provider.
        let mut validation = Validation::new(header.alg);
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        let signed = fitting.iter().filter_map(|key| DecodingKey::from_jwk(key).ok()).any(|key| {
            key.family() == header.alg.family() && decode::<Value>(token, &key, &validation).is_ok()
        });
        if signed { Ok(()) } else { Err(invalid("The ID Token's signature is not valid")) }
    }
}

/// Whether a key is meant for signatures of that algorithm.
fn serves(key: &Jwk, algorithm: Algorithm) -> bool {
    let common = &key.common;
    let signs = common.public_key_use.as_ref().is_none_or(|use_| *use_ == PublicKeyUse::Signature);
    let verifies =
        common.key_operations.as_ref().is_none_or(|all| all.contains(&KeyOperations::Verify));
    let same = common.key_algorithm.is_none_or(|own| own == KeyAlgorithm::from(algorithm));
    signs && verifies && same
}

/// A moment in seconds since 1970, which may have a fraction (RFC 7519, "NumericDate").
fn seconds(value: &Value) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "bounded by the filter")]
    let rounded = || value.as_f64().filter(|n| n.abs() < 1e15).map(|n| n.floor() as i64);
    value.as_i64().filter(|n| n.unsigned_abs() < 1 << 50).or_else(rounded)
}

/// The refusal of an identity token.
pub(crate) fn invalid(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorCode::InvalidIdentityTokenException, message)
}

fn no_token() -> Error {
    invalid(
        "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access \
         Token)",
    )
}

fn no_key() -> Error {
    invalid(
        "Couldn't retrieve verification key from your identity provider, please reference \
         AssumeRoleWithWebIdentity documentation for requirements",
    )
}

fn missing(claim: &str) -> Error {
    invalid(format!("Missing a required claim: {claim}"))
}

#[cfg(test)]
mod tests;
