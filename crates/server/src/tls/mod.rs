//! TLS: which certificate is shown, by which rules a connection is secured, and that a changed
//! certificate is shown without a restart.
//!
//! Versions 1.2 and 1.3, with AWS-LC's cryptography; the hybrid key exchange X25519MLKEM768 comes
//! first, so that what is recorded today can't be read with a quantum computer later. Sessions are
//! resumed by tickets; there is no early data, which could be replayed.
//!
//! Must not know what is said over a connection.

mod files;
#[cfg(test)]
pub(crate) mod fixtures;
mod names;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::crypto::aws_lc_rs::{Ticketer, default_provider};
use rustls::pki_types::CertificateDer;
use rustls::server::{WantsServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{ConfigBuilder, RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use x509_cert::Certificate;
use x509_cert::der::{DateTime, Decode as _};

use files::Fingerprint;
pub use files::Problem;
pub use names::Negotiated;

/// The name of HTTP/2 in the handshake (RFC 9113, 3.2).
pub(crate) const HTTP_2: &[u8] = b"h2";
/// The name of HTTP/1.1 in the handshake (RFC 7301, 6).
const HTTP_1_1: &[u8] = b"http/1.1";
/// How often the files are looked at.
const FRESHNESS_PERIOD: Duration = Duration::from_secs(5);
/// How long before its end a certificate is complained of, in seconds: 14 days.
const WARNING_SECONDS: u64 = 14 * 24 * 60 * 60;

/// The files that TLS is set up from, all in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, followed by those between it and the root.
    pub certificate: PathBuf,
    /// Its private key: PKCS #8, PKCS #1 or SEC 1, not encrypted.
    pub private_key: PathBuf,
    /// The authorities of which clients must have a certificate; none where clients need none.
    pub client_authorities: Option<PathBuf>,
    /// Whether TLS 1.2 is refused.
    pub only_tls_1_3: bool,
}

/// When a certificate chain is valid: the time that all of its certificates have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// The first second, since 1970.
    pub from: u64,
    /// The last second, since 1970.
    pub until: u64,
}

/// Why TLS can't be set up from those files. The text says which file and what to do.
#[derive(Debug)]
pub enum TlsError {
    /// A file can't be taken.
    File {
        /// Which one.
        path: PathBuf,
        /// What is wrong with it.
        problem: Problem,
    },
    /// The private key isn't the certificate's.
    Mismatch(TlsFiles),
    /// The library refuses.
    Refused(rustls::Error),
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, problem } => {
                write!(f, "{}: ", path.display())?;
                problem.tell(path, f)
            }
            Self::Mismatch(files) => write!(
                f,
                "the private key in {} is not that of the certificate in {}, which must come \
                 first in its file",
                files.private_key.display(),
                files.certificate.display()
            ),
            Self::Refused(error) => write!(f, "TLS cannot be set up: {error}"),
        }
    }
}

impl std::error::Error for TlsError {}

impl From<rustls::Error> for TlsError {
    fn from(error: rustls::Error) -> Self {
        Self::Refused(error)
    }
}

/// What listeners secure their connections by.
pub struct Tls {
    files: TlsFiles,
    current: RwLock<Current>,
}

/// What the files gave when they were last good.
struct Current {
    config: Arc<ServerConfig>,
    validity: Validity,
    /// How the files looked when they were last read, good or not.
    seen: Fingerprint,
}

impl Tls {
    /// Sets TLS up from those files.
    ///
    /// # Errors
    /// [`TlsError`]. A certificate that isn't valid now is none: see [`Self::complaint`].
    pub fn open(files: TlsFiles) -> Result<Self, TlsError> {
        // Before the files are read, so that a change meanwhile is noticed.
        let seen = Fingerprint::of(&files);
        let (config, validity) = read(&files)?;
        Ok(Self { files, current: RwLock::new(Current { config, validity, seen }) })
    }

