//! The log that keeps audit records: segments, the chain through them, signed digests, and what
//! proves from these that nothing was altered.
//!
//! The records themselves are made by the pipeline ([`service::Record`]); to this crate they are
//! JSON objects, each on a line. Must not know what a record says.

mod chain;
mod digest;
mod digester;
mod digests;
mod history;
mod keeping;
mod layout;
mod lines;
mod log;
mod nowhere;
mod opening;
mod options;
mod public_key;
mod reader;
mod state;
mod unwritten;
pub mod verify;

pub use digester::{Digester, Removed, Turn};
pub use log::{Hold, Log, RECORD_MAX, Stats};
pub use nowhere::Nowhere;
pub use options::{DigestOptions, OpenError, Options, Retention, Sync};
pub use public_key::{InvalidPublicKey, PublicKey};
pub use reader::{LogLine, LogReader, sequence};
