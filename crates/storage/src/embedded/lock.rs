//! The lock on the data directory: one server a database. And the lock's file, in which a server
//! notes how far it has come.
//!
//! The note is what a damaged write-ahead log is found by: SQLite takes the log up to its first
//! damaged page for the whole, and with it a state that lacks answered commits. The note isn't
//! synced; a loss of power may set it back, never ahead of the database. Must not know what the
//! directory holds.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use service::ports::Revision;

use super::OpenError;
use super::checks::{Check, LEN};
use super::schema::open_private;

/// What a note's check begins with.
const NOTE: &[u8] = b"strongroom/v1/revision";
/// The length of a revision and its check, in bytes.
const NOTE_LEN: usize = 8 + LEN;

/// Holds the directory for this process; the kernel lets go of it when the process ends, however
/// it ends, so that a crash leaves nothing to tidy.
pub(super) struct DirectoryLock(File);

impl DirectoryLock {
    /// Locks the directory that holds `database`, through the file `LOCK` beside it.
    pub(super) fn take(database: &Path) -> Result<Self, OpenError> {
        let path = place(database);
        let file = open_private(&path, true).map_err(OpenError::unreadable(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path }),
            Err(TryLockError::Error(cause)) => Err(OpenError::unreadable(&path)(cause)),
        }
    }

    /// Notes that commits up to this one are durable, and may be answered from now on.
    pub(super) fn note(&self, revision: Revision) -> io::Result<()> {
        let number = revision.0.to_be_bytes();
        let mut note = [0; NOTE_LEN];
        note[..8].copy_from_slice(&number);
        note[8..].copy_from_slice(Check::of(&[NOTE, &number]).as_bytes());
        self.0.write_all_at(&note, 0)
    }
}

/// The revision that was noted last, if one was. Whoever compares it with a database in use must
/// read the note first.
pub(super) fn noted(database: &Path) -> Result<Option<Revision>, OpenError> {
    let path = place(database);
    let note = match fs::read(&path) {
        Ok(note) => note,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(OpenError::unreadable(&path)(cause)),
    };
    // An earlier version, or a loss of power, left none.
    if note.iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    match note.split_first_chunk::<8>() {
        Some((number, check)) if check == Check::of(&[NOTE, number]).as_bytes() => {
            Ok(Some(Revision(u64::from_be_bytes(*number))))
        }
        _ => Err(OpenError::damaged(
            &path,
            "the revision that it notes does not fit its check; only if you are sure that the \
             database is whole, remove this file",
        )),
    }
}

/// Refuses a database that lacks commits which had been answered.
pub(super) fn hold_against(
    noted: Option<Revision>,
    found: Revision,
    database: &Path,
) -> Result<(), OpenError> {
    let Some(noted) = noted.filter(|noted| found < *noted) else { return Ok(()) };
    let lock = place(database);
    Err(OpenError::damaged(
        database,
        format!(
            "it ends at revision {}, but commits up to {} were answered: its write-ahead log is \
             damaged or missing, or an older copy took its place (only if that is what you want, \
             remove {})",
            found.0,
            noted.0,
            lock.display()
        ),
    ))
}

fn place(database: &Path) -> PathBuf {
    database.with_file_name("LOCK")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_read_back_and_damaged_ones_refused() {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("store.db");
        assert_eq!(noted(&database).unwrap(), None);
        let lock = DirectoryLock::take(&database).unwrap();
        assert_eq!(noted(&database).unwrap(), None);
        for number in [1, 77, u64::MAX >> 1] {
            lock.note(Revision(number)).unwrap();
            assert_eq!(noted(&database).unwrap(), Some(Revision(number)));
        }
        let path = place(&database);
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut altered = whole.clone();
            altered[at] ^= 4;
            fs::write(&path, altered).unwrap();
            assert!(matches!(noted(&database), Err(OpenError::Damaged { .. })), "byte {at}");
        }
        fs::write(&path, &whole[..20]).unwrap();
        assert!(noted(&database).is_err());
        fs::write(&path, vec![0; 24]).unwrap();
        assert_eq!(noted(&database).unwrap(), None);
    }

    #[test]
    fn only_what_lacks_commits_is_refused() {
        let path = Path::new("store.db");
        for (noted, found) in [(None, 0), (Some(5), 5), (Some(5), 9)] {
            hold_against(noted.map(Revision), Revision(found), path).unwrap();
        }
        let refused = hold_against(Some(Revision(5)), Revision(4), path).unwrap_err();
        assert!(refused.to_string().contains("up to 5 were answered"), "{refused}");
    }
}
