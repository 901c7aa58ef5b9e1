//! The audit log: writing it, reading it back, and signing what it holds.

use std::fmt;

use super::Pending;

/// A record couldn't be written; the request that it tells of must be refused. Or the log couldn't
/// be read.
#[derive(Debug)]
pub struct AuditUnavailable(pub Box<dyn std::error::Error + Send + Sync>);

impl fmt::Display for AuditUnavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the audit log cannot be used: {}", self.0)
    }
}

impl std::error::Error for AuditUnavailable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.0.as_ref())
    }
}

/// A place between two records of a log: how many bytes of records, each with its line break, stand
/// before it since an origin of the log's choice. It means something only while the log is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Position(pub u64);

/// Is told of a record's place, see [`AuditLog::append_witnessed`].
pub type Witness<'a> = &'a (dyn Fn(Position) + Sync);

/// Where audit records go.
///
/// Contract: when the future is ready with `Ok`, the record is in the log's file: whole, on a line
/// of its own, after every record that was acknowledged before, and it survives the process; where
/// the log is told to, the machine as well. A record whose future is ready with an error may be in
/// the log all the same, and may have been witnessed: what it tells of had been done by then.
pub trait AuditLog: Send + Sync {
    /// Appends one record: JSON without a line break.
    ///
    /// The witness is told the place behind the record as soon as it has one, before any later
    /// record has and before [`AuditHistory::end`] lies behind it. A record that can't be written
    /// after that loses its place to the next one. It must be quick, must not block and must not
    /// call the log.
    fn append_witnessed<'a>(
        &'a self,
        record: &'a [u8],
        witness: Witness<'a>,
    ) -> Pending<'a, Result<(), AuditUnavailable>>;

    /// Appends one record that nobody waits for.
    fn append<'a>(&'a self, record: &'a [u8]) -> Pending<'a, Result<(), AuditUnavailable>> {
        self.append_witnessed(record, &|_| ())
    }
}

/// What an audit log holds, for whoever derives something from it and has to go on after a crash
/// where it had been.
pub trait AuditHistory: Send + Sync {
    /// The place behind the last record. Every record before it has been witnessed.
    fn end(&self) -> Position;

    /// A name for that place that later processes understand: short text.
    ///
    /// # Errors
    /// [`AuditUnavailable`].
    fn mark(&self, at: Position) -> Result<String, AuditUnavailable>;

    /// The place of that name. Where the log is another one than the name was given for, or the
    /// name is none, its beginning: reading too much does no harm.
    ///
    /// # Errors
    /// [`AuditUnavailable`].
    fn find(&self, mark: &str) -> Result<Position, AuditUnavailable>;

    /// Records from that place on, in their order and each with its line break: at least one and
    /// not more than a few MiB, or none at the end.
    ///
    /// # Errors
    /// [`AuditUnavailable`].
    fn read(&self, from: Position) -> Result<Vec<u8>, AuditUnavailable>;
}

/// The key that signs digests of the log now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DigestKey {
    /// Its number, from 1; a rotation makes the next one.
    pub number: u32,
    /// The public key (Ed25519, RFC 8032).
    pub public_key: [u8; 32],
}

/// Signs digests of the audit log. There is one only while the server is unsealed.
pub trait DigestSigner: Send + Sync {
    /// The key that signs from now on.
    fn key(&self) -> DigestKey;

    /// Signs a message with the key of that number: Ed25519 (RFC 8032), so that the same message
    /// has the same signature. What was signed by an earlier key may be refused.
    fn sign<'a>(
        &'a self,
        number: u32,
        message: &'a [u8],
    ) -> Pending<'a, Result<[u8; 64], AuditUnavailable>>;
}
