//! Digests, retention, verification and reading, through what the crate offers.

mod digests;
mod place;
mod reading;
mod retention;
mod tampering;
mod verification;
