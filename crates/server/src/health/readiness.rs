//! Whether the server can do its work: conditions with a name each, all of which must hold.
//!
//! Must not know what a condition is about.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use service::ports::{Commit, Pending, Store};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::metrics::{Requests, StoreStats};

/// How long an answer holds, however often it is asked for.
const HOLDS: Duration = Duration::from_secs(1);
/// How long a condition may take to be looked at; one that takes longer doesn't hold.
const LOOK_MAX: Duration = Duration::from_secs(3);
/// How long a commit says that commits take place. After that, an empty one is tried.
const COMMIT_HOLDS: Duration = Duration::from_secs(5);
/// How long a record that couldn't be written keeps requests away. Only requests show that the log
/// can be written again, so that it must be tried.
const UNRECORDED_HOLDS: Duration = Duration::from_secs(10);

/// Says whether a condition holds, or why it doesn't.
pub type Condition = Box<dyn Fn() -> Pending<'static, Result<(), String>> + Send + Sync>;

/// The conditions of readiness.
pub struct Readiness {
    conditions: Vec<Watched>,
    /// The last answer, and when it was given.
    last: Mutex<Option<(Instant, Result<(), String>)>>,
}

struct Watched {
    name: &'static str,
    condition: Condition,
    held: AtomicBool,
}

impl Readiness {
    /// Those conditions, by their names. A server without any is ready.
    pub fn new(conditions: Vec<(&'static str, Condition)>) -> Self {
        let watched = |(name, condition)| Watched { name, condition, held: AtomicBool::new(false) };
        Self { conditions: conditions.into_iter().map(watched).collect(), last: Mutex::default() }
    }

    /// Whether all conditions hold; if not, which don't and why, a line each.
    ///
    /// # Errors
    /// Those lines.
    pub async fn check(&self) -> Result<(), String> {
        // Who asks meanwhile waits for the same answer.
        let mut last = self.last.lock().await;
        if let Some((_, answer)) = last.as_ref().filter(|(at, _)| at.elapsed() < HOLDS) {
            return answer.clone();
        }
        let mut reasons = String::new();
        for watched in &self.conditions {
            let looked = timeout(LOOK_MAX, (watched.condition)()).await;
            let held = looked.unwrap_or_else(|_| Err("no answer in time".to_owned()));
            watched.held.store(held.is_ok(), Ordering::Release);
            if let Err(reason) = held {
                // Writing to a string doesn't fail.
                let _ = writeln!(reasons, "{}: {reason}", watched.name);
            }
        }
        let answer = if reasons.is_empty() { Ok(()) } else { Err(reasons) };
        *last = Some((Instant::now(), answer.clone()));
        answer
    }

    /// Whether each condition held when it was last looked at; none holds before that.
    pub fn last(&self) -> Vec<(&'static str, bool)> {
        let held = |watched: &Watched| (watched.name, watched.held.load(Ordering::Acquire));
        self.conditions.iter().map(held).collect()
    }
}

/// The condition that something is so, which is known at once; `reason` says why it matters.
pub fn holds(known: impl Fn() -> bool + Send + Sync + 'static, reason: &'static str) -> Condition {
    Box::new(move || {
        let answer = if known() { Ok(()) } else { Err(reason.to_owned()) };
        Box::pin(std::future::ready(answer))
    })
}

/// The condition that commits take place. Where none has of late, one that changes nothing is made,
/// as durable as every other.
pub fn store_takes_commits(store: Arc<dyn Store>, stats: Arc<StoreStats>) -> Condition {
    Box::new(move || {
        let (store, stats) = (Arc::clone(&store), Arc::clone(&stats));
        Box::pin(async move {
            if stats.last_commit().is_some_and(|ago| ago < COMMIT_HOLDS) {
                return Ok(());
            }
            store.commit(Commit::default()).await.map(drop).map_err(|error| error.to_string())
        })
    })
}

/// The condition that no request was refused of late because the audit log couldn't take it.
pub fn audit_log_takes_records(requests: Arc<Requests>) -> Condition {
    Box::new(move || {
        let failed = requests.last_unrecorded().is_some_and(|ago| ago < UNRECORDED_HOLDS);
        let answer =
            if failed { Err("the audit log cannot be written".to_owned()) } else { Ok(()) };
        Box::pin(std::future::ready(answer))
    })
}

#[cfg(test)]
mod tests {
    use kms::Kms;
    use service::ports::Outcome;

    use super::*;
    use crate::metrics::ObservedStore;

    #[tokio::test]
    async fn all_conditions_must_hold() {
        let sealed = Arc::new(AtomicBool::new(true));
        let known = Arc::clone(&sealed);
        let unsealed = holds(move || !known.load(Ordering::SeqCst), "the server is sealed");
        let full = holds(|| false, "the disk is full");
        let readiness = Readiness::new(vec![("unsealed", unsealed), ("store", full)]);
        assert_eq!(readiness.last(), [("unsealed", false), ("store", false)]);
        let reasons = readiness.check().await.unwrap_err();
        assert_eq!(reasons, "unsealed: the server is sealed\nstore: the disk is full\n");
        sealed.store(false, Ordering::SeqCst);
        assert_eq!(readiness.check().await.unwrap_err(), reasons, "an answer holds a while");
        tokio::time::sleep(HOLDS).await;
        assert_eq!(readiness.check().await.unwrap_err(), "store: the disk is full\n");
        assert_eq!(readiness.last(), [("unsealed", true), ("store", false)]);
        assert_eq!(Readiness::new(Vec::new()).check().await, Ok(()));
    }

    #[tokio::test]
    async fn a_condition_that_hangs_does_not_hold() {
        let never: Condition = Box::new(|| Box::pin(std::future::pending()));
        let readiness = Readiness::new(vec![("slow", never)]);
        assert_eq!(readiness.check().await.unwrap_err(), "slow: no answer in time\n");
    }

    #[tokio::test]
    async fn a_store_is_asked_for_a_commit() {
        let store = Arc::new(ObservedStore::new(Arc::new(storage::Memory::new())));
        let condition = store_takes_commits(Arc::clone(&store) as _, store.stats());
        let before = store.revision();
        assert_eq!(condition().await, Ok(()));
        assert!(store.revision() > before);
        let after = store.revision();
        assert_eq!(condition().await, Ok(()));
        assert_eq!(store.revision(), after, "a commit of late says enough");
    }

    #[tokio::test]
    async fn requests_stay_away_while_the_audit_log_fails() {
        let requests = Arc::new(Requests::new(1));
        let condition = audit_log_takes_records(Arc::clone(&requests));
        assert_eq!(condition().await, Ok(()));
        let (operation, account, error) = (Some(0), None, None);
        let duration = Duration::ZERO;
        let outcome = Outcome { operation, account, error, unrecorded: true, duration };
        requests.observer::<Kms>().unwrap().answered(&outcome);
        assert!(condition().await.is_err());
    }
}
