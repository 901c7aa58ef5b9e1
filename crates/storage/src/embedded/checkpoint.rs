//! Bringing the write-ahead log into the database, so that nothing rests on a sync that failed.
//!
//! After a failed sync the system may take for written what never reached the disk; a later sync
//! tells of success and doesn't write it <https://wiki.postgresql.org/wiki/Fsync_Errors>. SQLite
//! writes again what it had brought over since its last sync, with one exception: after a
//! checkpoint that a reader let come half the way only, it has not synced, and counts on the next
//! one. Where that one fails, the log has to be read anew from its beginning. Must not know who
//! commits.

use rusqlite::Connection;

/// What is known of the database file.
#[derive(Debug, Default)]
pub(super) struct Checkpoints {
    /// Whether pages were brought over and not synced yet.
    halfway: bool,
    /// Whether pages may be lost that SQLite counts as brought over.
    lost: bool,
}

impl Checkpoints {
    /// Whether the log must be read anew by a first connection before anything else is done.
    pub(super) fn lost(&self) -> bool {
        self.lost
    }

    /// Notes that the log was read anew.
    pub(super) fn reread(&mut self) {
        *self = Self::default();
    }

    /// How many pages of the log aren't in the database.
    pub(super) fn pages(connection: &Connection) -> rusqlite::Result<i64> {
        run(connection, "NOOP").map(|(_, pages)| pages)
    }

    /// Brings the log into the database, once its readers let it. A failure loses nothing: the
    /// pages stay in the log.
    pub(super) fn bring_over(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        self.checkpoint(connection, "FULL").map(|_| ())
    }

    /// The same, to the last page, and begins the log anew.
    ///
    /// # Errors
    /// SQLite's; also where somebody reads an earlier state for so long that it can't be done.
    pub(super) fn settle(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        if self.checkpoint(connection, "TRUNCATE")? {
            return Ok(());
        }
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
        let text = "somebody reads it for so long that its log can't be emptied".to_owned();
        Err(rusqlite::Error::SqliteFailure(code, Some(text)))
    }

    /// Gives whether all of the log was brought over, and synced.
    fn checkpoint(&mut self, connection: &Connection, kind: &str) -> rusqlite::Result<bool> {
        match run(connection, kind) {
            Ok((busy, pages)) => {
                let whole = !busy && pages == 0;
                self.halfway = !whole;
                Ok(whole)
            }
            Err(cause) => {
                self.lost |= self.halfway;
                Err(cause)
            }
        }
    }
}

/// Runs a checkpoint of that kind: whether somebody was in its way, and how many pages of the log
/// are not in the database.
fn run(connection: &Connection, kind: &str) -> rusqlite::Result<(bool, i64)> {
    let sql = format!("PRAGMA wal_checkpoint({kind})");
    connection.prepare_cached(&sql)?.query_row([], |row| {
        let (busy, in_log, moved): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok((busy != 0, in_log - moved))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A database in WAL mode with something in its log.
    fn database(directory: &std::path::Path) -> (std::path::PathBuf, Connection) {
        let path = directory.join("t.db");
        let connection = Connection::open(&path).unwrap();
        let sql = "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;
            CREATE TABLE t (x); INSERT INTO t VALUES (1);";
        connection.execute_batch(sql).unwrap();
        (path, connection)
    }

    #[test]
    fn a_reader_of_an_earlier_state_is_waited_for_and_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let (path, connection) = database(directory.path());
        let mut checkpoints = Checkpoints::default();
        let reader = Connection::open(&path).unwrap();
        reader.execute_batch("BEGIN; SELECT * FROM t;").unwrap();
        connection.execute_batch("INSERT INTO t VALUES (2)").unwrap();
        checkpoints.bring_over(&connection).unwrap();
        assert!(checkpoints.halfway && !checkpoints.lost());
        checkpoints.settle(&connection).unwrap_err();
        assert!(!checkpoints.lost(), "busy is no failure of the disk");
        reader.execute_batch("COMMIT").unwrap();
        checkpoints.settle(&connection).unwrap();
        assert!(!checkpoints.halfway && !checkpoints.lost());
        assert_eq!(Checkpoints::pages(&connection).unwrap(), 0);
    }

    #[test]
    fn a_failure_after_one_that_came_halfway_is_a_loss() {
        let directory = tempfile::tempdir().unwrap();
        let (_, connection) = database(directory.path());
        let mut checkpoints = Checkpoints { halfway: false, lost: false };
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        // A checkpoint can't run inside a transaction: a failure that is easily had.
        checkpoints.bring_over(&connection).unwrap_err();
        assert!(!checkpoints.lost());
        checkpoints.halfway = true;
        checkpoints.bring_over(&connection).unwrap_err();
        assert!(checkpoints.lost());
        checkpoints.reread();
        assert!(!checkpoints.lost());
    }
}
