//! Backups: everything that a server keeps, in one file that is of no use without a seal.
//!
//! A backup holds the store's records as they stood at one revision, and the audit log up to that
//! moment. It carries the records of the seals, so that whoever has one of them can open it
//! without the machine that it was made on. `docs/backup.md` is for operators.

mod content;
mod create;
mod format;
mod restore;

use std::{error, fmt, io};

pub use content::Contents;
pub use create::Moment;
pub use restore::{Backup, restore};

/// Why a backup couldn't be made, read or restored. Every text says what to do.
#[derive(Debug)]
pub enum BackupError {
    /// Reading or writing failed.
    Io(io::Error),
    /// The file is no backup.
    NoBackup,
    /// It was written by a later version.
    Version {
        /// Its version.
        found: u8,
        /// The version that is read.
        known: u8,
    },
    /// It ends too early.
    CutShort,
    /// It isn't as it was written.
    Altered {
        /// Where.
        place: &'static str,
    },
    /// The cryptography failed.
    Crypto(crypto::Error),
    /// The store can't be read or written.
    Store(Box<dyn error::Error + Send + Sync>),
    /// The seals can't be read, or don't open.
    Seals(Box<dyn error::Error + Send + Sync>),
    /// There is something where the backup should be restored to.
    NotEmpty(std::path::PathBuf),
}

impl fmt::Display for BackupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::NoBackup => f.write_str("it is not a backup"),
            Self::Version { found, known } => write!(
                f,
                "the backup has version {found}, and this program reads version {known}: use the \
                 program that wrote it, or a later one"
            ),
            Self::CutShort => f.write_str(
                "the backup was cut short: it is not whole, and nothing of it should be relied on",
            ),
            Self::Altered { place } => {
                write!(f, "the backup was altered or damaged in {place}: use another one")
            }
            Self::Crypto(error) => error.fmt(f),
            Self::Store(error) | Self::Seals(error) => error.fmt(f),
            Self::NotEmpty(path) => write!(
                f,
                "{} is not empty: a backup is restored to a directory that is empty or doesn't \
                 exist, so that nothing is lost",
                path.display()
            ),
        }
    }
}

impl error::Error for BackupError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Crypto(error) => Some(error),
            Self::Store(error) | Self::Seals(error) => Some(error.as_ref()),
            _ => None,
        }
    }
}

impl From<io::Error> for BackupError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<crypto::Error> for BackupError {
    fn from(error: crypto::Error) -> Self {
        Self::Crypto(error)
    }
}
