//! The import token: what GetParametersForImport hands out and ImportKeyMaterial wants back.
//!
//! It holds all that is needed to open what comes in, so that nothing is stored for an import that
//! may never happen. It is sealed for the key's Region with the key's ARN; within its time it can
//! be used more than once, as AWS's can.

use service::Error;
use service::ports::{TokenError, TokenKind};
use wire::enums::{AlgorithmSpec, WrappingKeySpec};
use wire::shapes::Ciphertext;
use wire::{ErrorCode, Timestamp};
use zeroize::Zeroizing;

use crate::Kms;
use crate::key::Key;

/// How long a token and its public key are good, in milliseconds: 24 hours.
pub(crate) const VALID_MS: i64 = 24 * 60 * 60 * 1000;

/// What a token holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ImportToken {
    /// The wrapping key pair's kind.
    pub(crate) spec: WrappingKeySpec,
    /// How material is encrypted under it.
    pub(crate) algorithm: AlgorithmSpec,
    /// When the token stops being good.
    pub(crate) valid_to: Timestamp,
    /// The private key, as the key store wrapped it.
    pub(crate) wrapped: Vec<u8>,
}

impl ImportToken {
    /// The two names, each with a zero byte behind it, the time in milliseconds as 8 bytes, the
    /// wrapped private key.
    fn to_bytes(&self) -> Vec<u8> {
        let (spec, algorithm) = (self.spec.as_str().as_bytes(), self.algorithm.as_str().as_bytes());
        let valid_to = self.valid_to.millis().to_be_bytes();
        [spec, &[0], algorithm, &[0], &valid_to, &self.wrapped].concat()
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut parts = bytes.splitn(3, |byte| *byte == 0);
        let spec = WrappingKeySpec::parse(str::from_utf8(parts.next()?).ok()?)?;
        let algorithm = AlgorithmSpec::parse(str::from_utf8(parts.next()?).ok()?)?;
        let (valid_to, wrapped) = parts.next()?.split_first_chunk::<8>()?;
        let valid_to = Timestamp::from_millis(i64::from_be_bytes(*valid_to));
        Some(Self { spec, algorithm, valid_to, wrapped: wrapped.to_vec() })
    }
}

impl Kms {
    /// Seals a token for that key.
    ///
    /// # Errors
    /// A failure of the key store.
    pub(crate) async fn seal_import_token(
        &self,
        key: &Key,
        token: &ImportToken,
    ) -> Result<Ciphertext, Error> {
        let (region, bound) = (key.region.as_str(), key.arn.as_bytes());
        let plaintext = token.to_bytes();
        let sealed = self.key_store.seal_token(region, TokenKind::Import, &plaintext, bound);
        Ok(Ciphertext::of(Zeroizing::new(sealed.await?)))
    }

    /// Opens a token of that key that is still good.
    ///
    /// # Errors
    /// InvalidImportTokenException for another key's and for what is none,
    /// ExpiredImportTokenException.
    pub(crate) async fn open_import_token(
        &self,
        key: &Key,
        token: &Ciphertext,
        now: Timestamp,
    ) -> Result<ImportToken, Error> {
        let (region, bound) = (key.region.as_str(), key.arn.as_bytes());
        let opened = self.key_store.open_token(region, TokenKind::Import, token.as_bytes(), bound);
        let invalid = || Error::bare(ErrorCode::InvalidImportTokenException);
        let plaintext = opened.await.map_err(|error| match error {
            TokenError::Unopened => invalid(),
            TokenError::KeyStore(error) => error.into(),
        })?;
        let token = ImportToken::parse(&plaintext).ok_or_else(invalid)?;
        if token.valid_to <= now {
            return Err(Error::bare(ErrorCode::ExpiredImportTokenException));
        }
        Ok(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_parses_back() {
        let token = ImportToken {
            spec: WrappingKeySpec::Rsa3072,
            algorithm: AlgorithmSpec::RsaAesKeyWrapSha256,
            valid_to: Timestamp::from_millis(0x0100_0002_0000),
            wrapped: vec![0, 1, 0, 2],
        };
        let bytes = token.to_bytes();
        assert_eq!(ImportToken::parse(&bytes), Some(token));
        for length in 0..bytes.len() - 4 {
            assert_eq!(ImportToken::parse(&bytes[..length]), None, "{length}");
        }
        assert_eq!(ImportToken::parse(b"RSA_2049\0RSAES_OAEP_SHA_1\x0012345678"), None);
        assert_eq!(ImportToken::parse(b"RSA_2048\0\xff\x0012345678"), None);
    }
}
