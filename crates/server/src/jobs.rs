//! What the server does beside answering: removing deleted keys and expired material, storing the
//! uses of keys, of access keys and of roles, counting keys.
//!
//! Must not know how either is done.

use std::sync::Arc;
use std::time::{Duration, Instant};

use service::Error;
use tokio::task::JoinSet;
use tokio::time::sleep;
use wire::Timestamp;

use crate::dispatch::Services;
use crate::removal_guard::{Removal, RemovalGuard};

/// How often keys and materials are looked for whose date has come.
const TIDYING_PERIOD: Duration = Duration::from_mins(1);
/// How often the keeper of uses gets its turn; every few turns it stores them.
const USAGE_PERIOD: Duration = Duration::from_millis(500);

/// How often the last uses of access keys and roles are stored.
const LAST_USES_PERIOD: Duration = Duration::from_secs(10);

/// Starts the jobs, which end when the set is dropped.
pub(crate) fn start(services: &Arc<Services>, guard: RemovalGuard) -> JoinSet<()> {
    let mut jobs = JoinSet::new();
    jobs.spawn(tidy(Arc::clone(services), guard));
    jobs.spawn(keep_usage(Arc::clone(services)));
    jobs.spawn(store_last_uses(Arc::clone(services)));
    jobs.spawn(count_keys(Arc::clone(services)));
    jobs
}

/// Does what should be done when the last request has been answered, so that the next start has
/// nothing to make up for.
pub(crate) async fn finish(services: &Services) {
    let stored = services.usage.lock().await.store(services.kms.service()).await;
    if let Err(error) = stored {
        complain(
            "storing the uses of keys failed, the next start will read them from the log",
            &error,
        );
    }
    if let Err(error) = services.credentials.directory().store_last_uses().await {
        complain("storing the last uses of access keys failed", &error);
    }
}

async fn store_last_uses(services: Arc<Services>) {
    loop {
        sleep(LAST_USES_PERIOD).await;
        if let Err(error) = services.credentials.directory().store_last_uses().await {
            complain("storing the last uses of access keys failed", &error);
        }
    }
}

async fn count_keys(services: Arc<Services>) {
    services.key_census.keep(services.kms.service(), services.clock.as_ref()).await;
}

async fn tidy(services: Arc<Services>, mut guard: RemovalGuard) {
    let start = Instant::now();
    loop {
        match guard.at(services.clock.now(), start.elapsed()) {
            Removal::DueBy(date) => remove(&services, date).await,
            Removal::NotYet => {}
            Removal::ClockJumped { by_ms } => tracing::warn!(
                by_ms,
                "the clock has jumped: deleted keys are kept for another while, should it be wrong"
            ),
        }
        sleep(TIDYING_PERIOD).await;
    }
}

/// Removes what was due at that date.
async fn remove(services: &Services, date: Timestamp) {
    if let Err(error) = services.kms.service().remove_due(date).await {
        complain("removing deleted keys failed, it will be tried again", &error);
    }
    if let Err(error) = services.kms.service().remove_expired(date).await {
        complain("removing expired material failed, it will be tried again", &error);
    }
}

async fn keep_usage(services: Arc<Services>) {
    let mut failing = false;
    loop {
        sleep(USAGE_PERIOD).await;
        let kept = services.usage.lock().await.turn(services.kms.service()).await;
        // Said once, not twice a second.
        if let (Err(error), false) = (&kept, failing) {
            complain("storing the uses of keys failed, it will be tried again", error);
        }
        failing = kept.is_err();
    }
}

fn complain(what: &str, error: &Error) {
    let cause = error.cause().map_or_else(String::new, ToString::to_string);
    tracing::error!(cause, "{what}: {error}");
}
