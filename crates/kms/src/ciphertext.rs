//! The ciphertext blob, version 1: a header that names key and material, then what the key store
//! sealed. `docs/internals/blob-format.md` describes it to the byte.
//!
//! Must not know how material encrypts; the header is only data that gets authenticated.

use service::ports::MaterialId;
use wire::AccountId;

use crate::key_id::KeyId;

/// The first byte.
const VERSION: u8 = 1;
/// The header's length: version, kind of key id, account, key id, material id.
const HEADER_LENGTH: usize = 1 + 1 + 8 + 16 + 32;

/// A ciphertext, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub struct Ciphertext<'a> {
    /// The account that owns the key.
    pub account: AccountId,
    /// The key.
    pub key_id: KeyId,
    /// The material that sealed it.
    pub material: MaterialId,
    /// The header, which is authenticated.
    pub header: &'a [u8],
    /// What the key store made.
    pub sealed: &'a [u8],
}

/// A key's account and id, as a header holds them.
pub(crate) fn identity(account: &AccountId, key_id: &KeyId) -> [u8; 25] {
    let (kind, id) = key_id.to_bytes();
    let mut out = [kind; 25];
    out[1..9].copy_from_slice(&account.number().to_be_bytes());
    out[9..].copy_from_slice(&id);
    out
}

/// The header of a ciphertext under this key and material.
pub fn header(account: &AccountId, key_id: &KeyId, material: &MaterialId) -> [u8; HEADER_LENGTH] {
    let mut out = [VERSION; HEADER_LENGTH];
    out[1..26].copy_from_slice(&identity(account, key_id));
    out[26..].copy_from_slice(&material.0);
    out
}

impl<'a> Ciphertext<'a> {
    /// Takes a blob apart; `None` if it can't be one of ours.
    pub fn parse(blob: &'a [u8]) -> Option<Self> {
        let (header, sealed) = blob.split_at_checked(HEADER_LENGTH)?;
        let (&[VERSION, kind], rest) = header.split_first_chunk::<2>()? else { return None };
        let (account, rest) = rest.split_first_chunk::<8>()?;
        let (key_id, material) = rest.split_first_chunk::<16>()?;
        Some(Self {
            account: AccountId::from_number(u64::from_be_bytes(*account)).ok()?,
            key_id: KeyId::from_bytes(kind, *key_id)?,
            material: MaterialId(material.try_into().ok()?),
            header,
            sealed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_parses_back() {
        let account = AccountId::parse("012345678901").unwrap();
        let material = MaterialId([7; 32]);
        for id in ["1234abcd-12ab-34cd-56ef-1234567890ab", "mrk-1234abcd12ab34cd56ef1234567890ab"] {
            let key_id = KeyId::parse(id).unwrap();
            let mut blob = header(&account, &key_id, &material).to_vec();
            blob.extend_from_slice(b"sealed");
            let parsed = Ciphertext::parse(&blob).unwrap();
            assert_eq!(parsed.account, account);
            assert_eq!(parsed.key_id.as_str(), id);
            assert_eq!(parsed.material, material);
            assert_eq!(parsed.sealed, b"sealed");
            assert_eq!(parsed.header.len() + parsed.sealed.len(), blob.len());
        }
    }

    #[test]
    fn foreign_blobs_are_none_of_ours() {
        let account = AccountId::parse("012345678901").unwrap();
        let key_id = KeyId::parse("1234abcd-12ab-34cd-56ef-1234567890ab").unwrap();
        let good = header(&account, &key_id, &MaterialId([0; 32]));
        for (at, value) in [(0, 2), (0, 0), (1, 2), (2, 0xff)] {
            let mut blob = good;
            blob[at] = value;
            assert_eq!(Ciphertext::parse(&blob), None, "{at}");
        }
        for length in 0..good.len() {
            assert_eq!(Ciphertext::parse(&good[..length]), None);
        }
    }
}
