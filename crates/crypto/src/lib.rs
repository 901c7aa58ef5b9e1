//! The only crate in which the bytes of a key exist in plaintext.
//!
//! It owns secret memory, the key hierarchy (root key, domain key, key material), random numbers
//! and the algorithms that work on them. It must not know accounts, ARNs, policies, records or
//! where a wrapped key is stored: callers hand it bytes to bind to and get opaque bytes back.
//! No public function returns key bytes in plaintext but those that exist to hand something over:
//! [`random::data_key`] and [`DataKeyPair`] make keys for a caller and keep nothing,
//! [`Share::text`] is for the person who keeps the share, and [`SealKey::for_kms`] for the KMS
//! that encrypts the key.
//!
//! `docs/internals/key-hierarchy.md` and `docs/internals/blob-format.md` describe every byte.

mod aead;
mod backup;
mod data_key_pair;
mod der;
mod derive;
mod domain_key;
mod ec;
mod ed25519;
mod envelope;
mod error;
mod ffi;
mod import;
mod key_file;
mod mac;
mod memory;
mod ml_dsa;
mod ml_kem;
mod parsed;
mod root_key;
mod rsa;
mod seal;
mod seed_key;
mod stored;
mod symmetric;
mod token;
mod wrap;

pub mod process;
pub mod random;
pub mod recipient;

#[cfg(test)]
mod residue;
#[cfg(test)]
mod vectors;

pub use backup::BACKUP_FRAME_OVERHEAD;
pub use data_key_pair::{DataKeyPair, DataKeyPairSpec};
pub use domain_key::DomainKey;
pub use ec::{Curve, EcKey};
pub use ed25519::Ed25519Key;
pub use error::{Error, KeyRejection, ShareRejection, Unopened};
pub use import::{ImportKey, ImportedMaterial, WrappingAlgorithm};
pub use key_file::{KeyFileError, KeyFileKind, Problem};
pub use mac::{MacKey, MacSpec};
pub use ml_dsa::{MU, MlDsaKey, MlDsaSpec};
pub use ml_kem::{Encapsulation, MlKemKey, MlKemSpec, SHARED_SECRET};
pub use parsed::Message;
pub use root_key::RootKey;
pub use rsa::{RsaEncryptionAlgorithm, RsaKey, RsaSigningAlgorithm, RsaSpec};
pub use seal::{PassphraseCost, SALT, SHARES_MAX, SealKey, Share};
pub use stored::StoredKind;
pub use symmetric::{SEALED_OVERHEAD, SymmetricKey};
pub use token::{TOKEN_OVERHEAD, TokenKind};
