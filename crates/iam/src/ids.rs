//! Unique ids and access keys: a prefix that says what they are of, then random letters.
//! (IAM User Guide, "IAM identifiers".)
//!
//! The sixteen letters of a session's access key id are 80 bits: a one, the account's number in
//! forty, and random ones. AWS's have the same form, so that whose a key is needs no looking up.

use service::Error;
use service::ports::Entropy;
use wire::AccountId;
use zeroize::Zeroizing;

/// The letters of RFC 4648's base32, of which ids are made.
const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// The letters of base64, of which secrets are made.
const SECRET_LETTERS: &[u8; 64] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// What an id is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdKind {
    User,
    Group,
    Role,
    Policy,
    AccessKey,
    TemporaryAccessKey,
}

impl IdKind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::User => "AIDA",
            Self::Group => "AGPA",
            Self::Role => "AROA",
            Self::Policy => "ANPA",
            Self::AccessKey => "AKIA",
            Self::TemporaryAccessKey => "ASIA",
        }
    }

    /// How many letters follow the prefix.
    const fn letters(self) -> usize {
        match self {
            Self::AccessKey | Self::TemporaryAccessKey => 16,
            _ => 17,
        }
    }

    /// A new id: 80 random bits and more.
    ///
    /// # Errors
    /// A failure of ours: there is no randomness.
    pub(crate) fn draw(self, entropy: &dyn Entropy) -> Result<String, Error> {
        let mut id = self.prefix().to_owned();
        let mut random = vec![0; self.letters()];
        entropy.fill(&mut random)?;
        id.extend(random.iter().map(|byte| char::from(LETTERS[usize::from(byte & 31)])));
        Ok(id)
    }
}

/// How many random bits end a session's access key id.
const RANDOM_BITS: u32 = 39;
/// How many bits of it are the account's number.
const ACCOUNT_BITS: u32 = 40;
/// How many bits a letter stands for.
const LETTER_BITS: u32 = 5;

/// A new access key id for a session of the account, which can be read from it.
///
/// # Errors
/// A failure of ours: there is no randomness.
pub(crate) fn draw_session_key_id(
    account: &AccountId,
    entropy: &dyn Entropy,
) -> Result<String, Error> {
    let mut random = [0; 8];
    entropy.fill(&mut random)?;
    let random = u128::from(u64::from_be_bytes(random)) & ((1 << RANDOM_BITS) - 1);
    let account = u128::from(account.number()) << RANDOM_BITS;
    let bits = (1 << (RANDOM_BITS + ACCOUNT_BITS)) | account | random;
    let mut id = IdKind::TemporaryAccessKey.prefix().to_owned();
    let count = (RANDOM_BITS + ACCOUNT_BITS + 1) / LETTER_BITS;
    id.extend((0..count).rev().map(|place| {
        // Five bits are less than 32.
        let letter = usize::try_from(bits >> (place * LETTER_BITS) & 31).unwrap_or_default();
        char::from(LETTERS[letter])
    }));
    Ok(id)
}

/// The account of a session's access key id.
pub(crate) fn account_of_session_key(id: &str) -> Option<AccountId> {
    let letters = id.strip_prefix(IdKind::TemporaryAccessKey.prefix())?;
    if letters.len() != IdKind::TemporaryAccessKey.letters() {
        return None;
    }
    let bits = letters.bytes().try_fold(0_u128, |bits, letter| {
        let value = LETTERS.iter().position(|known| *known == letter)?;
        Some(bits << LETTER_BITS | u128::try_from(value).ok()?)
    })?;
    let number = bits >> RANDOM_BITS;
    if number >> ACCOUNT_BITS != 1 {
        return None;
    }
    AccountId::from_number(u64::try_from(number & ((1 << ACCOUNT_BITS) - 1)).ok()?).ok()
}

/// A new secret access key: forty letters, 240 random bits.
///
/// # Errors
/// A failure of ours: there is no randomness.
pub(crate) fn draw_secret(entropy: &dyn Entropy) -> Result<Zeroizing<String>, Error> {
    let mut random = Zeroizing::new([0; 40]);
    entropy.fill(random.as_mut())?;
    let mut secret = Zeroizing::new(String::with_capacity(random.len()));
    secret.extend(random.iter().map(|byte| char::from(SECRET_LETTERS[usize::from(byte & 63)])));
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every byte the same.
    struct Constant(u8);

    impl Entropy for Constant {
        fn fill(&self, out: &mut [u8]) -> Result<(), service::ports::EntropyUnavailable> {
            out.fill(self.0);
            Ok(())
        }
    }

    #[test]
    fn a_sessions_key_id_tells_its_account() {
        for account in ["000000000000", "111122223333", "999999999999"] {
            let account = AccountId::parse(account).unwrap();
            for random in [0, 0xa5, 0xff] {
                let id = draw_session_key_id(&account, &Constant(random)).unwrap();
                assert_eq!((&id[..4], id.len()), ("ASIA", 20));
                assert_eq!(account_of_session_key(&id), Some(account), "{id}");
            }
        }
        // What was published of AWS's own form: an id and its account.
        let published = account_of_session_key("ASIAQNZGKIQY56JQ7WML");
        assert_eq!(published.unwrap().as_str(), "029608264753");
    }

    #[test]
    fn other_ids_tell_none() {
        for id in [
            "ASIA",
            "AKIAQNZGKIQY56JQ7WML",
            "ASIAQNZGKIQY56JQ7WM",
            "ASIAQNZGKIQY56JQ7WMLA",
            "ASIAQNZGKIQY56JQ7WM1",
            "ASIAqNZGKIQY56JQ7WML",
            "ASIAAAAAAAAAAAAAAAAA",
            "ASIA7777777777777777",
        ] {
            assert_eq!(account_of_session_key(id), None, "{id}");
        }
    }
}
