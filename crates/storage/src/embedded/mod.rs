//! The embedded store: a SQLite database in the data directory.
//!
//! Owns the database file and the lock beside it. One thread writes, a few connections read.
//! Must not know what records mean.

mod checkpoint;
mod checks;
mod copying;
mod examination;
mod lock;
mod readers;
mod reading;
mod schema;
mod upgrade;
mod writer;

use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::Poll;
use std::thread::JoinHandle;
use std::{fmt, mem, thread};

use rusqlite::ErrorCode;
use service::ports::{
    Commit, Item, Observer, Page, Pending, Revision, Store, StoreError, Subscription,
};
use tokio::sync::{mpsc, oneshot};

pub use self::copying::{CopyError, Snapshot, restore};
pub use self::examination::{Examined, examine};
pub use self::reading::Reading;

use self::checkpoint::Checkpoints;
use self::checks::Failure;
use self::examination::{EXAMINED_PAGES, examine_up_to};
use self::lock::DirectoryLock;
use self::readers::Readers;
use self::schema::FORMAT;
use self::writer::{Beside, Request, Writer, unavailable};
use crate::history::History;
use crate::limits;

/// How many commits wait for the writer before further ones wait for a place.
const QUEUE: usize = 256;

/// From how many records on a page has taken its thread for long enough, about a millisecond, that
/// others get their turn before somebody reads the next one.
const LONG_PAGE: usize = 200;

/// The writer ends before its store only if an observer has panicked.
const WRITER_ENDED: &str = "the store's writer has ended";

/// Records in a SQLite database.
///
/// Reads run on the thread that polls their future and take microseconds; commits run on a
/// thread of the store's own. A commit whose future is dropped may take place all the same.
pub struct Embedded {
    /// None only while the store is being dropped.
    parts: Option<Parts>,
    writer: Option<JoinHandle<()>>,
    history: Arc<History>,
    /// The last to be dropped: nobody else may come in while the database is being closed.
    _lock: Arc<DirectoryLock>,
}

struct Parts {
    queue: mpsc::Sender<Request>,
    readers: Arc<Readers>,
}

impl Embedded {
    /// Opens the database at `path`, or creates it there. The directory must exist and be this
    /// server's alone.
    ///
    /// # Errors
    /// See [`OpenError`]. A database that can't be opened is never changed or replaced. One of an
    /// earlier format is made one of the present format.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let lock = Arc::new(DirectoryLock::take(path)?);
        let noted = lock::noted(path)?;
        let format = schema::prepare(path)?;
        let mut connection = schema::connect_writer(path).map_err(OpenError::sqlite(path))?;
        examine_up_to(&connection, path, format, EXAMINED_PAGES)?;
        let revision = schema::read_revision(&connection).map_err(OpenError::sqlite(path))?;
        lock::hold_against(noted, revision, path)?;
        if format < FORMAT {
            upgrade::add_checks(&mut connection).map_err(OpenError::sqlite(path))?;
        }
        Checkpoints::default().settle(&connection).map_err(OpenError::sqlite(path))?;
        let readers = Readers::open(path, FORMAT).map_err(OpenError::sqlite(path))?;
        let readers = Arc::new(readers);
        let history = History::starting_at(revision);
        let (queue, requests) = mpsc::channel(QUEUE);
        let writer = Writer::new(
            path.to_owned(),
            connection,
            Beside { history: history.clone(), lock: lock.clone(), readers: readers.clone() },
        );
        let writer = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run(requests))
            .map_err(OpenError::unreadable(path))?;
        let parts = Some(Parts { queue, readers });
        Ok(Self { parts, writer: Some(writer), history, _lock: lock })
    }

    fn parts(&self) -> Result<&Parts, StoreError> {
        self.parts.as_ref().ok_or_else(|| unavailable("the store is closed"))
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        // Without readers and queue, the writer empties the log into the database and ends.
        self.parts = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

impl Store for Embedded {
    fn get<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreError>> {
        Box::pin(async move { self.parts()?.readers.get(key).map_err(unavailable) })
    }

    fn range<'a>(
        &'a self,
        prefix: &'a str,
        after: &'a str,
        limit: usize,
    ) -> Pending<'a, Result<Page, StoreError>> {
        Box::pin(async move {
            let page = self.parts()?.readers.range(prefix, after, limit).map_err(unavailable)?;
            if page.items.len() >= LONG_PAGE {
                give_way().await;
            }
            Ok(page)
        })
    }

    fn commit(&self, commit: Commit) -> Pending<'_, Result<Revision, StoreError>> {
        Box::pin(async move {
            limits::check(&commit)?;
            let (answer, answered) = oneshot::channel();
            let request = Request { commit, answer };
            self.parts()?.queue.send(request).await.map_err(|_| unavailable(WRITER_ENDED))?;
            answered.await.map_err(|_| unavailable(WRITER_ENDED))?
        })
    }

    fn watch(
        &self,
        from: Revision,
        observer: Arc<dyn Observer>,
    ) -> Result<Subscription, StoreError> {
        self.history.watch(from, observer)
    }

    fn revision(&self) -> Revision {
        self.history.revision()
    }
}

/// Lets other tasks of the thread have their turn.
async fn give_way() {
    let mut given = false;
    poll_fn(|task| {
        if mem::replace(&mut given, true) {
            return Poll::Ready(());
        }
        task.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Why a database couldn't be opened.
#[derive(Debug)]
pub enum OpenError {
    /// Another server has locked the data directory.
    InUse {
        /// The lock.
        path: PathBuf,
    },
    /// The file isn't a database of ours, or its header is damaged.
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file was written by a newer version.
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format that this version reads.
        known: u32,
    },
    /// The file is damaged.
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: String,
    },
    /// The file can't be read, written or created.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl OpenError {
    fn unreadable<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
        path: &Path,
    ) -> impl Fn(E) -> Self + '_ {
        |cause| Self::Unreadable { path: path.to_owned(), cause: cause.into() }
    }

    fn damaged(path: &Path, fault: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), fault: fault.into() }
    }

    fn failure(path: &Path) -> impl Fn(Failure) -> Self + '_ {
        |failure| match failure {
            Failure::Sqlite(cause) => Self::sqlite(path)(cause),
            damage => Self::damaged(path, damage.to_string()),
        }
    }

    /// Tells damage from other failures of SQLite. SQL that the schema doesn't fit is damage too.
    fn sqlite(path: &Path) -> impl Fn(rusqlite::Error) -> Self + '_ {
        |cause| {
            let damage = match cause.sqlite_error_code() {
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown) => {
                    true
                }
                Some(_) => false,
                None => !matches!(cause, rusqlite::Error::InvalidPath(_)),
            };
            if damage {
                Self::damaged(path, cause.to_string())
            } else {
                Self::unreadable(path)(cause)
            }
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse { path } => {
                write!(f, "another server uses this data directory: {} is locked", path.display())
            }
            Self::Foreign { path } => {
                write!(f, "{} is not a Strongroom database, or is damaged", path.display())
            }
            Self::Newer { path, found, known } => write!(
                f,
                "{} was written by a newer version: its format is {found}, this version reads up \
                 to {known}",
                path.display()
            ),
            Self::Damaged { path, fault } => write!(f, "{} is damaged: {fault}", path.display()),
            Self::Unreadable { path, cause } => {
                write!(f, "{} cannot be opened: {cause}", path.display())
            }
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable { cause, .. } => Some(cause.as_ref()),
            _ => None,
        }
    }
}
