//! Production: a server that starts sealed, and serves once an operator or a seal that needs none
//! has given it the root key.
//!
//! Owns the order in which parts come up and go down. Must not know the command line.

mod gate;
mod init;
mod jobs;
mod modes;
mod observed;
mod reload;
mod rotation;
mod unattended;

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use ::seals::{Outcome, Refusal, Seals, Secret};
use crypto::RootKey;
use keystores::software::{Rewrapping, Software};
use parking_lot::Mutex;
use service::ports::{AuditHistory, AuditLog, Clock, Store};
use storage::Embedded;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;

pub use self::init::{Founded, Founding, init};
pub(crate) use self::init::{clear, prepare};
pub use self::modes::Exposed;

use self::gate::Gate;
use crate::admin::{self, Socket};
use crate::assembly::Assembly;
use crate::audit_keeping::AuditKeeping;
use crate::audit_key::AuditKeys;
use crate::clock::MovableClock;
use crate::config::{Config, MemoryLock, Sources, TlsVersion};
use crate::dispatch::Services;
use crate::health;
use crate::issuer_keys::KeySetFiles;
use crate::listen::{self, Listener};
use crate::logging::Logging;
use crate::metrics::{ObservedStore, StoreStats};
use crate::observation::Watch;
use crate::quotas::QuotaSettings;
use crate::sinks::SinkStats;
use crate::start::{Compiled, StartError, attestation_roots, health_listener};
use crate::systemd::{self, Passed, PassedSocket};
use crate::tls::{Tls, TlsFiles};

/// A server of one installation, sealed or not.
pub(crate) struct Instance {
    pub(crate) data: PathBuf,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) audit: Arc<audit::Log>,
    pub(crate) seals: Seals,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) started: Instant,
    gate: Gate,
    unsealed: OnceLock<Unsealed>,
    /// Held while the root key comes in or is replaced, and while a backup takes what goes with it.
    pub(crate) root_key_changes: tokio::sync::Mutex<()>,
    settings: Mutex<Config>,
    sources: Sources,
    logging: Logging,
    tls: Option<Arc<Tls>>,
    watch: Watch,
    store_stats: Arc<StoreStats>,
    network: Arc<listen::Stats>,
    failed_attempts: AtomicU64,
    jobs: tokio::sync::Mutex<JoinSet<()>>,
}

/// What there is once the root key is.
pub(crate) struct Unsealed {
    pub(crate) key_store: Arc<Software>,
    pub(crate) rewrapping: Arc<Rewrapping>,
    /// Told when there is something to wrap anew.
    pub(crate) rewrap_soon: Arc<Notify>,
    /// The keys that sign the audit log.
    pub(crate) audit_keys: Arc<AuditKeys>,
    services: Arc<Services>,
    keeping: AuditKeeping,
    /// What the sinks have done, by their names.
    sinks: Vec<(&'static str, Arc<SinkStats>)>,
}

impl Instance {
    /// Whether the server has the root key.
    pub(crate) fn is_unsealed(&self) -> bool {
        self.unsealed.get().is_some()
    }

    /// What there is once it has.
    pub(crate) fn unsealed(&self) -> Option<&Unsealed> {
        self.unsealed.get()
    }

    /// Tries a secret.
    ///
    /// # Errors
    /// [`Refusal`].
    pub(crate) async fn unseal(
        &self,
        secret: Secret,
        seal: Option<&str>,
        mend: bool,
    ) -> Result<Outcome<RootKey>, Refusal> {
        let outcome = if mend {
            self.seals.unseal_and_mend(secret, seal).await.map(|(outcome, findings)| {
                for finding in findings {
                    tracing::warn!(%finding, "the seals were mended");
                }
                outcome
            })
        } else {
            self.seals.unseal(secret, seal).await
        };
        if outcome.is_err() {
            self.failed_attempts.fetch_add(1, Ordering::Relaxed);
        }
        outcome
    }

    /// Puts the services together with the root key, and lets requests through.
    ///
    /// # Errors
    /// [`StartError`]; the server stays sealed then.
    pub(crate) async fn open(self: &Arc<Self>, root_key: RootKey) -> Result<(), StartError> {
        let _one_at_a_time = self.root_key_changes.lock().await;
        if self.is_unsealed() {
            return Ok(());
        }
        let started = self.start_services(root_key).await;
        if started.is_err() {
            self.seals.seal().await;
        }
        started
    }

    /// Forgets a root key that came out of its seal and isn't used after all.
    pub(crate) async fn stay_sealed(&self) {
        let _one_at_a_time = self.root_key_changes.lock().await;
        if !self.is_unsealed() {
            self.seals.seal().await;
        }
    }

