//! Where key material lives: implementations of [`service::ports::KeyStore`], one folder each.
//!
//! Must not know: what a key's policy or state is, who asks.

pub mod software;
