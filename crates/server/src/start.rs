//! Putting the parts together: store, key store, audit log, services, listener.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ::seals::SealsError;
use attestation::{Roots, RootsRejected};
use audit::{DigestOptions, Digester, Log};
use crypto::RootKey;
use iam::{DevCredentials, InvalidLine};
use keystores::software::Software;
use kms::{Limits, Planted};
use service::ports::{AuditHistory, AuditLog, KeyStore, KeyStoreError, Revision, Store};
use tokio::net::TcpListener;

use crate::assembly::{Assembly, Dev};
use crate::audit_keeping::AuditKeeping;
use crate::audit_key::{AuditKeyError, AuditKeys};
use crate::clock::MovableClock;
use crate::dispatch::Services;
use crate::health::{self, Health};
use crate::issuer_keys::{KeySetFile, KeySetFiles};
use crate::listen::{Listener, PlainRefused};
use crate::metrics::ObservedStore;
use crate::observation::{self, Watch};
use crate::quotas::{InvalidQuota, QuotaSettings};
use crate::removal_guard::RemovalGuard;
use crate::seed::{SeedFile, SeedFileError};
use crate::serve::Exposed;
use crate::sinks::InvalidSink;
use crate::tls::{Tls, TlsError, TlsFiles};
use crate::{jobs, listen};

/// A future that is compiled in this crate. Whoever awaits another one compiles it anew, with all
/// that requests go through, and by the settings of the crate where it is awaited.
pub type Compiled<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// How many resolved keys stay in memory, and as many aliases.
const CACHED_KEYS: usize = 20_000;
/// How many access keys' signing keys stay in memory.
const CACHED_SIGNING_KEYS: usize = 10_000;
/// How many keys a note on the start names.
const NAMED_MAX: usize = 5;

/// How dev mode is to run.
pub struct Options {
    /// Where to listen; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// What connections are secured by; none where they are plain.
    pub tls: Option<TlsFiles>,
    /// Where state is kept.
    pub data: Data,
    /// A file of root access keys whose signatures are verified.
    pub root_access_keys: Option<PathBuf>,
    /// Files of the roots that attestation documents are trusted by, in PEM; AWS's own root is
    /// trusted where there are none.
    pub attestation_roots: Vec<PathBuf>,
    /// A seed file, whose keys are planted before anything is served.
    pub seed: Option<PathBuf>,
    /// Files of the keys by which issuers of identity tokens sign.
    pub key_sets: Vec<KeySetFile>,
    /// How many of each there may be.
    pub limits: Limits,
    /// How many requests an account may send.
    pub quotas: QuotaSettings,
    /// Where metrics and health are told; nowhere if there is no address.
    pub operations_listen: Option<SocketAddr>,
}

/// Where state is kept.
pub enum Data {
    /// In memory, until the server ends; there is no audit log then.
    InMemory,
    /// In this directory, which is made if it doesn't exist.
    Directory(PathBuf),
}

