//! Metrics, in the text format that Prometheus reads.
//!
//! What is counted in the course of serving is kept here in atomics ([`Requests`],
//! [`ObservedStore`]); everything else is asked of its part when somebody reads the metrics
//! ([`Observed`]). Every metric stands in one table ([`catalog`]), of which `docs/metrics.md` is
//! made and against which the dashboard and the alerts in `packaging/` are tested.
//!
//! Must not know: what an operation does, who reads.

mod accounts;
mod catalog;
mod collector;
mod histogram;
mod keys;
#[cfg(test)]
mod page;
mod process;
mod requests;
mod sources;
mod store;

pub use collector::render;
pub use keys::KeyCensus;
pub use requests::{ACCOUNTS_TOLD_APART, Requests};
pub use sources::{
    AuditReading, CertificateReading, NetworkReading, Observed, SealReading, SinkReading, Source,
    StoreReading,
};
pub use store::{ObservedStore, StoreStats};

#[cfg(test)]
mod tests;
