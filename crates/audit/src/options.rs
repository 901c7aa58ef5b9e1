//! What a log can be told, and why it can't be opened.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// When a record counts as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sync {
    /// When it is in the file: it survives the process, though not the machine's loss of power.
    #[default]
    None,
    /// When it is on the disk. Records that are appended while the disk works share the next turn.
    Group,
}

/// How a log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// When a record counts as written.
    pub sync: Sync,
    /// At which length a segment is closed, in bytes. It gets a few records longer.
    pub segment_bytes: u64,
    /// At which age a segment is closed that has records.
    pub segment_age: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { sync: Sync::None, segment_bytes: 64 << 20, segment_age: Duration::from_hours(24) }
    }
}

/// When digests are signed: whatever comes first, and always when a segment is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DigestOptions {
    /// After how many records.
    pub records: u64,
    /// How long after the last one, if there were records since.
    pub period: Duration,
    /// What is removed.
    pub retention: Retention,
}

impl Default for DigestOptions {
    fn default() -> Self {
        Self { records: 10_000, period: Duration::from_mins(5), retention: Retention::default() }
    }
}

/// How long closed segments are kept; without a bound, for ever. Digests are always kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// How long after its last record a segment is removed.
    pub max_age: Option<Duration>,
    /// How many bytes all segments may have together.
    pub max_bytes: Option<u64>,
    /// From how many bytes on segments are removed that a sink hasn't delivered yet.
    pub hard_max_bytes: Option<u64>,
    /// For how long a segment must have been seen to be too old: a clock that jumps ahead for less
    /// removes nothing.
    pub grace: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            max_age: None,
            max_bytes: None,
            hard_max_bytes: None,
            grace: Duration::from_hours(1),
        }
    }
}

/// Why a log couldn't be opened.
#[derive(Debug)]
pub enum OpenError {
    /// The path is not a regular file, or one without records: nothing that a log could be. It was
    /// left as it is.
    NotALog {
        /// The file.
        path: PathBuf,
    },
    /// Another process has it open as its log.
    InUse {
        /// The log's directory.
        path: PathBuf,
    },
    /// It can't be opened, read or repaired.
    Unusable {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

impl OpenError {
    /// For errors at that path.
    pub(crate) fn at(path: &Path) -> impl Fn(io::Error) -> Self + '_ {
        |cause| Self::Unusable { path: path.to_owned(), cause }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotALog { path } => write!(f, "{} is not an audit log", path.display()),
            Self::InUse { path } => {
                write!(f, "another server writes to the audit log {}", path.display())
            }
            Self::Unusable { path, cause } => {
                write!(f, "the audit log {} cannot be used: {cause}", path.display())
            }
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unusable { cause, .. } => Some(cause),
            _ => None,
        }
    }
}
