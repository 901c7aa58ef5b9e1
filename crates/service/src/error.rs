//! An operation's failure: what the caller is told, and what only the log learns.

use std::borrow::Cow;
use std::fmt;

use wire::{ErrorCode, Invalid};

use crate::ports::{EntropyUnavailable, KeyStoreError, StoreError};

/// Why a request was refused or failed.
///
/// The code and the message are the caller's; the cause is the operator's and never leaves.
#[derive(Debug)]
pub struct Error {
    code: ErrorCode,
    message: Option<Cow<'static, str>>,
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
    conflict: bool,
}

impl Error {
    /// An error with a message.
    pub fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: Some(message.into()), cause: None, conflict: false }
    }

    /// An error that AWS answers without any message.
    pub fn bare(code: ErrorCode) -> Self {
        Self { code, message: None, cause: None, conflict: false }
    }

    /// A failure of ours: KMSInternalException, its cause for the log alone.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            code: ErrorCode::KMSInternalException,
            message: None,
            cause: Some(cause.into()),
            conflict: false,
        }
    }

    /// A ValidationException with the service's own words.
    pub fn validation(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::ValidationException, message)
    }

    /// The code.
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// The message for the caller.
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// What a request was decided on changed meanwhile: the pipeline decides it again.
    pub fn conflict() -> Self {
        Self { conflict: true, ..Self::internal("what the request was decided on changed") }
    }

    /// Whether another request changed what this one was decided on: it must be decided again.
    pub fn is_conflict(&self) -> bool {
        self.conflict
    }

    /// The cause, for the log.
    pub fn cause(&self) -> Option<&(dyn std::error::Error + Send + Sync)> {
        self.cause.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.as_str())?;
        self.message.as_deref().map_or(Ok(()), |message| write!(f, ": {message}"))
    }
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        match invalid {
            Invalid::Malformed(malformed) => {
                Self::new(ErrorCode::SerializationException, malformed.0)
            }
            Invalid::Violations(text) => Self::validation(text),
        }
    }
}

/// A conflict makes the pipeline decide the request again, from its resource on; if that doesn't
/// help, it is a failure of ours, which the client's SDK retries.
impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let conflict = matches!(error, StoreError::Conflict);
        Self { conflict, ..Self::internal(error) }
    }
}

impl From<KeyStoreError> for Error {
    fn from(error: KeyStoreError) -> Self {
        Self::internal(error)
    }
}

impl From<EntropyUnavailable> for Error {
    fn from(error: EntropyUnavailable) -> Self {
        Self::internal(error)
    }
}
