//! The contract of `service::ports::Store`, for every store there is.
//!
//! A test here must hold for each of them, so it may know nothing but the port. A new store gets
//! a function that makes an empty one and a line in `stores`.

mod commits;
mod limits;
mod model;
mod reads;
mod watching;

use std::ops::Deref;
use std::sync::Arc;

use service::ports::{Commit, Expect, Item, Revision, Store};
use storage::{Embedded, Memory};
use tempfile::TempDir;

/// An empty store, and what must outlive it.
#[derive(Clone)]
struct Fixture {
    store: Arc<dyn Store>,
    _directory: Option<Arc<TempDir>>,
}

impl Deref for Fixture {
    type Target = dyn Store;

    fn deref(&self) -> &Self::Target {
        &*self.store
    }
}

fn memory() -> Fixture {
    Fixture { store: Arc::new(Memory::new()), _directory: None }
}

fn embedded() -> Fixture {
    let directory = tempfile::tempdir().unwrap();
    let store = Embedded::open(&directory.path().join("store.db")).unwrap();
    Fixture { store: Arc::new(store), _directory: Some(Arc::new(directory)) }
}

macro_rules! stores {
    ($($store:ident),*; $tests:tt) => {
        $(stores!(@one $store $tests);)*
    };
    (@one $store:ident { $($module:ident: $($test:ident),*;)* }) => {
        mod $store {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    crate::$module::$test(crate::$store()).await;
                }
            )*)*
        }
    };
}

stores! { memory, embedded; {
    reads: absent_is_none, ranges_ascend_by_bytes, ranges_page, prefixes_end_where_they_end,
        values_of_every_size;
    commits: a_put_is_read_with_its_revision, a_put_replaces, a_delete_removes,
        each_commit_makes_the_next_revision, absent_holds_only_of_what_is_absent,
        at_holds_only_of_the_latest_write, a_conflict_changes_nothing, a_commit_is_atomic,
        concurrent_increments_lose_nothing, reads_see_answered_commits,
        a_dropped_future_leaves_the_store_whole;
    limits: keys, values, operations, total_size, a_key_twice;
    watching: every_commit_is_told_in_order, the_past_is_replayed, the_forgotten_is_compacted,
        the_future_is_compacted, a_dropped_subscription_ends, told_before_answered,
        late_subscribers_miss_nothing, only_what_changed_is_told, conflicts_are_not_told;
    model: random_histories;
} }

fn put(key: &str, value: &[u8]) -> Commit {
    Commit { puts: vec![(key.to_owned(), value.to_vec())], ..Commit::default() }
}

fn delete(key: &str) -> Commit {
    Commit { deletes: vec![key.to_owned()], ..Commit::default() }
}

fn when(mut commit: Commit, key: &str, expect: Expect) -> Commit {
    commit.preconditions.push((key.to_owned(), expect));
    commit
}

impl Fixture {
    async fn put(&self, key: &str, value: &[u8]) -> Revision {
        self.commit(put(key, value)).await.unwrap()
    }

    async fn item(&self, key: &str) -> Option<Item> {
        self.get(key).await.unwrap()
    }

    async fn value(&self, key: &str) -> Option<Vec<u8>> {
        self.item(key).await.map(|item| item.value)
    }

    /// The keys of a page, and whether there are more.
    async fn keys(&self, prefix: &str, after: &str, limit: usize) -> (Vec<String>, bool) {
        let page = self.range(prefix, after, limit).await.unwrap();
        (page.items.into_iter().map(|item| item.key).collect(), page.more)
    }
}
