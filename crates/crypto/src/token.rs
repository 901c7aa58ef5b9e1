//! Tokens: values that callers keep for the server and can neither read nor alter.
//!
//! It owns their sealed form, version 1: a version byte and an envelope. It must not know what
//! is in a token, for how long it is good, or how it is encoded for the caller.

use zeroize::Zeroizing;

use crate::derive::Label;
use crate::domain_key::DomainKey;
use crate::envelope::{self, Envelope, Salt};
use crate::{Error, Unopened};

const VERSION: u8 = 1;

/// How much longer a token is than what is in it, in bytes.
pub const TOKEN_OVERHEAD: usize = 1 + envelope::OVERHEAD;

/// What a token is for. One of one kind doesn't open as one of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// The ImportToken of GetParametersForImport.
    Import,
    /// The GrantToken of CreateGrant.
    Grant,
    /// The SessionToken of STS credentials.
    Session,
    /// The secret of an access key, as it is stored.
    AccessKey,
}

impl TokenKind {
    const fn label(self) -> Label {
        match self {
            Self::Import => Label::IMPORT_TOKEN,
            Self::Grant => Label::GRANT_TOKEN,
            Self::Session => Label::SESSION_TOKEN,
            Self::AccessKey => Label::ACCESS_KEY,
        }
    }
}

impl DomainKey {
    /// Seals a token. It opens only with the same `kind` and `context`.
    ///
    /// # Errors
    /// [`Error::Random`], [`Error::Library`].
    pub fn seal_token(
        &self,
        kind: TokenKind,
        plaintext: &[u8],
        context: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let label = kind.label();
        let mut token = Vec::with_capacity(plaintext.len() + TOKEN_OVERHEAD);
        token.push(VERSION);
        let aad = aad(label, context);
        envelope::seal(self.locked(), label, &Salt::random()?, &aad, plaintext, &mut token)?;
        Ok(token)
    }

    /// Opens what [`Self::seal_token`] made. The content is wiped when it is dropped.
    ///
    /// # Errors
    /// [`Unopened`], whatever the reason.
    pub fn open_token(
        &self,
        kind: TokenKind,
        token: &[u8],
        context: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Unopened> {
        let (&[version], envelope) = token.split_first_chunk().ok_or(Unopened)?;
        if version != VERSION {
            return Err(Unopened);
        }
        let (label, envelope) = (kind.label(), Envelope::parse(envelope)?);
        let mut plaintext = Zeroizing::new(vec![0; envelope.ciphertext.len()]);
        envelope.open(self.locked(), label, &aad(label, context), &mut plaintext)?;
        Ok(plaintext)
    }
}

fn aad(label: Label, context: &[u8]) -> Vec<u8> {
    [label.as_bytes(), &[0], context].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [TokenKind; 4] =
        [TokenKind::Import, TokenKind::Grant, TokenKind::Session, TokenKind::AccessKey];

    #[test]
    fn a_token_opens_with_its_own_key_kind_and_context_only() {
        let (domain, other) = (DomainKey::generate().unwrap(), DomainKey::generate().unwrap());
        for kind in KINDS {
            let token = domain.seal_token(kind, b"content", b"context").unwrap();
            assert_eq!(token.len(), b"content".len() + TOKEN_OVERHEAD);
            assert_eq!(*domain.open_token(kind, &token, b"context").unwrap(), b"content");
            assert_eq!(domain.open_token(kind, &token, b"contexu"), Err(Unopened));
            assert_eq!(other.open_token(kind, &token, b"context"), Err(Unopened));
            for foreign in KINDS.into_iter().filter(|foreign| *foreign != kind) {
                assert_eq!(domain.open_token(foreign, &token, b"context"), Err(Unopened));
            }
        }
    }

    #[test]
    fn every_altered_byte_and_every_other_length_is_refused() {
        let domain = DomainKey::generate().unwrap();
        let token = domain.seal_token(TokenKind::Import, b"content", b"").unwrap();
        for position in 0..token.len() {
            let mut altered = token.clone();
            altered[position] ^= 1;
            assert_eq!(domain.open_token(TokenKind::Import, &altered, b""), Err(Unopened));
            assert!(domain.open_token(TokenKind::Import, &token[..position], b"").is_err());
        }
        let longer = [&token[..], &[0]].concat();
        assert_eq!(domain.open_token(TokenKind::Import, &longer, b""), Err(Unopened));
    }

    #[test]
    fn an_empty_token_is_one_too() {
        let domain = DomainKey::generate().unwrap();
        let token = domain.seal_token(TokenKind::Grant, b"", b"").unwrap();
        assert!(domain.open_token(TokenKind::Grant, &token, b"").unwrap().is_empty());
    }
}
