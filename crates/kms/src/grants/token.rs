//! Grant tokens: they name a grant, and prove that CreateGrant answered with it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use service::ports::{TokenError, TokenKind};
use service::{Context, Error};
use wire::shapes::{GrantToken, GrantTokens};
use wire::{AccountId, ErrorCode};
use zeroize::Zeroizing;

use crate::Kms;
use crate::ciphertext::identity;
use crate::grants::GrantId;
use crate::key::Key;
use crate::key_id::KeyId;

/// The first byte of what is in a token.
const VERSION: u8 = 1;
/// What a token holds: version, kind of key id, account, key id, grant id.
const LENGTH: usize = 1 + 1 + 8 + 16 + 32;

/// What a token says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) account: AccountId,
    pub(crate) key_id: KeyId,
    pub(crate) grant_id: GrantId,
}

impl Token {
    /// Makes a token of that grant; each differs from all others.
    pub(crate) async fn seal(
        cx: &Context<'_, Kms>,
        key: &Key,
        id: &GrantId,
    ) -> Result<GrantToken, Error> {
        let mut plaintext = Vec::with_capacity(LENGTH);
        plaintext.push(VERSION);
        plaintext.extend_from_slice(&identity(&key.account, &key.id));
        plaintext.extend_from_slice(&id.to_bytes());
        let region = cx.region.as_str();
        let sealing = cx.service.key_store.seal_token(region, TokenKind::Grant, &plaintext, &[]);
        Ok(GrantToken::of(STANDARD.encode(sealing.await?)))
    }

    /// Opens a token that CreateGrant gave in this Region, whether or not its grant is still there.
    ///
    /// # Errors
    /// InvalidGrantTokenException, without a message, whatever is wrong with it.
    pub(crate) async fn open(cx: &Context<'_, Kms>, token: &GrantToken) -> Result<Self, Error> {
        let bytes = STANDARD.decode(token.as_str()).map_err(|_| invalid())?;
        let region = cx.region.as_str();
        let opening = cx.service.key_store.open_token(region, TokenKind::Grant, &bytes, &[]);
        let opened: Zeroizing<Vec<u8>> = opening.await.map_err(|error| match error {
            TokenError::Unopened => invalid(),
            TokenError::KeyStore(error) => error.into(),
        })?;
        Self::parse(&opened).ok_or_else(invalid)
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; LENGTH] = bytes.try_into().ok()?;
        let (&[VERSION, kind], rest) = bytes.split_first_chunk::<2>()? else { return None };
        let (account, rest) = rest.split_first_chunk::<8>()?;
        let (key_id, grant_id) = rest.split_first_chunk::<16>()?;
        Some(Self {
            account: AccountId::from_number(u64::from_be_bytes(*account)).ok()?,
            key_id: KeyId::from_bytes(kind, *key_id)?,
            grant_id: GrantId::from_bytes(grant_id.try_into().ok()?),
        })
    }
}

/// Refuses a request with a token that is none. What tokens name is not looked at: every grant is
/// in force without them. It is done before the key is looked for, so that a bad token tells
/// nobody whether there is such a key.
///
/// # Errors
/// InvalidGrantTokenException.
pub(crate) async fn check_tokens(
    cx: &Context<'_, Kms>,
    tokens: Option<&GrantTokens>,
) -> Result<(), Error> {
    for token in tokens.into_iter().flat_map(|tokens| &tokens.0) {
        Token::open(cx, token).await?;
    }
    Ok(())
}

fn invalid() -> Error {
    Error::bare(ErrorCode::InvalidGrantTokenException)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_token_holds_parses_back() {
        let account = AccountId::parse("111122223333").unwrap();
        let key_id = KeyId::parse("mrk-1234abcd12ab34cd56ef1234567890ab").unwrap();
        let grant_id = GrantId::from_bytes(&[0x5a; 32]);
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&identity(&account, &key_id));
        bytes.extend_from_slice(&grant_id.to_bytes());
        assert_eq!(Token::parse(&bytes), Some(Token { account, key_id, grant_id }));
        for (at, value) in [(0, 2), (1, 9), (2, 0xff)] {
            let mut other = bytes.clone();
            other[at] = value;
            assert_eq!(Token::parse(&other), None, "{at}");
        }
        assert_eq!(Token::parse(&bytes[1..]), None);
        bytes.push(0);
        assert_eq!(Token::parse(&bytes), None);
    }
}
