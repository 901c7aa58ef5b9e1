//! The store: four verbs, strictly serializable.

use std::fmt;
use std::sync::Arc;

use super::Pending;

/// The longest value that a store must hold, in bytes (etcd refuses requests over 1.5 MiB).
pub const VALUE_MAX: usize = 1 << 20;

/// A point in the store's history. Every commit makes the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Revision(pub u64);

/// A record with the revision of the commit that wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: Vec<u8>,
    /// The revision at which it was last written.
    pub revision: Revision,
}

/// A page of a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The records, ascending by the bytes of their keys.
    pub items: Vec<Item>,
    /// Whether records remain behind the last one.
    pub more: bool,
}

/// What must be true of a key for a commit to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// No record is there.
    Absent,
    /// The record there was last written at this revision.
    At(Revision),
}

/// A change of several records at once: all of it happens, or nothing.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// What must be true at the moment of the commit.
    pub preconditions: Vec<(String, Expect)>,
    /// Records to write. A key stands in `puts` or in `deletes`, at most once.
    pub puts: Vec<(String, Vec<u8>)>,
    /// Records to remove; an absent one is no error.
    pub deletes: Vec<String>,
}

/// What a commit changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The revision that the commit made.
    pub revision: Revision,
    /// The keys it wrote and removed.
    pub keys: Vec<String>,
}

/// Why the store didn't do what it was asked.
#[derive(Debug)]
pub enum StoreError {
    /// A precondition doesn't hold: somebody else was faster. Nothing was changed.
    Conflict,
    /// The history from that revision on is no longer known; the observer must forget all it has.
    Compacted,
    /// A key or value breaks the store's limits. Nothing was changed.
    TooLarge,
    /// The store can't be read or written. Whether a commit took place is unknown.
    Unavailable(Box<dyn std::error::Error + Send + Sync>),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict => f.write_str("a precondition of the commit does not hold"),
            Self::Compacted => f.write_str("the requested history is no longer kept"),
            Self::TooLarge => f.write_str("a key or value is larger than the store allows"),
            Self::Unavailable(cause) => write!(f, "the store is unavailable: {cause}"),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unavailable(cause) => Some(cause.as_ref()),
            _ => None,
        }
    }
}

/// Told of every commit.
pub trait Observer: Send + Sync {
    /// A commit has taken place. Called in the order of revisions, once for each, on the store's
    /// own thread: it must be quick, must not block and must not call the store.
    fn changed(&self, change: &Change);
}

/// Keeps an observer subscribed while it lives.
#[must_use = "the observer is unsubscribed when this is dropped"]
pub struct Subscription(#[expect(dead_code, reason = "held for its Drop")] Box<dyn Send + Sync>);

impl Subscription {
    /// A subscription that ends when `guard` is dropped.
    pub fn new(guard: impl Send + Sync + 'static) -> Self {
        Self(Box::new(guard))
    }
}

/// Where records survive.
///
/// Contract, beyond each verb's own: reads see every commit that was answered before they began
/// (strict serializability). A commit is answered only when it will survive a crash of the process
/// and of the machine, **and** when every observer has been told of it: whoever acts on an answer
/// acts after the caches have dropped the old state.
///
/// Keys are UTF-8 of 1 to 512 bytes, values up to [`VALUE_MAX`].
pub trait Store: Send + Sync {
    /// The record of that key.
    fn get<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreError>>;

    /// Up to `limit` records whose keys begin with `prefix` and are greater than `after` (a full
    /// key; empty for the start), ascending by bytes.
    fn range<'a>(
        &'a self,
        prefix: &'a str,
        after: &'a str,
        limit: usize,
    ) -> Pending<'a, Result<Page, StoreError>>;

    /// Does what the commit says if all its preconditions hold.
    fn commit(&self, commit: Commit) -> Pending<'_, Result<Revision, StoreError>>;

    /// Tells the observer of every commit after `from`; those that have taken place already are
    /// told before this returns.
    ///
    /// # Errors
    /// [`StoreError::Compacted`] where that history is no longer kept.
    fn watch(
        &self,
        from: Revision,
        observer: Arc<dyn Observer>,
    ) -> Result<Subscription, StoreError>;

    /// The revision of the latest commit.
    fn revision(&self) -> Revision;
}
