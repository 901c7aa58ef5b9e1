//! How records survive: memory and embedded (SQLite), behind one contract.
//!
//! The contract is that of [`service::ports::Store`]; `tests/contract.rs` holds every store to
//! it. Must not know what a record means: keys and values are bytes to this crate.

mod embedded;
mod history;
mod limits;
mod memory;

pub use embedded::{CopyError, Embedded, Examined, OpenError, Reading, Snapshot, examine, restore};
pub use limits::{COMMIT_MAX, KEY_MAX, OPERATIONS_MAX};
pub use memory::Memory;
