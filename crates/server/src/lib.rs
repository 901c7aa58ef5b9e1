//! HTTP, its limits, and dev mode's endpoints. The only crate that knows HTTP.
//!
//! A connection ([`listen`]) brings requests, each of which is read within limits ([`inbound`]),
//! routed to a service by its headers ([`route`]) and answered ([`outbound`]). Who sent it is
//! checked by [`evidence`] when the pipeline asks.
//!
//! Must not know: what an operation does.

mod clock;
mod dev;
mod dispatch;
mod evidence;
mod inbound;
mod inspect;
mod issuer_keys;
mod jobs;
mod listen;
mod outbound;
mod route;
mod seed;
mod start;

pub use inspect::{InspectError, Inspection, KeyUsers};
pub use issuer_keys::{InvalidKeySetFile, KeySetFile};
pub use kms::{InvalidLimit, Limits};
pub use kms::{Question, Route, actions, uses};
pub use seed::SeedFileError;
pub use service::{Caller, Explanation};
pub use start::{Data, Options, Server, StartError};
