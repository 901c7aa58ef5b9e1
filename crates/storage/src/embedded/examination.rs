//! Looking for damage in a whole database: its structure by SQLite, its records by their checks.
//!
//! Changes nothing. Must not know what is done about damage.

use std::path::Path;

use rusqlite::Connection;
use service::ports::Revision;

use super::checks::{Failure, Total};
use super::schema::{self, FORMAT};
use super::{OpenError, lock, readers};

/// Up to this many pages (64 MiB) are examined in full when the store is opened. In a larger
/// database that would delay the start by seconds; damage there is found by the read.
pub(super) const EXAMINED_PAGES: i64 = 16_384;

/// What an examination has found whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Examined {
    /// How many records there are.
    pub records: u64,
    /// The revision of the latest commit.
    pub revision: Revision,
}

/// Examines a database of any size, beside a server that uses it or without one: every page and
/// every record is read.
///
/// # Errors
/// See [`OpenError`]; [`OpenError::Damaged`] names what is.
pub fn examine(database: &Path) -> Result<Examined, OpenError> {
    std::fs::metadata(database).map_err(OpenError::unreadable(database))?;
    let noted = lock::noted(database)?;
    // No other handle may be opened: this may be the server's own process.
    let connection = schema::connect_reader(database).map_err(OpenError::sqlite(database))?;
    let format = schema::format(&connection, database)?;
    examine_up_to(&connection, database, format, i64::MAX)?;
    let revision = schema::read_revision(&connection).map_err(OpenError::sqlite(database))?;
    lock::hold_against(noted, revision, database)?;
    let count = "SELECT count(*) FROM records";
    let records: i64 =
        connection.query_row(count, [], |row| row.get(0)).map_err(OpenError::sqlite(database))?;
    Ok(Examined { records: records.cast_unsigned(), revision })
}

/// Examines a database of a format that we read, in full unless it has more pages than that.
pub(super) fn examine_up_to(
    connection: &Connection,
    database: &Path,
    format: u32,
    most_pages: i64,
) -> Result<(), OpenError> {
    // One transaction, so that all of it is seen as it stood at one moment.
    let examine = || {
        let snapshot = connection.unchecked_transaction()?;
        let verdict = look(connection, format, most_pages)?;
        snapshot.finish()?;
        Ok(verdict)
    };
    match examine() {
        Ok(None) => Ok(()),
        Ok(Some(fault)) => Err(OpenError::damaged(database, fault)),
        Err(failure) => Err(OpenError::failure(database)(failure)),
    }
}

/// What is wrong with the database, if something is.
fn look(connection: &Connection, format: u32, most: i64) -> Result<Option<String>, Failure> {
    let code = "SELECT count(*) FROM sqlite_schema WHERE type IN ('trigger', 'view')";
    if connection.query_row(code, [], |row| row.get::<_, i64>(0))? > 0 {
        return Ok(Some("the schema holds code that does not belong there".to_owned()));
    }
    connection.prepare("SELECT id, key, value, revision FROM records")?;
    let state = match format {
        FORMAT => Some(schema::read_state(connection)?),
        _ => None,
    };
    if connection.query_row("PRAGMA page_count", [], |row| row.get::<_, i64>(0))? > most {
        return Ok(None);
    }
    let verdict: String =
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Ok(Some(verdict));
    }
    let Some(state) = state else { return Ok(None) };
    let total = total(connection)?;
    if total == state.total {
        return Ok(None);
    }
    let (count, expected) = (total.count, state.total.count);
    Ok(Some(format!(
        "its {count} records are not the {expected} that were written: some were lost, or are \
         earlier ones"
    )))
}

/// What the records come to, each held against its check.
fn total(connection: &Connection) -> Result<Total, Failure> {
    let sql = "SELECT key, value, revision, checksum FROM records NOT INDEXED";
    let mut select = connection.prepare(sql)?;
    let mut rows = select.query([])?;
    let mut total = Total::default();
    while let Some(row) = rows.next()? {
        total.add(&readers::checked(row)?);
    }
    Ok(total)
}
