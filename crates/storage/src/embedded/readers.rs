//! Reads: a few read-only connections, each used by one caller at a time. Every record is held
//! against its check before anybody sees it.
//!
//! A read takes microseconds and never waits for the writer, because SQLite's write-ahead log
//! gives every statement a snapshot of its own. Must not write.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::{Mutex, MutexGuard};
use rusqlite::{Connection, Row, params};
use service::ports::{Item, Page};

use super::checks::{Check, Failure};
use super::schema::{self, WITHOUT_CHECKS};

/// How many reads run at once. More than a machine's cores gains nothing.
const CONNECTIONS: usize = 4;

/// The connections for reading.
pub(super) struct Readers {
    /// None while they are closed.
    connections: Vec<Mutex<Option<Connection>>>,
    next: AtomicUsize,
    /// What reads a record, before its conditions.
    select: &'static str,
    checked: bool,
}

impl Readers {
    /// Opens the connections to a database of that format.
    pub(super) fn open(database: &Path, format: u32) -> rusqlite::Result<Self> {
        let connections = (0..CONNECTIONS)
            .map(|_| connect(database).map(Some).map(Mutex::new))
            .collect::<rusqlite::Result<_>>()?;
        let checked = format != WITHOUT_CHECKS;
        let select = if checked {
            "SELECT key, value, revision, checksum FROM records"
        } else {
            "SELECT key, value, revision FROM records"
        };
        Ok(Self { connections, next: AtomicUsize::new(0), select, checked })
    }

    /// Closes all connections; reads fail until they are opened again.
    pub(super) fn close(&self) {
        for connection in &self.connections {
            *connection.lock() = None;
        }
    }

    /// Opens those that were closed.
    pub(super) fn reopen(&self, database: &Path) -> rusqlite::Result<()> {
        for connection in &self.connections {
            let mut connection = connection.lock();
            if connection.is_none() {
                *connection = Some(connect(database)?);
            }
        }
        Ok(())
    }

    /// The record of that key.
    pub(super) fn get(&self, key: &str) -> Result<Option<Item>, Failure> {
        let connection = self.free();
        let connection = connection.as_ref().ok_or(Failure::Closed)?;
        let sql = format!("{} WHERE key = ?1", self.select);
        let mut select = connection.prepare_cached(&sql)?;
        let mut rows = select.query([key.as_bytes()])?;
        rows.next()?.map(|row| self.item(row)).transpose()
    }

    /// The records that [`service::ports::Store::range`] asks for.
    pub(super) fn range(&self, prefix: &str, after: &str, limit: usize) -> Result<Page, Failure> {
        let connection = self.free();
        let connection = connection.as_ref().ok_or(Failure::Closed)?;
        let (comparison, start) = if after < prefix { (">=", prefix) } else { (">", after) };
        let sql = format!("{} WHERE key {comparison} ?1 ORDER BY key", self.select);
        let mut select = connection.prepare_cached(&sql)?;
        let mut rows = select.query(params![start.as_bytes()])?;
        let mut items = Vec::new();
        // The end of the prefix is found by looking at the keys: an upper bound would need a key
        // behind every key with the prefix, which not every prefix has.
        while let Some(row) = rows.next()? {
            let within = row.get_ref(0)?.as_bytes().is_ok_and(|k| k.starts_with(prefix.as_bytes()));
            if !within {
                break;
            }
            if items.len() == limit {
                return Ok(Page { items, more: true });
            }
            items.push(self.item(row)?);
        }
        Ok(Page { items, more: false })
    }

    fn item(&self, row: &Row<'_>) -> Result<Item, Failure> {
        if self.checked {
            checked(row)?;
        }
        let key = std::str::from_utf8(row.get_ref(0)?.as_bytes().map_err(|_| named(row))?);
        let key = key.map_err(|_| named(row))?.to_owned();
        let value = row.get(1).map_err(|_| named(row))?;
        let revision = row.get(2).map(schema::revision).map_err(|_| named(row))?;
        Ok(Item { key, value, revision })
    }

    /// A connection that nobody uses, or else the wait for one.
    fn free(&self) -> MutexGuard<'_, Option<Connection>> {
        if let Some(connection) = self.connections.iter().find_map(Mutex::try_lock) {
            return connection;
        }
        let next = self.next.fetch_add(1, Ordering::Relaxed) % self.connections.len();
        self.connections[next].lock()
    }
}

fn connect(database: &Path) -> rusqlite::Result<Connection> {
    let connection = schema::connect_reader(database)?;
    // From its first read on a connection keeps the log in use, so that SQLite doesn't take the
    // writer's, when that is closed after a failure, for the last one.
    schema::read_revision(&connection)?;
    Ok(connection)
}

/// The check of a row of key, value, revision and check, if it fits them.
pub(super) fn checked(row: &Row<'_>) -> Result<Check, Failure> {
    let parts = || {
        let (key, value) = (row.get_ref(0)?.as_blob()?, row.get_ref(1)?.as_blob()?);
        let revision = schema::revision(row.get(2)?);
        let stored: Check = row.get(3)?;
        Ok::<_, rusqlite::Error>((Check::of_record(key, value, revision), stored))
    };
    match parts() {
        Ok((computed, stored)) if computed == stored => Ok(stored),
        _ => Err(named(row)),
    }
}

/// That the row's record is damaged. Its key may be what is.
fn named(row: &Row<'_>) -> Failure {
    let key = row.get_ref(0).ok().and_then(|key| key.as_bytes().ok());
    Failure::DamagedRecord(String::from_utf8_lossy(key.unwrap_or_default()).into_owned())
}