/// Why a server doesn't start. Every text says what to do.
#[derive(Debug)]
pub enum StartError {
    /// A file or a directory can't be used.
    Io {
        /// What was to be done with it.
        action: &'static str,
        /// Which one.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The address can't be listened on.
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// TLS can't be set up.
    Tls(TlsError),
    /// The root key's file can't be used.
    RootKey(crypto::KeyFileError),
    /// There is state, but the root key that opens it is gone.
    RootKeyMissing(PathBuf),
    /// The root key doesn't open the state.
    RootKeyDoesNotFit(KeyStoreError),
    /// The process can't be protected, or no memory can be locked.
    Protection(crypto::Error),
    /// The store can't be opened.
    Store(Box<dyn std::error::Error + Send + Sync>),
    /// The audit log can't be opened.
    Audit(Box<dyn std::error::Error + Send + Sync>),
    /// The key that signs the audit log's digests can't be used.
    AuditKey(AuditKeyError),
    /// The uses of keys can't be read back from the audit log or the store.
    Usage(service::Error),
    /// A line in the file of root access keys can't be read.
    RootAccessKeys(PathBuf, InvalidLine),
    /// A file of roots for attestation documents can't be taken.
    AttestationRoots(PathBuf, RootsRejected),
    /// A file of an issuer's keys can't be read.
    KeySet(PathBuf, io::Error),
    /// The seed file can't be planted.
    Seed(SeedFileError),
    /// Others than the server may use the data directory.
    Exposed(Exposed),
    /// A directory of dev mode.
    DevDirectory(PathBuf),
    /// A directory that `strongroom init` hasn't made.
    NotInitialized(PathBuf),
    /// A directory that should have been empty.
    NotEmpty(PathBuf),
    /// The seals can't be used.
    Seals(SealsError),
    /// The administrator can't be made.
    Administrator(service::Error),
    /// A sink of the audit log can't be used.
    Sink(InvalidSink),
    /// The sockets that the service manager hands over can't be used.
    PassedSockets(io::Error),
    /// A request quota can't be read.
    Quota(InvalidQuota),
    /// Plain HTTP isn't spoken there.
    PlainHttp(PlainRefused),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { action, path, source } => {
                write!(f, "cannot {action} {}: {source}", path.display())
            }
            Self::Listen { address, source } => {
                write!(f, "cannot listen on {address}: {source} (choose another address)")
            }
            Self::Tls(error) => error.fmt(f),
            Self::RootKey(error) => error.fmt(f),
            Self::RootKeyMissing(path) => write!(
                f,
                "{} is missing, and the keys in this directory cannot be opened without it: \
                 put it back, or choose another --data-dir",
                path.display()
            ),
            Self::RootKeyDoesNotFit(error) => write!(
                f,
                "the root key does not open this directory's keys ({error}): put back the \
                 root.key that belongs to it"
            ),
            Self::Protection(error) => error.fmt(f),
            Self::Store(error) | Self::Audit(error) => error.fmt(f),
            Self::AuditKey(error) => error.fmt(f),
            Self::Usage(error) => {
                f.write_str("the last uses of keys cannot be read back from the audit log")?;
                error.cause().map_or(Ok(()), |cause| write!(f, ": {cause}"))
            }
            Self::Seed(error) => error.fmt(f),
            Self::Exposed(error) => error.fmt(f),
            Self::DevDirectory(path) => write!(
                f,
                "{} is a directory of dev mode: its root key lies open in root.key. Make one with \
                 `strongroom init`",
                path.display()
            ),
            Self::NotInitialized(path) => write!(
                f,
                "{} holds no sealed installation: make one with `strongroom init`, or restore a \
                 backup with `strongroom backup restore`",
                path.display()
            ),
            Self::NotEmpty(path) => write!(
                f,
                "{} is not empty: what is there stays as it is. Choose another directory",
                path.display()
            ),
            Self::Seals(error) => error.fmt(f),
            Self::Administrator(error) => write!(f, "the administrator can't be made: {error}"),
            Self::Sink(error) => error.fmt(f),
            Self::PassedSockets(error) => {
                write!(f, "the sockets of the service manager can't be used: {error}")
            }
            Self::PlainHttp(refused) => refused.fmt(f),
            Self::Quota(error) => error.fmt(f),
            Self::RootAccessKeys(path, line) => write!(f, "{}: {line}", path.display()),
            Self::KeySet(path, error) => {
                write!(f, "cannot take {} as an issuer's keys: {error}", path.display())
            }
            Self::AttestationRoots(path, rejected) => {
                write!(f, "cannot take {} as an attestation root: {rejected}", path.display())
            }
        }
    }
}

impl std::error::Error for StartError {}

/// A server that listens but doesn't answer yet.
pub struct Server {
    listener: Listener,
    services: Arc<Services>,
    keeping: Option<AuditKeeping>,
    operations: Option<(TcpListener, Arc<Health>)>,
    notes: Vec<String>,
}