    async fn start_services(self: &Arc<Self>, root_key: RootKey) -> Result<(), StartError> {
        let config = self.settings.lock().clone();
        let key_store = Arc::new(Software::new(Arc::clone(&self.store), root_key));
        key_store.verify().await.map_err(StartError::RootKeyDoesNotFit)?;
        let services = Assembly {
            store: Arc::clone(&self.store),
            key_store: Arc::clone(&key_store),
            audit: Arc::clone(&self.audit) as Arc<dyn AuditLog>,
            history: Arc::clone(&self.audit) as Arc<dyn AuditHistory>,
            clock: Arc::clone(&self.clock),
            attestation_roots: attestation_roots(&config.kms.attestation_roots)?,
            issuer_keys: issuer_keys(&config)?,
            limits: config.kms.limits(),
            cached_keys: config.kms.cached_keys,
            cached_signing_keys: config.iam.cached_signing_keys,
            watch: self.watch.clone(),
            dev: None,
        };
        let services = Arc::new(services.services().await?);
        let unsealed = self.start_jobs(&services, &key_store, &config).await?;
        let _ = self.unsealed.set(unsealed);
        self.gate.open(services);
        systemd::status("serving");
        tracing::info!("the server is unsealed");
        Ok(())
    }
}

/// A server that listens but doesn't answer yet.
pub struct Production {
    instance: Arc<Instance>,
    listeners: Vec<Listener>,
    limits: listen::Limits,
    socket: Socket,
    operations: Option<TcpListener>,
}

impl Production {
    /// Opens everything but the seals, and listens.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start(
        config: Config,
        sources: Sources,
        logging: Logging,
        passed: Vec<PassedSocket>,
    ) -> Compiled<'static, Result<Self, StartError>> {
        Box::pin(Self::open(config, sources, logging, passed))
    }

    async fn open(
        config: Config,
        sources: Sources,
        logging: Logging,
        passed: Vec<PassedSocket>,
    ) -> Result<Self, StartError> {
        crypto::process::harden().map_err(StartError::Protection)?;
        if config.memory.lock == MemoryLock::All {
            crypto::process::lock_all_memory().map_err(StartError::Protection)?;
        }
        // What can be wrong is found before anything is unsealed.
        issuer_keys(&config)?;
        attestation_roots(&config.kms.attestation_roots)?;
        let tls = tls(&config)?;
        let data = config.server.data_dir.clone();
        if data.join("root.key").exists() {
            return Err(StartError::DevDirectory(data));
        }
        let database = data.join("state.sqlite3");
        if !database.exists() {
            return Err(StartError::NotInitialized(data));
        }
        modes::check(&data).map_err(StartError::Exposed)?;
        let store = Embedded::open(&database).map_err(|e| StartError::Store(Box::new(e)))?;
        let store = ObservedStore::new(Arc::new(store));
        let store_stats = store.stats();
        let store: Arc<dyn Store> = Arc::new(store);
        let clock: Arc<dyn Clock> = Arc::new(MovableClock::default());
        let seals = Seals::open(Arc::clone(&store), Arc::clone(&clock)).await;
        let seals = seals.map_err(StartError::Seals)?;
        let seals = seals.ok_or_else(|| StartError::NotInitialized(data.clone()))?;
        let log = audit::Log::open(&data, jobs::log_options(&config));
        let log = Arc::new(log.map_err(|error| StartError::Audit(Box::new(error)))?);
        log.notes().iter().for_each(|note| tracing::warn!(note, "the audit log was mended"));
        let listeners = listeners(&config, tls.as_ref(), passed).await?;
        let socket = Socket::bind(&config.admin.socket, config.admin.group.as_deref());
        let socket = socket.map_err(|source| StartError::Io {
            action: "make the operator's socket",
            path: config.admin.socket.clone(),
            source,
        })?;
        let operations = match config.operations.listen {
            Some(address) => Some(health_listener(address).await?),
            None => None,
        };
        let limits = limits(&config);
        let instance = Arc::new(Instance {
            gate: Gate::new(Arc::clone(&log) as Arc<dyn AuditLog>, Arc::clone(&clock)),
            data,
            store,
            audit: log,
            seals,
            clock,
            started: Instant::now(),
            unsealed: OnceLock::new(),
            root_key_changes: tokio::sync::Mutex::default(),
            watch: Watch::new(quotas(&config)?),
            store_stats,
            network: Arc::default(),
            failed_attempts: AtomicU64::new(0),
            settings: Mutex::new(config),
            sources,
            logging,
            tls,
            jobs: tokio::sync::Mutex::default(),
        });
        Ok(Self { instance, listeners, limits, socket, operations })
    }

    /// The addresses that it listens on.
    ///
    /// # Errors
    /// What the system says.
    pub fn addresses(&self) -> io::Result<Vec<std::net::SocketAddr>> {
        self.listeners.iter().map(Listener::address).collect()
    }

    /// Serves until `stop` is ready; each time that `reload` gives, the configuration is read
    /// again.
    pub fn run(
        self,
        stop: Compiled<'static, ()>,
        reload: tokio::sync::mpsc::Receiver<()>,
    ) -> Compiled<'static, ()> {
        Box::pin(self.run_until(stop, reload))
    }

    async fn run_until(
        self,
        stop: Compiled<'static, ()>,
        mut reload: tokio::sync::mpsc::Receiver<()>,
    ) {
        let Self { instance, listeners, limits, socket, operations } = self;
        let operators = {
            let instance = Arc::clone(&instance);
            tokio::spawn(async move { admin::serve(&socket, &instance).await })
        };
        let reloading = {
            let instance = Arc::clone(&instance);
            tokio::spawn(async move {
                while reload.recv().await.is_some() {
                    systemd::reloading();
                    if let Err(error) = instance.reload() {
                        tracing::error!(%error, "the configuration can't be reloaded");
                    }
                    systemd::ready(if instance.is_unsealed() { "serving" } else { "sealed" });
                }
            })
        };
        let unattended = tokio::spawn(unattended::unseal(Arc::clone(&instance)));
        let health = Arc::new(observed::health(&instance));
        let operations = tokio::spawn(async move {
            if let Some(listener) = operations {
                health::serve(listener, health, std::future::pending()).await;
            }
        });
        let watchdog = tokio::spawn(systemd::keep_watchdog(|| true));
        systemd::ready(if instance.is_unsealed() { "serving" } else { "sealed" });
        let gate = Arc::clone(&instance);
        let answer = move |request, peer| {
            let instance = Arc::clone(&gate);
            async move { instance.gate.answer(request, peer).await }
        };
        let stats = Arc::clone(&instance.network);
        listen::serve(listeners, limits, stats, answer, stop).await;
        systemd::stopping();
        for task in [operators, reloading, unattended, operations, watchdog] {
            task.abort();
            let _ = task.await;
        }
        instance.finish().await;
    }
}

