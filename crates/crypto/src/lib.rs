//! The only crate in which the bytes of a key exist in plaintext.
//!
//! It owns secret memory, the key hierarchy (root key, domain key, key material), random numbers
//! and the algorithms that work on them. It must not know accounts, ARNs, policies, records or
//! where a wrapped key is stored: callers hand it bytes to bind to and get opaque bytes back.
//! No public function returns key bytes in plaintext; [`random::data_key`] makes bytes for a
//! caller and keeps nothing.
//!
//! `docs/internals/key-hierarchy.md` and `docs/internals/blob-format.md` describe every byte.

mod aead;
mod derive;
mod domain_key;
mod envelope;
mod error;
mod memory;
mod root_key;
mod symmetric;
mod wrap;

pub mod process;
pub mod random;

#[cfg(test)]
mod residue;
#[cfg(test)]
mod vectors;

pub use domain_key::DomainKey;
pub use error::{Error, Unopened};
pub use root_key::{Problem, RootKey, RootKeyFileError};
pub use symmetric::{SEALED_OVERHEAD, SymmetricKey};
