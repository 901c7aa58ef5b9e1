//! Records that hold what a key store wrapped. Whoever keeps such records says here how to wrap
//! them anew, so that a key store can replace the keys that it wraps with.

use super::{Item, KeyStoreError, Pending};

/// All records of one kind that hold wrapped material or sealed tokens.
///
/// What isn't reached through one of these is lost when a key that wrapped it is destroyed: every
/// kind of record that keeps wrapped bytes must have one.
pub trait WrappedRecords: Send + Sync {
    /// Below which they stand in the store: all of them, and nothing else.
    fn prefix(&self) -> &'static str;

    /// The Region (or what stands for one) whose keys wrap what the record at that place holds;
    /// `None` for a place that can't be read.
    fn region<'a>(&self, place: &'a str) -> Option<&'a str>;

    /// What to write in place of the record: all it holds, wrapped with the key that the key store
    /// wraps with now. `None` where that is so already, and everything opens.
    ///
    /// [`KeyStoreError::Damaged`] for a record that can't be read or doesn't open: it must not be
    /// written, nor any key be destroyed on the word that nothing needs it.
    fn rewrapped<'a>(
        &'a self,
        item: &'a Item,
    ) -> Pending<'a, Result<Option<Vec<u8>>, KeyStoreError>>;
}
