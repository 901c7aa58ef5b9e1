//! What can go wrong with seals, in words for an operator that never hold a secret.

use std::time::Duration;
use std::{error, fmt};

use crypto::{KeyFileError, ShareRejection};
use service::ports::StoreError;

use crate::SEALS_MAX;
use crate::kind::{Kind, PASSPHRASE_MAX, PASSPHRASE_MIN};
use crate::kms::KmsError;

/// What shows that the records of seals aren't those that were last written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// A record is there that isn't in the list of seals.
    Added {
        /// The seal's id, as its place in the store says.
        id: String,
    },
    /// A seal in the list has no record.
    Removed {
        /// Its id.
        id: String,
        /// Its name.
        name: String,
    },
    /// A seal's record was altered or is damaged.
    Altered {
        /// Its id.
        id: String,
        /// Its name.
        name: String,
    },
    /// A seal's record is whole, but an earlier one than the list says: it was put back.
    RolledBack {
        /// Its id.
        id: String,
        /// Its name.
        name: String,
    },
    /// The list of seals is gone.
    ListRemoved,
    /// The list of seals was altered, is damaged, or isn't of this root key.
    ListAltered,
}

impl Finding {
    /// The id of the seal that it is about; none if it is about the list.
    pub fn seal(&self) -> Option<&str> {
        match self {
            Self::Added { id }
            | Self::Removed { id, .. }
            | Self::Altered { id, .. }
            | Self::RolledBack { id, .. } => Some(id),
            Self::ListRemoved | Self::ListAltered => None,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added { id } => write!(f, "seal {id} was added from outside"),
            Self::Removed { id, name } => write!(f, "seal {id} ({name}) was removed from outside"),
            Self::Altered { id, name } => write!(f, "the record of seal {id} ({name}) was altered"),
            Self::RolledBack { id, name } => {
                write!(f, "the record of seal {id} ({name}) is an earlier one, put back")
            }
            Self::ListRemoved => f.write_str("the list of seals is gone"),
            Self::ListAltered => {
                f.write_str("the list of seals was altered or is another root key's")
            }
        }
    }
}

struct List<'a, T>(&'a [T]);

impl<T: fmt::Display> fmt::Display for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, one) in self.0.iter().enumerate() {
            let before = if index == 0 { "" } else { "; " };
            write!(f, "{before}{one}")?;
        }
        Ok(())
    }
}

/// Why a seal, or a change of the seals, came to nothing.
#[derive(Debug)]
#[non_exhaustive]
pub enum SealsError {
    /// The store can't be read or written.
    Store(StoreError),
    /// Another change of the seals was faster; nothing was changed.
    Conflict,
    /// A record can't be written down.
    Record(service::Error),
    /// Something of the cryptography failed.
    Crypto(crypto::Error),
    /// A key file couldn't be made.
    KeyFile(KeyFileError),
    /// The KMS didn't encrypt the seal key, or didn't give it back.
    Kms(KmsError),
    /// Records were tampered with.
    Tampered(Vec<Finding>),
    /// The installation has seals already.
    Exists,
    /// The server is sealed.
    Sealed,
    /// An installation has at least one seal.
    NoSeal,
    /// The last seal is never removed.
    LastSeal,
    /// An installation has at most so many seals.
    TooMany,
    /// No seal has that id or name.
    NoSuchSeal {
        /// What was asked for.
        seal: String,
    },
    /// The seal is of another kind than the new secret.
    OtherKind {
        /// Its kind.
        kind: Kind,
    },
    /// A name isn't 1 to 64 letters, digits, blanks or one of `.-_@`.
    BadName,
    /// Another seal has that name.
    NameTaken {
        /// The name.
        name: String,
    },
    /// A passphrase has fewer characters than it must have.
    PassphraseTooShort,
    /// A passphrase has more bytes than it may have.
    PassphraseTooLong,
    /// A previous root key is still needed: a rotation isn't finished.
    RotationUnderWay,
    /// The root key was rotated 2^32 times.
    RotationsUsedUp,
    /// A thread could not be used.
    Thread,
}

impl fmt::Display for SealsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Conflict => f.write_str("another change of the seals was faster; try again"),
            Self::Record(error) => write!(f, "a record can't be written: {error}"),
            Self::Crypto(error) => error.fmt(f),
            Self::KeyFile(error) => error.fmt(f),
            Self::Kms(error) => error.fmt(f),
            Self::Tampered(findings) => {
                write!(f, "the seals were tampered with: {}", List(findings))
            }
            Self::Exists => f.write_str("there are seals already"),
            Self::Sealed => f.write_str("the server is sealed"),
            Self::NoSeal => f.write_str("at least one seal is needed"),
            Self::LastSeal => f.write_str("the last seal can't be removed; add another one first"),
            Self::TooMany => write!(f, "there are at most {SEALS_MAX} seals"),
            Self::NoSuchSeal { seal } => write!(f, "no seal has the id or name {seal:?}"),
            Self::OtherKind { kind } => {
                write!(f, "the seal is of kind {kind}; its new secret must be of the same kind")
            }
            Self::BadName => f.write_str(
                "a seal's name has 1 to 64 letters, digits, blanks and characters of .-_@",
            ),
            Self::NameTaken { name } => write!(f, "another seal has the name {name:?}"),
            Self::PassphraseTooShort => {
                write!(f, "a passphrase has at least {PASSPHRASE_MIN} characters")
            }
            Self::PassphraseTooLong => {
                write!(f, "a passphrase has at most {PASSPHRASE_MAX} bytes")
            }
            Self::RotationUnderWay => f.write_str(
                "the last rotation of the root key isn't finished: domain keys are still being \
                 wrapped anew",
            ),
            Self::RotationsUsedUp => f.write_str("the root key can't be rotated any more"),
            Self::Thread => f.write_str("a thread of the server has failed"),
        }
    }
}

