//! The key that signs one day's requests to one service in one region.
//!
//! Owns the derivation from the secret access key. Must not keep the secret, nor let either be
//! printed.

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::refusal::Refusal;
use crate::scope::{Scope, TERMINATOR};

/// A signing key, good for one scope. It can't be read, copied or printed; AWS-LC wipes its own
/// memory when the key is dropped.
pub struct SigningKey(hmac::Key);

impl SigningKey {
    /// Derives the key from a secret access key.
    ///
    /// Source: the IAM User Guide's page "Create a signed AWS API request", step 4.
    pub fn derive(secret: &str, scope: &Scope<'_>) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, derive(secret, scope).as_ref()))
    }

    /// Compares in constant time.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8; 32]) -> Result<(), Refusal> {
        hmac::verify(&self.0, message, signature).map_err(|_| Refusal::SignatureDoesNotMatch)
    }
}

fn derive(secret: &str, scope: &Scope<'_>) -> hmac::Tag {
    // With its final capacity from the start: a buffer that grows leaves copies behind.
    let mut first = Zeroizing::new(Vec::with_capacity(4 + secret.len()));
    first.extend_from_slice(b"AWS4");
    first.extend_from_slice(secret.as_bytes());
    let date = sign(&first, scope.date());
    let region = sign(date.as_ref(), scope.region());
    let service = sign(region.as_ref(), scope.service());
    sign(service.as_ref(), TERMINATOR)
}

fn sign(key: &[u8], message: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AWS's documented derivation example.
    #[test]
    fn the_documented_key_is_derived() {
        let scope = Scope::new("20150830", "us-east-1", "iam").unwrap();
        let key = derive("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", &scope);
        let documented = [
            0xc4, 0xaf, 0xb1, 0xcc, 0x57, 0x71, 0xd8, 0x71, 0x76, 0x3a, 0x39, 0x3e, 0x44, 0xb7,
            0x03, 0x57, 0x1b, 0x55, 0xcc, 0x28, 0x42, 0x4d, 0x1a, 0x5e, 0x86, 0xda, 0x6e, 0xd3,
            0xc1, 0x54, 0xa4, 0xb9,
        ];
        assert_eq!(key.as_ref(), documented);
    }

    #[test]
    fn a_key_of_another_scope_does_not_verify() {
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        let scope = Scope::new("20150830", "us-east-1", "iam").unwrap();
        let mut tag = [0; 32];
        tag.copy_from_slice(hmac::sign(&SigningKey::derive(secret, &scope).0, b"m").as_ref());
        assert_eq!(SigningKey::derive(secret, &scope).verify(b"m", &tag), Ok(()));
        for (date, region, service) in [
            ("20150831", "us-east-1", "iam"),
            ("20150830", "us-east-2", "iam"),
            ("20150830", "us-east-1", "sts"),
        ] {
            let other = Scope::new(date, region, service).unwrap();
            assert!(SigningKey::derive(secret, &other).verify(b"m", &tag).is_err());
        }
        assert!(SigningKey::derive("other", &scope).verify(b"m", &tag).is_err());
    }
}
