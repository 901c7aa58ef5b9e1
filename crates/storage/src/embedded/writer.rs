//! Writes: one thread, one connection, one transaction and one fsync for all that has queued up.
//!
//! The thread decides each commit of a group in the order of arrival, makes the group durable,
//! tells the observers, and then answers. Must not know who waits for the answers.

use std::path::PathBuf;
use std::sync::Arc;
use std::{fmt, mem};

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use service::ports::{Change, Commit, Expect, Revision, StoreError};
use tokio::sync::{mpsc, oneshot};

use super::schema;
use crate::history::History;
use crate::limits;

/// The most commits that share a transaction.
const GROUP: usize = 128;

/// A group is closed when its keys and values exceed this many bytes, so that small commits
/// don't wait for seconds behind a crowd of large ones.
const GROUP_BYTES: usize = 8 << 20;

/// Pages in the write-ahead log from which on they are moved into the database when nobody
/// waits, and from which on even when somebody does: 4 MiB and 16 MiB.
const IDLE_CHECKPOINT: i64 = 1_000;
const FORCED_CHECKPOINT: i64 = 4_000;

/// A commit, and where its answer goes.
pub(super) struct Request {
    /// What to do; within the limits.
    pub(super) commit: Commit,
    /// Who wants to know. Gone if nobody does any more; the commit happens all the same.
    pub(super) answer: oneshot::Sender<Result<Revision, StoreError>>,
}

/// The thread's state.
pub(super) struct Writer {
    database: PathBuf,
    /// None after a failure, until the database can be opened again.
    connection: Option<Connection>,
    /// The revision of the latest commit that is known to have taken place.
    revision: Revision,
    /// The changes of a transaction whose end is unknown. The database tells, once it is back.
    doubtful: Vec<Change>,
    history: Arc<History>,
}

impl Writer {
    /// A writer on a connection whose database stands at the history's revision.
    pub(super) fn new(database: PathBuf, connection: Connection, history: Arc<History>) -> Self {
        let revision = history.revision();
        Self { database, connection: Some(connection), revision, doubtful: Vec::new(), history }
    }

    /// Serves the queue until its senders are gone and it is empty.
    pub(super) fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        while let Some(first) = requests.blocking_recv() {
            self.serve(gather(first, &mut requests));
            self.checkpoint(requests.is_empty());
        }
        if let Some(connection) = &self.connection {
            // Where this fails, the next start does the same work from the log.
            let _ = checkpoint_with(connection, "TRUNCATE");
        }
    }

    fn serve(&mut self, group: Vec<Request>) {
        let (commits, answers): (Vec<_>, Vec<_>) =
            group.into_iter().map(|request| (request.commit, request.answer)).unzip();
        let mut decided = Vec::with_capacity(commits.len());
        let results: Vec<_> = match self.transact(commits, &mut decided) {
            Ok(()) => decided.into_iter().map(|change| self.publish(change)).collect(),
            Err(cause) => {
                self.doubtful.extend(decided.into_iter().flatten());
                self.connection = None;
                // What this failure means for the next commit, the next commit will find.
                let _ = self.reconnect();
                let cause = Arc::new(cause);
                answers.iter().map(|_| Err(unavailable(SharedCause(cause.clone())))).collect()
            }
        };
        for (answer, result) in answers.into_iter().zip(results) {
            let _ = answer.send(result);
        }
    }

    fn publish(&mut self, change: Option<Change>) -> Result<Revision, StoreError> {
        let change = change.ok_or(StoreError::Conflict)?;
        self.revision = change.revision;
        self.history.publish(change);
        Ok(self.revision)
    }

    /// Does all commits in one transaction. `decided` holds for each what it changes, or None
    /// where a precondition doesn't hold; after an error it may hold too few.
    fn transact(
        &mut self,
        commits: Vec<Commit>,
        decided: &mut Vec<Option<Change>>,
    ) -> Result<(), WriteFailure> {
        self.reconnect()?;
        let connection = self.connection.as_mut().ok_or(WriteFailure::AnotherHistory)?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if schema::read_revision(&transaction)? != self.revision {
            return Err(WriteFailure::AnotherHistory);
        }
        let mut revision = self.revision;
        for commit in commits {
            // The preconditions are read before the first write, so that a conflict has nothing
            // to take back and no commit needs a savepoint.
            let next = Revision(revision.0 + 1);
            let change = if holds(&transaction, &commit.preconditions)? {
                revision = next;
                Some(Change { revision, keys: write(&transaction, commit, revision)? })
            } else {
                None
            };
            decided.push(change);
        }
        if revision > self.revision {
            transaction
                .prepare_cached("UPDATE meta SET revision = ?1 WHERE id = 1")?
                .execute([schema::stored(revision)])?;
        }
        Ok(transaction.commit()?)
    }

    /// Opens the database again after a failure, and finds out how the transaction ended that
    /// failed: as it is one transaction, either all of its changes are there or none.
    fn reconnect(&mut self) -> Result<(), WriteFailure> {
        if self.connection.is_some() {
            return Ok(());
        }
        let connection = schema::connect_writer(&self.database)?;
        let found = schema::read_revision(&connection)?;
        let doubtful = mem::take(&mut self.doubtful);
        let took_place = doubtful.last().is_some_and(|change| change.revision == found);
        if !took_place && found != self.revision {
            // Somebody has changed the database. To go on would be to forget answered commits.
            self.doubtful = doubtful;
            return Err(WriteFailure::AnotherHistory);
        }
        if took_place {
            for change in doubtful {
                self.revision = change.revision;
                self.history.publish(change);
            }
        }
        // The failure may be a log that has no room to grow; an emptied one begins anew.
        let _ = checkpoint_with(&connection, "PASSIVE");
        self.connection = Some(connection);
        Ok(())
    }

    /// Moves the log's pages into the database once there are enough of them. A failure loses
    /// nothing: the pages stay in the log, and the next attempt writes them all again.
    fn checkpoint(&mut self, idle: bool) {
        let Some(connection) = &self.connection else { return };
        let due = if idle { IDLE_CHECKPOINT } else { FORCED_CHECKPOINT };
        if checkpoint_with(connection, "NOOP").is_ok_and(|pages| pages >= due) {
            let _ = checkpoint_with(connection, "PASSIVE");
        }
    }
}

