//! The audit log.

use std::fmt;

use super::Pending;

/// A record couldn't be written; the request that it tells of must be refused.
#[derive(Debug)]
pub struct AuditUnavailable(pub Box<dyn std::error::Error + Send + Sync>);

impl fmt::Display for AuditUnavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the audit log cannot be written: {}", self.0)
    }
}

impl std::error::Error for AuditUnavailable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.0.as_ref())
    }
}

/// Where audit records go.
///
/// Contract: when the future is ready with `Ok`, the record is in the log's file: whole, on a line
/// of its own, after every record that was acknowledged before, and it survives the process.
pub trait AuditLog: Send + Sync {
    /// Appends one record: JSON without a line break.
    fn append<'a>(&'a self, record: &'a [u8]) -> Pending<'a, Result<(), AuditUnavailable>>;
}