fn quotas(config: &Config) -> Result<QuotaSettings, StartError> {
    let mut quotas =
        if config.quotas.enabled { QuotaSettings::aws() } else { QuotaSettings::none() };
    config
        .quotas
        .overrides
        .iter()
        .try_for_each(|quota| quotas.set(quota))
        .map_err(StartError::Quota)?;
    Ok(quotas)
}

fn issuer_keys(config: &Config) -> Result<KeySetFiles, StartError> {
    KeySetFiles::open(&config.iam.jwks).map_err(|(path, error)| StartError::KeySet(path, error))
}

fn tls(config: &Config) -> Result<Option<Arc<Tls>>, StartError> {
    let (Some(certificate), Some(private_key)) =
        (config.tls.certificate.clone(), config.tls.private_key.clone())
    else {
        return Ok(None);
    };
    let files = TlsFiles {
        certificate,
        private_key,
        client_authorities: config.tls.client_ca.clone(),
        only_tls_1_3: config.tls.min_version == TlsVersion::V1_3,
    };
    let tls = Tls::open(files).map_err(StartError::Tls)?;
    if let Some(complaint) = tls.complaint(std::time::SystemTime::now()) {
        tracing::warn!(complaint, "the certificate needs attention");
    }
    Ok(Some(Arc::new(tls)))
}

/// The sockets that the service manager hands over, or else those of the configured addresses.
async fn listeners(
    config: &Config,
    tls: Option<&Arc<Tls>>,
    passed: Vec<PassedSocket>,
) -> Result<Vec<Listener>, StartError> {
    let mut listeners = Vec::new();
    for socket in passed {
        if let Passed::Tcp(socket) = socket.socket {
            let address = socket.local_addr().map_err(StartError::PassedSockets)?;
            if tls.is_none() {
                listen::check_plain(address, config.listen.plain_http)
                    .map_err(StartError::PlainHttp)?;
            }
            let listener = Listener::from_socket(socket, tls.cloned());
            listeners.push(listener.map_err(StartError::PassedSockets)?);
        }
    }
    if !listeners.is_empty() {
        return Ok(listeners);
    }
    for &address in &config.listen.addresses {
        if tls.is_none() {
            listen::check_plain(address, config.listen.plain_http)
                .map_err(StartError::PlainHttp)?;
        }
        let listener = Listener::bind(address, tls.cloned()).await;
        listeners.push(listener.map_err(|source| StartError::Listen { address, source })?);
    }
    Ok(listeners)
}

fn limits(config: &Config) -> listen::Limits {
    let given = &config.limits;
    listen::Limits {
        connections: given.connections,
        connections_per_address: given.connections_per_address,
        requests: given.requests,
        handshakes: given.handshakes.unwrap_or(listen::Limits::default().handshakes),
        handshake_time: given.handshake_time,
        head_time: given.header_time,
        body_time: given.body_time,
        idle_time: given.idle_time,
        write_time: given.write_time,
        head_bytes: u32::try_from(given.header_size).unwrap_or(u32::MAX),
        headers: given.headers,
        streams: u32::try_from(given.http2_streams).unwrap_or(u32::MAX),
        drain_time: given.drain_time,
    }
}