impl Server {
    /// Opens everything and listens.
    ///
    /// # Errors
    /// [`StartError`]; nothing was changed then but what had been made by the time.
    pub fn start(options: &Options) -> Compiled<'_, Result<Self, StartError>> {
        Box::pin(Self::open(options))
    }

    async fn open(options: &Options) -> Result<Self, StartError> {
        crypto::process::harden().map_err(StartError::Protection)?;
        let credentials = credentials(options.root_access_keys.as_deref())?;
        let issuer_keys = KeySetFiles::open(&options.key_sets)
            .map_err(|(path, error)| StartError::KeySet(path, error))?;
        let attestation_roots = attestation_roots(&options.attestation_roots)?;
        let tls = options.tls.clone().map(Tls::open).transpose().map_err(StartError::Tls)?;
        let seed = options.seed.as_deref().map(SeedFile::read).transpose();
        let seed = seed.map_err(StartError::Seed)?;
        let opened = match &options.data {
            Data::InMemory => Opened::in_memory()?,
            Data::Directory(path) => Opened::directory(path)?,
        };
        let Opened { store, root_key, audit, history, log, mut notes } = opened;
        notes.extend(tls.iter().filter_map(|tls| tls.complaint(SystemTime::now())));
        let observed_store = ObservedStore::new(store);
        let store_stats = observed_store.stats();
        let store: Arc<dyn Store> = Arc::new(observed_store);
        let key_store = Software::new(Arc::clone(&store), root_key);
        key_store.verify().await.map_err(StartError::RootKeyDoesNotFit)?;
        let clock = Arc::new(MovableClock::default());
        let key_store = Arc::new(key_store);
        let keeping = match log {
            Some(log) => {
                let sealer = Arc::clone(&key_store) as Arc<dyn KeyStore>;
                Some(keep(log, &store, &sealer, &clock).await?)
            }
            None => None,
        };
        let watch = Watch::new(options.quotas.clone());
        let assembly = Assembly {
            store,
            key_store,
            audit,
            history,
            clock: Arc::clone(&clock) as _,
            attestation_roots,
            issuer_keys,
            limits: options.limits,
            cached_keys: CACHED_KEYS,
            cached_signing_keys: CACHED_SIGNING_KEYS,
            watch: watch.clone(),
            dev: Some(Dev { credentials, clock }),
        };
        let services = Arc::new(assembly.services().await?);
        if let Some(seed) = seed {
            let planted = seed.plant(services.kms.service(), services.clock.now()).await;
            notes.extend(planting_notes(&planted.map_err(StartError::Seed)?));
        }
        let listener = Listener::bind(options.listen, tls.map(Arc::new))
            .await
            .map_err(|source| StartError::Listen { address: options.listen, source })?;
        let operations = match options.operations_listen {
            None => None,
            Some(address) => {
                let database = match &options.data {
                    Data::InMemory => None,
                    Data::Directory(path) => Some(path.join("state.sqlite3")),
                };
                let health = observation::health(&services, &watch.requests, store_stats, database);
                Some((health_listener(address).await?, Arc::new(health)))
            }
        };
        Ok(Self { listener, services, keeping, operations, notes })
    }

    /// The address that it listens on.
    ///
    /// # Errors
    /// What the system says.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.address()
    }

    /// The address of metrics and health, if they are told.
    ///
    /// # Errors
    /// What the system says.
    pub fn operations_address(&self) -> io::Result<Option<SocketAddr>> {
        self.operations.as_ref().map(|(listener, _)| listener.local_addr()).transpose()
    }

    /// What the operator should know about the start, a line each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Answers requests until `stop` is ready.
    pub fn serve(self, stop: Compiled<'static, ()>) -> Compiled<'static, ()> {
        Box::pin(self.serve_until(stop))
    }

    async fn serve_until(self, stop: Compiled<'static, ()>) {
        let mut jobs = jobs::start(&self.services, RemovalGuard::new(Duration::ZERO));
        if let Some(keeping) = &self.keeping {
            keeping.start(&mut jobs);
        }
        if let Some((listener, health)) = self.operations {
            jobs.spawn(health::serve(listener, health, std::future::pending()));
        }
        let services = Arc::clone(&self.services);
        let answer = move |request, peer| {
            let services = Arc::clone(&services);
            async move { services.answer(request, peer).await }
        };
        let limits = listen::Limits::default();
        listen::serve(vec![self.listener], limits, Arc::default(), answer, stop).await;
        jobs.shutdown().await;
        jobs::finish(&self.services).await;
        if let Some(keeping) = &self.keeping {
            keeping.finish().await;
        }
    }
}

/// Has the audit log signed.
async fn keep(
    log: Arc<Log>,
    store: &Arc<dyn Store>,
    key_store: &Arc<dyn KeyStore>,
    clock: &Arc<MovableClock>,
) -> Result<AuditKeeping, StartError> {
    let signer = AuditKeys::open(Arc::clone(store), Arc::clone(key_store)).await;
    let signer = Arc::new(signer.map_err(StartError::AuditKey)?);
    let clock = Arc::clone(clock) as _;
    let digester = Digester::new(log, signer, clock, DigestOptions::default());
    Ok(AuditKeeping::new(digester, Vec::new()))
}

