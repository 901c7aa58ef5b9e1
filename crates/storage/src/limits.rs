//! What a commit may hold, the same for every store.
//!
//! The limits are those of the narrowest engine, etcd, so that what one store takes the others
//! take too. Must not know any store.

use std::fmt;

use service::ports::{Commit, StoreError, VALUE_MAX};

/// The longest key, in bytes.
pub const KEY_MAX: usize = 512;

/// How many preconditions a commit may have, and how many puts and deletes together: etcd's
/// default for the comparisons and the operations of one transaction.
pub const OPERATIONS_MAX: usize = 128;

/// The keys and values of one commit together, in bytes. A value of [`VALUE_MAX`] fits, with
/// room for small records beside it, below etcd's 1.5 MiB a request.
pub const COMMIT_MAX: usize = VALUE_MAX + (256 << 10);

/// A commit that names a key twice, which its contract forbids: which of the two should win?
#[derive(Debug)]
struct KeyTwice;

impl fmt::Display for KeyTwice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the commit names a key twice; nothing was changed")
    }
}

impl std::error::Error for KeyTwice {}

/// Refuses a commit that breaks the limits or names a key twice.
pub(crate) fn check(commit: &Commit) -> Result<(), StoreError> {
    let operations = commit.puts.len() + commit.deletes.len();
    if operations > OPERATIONS_MAX || commit.preconditions.len() > OPERATIONS_MAX {
        return Err(StoreError::TooLarge);
    }
    let mut changed = Vec::with_capacity(operations);
    changed.extend(commit.puts.iter().map(|(key, _)| key.as_str()));
    changed.extend(commit.deletes.iter().map(String::as_str));
    let mut keys = commit.preconditions.iter().map(|(key, _)| key).chain(&commit.deletes);
    let value_too_large = commit.puts.iter().any(|(_, value)| value.len() > VALUE_MAX);
    if value_too_large
        || size(commit) > COMMIT_MAX
        || !keys.all(|key| is_key(key))
        || !changed.iter().all(|key| is_key(key))
    {
        return Err(StoreError::TooLarge);
    }
    changed.sort_unstable();
    if changed.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(StoreError::Unavailable(Box::new(KeyTwice)));
    }
    Ok(())
}

fn is_key(key: &str) -> bool {
    (1..=KEY_MAX).contains(&key.len())
}

/// The keys and values that the commit carries, in bytes.
pub(crate) fn size(commit: &Commit) -> usize {
    let conditions: usize = commit.preconditions.iter().map(|(key, _)| key.len()).sum();
    let puts: usize = commit.puts.iter().map(|(key, value)| key.len() + value.len()).sum();
    let deletes: usize = commit.deletes.iter().map(String::len).sum();
    conditions + puts + deletes
}
