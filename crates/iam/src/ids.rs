//! Unique ids and access keys: a prefix that says what they are of, then random letters.
//! (IAM User Guide, "IAM identifiers".)

use service::Error;
use service::ports::Entropy;
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
