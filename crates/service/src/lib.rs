//! What every AWS-style service shares: operations, the registry, the pipeline, ports.
//!
//! Must not know: HTTP, a disk, any single service.

mod caller;
pub mod conditions;
mod context;
mod error;
mod explanation;
mod filled_in;
mod hypothetical;
mod ids;
mod marker;
mod notes;
mod operation;
mod pipeline;
pub mod ports;
mod record;
pub mod records;
mod registry;
mod service_event;
mod state_cache;
mod success;
mod throttling;

pub use caller::{
    Authenticate, Caller, CallerKind, NamedPolicy, Principal, Session, SessionContext, Verified,
};
pub use conditions::GlobalKeys;
pub use context::Context;
pub use error::Error;
pub use explanation::{Explanation, Spoken};
pub use filled_in::FilledIn;
pub use hypothetical::{Given, Hypothetical};
pub use ids::{Ids, Uuid};
pub use marker::{marked, marker};
pub use notes::Notes;
pub use operation::{
    ANY_STATE, Authorized, Facts, NOT_PENDING_DELETION, Operation, Protocol, Resource, Service,
    Target, USABLE,
};
pub use pipeline::{Answer, Inbound, Origin, Pipeline, Tls, refusal};
pub use record::{Actor, Identity, Record};
pub use registry::{AnyOperation, Trail};
pub use service_event::ServiceEvent;
pub use state_cache::{CacheStats, StateCache, Ticket};
pub use success::{PastRecord, Success};
