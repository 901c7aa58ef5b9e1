//! Putting the parts together: store, key store, audit log, services, listener.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use attestation::{Roots, RootsRejected};
use audit::FileLog;
use crypto::RootKey;
use iam::{Credentials, DevCredentials, Directory, Iam, InvalidLine, Sts};
use keystores::software::{Software, SystemEntropy};
use kms::{Kms, Limits, Planted, UsageKeeper};
use service::Pipeline;
use service::ports::{
    AuditHistory, AuditLog, Clock as _, KeyStore, KeyStoreError, Revision, Store, StoreError,
};
use sigv4::SigningKeyCache;
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use crate::clock::MovableClock;
use crate::dispatch::Services;
use crate::issuer_keys::{KeySetFile, KeySetFiles};
use crate::seed::{SeedFile, SeedFileError};
use crate::{jobs, listen};

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
    /// The root key's file can't be used.
    RootKey(crypto::RootKeyFileError),
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
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { action, path, source } => {
                write!(f, "cannot {action} {}: {source}", path.display())
            }
            Self::Listen { address, source } => write!(
                f,
                "cannot listen on {address}: {source} (choose another address with --listen)"
            ),
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
            Self::Usage(error) => {
                f.write_str("the last uses of keys cannot be read back from the audit log")?;
                error.cause().map_or(Ok(()), |cause| write!(f, ": {cause}"))
            }
            Self::Seed(error) => error.fmt(f),
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
    listener: TcpListener,
    services: Arc<Services>,
    notes: Vec<String>,
}

impl Server {
    /// Opens everything and listens.
    ///
    /// # Errors
    /// [`StartError`]; nothing was changed then but what had been made by the time.
    pub async fn start(options: &Options) -> Result<Self, StartError> {
        crypto::process::harden().map_err(StartError::Protection)?;
        let credentials = credentials(options.root_access_keys.as_deref())?;
        let issuer_keys = KeySetFiles::open(&options.key_sets)
            .map_err(|(path, error)| StartError::KeySet(path, error))?;
        let attestation_roots = attestation_roots(&options.attestation_roots)?;
        let seed = options.seed.as_deref().map(SeedFile::read).transpose();
        let seed = seed.map_err(StartError::Seed)?;
        let opened = match &options.data {
            Data::InMemory => Opened::in_memory()?,
            Data::Directory(path) => Opened::directory(path)?,
        };
        let Opened { store, root_key, audit, history, mut notes } = opened;
        let key_store = Software::new(Arc::clone(&store), root_key);
        key_store.verify().await.map_err(StartError::RootKeyDoesNotFit)?;
        let entropy = Arc::new(SystemEntropy);
        let clock = Arc::new(MovableClock::default());
        let key_store: Arc<dyn KeyStore> = Arc::new(key_store);
        let failed = |error: StoreError| StartError::Store(Box::new(error));
        let is_key = |key: &str| kms::is_condition_key(key) || iam::is_condition_key(key);
        let (sealer, random) = (Arc::clone(&key_store), Arc::clone(&entropy) as _);
        let directory = Directory::new(Arc::clone(&store), sealer, random, is_key);
        let directory = Arc::new(directory.map_err(failed)?);
        let kms = Kms::new(Arc::clone(&store), key_store, Arc::clone(&entropy) as _, CACHED_KEYS)
            .map_err(failed)?
            .with_principals(Arc::clone(&directory) as _)
            .with_attestation_roots(attestation_roots)
            .with_limits(options.limits)
            .with_dev_tags();
        let usage = UsageKeeper::start(&kms, history, clock.now()).await;
        if let Some(seed) = seed {
            let planted = seed.plant(&kms, clock.now()).await.map_err(StartError::Seed)?;
            notes.extend(planting_notes(&planted));
        }
        let services = Services {
            kms: Pipeline::new(kms, Arc::clone(&clock) as _, Arc::clone(&audit)),
            iam: Pipeline::new(
                Iam { directory: Arc::clone(&directory) },
                Arc::clone(&clock) as _,
                Arc::clone(&audit),
            ),
            sts: Pipeline::new(
                Sts { directory: Arc::clone(&directory), issuer_keys: Arc::new(issuer_keys) },
                Arc::clone(&clock) as _,
                audit,
            ),
            credentials: Credentials::new(directory).with_dev(credentials),
            signing_keys: SigningKeyCache::new(CACHED_SIGNING_KEYS),
            entropy,
            clock,
            store,
            usage: Mutex::new(usage.map_err(StartError::Usage)?),
        };
        let listener = TcpListener::bind(options.listen)
            .await
            .map_err(|source| StartError::Listen { address: options.listen, source })?;
        Ok(Self { listener, services: Arc::new(services), notes })
    }

    /// The address that it listens on.
    ///
    /// # Errors
    /// What the system says.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// What the operator should know about the start, a line each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Answers requests until `stop` is ready.
    pub async fn serve(self, stop: impl Future<Output = ()>) {
        let mut jobs = jobs::start(&self.services);
        listen::serve(self.listener, Arc::clone(&self.services), stop).await;
        jobs.shutdown().await;
        jobs::finish(&self.services).await;
    }
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

fn attestation_roots(files: &[PathBuf]) -> Result<Roots, StartError> {
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
    notes: Vec<String>,
}

impl Opened {
    fn in_memory() -> Result<Self, StartError> {
        let root_key = RootKey::generate().map_err(StartError::Protection)?;
        let audit = Arc::new(audit::Nowhere::default());
        let (store, history) = (Arc::new(storage::Memory::new()), Arc::clone(&audit) as _);
        Ok(Self { store, root_key, audit, history, notes: Vec::new() })
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
        let (audit, notes) = open_audit(&path.join("audit.jsonl"))?;
        let history = Arc::clone(&audit) as _;
        Ok(Self { store: Arc::new(store), root_key, audit, history, notes })
    }
}

/// Makes the data directory, which nobody else may read.
fn make_directory(path: &Path) -> Result<(), StartError> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| StartError::Io { action: "create", path: path.to_owned(), source })
}

fn open_audit(path: &Path) -> Result<(Arc<FileLog>, Vec<String>), StartError> {
    let log = FileLog::open(path).map_err(|error| StartError::Audit(Box::new(error)))?;
    let notes = match log.torn() {
        0 => Vec::new(),
        bytes => vec![format!(
            "the audit log ended in an unfinished record, which was cut off ({bytes} bytes): the \
             server had been stopped while it wrote; that request was never answered"
        )],
    };
    Ok((Arc::new(log), notes))
}
