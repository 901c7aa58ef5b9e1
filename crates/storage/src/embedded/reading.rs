//! The same database for those who only read: tools that an operator runs, beside the server or
//! without it.
//!
//! Takes no lock and changes nothing. Each read sees the database as it is at that moment.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use service::ports::{
    Commit, Item, Observer, Page, Pending, Revision, Store, StoreError, Subscription,
};

use super::examination::{EXAMINED_PAGES, examine_up_to};
use super::readers::Readers;
use super::writer::unavailable;
use super::{OpenError, lock, schema};

/// Records in a SQLite database that somebody else may be writing.
pub struct Reading {
    readers: Readers,
    revision: Revision,
}

#[derive(Debug)]
struct ReadsOnly;

impl fmt::Display for ReadsOnly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the store was opened for reading")
    }
}

impl std::error::Error for ReadsOnly {}

impl Reading {
    /// Opens the database at `path`, which must exist; one of an earlier format is read as it is.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        std::fs::metadata(path).map_err(OpenError::unreadable(path))?;
        let noted = lock::noted(path)?;
        let format = schema::prepare(path)?;
        let connection = schema::connect_reader(path).map_err(OpenError::sqlite(path))?;
        examine_up_to(&connection, path, format, EXAMINED_PAGES)?;
        let revision = schema::read_revision(&connection).map_err(OpenError::sqlite(path))?;
        lock::hold_against(noted, revision, path)?;
        let readers = Readers::open(path, format).map_err(OpenError::sqlite(path))?;
        Ok(Self { readers, revision })
    }
}

impl Store for Reading {
    fn get<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreError>> {
        Box::pin(async move { self.readers.get(key).map_err(unavailable) })
    }

    fn range<'a>(
        &'a self,
        prefix: &'a str,
        after: &'a str,
        limit: usize,
    ) -> Pending<'a, Result<Page, StoreError>> {
        Box::pin(async move { self.readers.range(prefix, after, limit).map_err(unavailable) })
    }

    fn commit(&self, _: Commit) -> Pending<'_, Result<Revision, StoreError>> {
        Box::pin(std::future::ready(Err(StoreError::Unavailable(Box::new(ReadsOnly)))))
    }

    /// Tells nobody anything: whoever reads so reads once.
    fn watch(&self, _: Revision, _: Arc<dyn Observer>) -> Result<Subscription, StoreError> {
        Ok(Subscription::new(()))
    }

    fn revision(&self) -> Revision {
        self.revision
    }
}
