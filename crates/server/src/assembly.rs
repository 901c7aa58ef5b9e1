//! Putting the services together, on top of a store that is open and a key store that is unsealed.
//!
//! Must not know where either came from, nor who listens.

use std::sync::Arc;

use attestation::Roots;
use iam::{Credentials, DevCredentials, Directory, Iam, Sts};
use keystores::software::{Software, SystemEntropy};
use kms::{Kms, Limits, UsageKeeper};
use service::Pipeline;
use service::ports::{AuditHistory, AuditLog, Clock, KeyStore, Store, StoreError};
use sigv4::SigningKeyCache;
use tokio::sync::Mutex;

use crate::clock::MovableClock;
use crate::dispatch::Services;
use crate::drawn_ahead::DrawnAhead;
use crate::issuer_keys::KeySetFiles;
use crate::observation::Watch;
use crate::start::StartError;

/// What the services are made of.
pub(crate) struct Assembly {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) key_store: Arc<Software>,
    pub(crate) audit: Arc<dyn AuditLog>,
    pub(crate) history: Arc<dyn AuditHistory>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) attestation_roots: Roots,
    pub(crate) issuer_keys: KeySetFiles,
    pub(crate) limits: Limits,
    /// How many resolved keys stay in memory, and as many aliases.
    pub(crate) cached_keys: usize,
    /// How many access keys' signing keys stay in memory.
    pub(crate) cached_signing_keys: usize,
    /// What every pipeline asks and tells.
    pub(crate) watch: Watch,
    /// What dev mode has besides.
    pub(crate) dev: Option<Dev>,
}

/// What dev mode has and production hasn't.
pub(crate) struct Dev {
    /// Whom it lets in without looking at the signature.
    pub(crate) credentials: DevCredentials,
    /// The services' clock, which its endpoints move.
    pub(crate) clock: Arc<MovableClock>,
}

impl Assembly {
    /// Puts the services together.
    ///
    /// # Errors
    /// [`StartError::Store`], [`StartError::Usage`].
    pub(crate) async fn services(self) -> Result<Services, StartError> {
        let Self { store, clock, audit, watch, .. } = self;
        let failed = |error: StoreError| StartError::Store(Box::new(error));
        let key_store = self.key_store as Arc<dyn KeyStore>;
        let entropy = Arc::new(SystemEntropy);
        let is_key = |key: &str| kms::is_condition_key(key) || iam::is_condition_key(key);
        let (sealer, random) = (Arc::clone(&key_store), Arc::clone(&entropy) as _);
        let directory = Directory::new(Arc::clone(&store), sealer, random, is_key);
        let directory = Arc::new(directory.map_err(failed)?);
        let random = Arc::clone(&entropy) as _;
        let mut kms = Kms::new(Arc::clone(&store), key_store, random, self.cached_keys)
            .map_err(failed)?
            .with_principals(Arc::clone(&directory) as _)
            .with_attestation_roots(self.attestation_roots)
            .with_limits(self.limits)
            .with_audit(Arc::clone(&audit));
        let mut credentials = Credentials::new(Arc::clone(&directory));
        let mut movable = None;
        if let Some(dev) = self.dev {
            kms = kms.with_dev_tags();
            credentials = credentials.with_dev(dev.credentials);
            movable = Some(dev.clock);
        }
        let usage = UsageKeeper::start(&kms, self.history, clock.now()).await;
        let iam = Iam { directory: Arc::clone(&directory) };
        let sts = Sts { directory, issuer_keys: Arc::new(self.issuer_keys) };
        Ok(Services {
            kms: watch.over(Pipeline::new(kms, Arc::clone(&clock), Arc::clone(&audit))),
            iam: watch.over(Pipeline::new(iam, Arc::clone(&clock), Arc::clone(&audit))),
            sts: watch.over(Pipeline::new(sts, Arc::clone(&clock), audit)),
            credentials,
            signing_keys: SigningKeyCache::new(self.cached_signing_keys),
            id_entropy: DrawnAhead::new(entropy),
            clock,
            movable_clock: movable,
            store,
            usage: Mutex::new(usage.map_err(StartError::Usage)?),
            key_census: watch.key_census,
        })
    }
}
