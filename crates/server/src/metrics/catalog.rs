//! Every metric: its name, kind, labels and meaning. `docs/metrics.md` is made of this table.
//!
//! Names follow Prometheus's conventions ("Metric and label naming"): base units, `_total` for
//! counters, and for the process the names that every client library gives it.

use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

/// What is true of a metric.
#[derive(Debug)]
pub(super) struct Metric {
    /// Its name, without its unit and without what its kind appends.
    pub(super) stem: &'static str,
    pub(super) kind: MetricType,
    pub(super) unit: Option<Unit>,
    pub(super) labels: &'static [&'static str],
    pub(super) help: &'static str,
}

/// Declares metrics: a constant for each, and the table of all.
macro_rules! metrics {
    ($($name:ident: $kind:ident $stem:literal $(in $unit:ident)? [$($label:literal),*]
        $help:literal;)*) => {
        $(pub(super) static $name: Metric = Metric {
            stem: $stem,
            kind: MetricType::$kind,
            unit: metrics!(@unit $($unit)?),
            labels: &[$($label),*],
            help: $help,
        };)*

        /// Every metric, in the order in which they are shown.
        #[cfg_attr(not(test), expect(dead_code, reason = "what the documentation is made of"))]
        pub(super) static ALL: &[&Metric] = &[$(&$name),*];
    };
    (@unit) => { None };
    (@unit $unit:ident) => { Some(Unit::$unit) };
}

