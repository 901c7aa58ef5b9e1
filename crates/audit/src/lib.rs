//! The file that keeps audit records.
//!
//! The records themselves are made by the pipeline ([`service::Record`]); to this crate they are
//! lines. Must not know what a record says.

mod file_log;
mod history;
mod nowhere;
mod tail;

pub use file_log::{FileLog, OpenError, RECORD_MAX};
pub use nowhere::Nowhere;
