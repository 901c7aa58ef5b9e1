//! What has to be gone before a user, group or role can be deleted.

use service::Error;
use wire::ErrorCode;

use crate::records::Permitted;

/// Refuses while an entity has policies.
///
/// # Errors
/// DeleteConflictException.
pub(crate) fn demand_no_policies<R: Permitted>(record: &R) -> Result<(), Error> {
    let permissions = record.permissions();
    if !permissions.attached.is_empty() {
        return Err(delete_conflict("Cannot delete entity, must detach all policies first."));
    }
    if !permissions.inline.is_empty() {
        return Err(delete_conflict("Cannot delete entity, must delete policies first."));
    }
    Ok(())
}

/// The refusal of a deletion that would leave something behind.
pub(crate) fn delete_conflict(message: &'static str) -> Error {
    Error::new(ErrorCode::DeleteConflictException, message)
}
