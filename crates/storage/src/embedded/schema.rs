//! The database file: its format, how it is created, recognized, checked and connected to.
//!
//! A file is ours by the application id in its header and readable by the format number beside
//! it. Must not know the verbs of a store.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, params};
use rustix::fs::OFlags;
use service::ports::Revision;

use super::OpenError;
use super::checks::{Check, Failure, LEN, Total};

/// "SRDB": marks the file as Strongroom's, for us and for `file(1)`.
const APPLICATION_ID: u32 = 0x5352_4442;

/// The format that this version writes, and the newest that it reads.
pub(super) const FORMAT: u32 = 2;

/// The format without checks, of version 0.1.0: `upgrade` makes the present one of it.
pub(super) const WITHOUT_CHECKS: u32 = 1;

/// The length of SQLite's file header <https://www.sqlite.org/fileformat.html#the_database_header>.
const HEADER: usize = 100;

/// How long to wait for somebody who has locked the database, an operator's backup say.
const BUSY_TIMEOUT: Duration = Duration::from_secs(1);

/// `records` is a rowid table with an index of its own: rows of a kilobyte make a table without
/// rowid twice as large and ten times as slow. Keys are blobs, so that they compare by bytes.
///
/// `checksum` is [`Check::of_record`]; `total` is the sum of all of them, and `meta.checksum` the
/// check of the three columns before it.
pub(super) const SCHEMA: &str = "
    CREATE TABLE records (
        id INTEGER PRIMARY KEY,
        key BLOB NOT NULL,
        value BLOB NOT NULL,
        revision INTEGER NOT NULL,
        checksum BLOB NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX records_by_key ON records (key);
    CREATE TABLE meta (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        revision INTEGER NOT NULL,
        count INTEGER NOT NULL,
        total BLOB NOT NULL,
        checksum BLOB NOT NULL
    ) STRICT;
";

/// What every connection is set to, beside the journal's mode, which the file remembers.
/// `secure_delete` overwrites what is deleted; `temp_store` keeps rows out of temporary files.
const SETTINGS: &str = "
    PRAGMA trusted_schema = OFF;
    PRAGMA cell_size_check = ON;
    PRAGMA synchronous = FULL;
    PRAGMA secure_delete = ON;
    PRAGMA temp_store = MEMORY;
    PRAGMA wal_autocheckpoint = 0;
";

/// Opens a file for reading and writing that only its owner may read, and no link to one.
pub(super) fn open_private(path: &Path, create: bool) -> io::Result<File> {
    let no_follow = i32::try_from(OFlags::NOFOLLOW.bits()).map_err(io::Error::other)?;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(create)
        .truncate(false)
        .mode(0o600)
        .custom_flags(no_follow)
        .open(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

/// Sees to it that there is a database of a format that we read, by creating it where there is
/// none; gives its format. Must run before the process has connected to it: closing a plain handle
/// to a file drops the locks that SQLite holds on it.
pub(super) fn prepare(database: &Path) -> Result<u32, OpenError> {
    let mut file = match open_private(database, false) {
        Ok(file) => file,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
            return create(database).map(|()| FORMAT);
        }
        Err(cause) => return Err(OpenError::unreadable(database)(cause)),
    };
    let mut header = [0; HEADER];
    match file.read_exact(&mut header) {
        Ok(()) => {}
        Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => {
            return Err(OpenError::damaged(database, "the file is shorter than its header"));
        }
        Err(cause) => return Err(OpenError::unreadable(database)(cause)),
    }
    let number = |at: usize| {
        u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    };
    if !header.starts_with(b"SQLite format 3\0") {
        return Err(OpenError::Foreign { path: database.to_owned() });
    }
    recognize(number(68), number(60), database)
}

/// The format, if the database is ours and we read it.
fn recognize(application: u32, format: u32, database: &Path) -> Result<u32, OpenError> {
    let path = database.to_owned();
    match format {
        _ if application != APPLICATION_ID => Err(OpenError::Foreign { path }),
        0 => Err(OpenError::Foreign { path }),
        1..=FORMAT => Ok(format),
        found => Err(OpenError::Newer { path, found, known: FORMAT }),
    }
}

/// The format of a database that this process may have connected to already.
pub(super) fn format(connection: &Connection, database: &Path) -> Result<u32, OpenError> {
    let number = |name: &str| {
        connection
            .pragma_query_value(None, name, |row| row.get::<_, i32>(0))
            .map(i32::cast_unsigned)
            .map_err(OpenError::sqlite(database))
    };
    recognize(number("application_id")?, number("user_version")?, database)
}

/// Creates an empty database under another name and moves it into place when it is complete: an
/// incomplete or empty file under the database's own name is always damage, never a beginning.
fn create(database: &Path) -> Result<(), OpenError> {
    let log = beside(database, "-wal");
    if log.exists() {
        return Err(OpenError::damaged(database, "its write-ahead log is there without it"));
    }
    let unfinished = beside(database, ".new");
    for ending in ["", "-wal", "-shm", "-journal"] {
        let leftover = beside(&unfinished, ending);
        match fs::remove_file(&leftover) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                return Err(OpenError::unreadable(&leftover)(cause));
            }
            _ => {}
        }
    }
    let file = open_private(&unfinished, true).map_err(OpenError::unreadable(&unfinished))?;
    write_schema(&unfinished).map_err(OpenError::unreadable(&unfinished))?;
    let directory = match database.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    file.sync_all()
        .and_then(|()| fs::rename(&unfinished, database))
        .and_then(|()| File::open(directory)?.sync_all())
        .map_err(OpenError::unreadable(database))
}

