//! The domain of AWS KMS: keys, aliases, their states, one file per operation.
//!
//! A request comes through [`service::Pipeline`] to one of the operations in [`Service::registry`].
//! The operation resolves what it acts on ([`lookup`]), the pipeline checks permission
//! ([`authorization`]), state and usage ([`key`]), and the operation does its work on records in a
//! [`Store`] and on materials in a [`KeyStore`].
//!
//! Must not know: HTTP, a disk, a clock of its own, a key byte.

mod alias;
mod authorization;
mod census;
mod change;
pub mod ciphertext;
mod conditions;
mod data_key;
mod decryption;
mod deletion;
mod dev_tags;
mod encryption;
mod encryption_context;
mod events;
mod expiration;
mod explain;
mod grants;
mod hex;
mod import_token;
mod imports;
mod key;
mod key_count;
mod key_id;
mod key_policy;
mod key_use;
mod layout;
mod limits;
mod lookup;
mod managed;
mod material;
mod multi_region;
mod operations;
mod paging;
mod recipient;
mod records;
mod rotation;
mod seed;
mod signature;
mod spec;
mod tags;
mod usage;
mod wrapped_keys;

use std::sync::Arc;

use service::ports::{
    AuditLog, Entropy, KeyStore, NoPrincipals, Position, Principals, Revision, Store, StoreError,
    Subscription,
};
use service::{AnyOperation, CacheStats, Protocol, Service, StateCache, Success};
use wire::DateForm;

use crate::grants::{Granted, Turns};
use crate::key::Key;
use crate::key_count::KeyCounts;
use crate::lookup::Alias;
use crate::usage::{Recent, Told};

pub use crate::census::Census;
pub use crate::conditions::{condition_keys, is_known as is_condition_key};
pub use crate::explain::{KeyInQuestion, NoAnswer, Question, Route, actions, uses};
pub use crate::key_id::KeyId;
pub use crate::layout::PREFIX;
pub use crate::limits::{InvalidLimit, Limits};
pub use crate::operations::MISSING;
pub use crate::seed::{Planted, SeedError, SeedField, SeedKey};
pub use crate::usage::UsageKeeper;
pub use crate::wrapped_keys::WrappedKeys;

/// Of how many keys the last uses may wait in memory to be stored, some 200 bytes each.
const RECENT_USES_MAX: usize = 1 << 17;

/// The key management service.
pub struct Kms {
    store: Arc<dyn Store>,
    key_store: Arc<dyn KeyStore>,
    entropy: Arc<dyn Entropy>,
    /// Where the chains of attestation documents must begin.
    attestation_roots: attestation::Roots,
    keys: Arc<StateCache<Key>>,
    aliases: Arc<StateCache<Alias>>,
    recent: Recent,
    grants: Arc<StateCache<Granted>>,
    turns: Turns,
    /// Whose turn it is to do to a key what nobody asked for.
    own_turns: Turns,
    /// Where that is told first.
    audit: Option<Arc<dyn AuditLog>>,
    /// Which users and roles policies and grants may name.
    principals: Arc<dyn Principals>,
    limits: Limits,
    key_counts: KeyCounts,
    /// Whether the tags that emulators know mean something on CreateKey.
    dev_tags: bool,
    /// Keep the caches told of changes.
    _subscriptions: [Subscription; 3],
}

impl Kms {
    /// KMS over a store and a key store, with caches of at most `cached_keys` keys, as many
    /// aliases and as many grantees of a key. What is large takes the room of several.
    ///
    /// # Errors
    /// Those of the store.
    pub fn new(
        store: Arc<dyn Store>,
        key_store: Arc<dyn KeyStore>,
        entropy: Arc<dyn Entropy>,
        cached_keys: usize,
    ) -> Result<Self, StoreError> {
        let keys = Arc::new(Key::cache(cached_keys));
        let aliases = Arc::new(StateCache::new(layout::ALIASES, cached_keys));
        let grants = Arc::new(Granted::cache(cached_keys));
        let from: Revision = store.revision();
        let subscriptions = [
            store.watch(from, Arc::clone(&keys) as _)?,
            store.watch(from, Arc::clone(&aliases) as _)?,
            store.watch(from, Arc::clone(&grants) as _)?,
        ];
        let attestation_roots = attestation::Roots::default();
        Ok(Self {
            store,
            key_store,
            entropy,
            attestation_roots,
            keys,
            aliases,
            recent: Recent::new(RECENT_USES_MAX),
            grants,
            turns: Turns::default(),
            own_turns: Turns::default(),
            audit: None,
            principals: Arc::new(NoPrincipals),
            limits: Limits::default(),
            key_counts: KeyCounts::default(),
            dev_tags: false,
            _subscriptions: subscriptions,
        })
    }

    /// The same, with roots that attestation documents are trusted by. Without, every document is
    /// refused.
    pub fn with_attestation_roots(self, attestation_roots: attestation::Roots) -> Self {
        Self { attestation_roots, ..self }
    }

    /// The same, where policies and grants may name those principals.
    pub fn with_principals(self, principals: Arc<dyn Principals>) -> Self {
        Self { principals, ..self }
    }

    /// The same with a log that is told what KMS does by itself when a date has come: rotations,
    /// deletions, expirations. Without one they aren't done.
    pub fn with_audit(self, audit: Arc<dyn AuditLog>) -> Self {
        Self { audit: Some(audit), ..self }
    }

    /// With room for the last uses of that many keys that wait to be stored.
    pub fn with_recent_uses(self, keys: usize) -> Self {
        Self { recent: Recent::new(keys), ..self }
    }

    /// The same with other limits than AWS's.
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// What the caches have been used for, by their names.
    pub fn cache_stats(&self) -> [(&'static str, CacheStats); 3] {
        [
            ("keys", self.keys.stats()),
            ("aliases", self.aliases.stats()),
            ("grants", self.grants.stats()),
        ]
    }

    /// The same, where the tags `_custom_id_` and `_custom_key_material_` of CreateKey fix a key's
    /// id and material. For development only: who may create a key then chooses its bytes.
    pub fn with_dev_tags(self) -> Self {
        Self { dev_tags: true, ..self }
    }
}

impl Service for Kms {
    const SIGNING_NAME: &'static str = "kms";
    const EVENT_SOURCE: &'static str = "kms.amazonaws.com";
    const PROTOCOL: Protocol = Protocol::Json;
    const RECORDED_DATES: DateForm = DateForm::Spelled;
    const RESOURCES_RECORDED: bool = true;
    fn registry() -> &'static [&'static dyn AnyOperation<Self>] {
        operations::REGISTRY
    }

    fn succeeded(&self, success: &Success<'_>, at: Position) {
        self.note(success, at, Told::Live);
    }
}
