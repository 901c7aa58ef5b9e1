//! The lock on the data directory: one server a database.
//!
//! Must not know what the directory holds.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::OpenError;
use super::schema::open_private;

/// Holds the directory for this process; the kernel lets go of it when the process ends, however
/// it ends, so that a crash leaves nothing to tidy.
pub(super) struct DirectoryLock(#[expect(dead_code, reason = "held for its Drop")] File);

impl DirectoryLock {
    /// Locks the directory that holds `database`, through the file `LOCK` beside it.
    pub(super) fn take(database: &Path) -> Result<Self, OpenError> {
        let path = database.with_file_name("LOCK");
        let file = open_private(&path, true).map_err(OpenError::unreadable(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path }),
            Err(TryLockError::Error(cause)) => Err(OpenError::unreadable(&path)(cause)),
        }
    }
}
