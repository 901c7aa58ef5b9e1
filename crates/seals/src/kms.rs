//! The KMS seal's client: a seal key encrypted and decrypted by AWS KMS or another Strongroom,
//! through the AWS SDK.
//!
//! Owns the connection's limits and what the KMS's answers mean for an operator. Must not know
//! records. The KMS sees the seal key: it is trusted with it, and the SDK's buffers aren't wiped.

use std::fmt::Write as _;
use std::time::Duration;
use std::{error, fmt};

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_kms::Client;
use aws_sdk_kms::config::{Builder, ProvideCredentials as _, Region};
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::primitives::Blob;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use crypto::SealKey;
use zeroize::Zeroizing;

/// How long one operation may take, with its one repetition.
const OPERATION: Duration = Duration::from_secs(20);
/// How long one try of it may take.
const TRY: Duration = Duration::from_secs(8);
const CONNECT: Duration = Duration::from_secs(3);
/// How long credentials may take to be found; the instance's metadata service may not be there.
const CREDENTIALS: Duration = Duration::from_secs(10);

/// The longest ciphertext that is stored, in bytes (AWS KMS API Reference, CiphertextBlob).
pub(crate) const CIPHERTEXT_MAX: usize = 6144;
/// The longest reason that is passed on from the network, in characters.
const REASON_MAX: usize = 500;

const REGION_MAX: usize = 64;
const ENDPOINT_MAX: usize = 512;
/// AWS KMS API Reference, KeyId: 1 to 2048 characters.
const KEY_ID_MAX: usize = 2048;

/// A key of a KMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsKey {
    region: String,
    endpoint: Option<String>,
    key_id: String,
}

impl KmsKey {
    /// The key of that id, ARN or alias, in that Region; `endpoint` is the KMS's URL where it isn't
    /// AWS's own.
    ///
    /// # Errors
    /// [`KmsError::Key`] for what can't be a Region or a key, and for an endpoint without TLS
    /// anywhere but on this machine: a seal key would cross the network in plaintext.
    pub fn new(region: &str, endpoint: Option<&str>, key_id: &str) -> Result<Self, KmsError> {
        let region_letter = |c: u8| c.is_ascii_alphanumeric() || c == b'-';
        if region.is_empty() || region.len() > REGION_MAX || !region.bytes().all(region_letter) {
            return Err(KmsError::Key("the Region isn't one"));
        }
        let graphic = |text: &str| text.bytes().all(|c| c.is_ascii_graphic());
        if key_id.is_empty() || key_id.len() > KEY_ID_MAX || !graphic(key_id) {
            return Err(KmsError::Key("the key id isn't one"));
        }
        let usable = |endpoint: &str| {
            endpoint.len() <= ENDPOINT_MAX && graphic(endpoint) && protected(endpoint)
        };
        if !endpoint.is_none_or(usable) {
            return Err(KmsError::Key(
                "the endpoint is no https URL, nor an http URL of this machine",
            ));
        }
        Ok(Self {
            region: region.to_owned(),
            endpoint: endpoint.map(str::to_owned),
            key_id: key_id.to_owned(),
        })
    }

    /// The Region.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The KMS's URL, where it isn't AWS's own.
    pub fn endpoint(&self) -> Option<&str> {
        self.endpoint.as_deref()
    }

    /// The key's id, ARN or alias.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }
}

/// Whether what goes there is encrypted, or stays on this machine.
fn protected(endpoint: &str) -> bool {
    let authority = |rest: &str| rest.split(['/', '?', '#']).next().map(str::to_owned);
    if let Some(rest) = endpoint.strip_prefix("https://") {
        return authority(rest).is_some_and(|host| !host.is_empty());
    }
    let Some(host) = endpoint.strip_prefix("http://").and_then(authority) else { return false };
    let name = match host.strip_prefix('[') {
        Some(six) => six.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    !host.contains('@') && matches!(name, "localhost" | "127.0.0.1" | "::1")
}

/// What a seal key is bound to at the KMS: its encryption context.
pub(crate) struct Bound<'a> {
    pub(crate) installation: &'a str,
    pub(crate) seal: &'a str,
}

/// The names in the encryption context, which the KMS's own audit log shows.
const INSTALLATION: &str = "strongroom:installation";
const SEAL: &str = "strongroom:seal";

/// Why a KMS didn't do what a seal needs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KmsError {
    /// The key can't be one.
    Key(&'static str),
    /// No credentials were found where the SDK looks for them.
    NoCredentials {
        /// The SDK's reason.
        reason: String,
    },
    /// The KMS couldn't be reached, was too slow, or says that it is unwell. Try again.
    Unreachable {
        /// The reason.
        reason: String,
    },
    /// The KMS refused: no permission, a disabled key, an expired token.
    Refused {
        /// AWS's code.
        code: String,
        /// The KMS's words.
        message: String,
    },
    /// The KMS knows no such key, or the seal key wasn't encrypted under it, or for this seal.
    WrongKey {
        /// AWS's code.
        code: String,
        /// The KMS's words.
        message: String,
    },
    /// The KMS answered something that isn't what was asked for.
    Answer,
}