metrics! {
    BUILD_INFO: Info "strongroom_build" ["version"]
        "The version that runs; always 1.";
    READY: Gauge "strongroom_ready" ["condition"]
        "Whether each condition of readiness held when /readyz was last asked.";
    SEALED: Gauge "strongroom_sealed" []
        "Whether the server is sealed, so that it answers no requests.";
    UNSEAL_FAILURES: Counter "strongroom_unseal_failures" []
        "Attempts to unseal that failed.";

    REQUESTS: Counter "strongroom_requests" ["service", "operation", "code", "account"]
        "Requests that were answered, by the code of their error, or OK.";
    REQUEST_DURATION: Histogram "strongroom_request_duration" in Seconds ["service", "operation"]
        "From the arrival of a request, read as a whole, to its answer.";
    REQUESTS_IN_FLIGHT: Gauge "strongroom_requests_in_flight" ["service"]
        "Requests that are being served.";
    THROTTLED_REQUESTS: Counter "strongroom_throttled_requests" ["service", "operation"]
        "Requests that were refused because their account had sent too many.";
    UNRECORDED_REQUESTS: Counter "strongroom_unrecorded_requests" ["service"]
        "Requests that were refused because the audit log couldn't take their record.";

    CONNECTIONS: Gauge "strongroom_connections" []
        "Connections that are open.";
    CONNECTIONS_ACCEPTED: Counter "strongroom_connections_accepted" []
        "Connections that were taken.";
    CONNECTIONS_REFUSED: Counter "strongroom_connections_refused" []
        "Connections that were closed at once, for a limit.";
    HANDSHAKE_FAILURES: Counter "strongroom_tls_handshake_failures" []
        "TLS handshakes that failed.";
    RECEIVED: Counter "strongroom_received" in Bytes []
        "Bytes of requests.";
    SENT: Counter "strongroom_sent" in Bytes []
        "Bytes of answers.";
    CERTIFICATE_EXPIRY: Gauge "strongroom_certificate_expiry_timestamp" in Seconds ["certificate"]
        "When a certificate that the server shows expires, since 1970.";

    CACHE_HITS: Counter "strongroom_cache_hits" ["cache"]
        "Look-ups that found what they looked for.";
    CACHE_MISSES: Counter "strongroom_cache_misses" ["cache"]
        "Look-ups that had to ask the store.";
    CACHE_ENTRIES: Gauge "strongroom_cache_entries" ["cache"]
        "Values in a cache.";
    CACHE_WEIGHT: Gauge "strongroom_cache_weight" ["cache"]
        "How much of its capacity a cache uses; a value may count as several.";
    CACHE_CAPACITY: Gauge "strongroom_cache_capacity" ["cache"]
        "How much there is room for in a cache.";

    STORE_COMMITS: Counter "strongroom_store_commits" ["result"]
        "Commits, by their end: committed, conflict (decided again), too_large or failed.";
    STORE_COMMIT_DURATION: Histogram "strongroom_store_commit_duration" in Seconds []
        "From a commit's arrival in the store's queue until it is durable.";
    STORE_REVISION: Gauge "strongroom_store_revision" []
        "The number of the last commit.";
    STORE_SIZE: Gauge "strongroom_store_size" in Bytes []
        "What the store's files take.";

    AUDIT_RECORDS: Counter "strongroom_audit_records" []
        "Records that were written.";
    AUDIT_WRITTEN: Counter "strongroom_audit_written" in Bytes []
        "Bytes of records that were written.";
    AUDIT_FAILURES: Counter "strongroom_audit_failures" []
        "Records that couldn't be written.";
    AUDIT_LAST_DIGEST: Gauge "strongroom_audit_last_digest_timestamp" in Seconds []
        "When the last digest was signed, since 1970.";
    SINK_DELIVERED: Counter "strongroom_audit_sink_delivered_records" ["sink"]
        "Records that a sink took.";
    SINK_LAG_RECORDS: Gauge "strongroom_audit_sink_lag_records" ["sink"]
        "Records that wait for a sink.";
    SINK_LAG: Gauge "strongroom_audit_sink_lag" in Bytes ["sink"]
        "Bytes of records that wait for a sink.";
    SINK_FAILURES: Counter "strongroom_audit_sink_failures" ["sink"]
        "Attempts to send to a sink that failed.";
    SINK_LAST_FAILURE: Gauge "strongroom_audit_sink_last_failure_timestamp" in Seconds ["sink"]
        "When an attempt to send to a sink last failed, since 1970.";

    KEYS: Gauge "strongroom_keys" ["spec", "state"]
        "Keys, AWS managed ones included, when they were last counted.";
    KEYS_COUNTED: Gauge "strongroom_keys_counted_timestamp" in Seconds []
        "When the keys were last counted, since 1970. The more there are the rarer it is done.";

    PROCESS_CPU: Counter "process_cpu" in Seconds []
        "Processor time of the process.";
    PROCESS_RESIDENT: Gauge "process_resident_memory" in Bytes []
        "Physical memory of the process.";
    PROCESS_VIRTUAL: Gauge "process_virtual_memory" in Bytes []
        "Address space of the process.";
    PROCESS_LOCKED: Gauge "strongroom_process_locked_memory" in Bytes []
        "Memory of the process that can't be swapped out.";
    PROCESS_THREADS: Gauge "process_threads" []
        "Threads of the process.";
    PROCESS_OPEN_FDS: Gauge "process_open_fds" []
        "Files that the process has open, connections included.";
    PROCESS_MAX_FDS: Gauge "process_max_fds" []
        "Files that the process may have open.";
    PROCESS_START: Gauge "process_start_time" in Seconds []
        "When the process was started, since 1970.";
}

#[cfg(test)]
impl Metric {
    /// The name in descriptions.
    pub(super) fn name(&self) -> String {
        self.unit
            .as_ref()
            .map_or(self.stem.to_owned(), |unit| format!("{}_{}", self.stem, unit.as_str()))
    }

    /// The names of its samples, which queries use.
    pub(super) fn samples(&self) -> Vec<String> {
        let name = self.name();
        let suffixes: &[&str] = match self.kind {
            MetricType::Counter => &["_total"],
            MetricType::Histogram => &["_bucket", "_count", "_sum"],
            MetricType::Info => &["_info"],
            _ => &[""],
        };
        suffixes.iter().map(|suffix| format!("{name}{suffix}")).collect()
    }
}
