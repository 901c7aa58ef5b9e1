//! The ports: what the services need of the world, as traits.
//!
//! Each trait states the contract that its implementations are tested against. Must not know any
//! implementation.

mod audit;
mod clock;
mod entropy;
mod issuer_keys;
mod key_store;
mod principals;
mod quotas;
mod request_observer;
mod store;
mod wrapped_records;

pub use audit::{
    AuditHistory, AuditLog, AuditUnavailable, DigestKey, DigestSigner, Position, Witness,
};
pub use clock::Clock;
pub use entropy::{Entropy, EntropyUnavailable};
pub use issuer_keys::{IssuerKeys, IssuerKeysError, KEY_SET_MAX};
pub use key_store::{
    Binding, DataKeyPair, Encapsulated, Import, ImportError, ImportKey, KeyStore, KeyStoreError,
    Material, MaterialError, MaterialId, Message, Opened, TokenError, TokenKind, Unopened,
};
pub use principals::{Known, NoPrincipals, Principals};
pub use quotas::{Admission, Claim, Quotas, Uses};
pub use request_observer::{Outcome, RequestObserver};
pub use store::{
    Change, Commit, Expect, Item, Observer, Page, Revision, Store, StoreError, Subscription,
    VALUE_MAX,
};

use std::future::Future;
use std::pin::Pin;
pub use wrapped_records::WrappedRecords;

/// A future behind a trait object.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
