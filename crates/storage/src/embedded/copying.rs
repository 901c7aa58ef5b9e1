//! Everything in a database as it stands at one moment, beside the server that goes on writing;
//! and a database made of that.
//!
//! Must not know what records mean, nor where they are kept meanwhile.

use std::fmt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};
use service::ports::{Item, Revision};

use super::checkpoint::Checkpoints;
use super::checks::{Check, Failure, Total};
use super::schema::{self, FORMAT, State};
use super::{OpenError, readers};

/// How many records one transaction takes of a database that is being made.
const BATCH: usize = 10_000;

/// A database as it stood when the snapshot was taken. Its log can't be emptied while there is one.
pub struct Snapshot {
    connection: Connection,
    database: PathBuf,
    state: State,
}

impl Snapshot {
    /// Takes a snapshot of the database at that path, which a server may be using.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn take(database: &Path) -> Result<Self, OpenError> {
        std::fs::metadata(database).map_err(OpenError::unreadable(database))?;
        if schema::prepare(database)? != FORMAT {
            let fault = "it has an earlier format: start the server on it once";
            return Err(OpenError::damaged(database, fault));
        }
        let connection = schema::connect_reader(database).map_err(OpenError::sqlite(database))?;
        connection.execute_batch("BEGIN").map_err(OpenError::sqlite(database))?;
        // The first read is the moment.
        let state = schema::read_state(&connection).map_err(OpenError::failure(database))?;
        Ok(Self { connection, database: database.to_owned(), state })
    }

    /// The revision at which it stands.
    pub fn revision(&self) -> Revision {
        self.state.revision
    }

    /// Gives every record to `each`, in no order, until that fails. Each is held against its check,
    /// and all of them together against what the database says that it holds.
    ///
    /// # Errors
    /// [`CopyError`].
    pub fn records<E>(
        &self,
        mut each: impl FnMut(Item) -> Result<(), E>,
    ) -> Result<(), CopyError<E>> {
        let failed =
            |failure: Failure| CopyError::Store(OpenError::failure(&self.database)(failure));
        let sql = "SELECT key, value, revision, checksum FROM records NOT INDEXED";
        let mut select = self.connection.prepare(sql).map_err(|error| failed(error.into()))?;
        let mut rows = select.query([]).map_err(|error| failed(error.into()))?;
        let mut total = Total::default();
        while let Some(row) = rows.next().map_err(|error| failed(error.into()))? {
            total.add(&readers::checked(row).map_err(failed)?);
            let (key, value, revision): (Vec<u8>, _, _) =
                row.try_into().map_err(|error: rusqlite::Error| failed(error.into()))?;
            let key = String::from_utf8(key).map_err(|error| {
                let key = String::from_utf8_lossy(error.as_bytes()).into_owned();
                failed(Failure::DamagedRecord(key))
            })?;
            let item = Item { key, value, revision: schema::revision(revision) };
            each(item).map_err(CopyError::Other)?;
        }
        if total == self.state.total { Ok(()) } else { Err(failed(Failure::DamagedState)) }
    }
}

/// Makes a database at that path, where there is none, of the records that `next` gives until
/// there are no more, standing at that revision. It is of use only once this has succeeded.
///
/// # Errors
/// [`CopyError`].
pub fn restore<E>(
    database: &Path,
    revision: Revision,
    mut next: impl FnMut() -> Result<Option<Item>, E>,
) -> Result<(), CopyError<E>> {
    let store = CopyError::Store;
    if database.exists() {
        return Err(store(OpenError::damaged(database, "it exists already")));
    }
    schema::prepare(database).map_err(store)?;
    let sqlite = |error| store(OpenError::sqlite(database)(error));
    let mut connection = schema::connect_writer(database).map_err(sqlite)?;
    let mut total = Total::default();
    let mut more = true;
    while more {
        let transaction = connection.transaction().map_err(sqlite)?;
        for _ in 0..BATCH {
            let Some(item) = next().map_err(CopyError::Other)? else {
                more = false;
                break;
            };
            total.add(&insert(&transaction, &item).map_err(sqlite)?);
        }
        if !more {
            schema::write_state(&transaction, &State { revision, total }).map_err(sqlite)?;
        }
        transaction.commit().map_err(sqlite)?;
        Checkpoints::default().settle(&connection).map_err(sqlite)?;
    }
    connection.close().map_err(|(_, error)| sqlite(error))
}

fn insert(connection: &Connection, item: &Item) -> rusqlite::Result<Check> {
    let check = Check::of_record(item.key.as_bytes(), &item.value, item.revision);
    let sql = "INSERT INTO records (key, value, revision, checksum) VALUES (?1, ?2, ?3, ?4)";
    let values = params![item.key.as_bytes(), item.value, schema::stored(item.revision), check];
    connection.prepare_cached(sql)?.execute(values)?;
    Ok(check)
}

/// Why a copy wasn't made.
#[derive(Debug)]
pub enum CopyError<E> {
    /// The database can't be read or written, or is damaged.
    Store(OpenError),
    /// Where records go to, or come from, failed.
    Other(E),
}

impl<E: fmt::Display> fmt::Display for CopyError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Other(error) => error.fmt(f),
        }
    }
}

impl<E: std::error::Error + 'static> std::error::Error for CopyError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Store(error) => Some(error),
            Self::Other(error) => Some(error),
        }
    }
}
