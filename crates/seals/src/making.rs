//! Making a seal: what an operator gives or is given, and the seal key that comes of it.
//!
//! Must not know the store.

use std::fs;
use std::path::{Path, PathBuf};

use crypto::{PassphraseCost, SALT, SealKey, random};
use zeroize::Zeroizing;

use crate::error::SealsError;
use crate::kind::{Kind, PASSPHRASE_MAX, PASSPHRASE_MIN};
use crate::kms::{self, Bound, KmsKey};
use crate::record::{Method, hex};

/// The longest name of a seal, in characters.
const NAME_MAX: usize = 64;

/// A seal to be made.
pub struct NewSeal {
    /// What an operator calls it: 1 to 64 letters, digits, blanks and characters of `.-_@`. No two
    /// seals have the same name.
    pub name: String,
    /// How it is opened.
    pub method: NewMethod,
}

/// How a new seal, or a seal with a new secret, is opened.
#[non_exhaustive]
pub enum NewMethod {
    /// By a passphrase.
    Passphrase {
        /// The passphrase: at least [`PASSPHRASE_MIN`] characters, which are taken as they are.
        passphrase: Zeroizing<String>,
        /// What an attempt costs.
        cost: PassphraseCost,
    },
    /// By some of several shares, which are issued.
    Shares {
        /// How many shares open it, at least 2.
        threshold: u8,
        /// How many shares there are, at most [`crypto::SHARES_MAX`].
        count: u8,
    },
    /// By a file, which is made.
    KeyFile {
        /// Its path. No file may be there.
        path: PathBuf,
    },
    /// By a KMS.
    Kms(KmsKey),
}

impl NewMethod {
    /// The kind of seal that it makes.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Passphrase { .. } => Kind::Passphrase,
            Self::Shares { .. } => Kind::Shares,
            Self::KeyFile { .. } => Kind::KeyFile,
            Self::Kms(_) => Kind::Kms,
        }
    }
}

/// A seal that was made, with what must be handed out now, since it is kept nowhere.
pub struct Issued {
    /// The seal's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The shares of a seal by shares; empty for the other kinds.
    pub shares: Vec<IssuedShare>,
}

/// A share to be handed out.
pub struct IssuedShare {
    /// Its number, from 1.
    pub number: u8,
    /// How many open the seal.
    pub threshold: u8,
    /// The set that it is of, ten hexadecimal digits.
    pub set: String,
    /// What its holder keeps.
    pub text: Zeroizing<String>,
}

/// A seal key that was made, and what it takes to make it again.
pub(crate) struct Made {
    pub(crate) seal_key: SealKey,
    pub(crate) method: Method,
    pub(crate) shares: Vec<IssuedShare>,
    file: Option<PathBuf>,
}

impl Made {
    /// Takes back what was made outside of the store, because the seal came to nothing.
    pub(crate) fn undo(self) {
        if let Some(path) = self.file {
            // What can't be removed opens nothing.
            let _ = fs::remove_file(path);
        }
    }
}

/// A new seal id: 16 hexadecimal digits.
pub(crate) fn new_id() -> Result<String, SealsError> {
    let mut id = [0; 8];
    random::fill(&mut id)?;
    Ok(hex(&id))
}

/// A new installation id: 32 hexadecimal digits.
pub(crate) fn new_installation() -> Result<String, SealsError> {
    let mut id = [0; 16];
    random::fill(&mut id)?;
    Ok(hex(&id))
}

/// Whether a seal may have that name.
pub(crate) fn check_name(name: &str) -> Result<(), SealsError> {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '.' | '-' | '_' | '@');
    let long = name.chars().count();
    let blank = name.starts_with(' ') || name.ends_with(' ');
    if long == 0 || long > NAME_MAX || blank || !name.chars().all(allowed) {
        return Err(SealsError::BadName);
    }
    Ok(())
}

/// Makes a seal key and whatever opens it.
pub(crate) async fn make(
    method: NewMethod,
    installation: &str,
    seal: &str,
) -> Result<Made, SealsError> {
    match method {
        NewMethod::Passphrase { passphrase, cost } => by_passphrase(passphrase, cost).await,
        NewMethod::Shares { threshold, count } => by_shares(threshold, count),
        NewMethod::KeyFile { path } => by_file(path).await,
        NewMethod::Kms(key) => by_kms(&key, &Bound { installation, seal }).await,
    }
}

async fn by_passphrase(
    passphrase: Zeroizing<String>,
    cost: PassphraseCost,
) -> Result<Made, SealsError> {
    if passphrase.chars().count() < PASSPHRASE_MIN {
        return Err(SealsError::PassphraseTooShort);
    }
    if passphrase.len() > PASSPHRASE_MAX {
        return Err(SealsError::PassphraseTooLong);
    }
    let mut salt = [0; SALT];
    random::fill(&mut salt)?;
    let seal_key = stretched(passphrase, salt, cost).await??;
    let method = Method::Passphrase {
        salt: salt.to_vec(),
        memory_kib: cost.memory_kib(),
        passes: cost.passes(),
        lanes: cost.lanes(),
    };
    Ok(Made { seal_key, method, shares: Vec::new(), file: None })
}

/// The seal key that a passphrase gives, worked out on a thread that may take its time.
pub(crate) async fn stretched(
    passphrase: Zeroizing<String>,
    salt: [u8; SALT],
    cost: PassphraseCost,
) -> Result<Result<SealKey, crypto::Error>, SealsError> {
    let working =
        background::run(move || SealKey::from_passphrase(passphrase.as_bytes(), &salt, cost));
    working.await.map_err(|_| SealsError::Thread)
}

fn by_shares(threshold: u8, count: u8) -> Result<Made, SealsError> {
    let seal_key = SealKey::generate()?;
    let split = seal_key.split(threshold, count)?;
    let mut ids = Vec::with_capacity(split.len());
    let mut shares = Vec::with_capacity(split.len());
    let mut of_set = String::new();
    for share in split {
        ids.push(hex(&share.id()?));
        of_set = share.set();
        let (number, set, text) = (share.number(), share.set(), share.text()?);
        shares.push(IssuedShare { number, threshold, set, text });
    }
    let method = Method::Shares { set: of_set, threshold, ids };
    Ok(Made { seal_key, method, shares, file: None })
}

async fn by_file(path: PathBuf) -> Result<Made, SealsError> {
    let place = path.clone();
    let writing = tokio::task::spawn_blocking(move || SealKey::create_file(&place));
    let written = writing.await.map_err(|_| SealsError::Thread)?;
    let seal_key = written.map_err(SealsError::KeyFile)?;
    let (method, shares) = (Method::KeyFile {}, Vec::new());
    Ok(Made { seal_key, method, shares, file: Some(path) })
}

/// Reads a seal key file, on a thread that may wait for the file system.
pub(crate) async fn read_file(
    path: &Path,
) -> Result<Result<SealKey, crypto::KeyFileError>, SealsError> {
    let path = path.to_owned();
    let reading = tokio::task::spawn_blocking(move || SealKey::read_file(&path));
    reading.await.map_err(|_| SealsError::Thread)
}

async fn by_kms(key: &KmsKey, bound: &Bound<'_>) -> Result<Made, SealsError> {
    let seal_key = SealKey::generate()?;
    let ciphertext = kms::encrypt(key, &seal_key, bound).await.map_err(SealsError::Kms)?;
    let method = Method::Kms {
        region: key.region().to_owned(),
        endpoint: key.endpoint().map(str::to_owned),
        key_id: key.key_id().to_owned(),
        ciphertext,
    };
    Ok(Made { seal_key, method, shares: Vec::new(), file: None })
}