impl error::Error for SealsError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Store(error) => Some(error),
            Self::Crypto(error) => Some(error),
            Self::KeyFile(error) => Some(error),
            Self::Kms(error) => Some(error),
            _ => None,
        }
    }
}

impl From<StoreError> for SealsError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict => Self::Conflict,
            other => Self::Store(other),
        }
    }
}

impl From<crypto::Error> for SealsError {
    fn from(error: crypto::Error) -> Self {
        Self::Crypto(error)
    }
}

/// A seal that an attempt was made at, and why it didn't open.
#[derive(Debug)]
pub struct Tried {
    /// The seal's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Why it didn't open.
    pub reason: Unopened,
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seal {} ({}): {}", self.id, self.name, self.reason)
    }
}

/// Why a seal didn't open.
#[derive(Debug)]
#[non_exhaustive]
pub enum Unopened {
    /// The secret is not the seal's.
    WrongSecret,
    /// The KMS didn't give the seal key back.
    Kms(KmsError),
    /// The record says something that no version of this program writes.
    Record,
    /// Something of the cryptography failed: no memory, for one.
    Crypto(crypto::Error),
}

impl fmt::Display for Unopened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongSecret => f.write_str("the secret is not this seal's"),
            Self::Kms(error) => error.fmt(f),
            Self::Record => f.write_str("its record has impossible parameters"),
            Self::Crypto(error) => error.fmt(f),
        }
    }
}

/// Why an attempt didn't open the root key. [`Self::code`] is for the audit log.
#[derive(Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// The last attempt with a secret of this kind was wrong, and not enough time has passed.
    TooSoon {
        /// The kind.
        kind: Kind,
        /// How long to wait.
        wait: Duration,
    },
    /// No seal is of that kind, or has the name that was given.
    NoSuchSeal {
        /// The kind of the secret.
        kind: Kind,
    },
    /// The secret opens none of the seals that it was tried on.
    NotOpened(Vec<Tried>),
    /// A share's text isn't taken.
    Share(ShareRejection),
    /// The share is of a set that no seal has.
    OtherSet {
        /// The set that the share names.
        set: String,
    },
    /// The share is well-formed but isn't the one that was issued under its number.
    WrongShare {
        /// The number that it has.
        number: u8,
    },
    /// The share was entered before.
    DuplicateShare {
        /// Its number.
        number: u8,
        /// How many more are needed.
        missing: u8,
    },
    /// The key file can't be used.
    KeyFile(KeyFileError),
    /// Records were tampered with; nothing is opened.
    Tampered(Vec<Finding>),
    /// The store can't be read, or something else failed that isn't the secret's fault.
    Failed(SealsError),
}

impl Refusal {
    /// A word for the audit log and for metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooSoon { .. } => "TooSoon",
            Self::NoSuchSeal { .. } => "NoSuchSeal",
            Self::NotOpened(_) => "NotOpened",
            Self::Share(_) => "ShareNotTaken",
            Self::OtherSet { .. } => "ShareOfAnotherSet",
            Self::WrongShare { .. } => "WrongShare",
            Self::DuplicateShare { .. } => "DuplicateShare",
            Self::KeyFile(_) => "KeyFileNotTaken",
            Self::Tampered(_) => "Tampered",
            Self::Failed(_) => "Failed",
        }
    }

    /// Whether the secret itself was wrong: such attempts are slowed.
    pub fn wrong_secret(&self) -> bool {
        match self {
            Self::WrongShare { .. } => true,
            Self::NotOpened(tried) => {
                tried.iter().any(|one| matches!(one.reason, Unopened::WrongSecret))
            }
            _ => false,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooSoon { kind, wait } => write!(
                f,
                "the last attempt of kind {kind} was wrong; wait {} s",
                wait.as_millis().div_ceil(1000)
            ),
            Self::NoSuchSeal { kind } => write!(f, "no such seal of kind {kind}"),
            Self::NotOpened(tried) => write!(f, "nothing was opened: {}", List(tried)),
            Self::Share(rejection) => write!(f, "the share is not taken: {rejection}"),
            Self::OtherSet { set } => write!(f, "the share is of set {set}, which no seal has"),
            Self::WrongShare { number } => {
                write!(f, "it is not the share that was issued as number {number}")
            }
            Self::DuplicateShare { number, missing } => {
                write!(f, "share {number} was entered before; {missing} more are needed")
            }
            Self::KeyFile(error) => error.fmt(f),
            Self::Tampered(findings) => {
                write!(f, "the seals were tampered with: {}", List(findings))
            }
            Self::Failed(error) => error.fmt(f),
        }
    }
}

impl error::Error for Refusal {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::KeyFile(error) => Some(error),
            Self::Failed(error) => Some(error),
            _ => None,
        }
    }
}

impl From<SealsError> for Refusal {
    fn from(error: SealsError) -> Self {
        match error {
            SealsError::Tampered(findings) => Self::Tampered(findings),
            other => Self::Failed(other),
        }
    }
}
