//! What every AWS-style service shares: operations, the registry, the pipeline, ports.
//!
//! Must not know: HTTP, a disk, any single service.

mod caller;
pub mod conditions;
mod context;
mod error;
mod explanation;
mod hypothetical;
mod ids;
mod marker;
mod operation;
mod pipeline;
pub mod ports;
mod record;
pub mod records;
mod registry;
mod state_cache;
mod success;

pub use caller::{
    Authenticate, Caller, CallerKind, NamedPolicy, Principal, Session, SessionContext, Verified,
};
pub use conditions::GlobalKeys;
pub use context::Context;
pub use error::Error;
pub use explanation::{Explanation, Spoken};
pub use hypothetical::{Given, Hypothetical};
pub use ids::{Ids, Uuid};
pub use marker::{marked, marker};
pub use operation::{
    ANY_STATE, Authorized, Facts, NOT_PENDING_DELETION, Operation, Protocol, Resource, Service,
    Target, USABLE,
};
pub use pipeline::{Answer, Inbound, Origin, Pipeline, refusal};
pub use record::{Identity, Record};
pub use registry::{AnyOperation, Trail};
pub use state_cache::{StateCache, Ticket};
pub use success::{PastRecord, Success};
