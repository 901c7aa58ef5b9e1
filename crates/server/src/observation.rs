//! Who watches dev mode's services: quotas and counters on each pipeline, sources for the metrics,
//! conditions of readiness.
//!
//! Must not know what is counted, nor how it is shown.

use std::path::PathBuf;
use std::sync::Arc;

use service::{Pipeline, Service};

use crate::dispatch::Services;
use crate::health::{Condition, Health, Readiness, audit_log_takes_records, store_takes_commits};
use crate::metrics::{
    ACCOUNTS_TOLD_APART, KeyCensus, Observed, Requests, SealReading, StoreReading, StoreStats,
};
use crate::quotas::{QuotaSettings, RequestQuotas};

/// What every pipeline asks and tells.
#[derive(Clone)]
pub(crate) struct Watch {
    pub(crate) quotas: Arc<RequestQuotas>,
    pub(crate) requests: Arc<Requests>,
    pub(crate) key_census: Arc<KeyCensus>,
}

impl Watch {
    /// Quotas by these settings, and counters that stand at zero.
    pub(crate) fn new(quotas: QuotaSettings) -> Self {
        Self {
            quotas: Arc::new(RequestQuotas::new(quotas)),
            requests: Arc::new(Requests::new(ACCOUNTS_TOLD_APART)),
            key_census: Arc::default(),
        }
    }

    /// The pipeline with both.
    pub(crate) fn over<S: Service>(&self, pipeline: Pipeline<S>) -> Pipeline<S> {
        let pipeline = pipeline.with_quotas(self.quotas.of::<S>());
        match self.requests.observer::<S>() {
            Some(observer) => pipeline.with_observer(observer),
            None => pipeline,
        }
    }
}

/// What the operations listener tells of these services; of the store's size if it has a file.
pub(crate) fn health(
    services: &Arc<Services>,
    requests: &Arc<Requests>,
    stats: Arc<StoreStats>,
    database: Option<PathBuf>,
) -> Health {
    let conditions: Vec<(&str, Condition)> = vec![
        ("store", store_takes_commits(Arc::clone(&services.store), Arc::clone(&stats))),
        ("audit", audit_log_takes_records(Arc::clone(requests))),
    ];
    let readiness = Arc::new(Readiness::new(conditions));
    let (cached, stored, ready) =
        (Arc::clone(services), Arc::clone(services), Arc::clone(&readiness));
    let observed = Observed {
        requests: Some(Arc::clone(requests)),
        caches: Some(Box::new(move || {
            let kms = cached.kms.service().cache_stats();
            kms.into_iter().chain(cached.credentials.directory().cache_stats()).collect()
        })),
        store_stats: Some(stats),
        store: Some(Box::new(move || StoreReading {
            revision: stored.store.revision().0,
            bytes: database.as_deref().map(size_of_database),
        })),
        // Dev mode has no seal.
        seal: Some(Box::new(SealReading::default)),
        keys: Some(Arc::clone(&services.key_census)),
        readiness: Some(Box::new(move || ready.last())),
        ..Observed::default()
    };
    Health { observed: Arc::new(observed), readiness }
}

/// The bytes of a database and of its write-ahead log.
pub(crate) fn size_of_database(path: &std::path::Path) -> u64 {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let length = |path: &std::ffi::OsStr| std::fs::metadata(path).map_or(0, |file| file.len());
    length(path.as_os_str()) + length(&log)
}
