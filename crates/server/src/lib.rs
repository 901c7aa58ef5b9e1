//! HTTP, its limits, and dev mode's endpoints. The only crate that knows HTTP.
//!
//! A connection ([`listen`], secured by [`tls`]) brings requests, each of which is read within
//! limits ([`inbound`]), routed to a service by its headers ([`route`]) and answered
//! ([`outbound`]). Who sent it is checked by [`evidence`] when the pipeline asks.
//!
//! Must not know: what an operation does.

mod admin;
mod assembly;
mod audit_keeping;
mod audit_key;
pub mod backup;
mod clock;
pub mod config;
mod dev;
mod dispatch;
mod drawn_ahead;
mod evidence;
mod health;
mod inbound;
mod inspect;
mod issuer_keys;
mod jobs;
pub mod listen;
pub mod logging;
mod metrics;
mod observation;
mod outbound;
mod quotas;
mod removal_guard;
mod route;
mod seed;
mod serve;
pub mod sinks;
mod start;
pub mod systemd;
pub mod tls;
mod trail;

pub use audit;
pub use audit_key::{AuditKeyError, AuditKeys, audit_public_keys};
pub use health::{
    Condition, Health, Readiness, audit_log_takes_records, holds, serve as serve_health,
    store_takes_commits,
};
pub use inspect::{InspectError, Inspection, KeyUsers};
pub use issuer_keys::{InvalidKeySetFile, KeySetFile};
pub use kms::{InvalidLimit, Limits};
pub use kms::{Question, Route, actions, uses};
pub use metrics::{
    ACCOUNTS_TOLD_APART, AuditReading, CertificateReading, KeyCensus, NetworkReading, Observed,
    ObservedStore, Requests, SealReading, SinkReading, Source, StoreReading, StoreStats, render,
};
pub use quotas::{InvalidQuota, QuotaSettings, RequestQuotas};
pub use removal_guard::{Removal, RemovalGuard};
pub use seed::SeedFileError;
/// Seals, as the command line gives and opens them.
pub mod seals {
    pub use ::seals::*;
    pub use crypto::{PassphraseCost, RootKey};
}
pub use serve::{Exposed, Founded, Founding, Production, init};
pub use service::{Caller, Explanation};
/// Reads an account id: twelve digits.
pub fn parse_account(text: &str) -> Option<wire::AccountId> {
    wire::AccountId::parse(text).ok()
}
pub use start::{Compiled, Data, Options, Server, StartError};
pub use trail::{InvalidTrailTime, TrailCriteria, TrailEntry, TrailTime};
