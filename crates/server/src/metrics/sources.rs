//! Where numbers come from: counters that this crate keeps, and readings that other parts give when
//! they are asked.
//!
//! A part whose numbers aren't there yet, as while the server is sealed, is absent; its metrics
//! then have no samples.

use std::fmt;
use std::sync::Arc;

use service::CacheStats;

use super::keys::KeyCensus;
use super::requests::Requests;
use super::store::StoreStats;

/// Gives a reading when it is asked. It must be quick and must not block.
pub type Source<T> = Box<dyn Fn() -> T + Send + Sync>;

/// Everything that metrics are read from.
#[derive(Default)]
pub struct Observed {
    /// What became of requests.
    pub requests: Option<Arc<Requests>>,
    /// Connections and bytes.
    pub network: Option<Source<NetworkReading>>,
    /// The caches, by their names.
    pub caches: Option<Source<Vec<(&'static str, CacheStats)>>>,
    /// The commits of the store.
    pub store_stats: Option<Arc<StoreStats>>,
    /// The store itself.
    pub store: Option<Source<StoreReading>>,
    /// The audit log and its sinks.
    pub audit: Option<Source<AuditReading>>,
    /// Whether the server is sealed.
    pub seal: Option<Source<SealReading>>,
    /// The keys.
    pub keys: Option<Arc<KeyCensus>>,
    /// The certificates that the server shows.
    pub certificates: Option<Source<Vec<CertificateReading>>>,
    /// Whether each condition of readiness held when it was last looked at, by their names.
    pub readiness: Option<Source<Vec<(&'static str, bool)>>>,
}

impl fmt::Debug for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observed").finish_non_exhaustive()
    }
}

/// The network, since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NetworkReading {
    /// Connections that are open.
    pub open: u64,
    /// Connections that were taken.
    pub accepted: u64,
    /// Connections that were closed at once, for a limit.
    pub refused: u64,
    /// TLS handshakes that failed.
    pub handshake_failures: u64,
    /// Bytes of requests.
    pub received_bytes: u64,
    /// Bytes of answers.
    pub sent_bytes: u64,
}

/// The store, now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoreReading {
    /// The number of the last commit.
    pub revision: u64,
    /// What its files take, in bytes; none where it has no files.
    pub bytes: Option<u64>,
}

/// The audit log, since the start.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AuditReading {
    /// Records that were written.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Records that couldn't be written; their requests were refused.
    pub failures: u64,
    /// When the last digest was signed, in seconds since 1970.
    pub last_digest: Option<f64>,
    /// Where records are sent.
    pub sinks: Vec<SinkReading>,
}

/// A sink of the audit log.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SinkReading {
    /// Its name, such as `syslog`.
    pub name: String,
    /// Records that it took.
    pub delivered: u64,
    /// Records that wait for it.
    pub lag_records: u64,
    /// Their bytes.
    pub lag_bytes: u64,
    /// Attempts that failed.
    pub failures: u64,
    /// When the last attempt failed, in seconds since 1970.
    pub last_failure: Option<f64>,
}

/// The seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SealReading {
    /// Whether the server is sealed.
    pub sealed: bool,
    /// Attempts to unseal that failed.
    pub failed_attempts: u64,
}

/// A certificate that the server shows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CertificateReading {
    /// Where it is used, such as `listener`.
    pub name: String,
    /// When it expires, in seconds since 1970.
    pub expiry: f64,
}