    /// The rules for a new connection.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        // Nothing panics while it holds the lock.
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner).config)
    }

    /// When the certificate that is shown is valid.
    pub fn validity(&self) -> Validity {
        self.current.read().unwrap_or_else(PoisonError::into_inner).validity
    }

    /// What the operator should know of the certificate that is shown: that it is not valid yet, no
    /// longer, or not for long.
    pub fn complaint(&self, now: SystemTime) -> Option<String> {
        let now = now.duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
        let Validity { from, until } = self.validity();
        let file = self.files.certificate.display();
        if now > until {
            return Some(format!("the certificate in {file} has expired on {}", date(until)));
        }
        if now < from {
            return Some(format!("the certificate in {file} is not valid before {}", date(from)));
        }
        (until - now < WARNING_SECONDS)
            .then(|| format!("the certificate in {file} expires on {}", date(until)))
    }

    /// Reads the files again. Connections that are there go on as they are; sessions from before
    /// aren't resumed.
    ///
    /// # Errors
    /// [`TlsError`]; what was shown before is shown further.
    pub fn reload(&self) -> Result<(), TlsError> {
        let seen = Fingerprint::of(&self.files);
        let read = read(&self.files);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        current.seen = seen;
        (current.config, current.validity) = read?;
        Ok(())
    }

    /// Reads the files again if they look different from when they were last read. Tells whether
    /// they were.
    ///
    /// # Errors
    /// [`TlsError`], once for each change; what was shown before is shown further.
    pub fn reload_if_changed(&self) -> Result<bool, TlsError> {
        let seen = Fingerprint::of(&self.files);
        if seen == self.current.read().unwrap_or_else(PoisonError::into_inner).seen {
            return Ok(false);
        }
        self.reload().map(|()| true)
    }

    /// Looks at the files every few seconds, for ever, and says what came of it in the log.
    pub(crate) async fn keep_fresh(self: Arc<Self>) {
        loop {
            sleep(FRESHNESS_PERIOD).await;
            let tls = Arc::clone(&self);
            // Files may be where reading takes its time.
            let Ok(reloaded) = spawn_blocking(move || tls.reload_if_changed()).await else {
                return;
            };
            match reloaded {
                Ok(false) => {}
                Ok(true) => {
                    tracing::info!(until = date(self.validity().until), "certificate reloaded");
                    if let Some(complaint) = self.complaint(SystemTime::now()) {
                        tracing::warn!("{complaint}");
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "certificate not reloaded, the old one is shown");
                }
            }
        }
    }
}

fn read(files: &TlsFiles) -> Result<(Arc<ServerConfig>, Validity), TlsError> {
    let chain = files::certificates(&files.certificate)?;
    let validity = validity(&chain)
        .map_err(|problem| TlsError::File { path: files.certificate.clone(), problem })?;
    let private_key = files::private_key(&files.private_key)?;
    let provider = default_provider();
    let key = match CertifiedKey::from_der(chain, private_key, &provider) {
        Err(rustls::Error::InconsistentKeys(_)) => return Err(TlsError::Mismatch(files.clone())),
        Err(rustls::Error::General(_)) => {
            let path = files.private_key.clone();
            return Err(TlsError::File { path, problem: Problem::UnusableKey });
        }
        made => made?,
    };
    let mut config =
        builder(files)?.with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(key)));
    config.alpn_protocols = vec![HTTP_2.to_vec(), HTTP_1_1.to_vec()];
    config.ticketer = Ticketer::new()?;
    Ok((Arc::new(config), validity))
}

/// Versions, algorithms, and whether clients need a certificate.
fn builder(files: &TlsFiles) -> Result<ConfigBuilder<ServerConfig, WantsServerCert>, TlsError> {
    let provider = Arc::new(default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let versions: &[&SupportedProtocolVersion] =
        if files.only_tls_1_3 { &[&TLS13] } else { &[&TLS13, &TLS12] };
    let builder = builder.with_protocol_versions(versions)?;
    let Some(path) = &files.client_authorities else { return Ok(builder.with_no_client_auth()) };
    let mut authorities = RootCertStore::empty();
    let unusable = || TlsError::File { path: path.clone(), problem: Problem::UnusableAuthority };
    for authority in files::certificates(path)? {
        authorities.add(authority).map_err(|_| unusable())?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(authorities), provider);
    Ok(builder.with_client_cert_verifier(verifier.build().map_err(|_| unusable())?))
}

fn validity(chain: &[CertificateDer<'_>]) -> Result<Validity, Problem> {
    let mut common = Validity { from: 0, until: u64::MAX };
    for certificate in chain {
        let read = Certificate::from_der(certificate).map_err(|_| Problem::NotACertificate)?;
        let own = read.tbs_certificate.validity;
        common.from = common.from.max(own.not_before.to_unix_duration().as_secs());
        common.until = common.until.min(own.not_after.to_unix_duration().as_secs());
    }
    Ok(common)
}

/// A date as ISO 8601 has it.
fn date(seconds: u64) -> String {
    let date = DateTime::from_unix_duration(Duration::from_secs(seconds));
    date.map_or_else(|_| format!("second {seconds} since 1970"), |date| date.to_string())
}