fn write_schema(path: &Path) -> rusqlite::Result<()> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.execute_batch(&format!("BEGIN; {SCHEMA}"))?;
    write_state(&connection, &State::default())?;
    connection.execute_batch("COMMIT")?;
    connection.pragma_update(None, "user_version", FORMAT)?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.close().map_err(|(_, cause)| cause)
}

/// The path with `ending` behind its last component.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut text = path.as_os_str().to_owned();
    text.push(ending);
    text.into()
}

/// The connection that writes.
pub(super) fn connect_writer(database: &Path) -> rusqlite::Result<Connection> {
    let connection = connect(database, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // The file remembers the mode; this repairs one that a tool has changed.
    connection.query_row("PRAGMA journal_mode = WAL", [], |row| {
        if row.get_ref(0)?.as_str()? == "wal" { Ok(()) } else { Err(rusqlite::Error::InvalidQuery) }
    })?;
    Ok(connection)
}

/// A connection that reads. It is opened after the writer's, which has recovered the log.
pub(super) fn connect_reader(database: &Path) -> rusqlite::Result<Connection> {
    connect(database, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

fn connect(database: &Path, mode: OpenFlags) -> rusqlite::Result<Connection> {
    // Each connection is used by one thread at a time, so SQLite's own mutexes are superfluous.
    let flags = mode | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(database, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // Who finds the database damaged must leave its log as it is. The writer turns it back on
    // when it ends well.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.execute_batch(SETTINGS)?;
    Ok(connection)
}

/// Where the database stands.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct State {
    /// The revision of the latest commit.
    pub(super) revision: Revision,
    /// What all records come to.
    pub(super) total: Total,
}

impl State {
    fn check(&self) -> Check {
        let (revision, count) = (self.revision.0.to_be_bytes(), self.total.count.to_be_bytes());
        Check::of(&[b"strongroom/v1/state", &revision, &count, &self.total.sum()])
    }
}

/// Reads where the database stands.
pub(super) fn read_state(connection: &Connection) -> Result<State, Failure> {
    let sql = "SELECT revision, count, total, checksum FROM meta WHERE id = 1";
    let read = connection.prepare_cached(sql)?.query_row([], |row| {
        let (count, total): (i64, [u8; LEN]) = (row.get(1)?, row.get(2)?);
        let state = State {
            revision: revision(row.get(0)?),
            total: Total::stored(count.cast_unsigned(), total),
        };
        Ok((state, row.get::<_, Check>(3)?))
    });
    match read {
        Ok((state, check)) if check == state.check() => Ok(state),
        Err(rusqlite::Error::SqliteFailure(code, text)) => {
            Err(rusqlite::Error::SqliteFailure(code, text).into())
        }
        _ => Err(Failure::DamagedState),
    }
}

/// Writes where the database stands.
pub(super) fn write_state(connection: &Connection, state: &State) -> rusqlite::Result<()> {
    let sql = "INSERT INTO meta (id, revision, count, total, checksum) VALUES (1, ?1, ?2, ?3, ?4)
         ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, count = excluded.count,
         total = excluded.total, checksum = excluded.checksum";
    let (revision, count) = (stored(state.revision), state.total.count.cast_signed());
    connection
        .prepare_cached(sql)?
        .execute(params![revision, count, state.total.sum(), state.check()])
        .map(|_| ())
}

/// The revision that the database stands at, of whatever format.
pub(super) fn read_revision(connection: &Connection) -> rusqlite::Result<Revision> {
    let sql = "SELECT revision FROM meta WHERE id = 1";
    connection.prepare_cached(sql)?.query_row([], |row| row.get(0)).map(revision)
}

/// A revision as SQLite holds it. One commit a microsecond reaches the sign bit in 290,000 years.
pub(super) fn revision(stored: i64) -> Revision {
    Revision(stored.cast_unsigned())
}

/// The number that SQLite holds for a revision.
pub(super) fn stored(revision: Revision) -> i64 {
    revision.0.cast_signed()
}
