//! Writes: one thread, one connection, one transaction and one fsync for all that has queued up.
//!
//! The thread decides each commit of a group in the order of arrival, makes the group durable,
//! tells the observers, and then answers. Must not know who waits for the answers.

use std::path::PathBuf;
use std::sync::Arc;
use std::{fmt, mem};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use service::ports::{Change, Commit, Expect, Revision, StoreError};
use tokio::sync::{mpsc, oneshot};

use super::checkpoint::Checkpoints;
use super::checks::{Check, Failure, Total};
use super::lock::DirectoryLock;
use super::readers::{self, Readers};
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

/// What the writer shares with its store.
pub(super) struct Beside {
    /// Whom it tells of changes.
    pub(super) history: Arc<History>,
    /// Where it notes how far it has come.
    pub(super) lock: Arc<DirectoryLock>,
    /// Whom it closes when the log has to be read anew.
    pub(super) readers: Arc<Readers>,
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
    beside: Beside,
    checkpoints: Checkpoints,
    /// Whether the last attempt failed, so that the operator is told once of each change.
    failing: bool,
    /// The same of bringing the log into the database.
    log_grows: bool,
}

impl Writer {
    /// A writer on a connection whose database stands at the history's revision.
    pub(super) fn new(database: PathBuf, connection: Connection, beside: Beside) -> Self {
        Self {
            database,
            connection: Some(connection),
            revision: beside.history.revision(),
            doubtful: Vec::new(),
            beside,
            checkpoints: Checkpoints::default(),
            failing: false,
            log_grows: false,
        }
    }