impl fmt::Display for KmsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(what) => f.write_str(what),
            Self::NoCredentials { reason } => write!(f, "no AWS credentials were found: {reason}"),
            Self::Unreachable { reason } => write!(f, "the KMS can't be reached: {reason}"),
            Self::Refused { code, message } => write!(f, "the KMS refuses ({code}): {message}"),
            Self::WrongKey { code, message } => {
                write!(f, "the KMS's key is not this seal's ({code}): {message}")
            }
            Self::Answer => f.write_str("the KMS answered something else than was asked for"),
        }
    }
}

impl error::Error for KmsError {}

/// Has the KMS encrypt the seal key, and sees that it gives the same key back.
pub(crate) async fn encrypt(
    key: &KmsKey,
    seal_key: &SealKey,
    bound: &Bound<'_>,
) -> Result<Vec<u8>, KmsError> {
    let plaintext = seal_key.for_kms();
    let encrypting = client(key).await?.encrypt().key_id(&key.key_id);
    let answer = encrypting
        .plaintext(Blob::new(plaintext.as_slice()))
        .encryption_context(INSTALLATION, bound.installation)
        .encryption_context(SEAL, bound.seal)
        .send()
        .await
        .map_err(|error| failure(&error))?;
    let ciphertext = answer.ciphertext_blob.ok_or(KmsError::Answer)?.into_inner();
    if ciphertext.is_empty() || ciphertext.len() > CIPHERTEXT_MAX {
        return Err(KmsError::Answer);
    }
    // A KMS that encrypts and doesn't decrypt, for want of permission, would be found out when it
    // is too late.
    let back = decrypted(key, &ciphertext, bound).await?;
    if *back != *plaintext {
        return Err(KmsError::Answer);
    }
    Ok(ciphertext)
}

/// Has the KMS decrypt a seal key.
pub(crate) async fn decrypt(
    key: &KmsKey,
    ciphertext: &[u8],
    bound: &Bound<'_>,
) -> Result<SealKey, KmsError> {
    let bytes = decrypted(key, ciphertext, bound).await?;
    SealKey::from_kms(&bytes).map_err(|_| KmsError::Answer)
}

async fn decrypted(
    key: &KmsKey,
    ciphertext: &[u8],
    bound: &Bound<'_>,
) -> Result<Zeroizing<Vec<u8>>, KmsError> {
    let decrypting = client(key).await?.decrypt().key_id(&key.key_id);
    let answer = decrypting
        .ciphertext_blob(Blob::new(ciphertext))
        .encryption_context(INSTALLATION, bound.installation)
        .encryption_context(SEAL, bound.seal)
        .send()
        .await
        .map_err(|error| failure(&error))?;
    let plaintext = answer.plaintext.ok_or(KmsError::Answer)?;
    Ok(Zeroizing::new(plaintext.into_inner()))
}

/// A client for one operation: a seal is opened once a start, and credentials may have changed
/// since the last one.
async fn client(key: &KmsKey) -> Result<Client, KmsError> {
    let provider = Provider::Rustls(CryptoMode::AwsLc);
    let connector = aws_smithy_http_client::Builder::new().tls_provider(provider).build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(TRY)
        .operation_timeout(OPERATION)
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(Region::new(key.region.clone()))
        .http_client(connector)
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(2));
    if let Some(endpoint) = &key.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    let config = loader.load().await;
    let missing = |reason: String| KmsError::NoCredentials { reason };
    let chain = config.credentials_provider().ok_or_else(|| missing("none".to_owned()))?;
    let found = tokio::time::timeout(CREDENTIALS, chain.provide_credentials()).await;
    let credentials = found
        .map_err(|_| missing("looking for them took too long".to_owned()))?
        .map_err(|error| missing(reasons(&error)))?;
    Ok(Client::from_conf(Builder::from(&config).credentials_provider(credentials).build()))
}

/// What a failure means for an operator.
fn failure<E, R>(error: &SdkError<E, R>) -> KmsError
where
    E: ProvideErrorMetadata + error::Error + 'static,
    R: fmt::Debug + 'static,
{
    let SdkError::ServiceError(service) = error else {
        return KmsError::Unreachable { reason: reasons(error) };
    };
    let cut = |text: Option<&str>| text.unwrap_or_default().chars().take(REASON_MAX).collect();
    let (code, message): (String, String) =
        (cut(service.err().code()), cut(service.err().message()));
    match code.as_str() {
        "IncorrectKeyException" | "InvalidCiphertextException" | "NotFoundException" => {
            KmsError::WrongKey { code, message }
        }
        "DependencyTimeoutException"
        | "KMSInternalException"
        | "KeyUnavailableException"
        | "InternalFailure"
        | "ServiceUnavailable"
        | "ThrottlingException"
        | "Throttling"
        | "" => KmsError::Unreachable { reason: format!("{code} {message}") },
        _ => KmsError::Refused { code, message },
    }
}

/// The error and what is behind it, in one line.
fn reasons(error: &dyn error::Error) -> String {
    let mut text = error.to_string();
    let mut behind = error.source();
    while let Some(cause) = behind {
        // Writing to a string can't fail.
        let _ = write!(text, ": {cause}");
        behind = cause.source();
    }
    text.chars().take(REASON_MAX).collect()
}