/// A socket for metrics and health.
pub(crate) async fn health_listener(address: SocketAddr) -> Result<TcpListener, StartError> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|source| StartError::Listen { address, source })
}

/// What the operator is told of the seed's keys.
fn planting_notes(planted: &Planted) -> Vec<String> {
    let keys = |count| if count == 1 { "key" } else { "keys" };
    let (made, kept) = (planted.made, planted.kept.len());
    let mut notes = vec![format!("planted {made} {} of the seed", keys(made))];
    if kept > 0 {
        let named = planted.kept.iter().take(NAMED_MAX).map(String::as_str).collect::<Vec<_>>();
        let rest = if kept > NAMED_MAX { ", …" } else { "" };
        notes.push(format!(
            "{kept} {} of the seed existed already and stayed unchanged: {}{rest}",
            keys(kept),
            named.join(", ")
        ));
    }
    notes
}

fn credentials(file: Option<&Path>) -> Result<DevCredentials, StartError> {
    let Some(path) = file else { return Ok(DevCredentials::default()) };
    let text = std::fs::read_to_string(path)
        .map(zeroize::Zeroizing::new)
        .map_err(|source| StartError::Io { action: "read", path: path.to_owned(), source })?;
    DevCredentials::with_root_access_keys(&text)
        .map_err(|line| StartError::RootAccessKeys(path.to_owned(), line))
}

pub(crate) fn attestation_roots(files: &[PathBuf]) -> Result<Roots, StartError> {
    if files.is_empty() {
        return Ok(Roots::aws());
    }
    files.iter().try_fold(Roots::default(), |roots, path| {
        let text = std::fs::read_to_string(path).map_err(|source| StartError::Io {
            action: "read",
            path: path.clone(),
            source,
        })?;
        let more = Roots::from_pem(&text)
            .map_err(|rejected| StartError::AttestationRoots(path.clone(), rejected))?;
        Ok(roots.and(more))
    })
}

/// What was opened or made at the start.
struct Opened {
    store: Arc<dyn Store>,
    root_key: RootKey,
    audit: Arc<dyn AuditLog>,
    history: Arc<dyn AuditHistory>,
    log: Option<Arc<Log>>,
    notes: Vec<String>,
}

impl Opened {
    fn in_memory() -> Result<Self, StartError> {
        let root_key = RootKey::generate().map_err(StartError::Protection)?;
        let audit = Arc::new(audit::Nowhere::default());
        let (store, history) = (Arc::new(storage::Memory::new()), Arc::clone(&audit) as _);
        Ok(Self { store, root_key, audit, history, log: None, notes: Vec::new() })
    }

    fn directory(path: &Path) -> Result<Self, StartError> {
        make_directory(path)?;
        let root_key = path.join("root.key");
        // The store's lock keeps a second server out before anything else is touched.
        let store = storage::Embedded::open(&path.join("state.sqlite3"))
            .map_err(|error| StartError::Store(Box::new(error)))?;
        // A new root key must never take the place of one that is lost: only a store that nothing
        // was ever written to gets one.
        let root_key = match (root_key.exists(), store.revision() == Revision::default()) {
            (true, _) => RootKey::read_file(&root_key),
            (false, true) => RootKey::create_file(&root_key),
            (false, false) => return Err(StartError::RootKeyMissing(root_key)),
        }
        .map_err(StartError::RootKey)?;
        let (audit, notes) = open_audit(path)?;
        let (history, log) = (Arc::clone(&audit) as _, Some(Arc::clone(&audit)));
        Ok(Self { store: Arc::new(store), root_key, audit, history, log, notes })
    }
}

/// Makes the data directory, which nobody else may read.
pub(crate) fn make_directory(path: &Path) -> Result<(), StartError> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| StartError::Io { action: "create", path: path.to_owned(), source })
}

fn open_audit(data: &Path) -> Result<(Arc<Log>, Vec<String>), StartError> {
    let log = Log::open(data, audit::Options::default());
    let log = log.map_err(|error| StartError::Audit(Box::new(error)))?;
    let notes = log.notes();
    Ok((Arc::new(log), notes))
}
