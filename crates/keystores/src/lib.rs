//! Where key material lives: implementations of [`service::ports::KeyStore`], one folder each.
//!
//! Must not know: what a key's policy or state is, who asks.

mod closed;
pub mod software;

pub use closed::Closed;