/// The first request and those that have queued up behind it, as many as share a transaction.
fn gather(first: Request, requests: &mut mpsc::Receiver<Request>) -> Vec<Request> {
    let mut bytes = limits::size(&first.commit);
    let mut group = vec![first];
    while group.len() < GROUP && bytes < GROUP_BYTES {
        let Ok(request) = requests.try_recv() else { break };
        bytes += limits::size(&request.commit);
        group.push(request);
    }
    group
}

fn holds(
    connection: &Connection,
    preconditions: &[(String, Expect)],
) -> Result<bool, rusqlite::Error> {
    let mut select = connection.prepare_cached("SELECT revision FROM records WHERE key = ?1")?;
    for (key, expect) in preconditions {
        let found = select.query_row([key.as_bytes()], |row| row.get(0)).optional()?;
        let found = found.map(schema::revision);
        let holds = match expect {
            Expect::Absent => found.is_none(),
            Expect::At(revision) => found == Some(*revision),
        };
        if !holds {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Writes and deletes the commit's records; returns the keys that this changed.
fn write(
    connection: &Connection,
    commit: Commit,
    revision: Revision,
) -> Result<Vec<String>, rusqlite::Error> {
    let mut keys = Vec::with_capacity(commit.puts.len() + commit.deletes.len());
    let mut put = connection.prepare_cached(
        "INSERT INTO records (key, value, revision) VALUES (?1, ?2, ?3)
         ON CONFLICT (key) DO UPDATE SET value = excluded.value, revision = excluded.revision",
    )?;
    for (key, value) in commit.puts {
        put.execute(params![key.as_bytes(), value, schema::stored(revision)])?;
        keys.push(key);
    }
    let mut delete = connection.prepare_cached("DELETE FROM records WHERE key = ?1")?;
    for key in commit.deletes {
        if delete.execute([key.as_bytes()])? > 0 {
            keys.push(key);
        }
    }
    Ok(keys)
}

/// Runs a checkpoint of that kind; returns how many pages of the log are not in the database.
fn checkpoint_with(connection: &Connection, kind: &str) -> rusqlite::Result<i64> {
    let sql = format!("PRAGMA wal_checkpoint({kind})");
    connection.prepare_cached(&sql)?.query_row([], |row| {
        let (in_log, moved): (i64, i64) = (row.get(1)?, row.get(2)?);
        Ok(in_log - moved)
    })
}

/// A store that can't be read or written, for that reason.
pub(super) fn unavailable(
    cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> StoreError {
    StoreError::Unavailable(cause.into())
}

/// Why a group was not written.
#[derive(Debug)]
enum WriteFailure {
    Sqlite(rusqlite::Error),
    /// The database doesn't stand where this process has left it.
    AnotherHistory,
}

impl From<rusqlite::Error> for WriteFailure {
    fn from(cause: rusqlite::Error) -> Self {
        Self::Sqlite(cause)
    }
}

/// The one cause for which several commits failed.
#[derive(Debug)]
struct SharedCause(Arc<WriteFailure>);

impl fmt::Display for SharedCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            WriteFailure::Sqlite(cause) => write!(f, "the commit failed: {cause}"),
            WriteFailure::AnotherHistory => {
                f.write_str("the database was changed by another program while the store was open")
            }
        }
    }
}

impl std::error::Error for SharedCause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &*self.0 {
            WriteFailure::Sqlite(cause) => Some(cause),
            WriteFailure::AnotherHistory => None,
        }
    }
}
