//! Reads: a few read-only connections, each used by one caller at a time.
//!
//! A read takes microseconds and never waits for the writer, because SQLite's write-ahead log
//! gives every statement a snapshot of its own. Must not write.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::{Mutex, MutexGuard};
use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Row, params};
use service::ports::{Item, Page};

use super::schema;

/// How many reads run at once. More than a machine's cores gains nothing.
const CONNECTIONS: usize = 4;

/// The connections for reading.
pub(super) struct Readers {
    connections: Vec<Mutex<Connection>>,
    next: AtomicUsize,
}

impl Readers {
    /// Opens the connections.
    pub(super) fn open(database: &Path) -> rusqlite::Result<Self> {
        let connections = (0..CONNECTIONS)
            .map(|_| schema::connect_reader(database).map(Mutex::new))
            .collect::<Result<_, _>>()?;
        Ok(Self { connections, next: AtomicUsize::new(0) })
    }

    /// The record of that key.
    pub(super) fn get(&self, key: &str) -> rusqlite::Result<Option<Item>> {
        let connection = self.free();
        let mut select =
            connection.prepare_cached("SELECT value, revision FROM records WHERE key = ?1")?;
        let item = |row: &Row<'_>| {
            let revision = schema::revision(row.get(1)?);
            Ok(Item { key: key.to_owned(), value: row.get(0)?, revision })
        };
        select.query_row([key.as_bytes()], item).optional()
    }

    /// The records that [`service::ports::Store::range`] asks for.
    pub(super) fn range(&self, prefix: &str, after: &str, limit: usize) -> rusqlite::Result<Page> {
        let connection = self.free();
        let begins_at_prefix = after < prefix;
        let sql = if begins_at_prefix {
            "SELECT key, value, revision FROM records WHERE key >= ?1 ORDER BY key"
        } else {
            "SELECT key, value, revision FROM records WHERE key > ?1 ORDER BY key"
        };
        let start = if begins_at_prefix { prefix } else { after };
        let select = connection.prepare_cached(sql)?;
        page(select, start, prefix, limit)
    }

    /// A connection that nobody uses, or else the wait for one.
    fn free(&self) -> MutexGuard<'_, Connection> {
        if let Some(connection) = self.connections.iter().find_map(Mutex::try_lock) {
            return connection;
        }
        let next = self.next.fetch_add(1, Ordering::Relaxed) % self.connections.len();
        self.connections[next].lock()
    }
}

/// Steps through the rows from `start` on. The end of the prefix is found by looking at the keys:
/// an upper bound would need a key behind every key with the prefix, which not every prefix has.
fn page(
    mut select: CachedStatement<'_>,
    start: &str,
    prefix: &str,
    limit: usize,
) -> rusqlite::Result<Page> {
    let mut rows = select.query(params![start.as_bytes()])?;
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        let key = row.get_ref(0)?.as_bytes()?;
        if !key.starts_with(prefix.as_bytes()) {
            break;
        }
        if items.len() == limit {
            return Ok(Page { items, more: true });
        }
        let key = std::str::from_utf8(key)?.to_owned();
        items.push(Item { key, value: row.get(1)?, revision: schema::revision(row.get(2)?) });
    }
    Ok(Page { items, more: false })
}