    /// Serves the queue until its senders are gone and it is empty.
    pub(super) fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        while let Some(first) = requests.blocking_recv() {
            self.serve(gather(first, &mut requests));
            self.checkpoint(requests.is_empty());
        }
        // Nobody reads any more, and the last connection to close is to be this one.
        self.beside.readers.close();
        if let Some(connection) = &self.connection {
            // Where this fails, the next start does the same work from the log, which SQLite
            // removes only if all of it is in the database.
            let _ = self.checkpoints.settle(connection);
            let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false);
        }
    }

    fn serve(&mut self, group: Vec<Request>) {
        let (commits, answers): (Vec<_>, Vec<_>) =
            group.into_iter().map(|request| (request.commit, request.answer)).unzip();
        let mut decided = Vec::with_capacity(commits.len());
        let results: Vec<_> = match self.transact(commits, &mut decided) {
            Ok(()) => {
                let results = decided.into_iter().map(|change| self.publish(change)).collect();
                self.note();
                self.tell_recovered();
                results
            }
            Err(cause) => {
                self.tell_failed(&cause);
                self.doubtful.extend(decided.into_iter().flatten());
                self.connection = None;
                // What this failure means for the next commit, the next commit will find.
                if self.reconnect().is_ok() {
                    self.note();
                }
                let cause = Arc::new(cause);
                answers.iter().map(|_| Err(unavailable(SharedCause(cause.clone())))).collect()
            }
        };
        for (answer, result) in answers.into_iter().zip(results) {
            let _ = answer.send(result);
        }
    }

    /// Notes how far commits may have been answered. Without the note, which may fail as any
    /// write, a damaged log is found by its records only.
    fn note(&self) {
        let _ = self.beside.lock.note(self.revision);
    }

    fn tell_failed(&mut self, cause: &WriteFailure) {
        if !mem::replace(&mut self.failing, true) {
            tracing::error!(
                database = %self.database.display(),
                %cause,
                "the store can't be written: requests that change something are refused until it \
                 can"
            );
        }
    }

    fn tell_recovered(&mut self) {
        if mem::take(&mut self.failing) {
            tracing::warn!(database = %self.database.display(), "the store can be written again");
        }
    }

    fn publish(&mut self, change: Option<Change>) -> Result<Revision, StoreError> {
        let change = change.ok_or(StoreError::Conflict)?;
        self.revision = change.revision;
        self.beside.history.publish(change);
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
        let mut state = schema::read_state(&transaction)?;
        if state.revision != self.revision {
            return Err(WriteFailure::AnotherHistory);
        }
        for commit in commits {
            // The preconditions are read before the first write, so that a conflict has nothing
            // to take back and no commit needs a savepoint.
            let change = if holds(&transaction, &commit.preconditions)? {
                let revision = Revision(state.revision.0 + 1);
                state.revision = revision;
                let keys = write(&transaction, commit, revision, &mut state.total)?;
                Some(Change { revision, keys })
            } else {
                None
            };
            decided.push(change);
        }
        if state.revision > self.revision {
            schema::write_state(&transaction, &state)?;
        }
        Ok(transaction.commit()?)
    }

    /// Opens the database again after a failure, and finds out how the transaction ended that
    /// failed: as it is one transaction, either all of its changes are there or none.
    fn reconnect(&mut self) -> Result<(), WriteFailure> {
        if self.connection.is_some() {
            return Ok(());
        }
        if self.checkpoints.lost() {
            // Only a first connection reads the log anew.
            self.beside.readers.close();
        }
        let connection = schema::connect_writer(&self.database)?;
        // What the failure was isn't asked: whatever is in the log now reaches the disk first,
        // before anybody learns that it took place, and before anything is built on it.
        if self.checkpoints.lost() {
            self.checkpoints.reread();
        }
        self.checkpoints.settle(&connection)?;
        self.beside.readers.reopen(&self.database)?;
        let found = schema::read_state(&connection)?.revision;
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
                self.beside.history.publish(change);
            }
        }
        self.connection = Some(connection);
        Ok(())
    }

    /// Moves the log's pages into the database once there are enough of them.
    fn checkpoint(&mut self, idle: bool) {
        let Some(connection) = &self.connection else { return };
        let due = if idle { IDLE_CHECKPOINT } else { FORCED_CHECKPOINT };
        if !Checkpoints::pages(connection).is_ok_and(|pages| pages >= due) {
            return;
        }
        let brought = self.checkpoints.bring_over(connection);
        if let (Err(cause), false) = (&brought, self.log_grows) {
            tracing::error!(
                database = %self.database.display(),
                %cause,
                "the store's log can't be brought into its database and grows until it can"
            );
        }
        self.log_grows = brought.is_err();
        if self.checkpoints.lost() {
            self.connection = None;
            // What this fails at, the next commit will meet.
            let _ = self.reconnect();
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
    total: &mut Total,
) -> Result<Vec<String>, Failure> {
    let mut keys = Vec::with_capacity(commit.puts.len() + commit.deletes.len());
    let mut insert = connection.prepare_cached(
        "INSERT INTO records (key, value, revision, checksum) VALUES (?1, ?2, ?3, ?4)",
    )?;
    let mut update = connection.prepare_cached(
        "UPDATE records SET value = ?2, revision = ?3, checksum = ?4 WHERE key = ?1",
    )?;
    for (key, value) in commit.puts {
        // What a precondition has shown to be absent isn't looked for again.
        let absent = commit.preconditions.iter().any(|(k, e)| *e == Expect::Absent && *k == key);
        let before = if absent { None } else { present(connection, &key)? };
        let check = Check::of_record(key.as_bytes(), &value, revision);
        let put = if before.is_some() { &mut update } else { &mut insert };
        put.execute(params![key.as_bytes(), value, schema::stored(revision), check])?;
        if let Some(before) = before {
            total.remove(&before);
        }
        total.add(&check);
        keys.push(key);
    }
    let mut delete = connection.prepare_cached("DELETE FROM records WHERE key = ?1")?;
    for key in commit.deletes {
        if let Some(before) = present(connection, &key)? {
            delete.execute([key.as_bytes()])?;
            total.remove(&before);
            keys.push(key);
        }
    }
    Ok(keys)
}

/// The check of the record that stands at that key, held against the record: what is damaged may
/// not be counted out as if it were whole.
fn present(connection: &Connection, key: &str) -> Result<Option<Check>, Failure> {
    let mut select = connection
        .prepare_cached("SELECT key, value, revision, checksum FROM records WHERE key = ?1")?;
    let mut rows = select.query([key.as_bytes()])?;
    rows.next()?.map(readers::checked).transpose()
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
    Failed(Failure),
    /// The database doesn't stand where this process has left it.
    AnotherHistory,
}

impl<E: Into<Failure>> From<E> for WriteFailure {
    fn from(cause: E) -> Self {
        Self::Failed(cause.into())
    }
}

impl fmt::Display for WriteFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(cause) => write!(f, "the commit failed: {cause}"),
            Self::AnotherHistory => {
                f.write_str("the database was changed by another program while the store was open")
            }
        }
    }
}

/// The one cause for which several commits failed.
#[derive(Debug)]
struct SharedCause(Arc<WriteFailure>);

impl fmt::Display for SharedCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for SharedCause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &*self.0 {
            WriteFailure::Failed(cause) => Some(cause),
            WriteFailure::AnotherHistory => None,
        }
    }
}
