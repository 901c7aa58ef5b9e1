//! What metrics, liveness and readiness are read from in production.
//!
//! Must not know how they are shown.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Instance;
use crate::health::{
    Condition, Health, Readiness, audit_log_takes_records, holds, store_takes_commits,
};
use crate::metrics::{
    AuditReading, CertificateReading, NetworkReading, Observed, SealReading, SinkReading, Source,
    StoreReading,
};
use crate::observation::size_of_database;

/// What the operations listener tells of a server.
pub(super) fn health(instance: &Arc<Instance>) -> Health {
    let requests = &instance.watch.requests;
    let unsealed = Arc::clone(instance);
    let is_unsealed = holds(move || unsealed.is_unsealed(), "the server is sealed");
    let store = store_takes_commits(Arc::clone(&instance.store), Arc::clone(&instance.store_stats));
    let conditions: Vec<(&str, Condition)> = vec![
        ("seal", is_unsealed),
        ("store", store),
        ("audit", audit_log_takes_records(Arc::clone(requests))),
    ];
    let readiness = Arc::new(Readiness::new(conditions));
    let ready = Arc::clone(&readiness);
    let observed = Observed {
        requests: Some(Arc::clone(requests)),
        network: Some(source(instance, network)),
        caches: Some(source(instance, |instance| {
            let Some(unsealed) = instance.unsealed() else { return Vec::new() };
            let kms = unsealed.services.kms.service().cache_stats();
            let iam = unsealed.services.credentials.directory().cache_stats();
            kms.into_iter().chain(iam).collect()
        })),
        store_stats: Some(Arc::clone(&instance.store_stats)),
        store: Some(source(instance, |instance| StoreReading {
            revision: instance.store.revision().0,
            bytes: Some(size_of_database(&instance.data.join("state.sqlite3"))),
        })),
        audit: Some(source(instance, audit)),
        seal: Some(source(instance, |instance| SealReading {
            sealed: !instance.is_unsealed(),
            failed_attempts: instance.failed_attempts.load(Ordering::Relaxed),
        })),
        keys: Some(Arc::clone(&instance.watch.key_census)),
        certificates: Some(source(instance, certificates)),
        readiness: Some(Box::new(move || ready.last())),
    };
    Health { observed: Arc::new(observed), readiness }
}

/// Reads from the server when it is asked.
fn source<T: 'static>(
    instance: &Arc<Instance>,
    read: impl Fn(&Instance) -> T + Send + Sync + 'static,
) -> Source<T> {
    let instance = Arc::clone(instance);
    Box::new(move || read(&instance))
}

fn network(instance: &Instance) -> NetworkReading {
    let stats = &instance.network;
    NetworkReading {
        open: stats.open(),
        accepted: stats.accepted(),
        refused: stats.crowded_out(),
        handshake_failures: stats.handshakes_failed(),
        ..NetworkReading::default()
    }
}

fn audit(instance: &Instance) -> AuditReading {
    let stats = instance.audit.stats();
    let sinks = instance.unsealed().map_or(&[][..], |unsealed| &unsealed.sinks);
    let sink = |(name, stats): &(&'static str, Arc<crate::sinks::SinkStats>)| {
        let lag = stats.lag(&instance.audit);
        SinkReading {
            name: (*name).to_owned(),
            delivered: stats.delivered(),
            lag_records: lag.records,
            lag_bytes: lag.bytes,
            failures: stats.failures(),
            last_failure: seconds(stats.last_failure()),
        }
    };
    AuditReading {
        records: stats.records(),
        bytes: stats.bytes(),
        failures: stats.refused(),
        last_digest: seconds(stats.last_signed()),
        sinks: sinks.iter().map(sink).collect(),
    }
}

fn certificates(instance: &Instance) -> Vec<CertificateReading> {
    let reading = |tls: &Arc<crate::tls::Tls>| CertificateReading {
        name: "listener".to_owned(),
        expiry: precise(tls.validity().until),
    };
    instance.tls.iter().map(reading).collect()
}

/// A moment in milliseconds since 1970 as metrics have it; zero means never.
fn seconds(millis: i64) -> Option<f64> {
    (millis > 0).then(|| precise(millis.unsigned_abs()) / 1000.0)
}

/// A number that is far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "no second of this age needs 53 bits")]
fn precise(number: u64) -> f64 {
    number as f64
}
