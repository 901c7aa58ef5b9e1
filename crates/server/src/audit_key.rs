//! The keys that sign digests of the audit log: made when there is none, replaced by a rotation.
//!
//! A key's material is the key store's, wrapped under the domain key of a Region of its own, and
//! stands in the store beside its public key. A rotation removes the old material: nobody can sign
//! with it any more, while the public key stays to verify what it signed.
//!
//! Must not know what is signed.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use audit::PublicKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use service::Error;
use service::ports::{
    AuditUnavailable, Binding, Commit, DigestKey, DigestSigner, Expect, Item, KeyStore,
    KeyStoreError, Material, MaterialError, MaterialId, Message, Pending, Revision, Store,
    StoreError, WrappedRecords,
};
use service::records::{decode, encode};
use wire::enums::{KeySpec, SigningAlgorithmSpec};

/// Below which the keys stand in the store.
const PREFIX: &str = "audit/signing-key/";
/// The Region whose domain key wraps them; no request can name it.
const REGION: &str = "audit";
/// How many keys are read at once.
const PAGE: usize = 100;
/// How often something is tried again that somebody else changes meanwhile.
const ATTEMPTS_MAX: usize = 8;

/// A key, as the store has it.
#[derive(Serialize, Deserialize)]
struct Stored {
    /// The public key: SubjectPublicKeyInfo in DER, in base64.
    public_key: String,
    /// The private key, until a rotation.
    material: Option<StoredMaterial>,
}

#[derive(Serialize, Deserialize)]
struct StoredMaterial {
    /// The material's id, in base64.
    id: String,
    /// The wrapped bytes, in base64.
    wrapped: String,
}

/// Why the keys can't be used.
#[derive(Debug)]
pub enum AuditKeyError {
    /// The store failed, or its record of a key can't be read.
    Store(Box<dyn std::error::Error + Send + Sync>),
    /// The key store failed.
    KeyStore(KeyStoreError),
}

impl fmt::Display for AuditKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => write!(f, "the audit log's signing key can't be read: {error}"),
            Self::KeyStore(error) => {
                write!(f, "the audit log's signing key can't be used: {error}")
            }
        }
    }
}

impl std::error::Error for AuditKeyError {}

impl From<StoreError> for AuditKeyError {
    fn from(error: StoreError) -> Self {
        Self::Store(Box::new(error))
    }
}

impl From<KeyStoreError> for AuditKeyError {
    fn from(error: KeyStoreError) -> Self {
        Self::KeyStore(error)
    }
}

fn unreadable(what: impl Into<String>) -> AuditKeyError {
    AuditKeyError::Store(what.into().into())
}

fn record_failed(error: &Error) -> AuditKeyError {
    unreadable(error.cause().map_or_else(|| error.to_string(), ToString::to_string))
}

/// A key that signs.
struct Current {
    key: DigestKey,
    material: Arc<dyn Material>,
}

/// The keys of one server.
pub struct AuditKeys {
    store: Arc<dyn Store>,
    key_store: Arc<dyn KeyStore>,
    current: RwLock<Arc<Current>>,
}

impl AuditKeys {
    /// Opens the key that signs now, or makes the first one.
    ///
    /// # Errors
    /// [`AuditKeyError`].
    pub async fn open(
        store: Arc<dyn Store>,
        key_store: Arc<dyn KeyStore>,
    ) -> Result<Self, AuditKeyError> {
        for _ in 0..ATTEMPTS_MAX {
            let Some(latest) = all(store.as_ref()).await?.pop() else {
                replace(store.as_ref(), key_store.as_ref(), None).await?;
                continue;
            };
            let current = opened(key_store.as_ref(), &latest).await?;
            return Ok(Self { store, key_store, current: RwLock::new(Arc::new(current)) });
        }
        Err(unreadable("it is changed all the time"))
    }

    /// Makes a new key, which signs from now on; gives its number.
    ///
    /// # Errors
    /// [`AuditKeyError`]; the old key goes on signing then.
    pub async fn rotate(&self) -> Result<u32, AuditKeyError> {
        let latest = all(self.store.as_ref()).await?.pop();
        replace(self.store.as_ref(), self.key_store.as_ref(), latest).await?;
        let latest = all(self.store.as_ref()).await?.pop();
        let latest = latest.ok_or_else(|| unreadable("it is gone"))?;
        let current = opened(self.key_store.as_ref(), &latest).await?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(current);
        Ok(latest.number)
    }

    async fn rewrap(&self, item: &Item) -> Result<Option<Vec<u8>>, KeyStoreError> {
        let damaged = || KeyStoreError::Damaged;
        let one = Numbered::read(item).map_err(|_| damaged())?;
        if one.stored.material.is_none() {
            return Ok(None);
        }
        let (id, wrapped) = one.material().map_err(|_| damaged())?;
        let name = key_arn(one.number);
        let anew = self.key_store.rewrap(binding(one.number, &name), id, &wrapped).await?;
        let Some(anew) = anew else { return Ok(None) };
        let material = StoredMaterial { id: STANDARD.encode(id.0), wrapped: STANDARD.encode(anew) };
        let stored = Stored { public_key: one.stored.public_key, material: Some(material) };
        encode(&stored).map(Some).map_err(|_| damaged())
    }

    fn current(&self) -> Arc<Current> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl WrappedRecords for AuditKeys {
    fn prefix(&self) -> &'static str {
        PREFIX
    }

    fn region<'a>(&self, _: &'a str) -> Option<&'a str> {
        Some(REGION)
    }

    fn rewrapped<'a>(
        &'a self,
        item: &'a Item,
    ) -> Pending<'a, Result<Option<Vec<u8>>, KeyStoreError>> {
        Box::pin(self.rewrap(item))
    }
}

impl DigestSigner for AuditKeys {
    fn key(&self) -> DigestKey {
        self.current().key
    }

    fn sign<'a>(
        &'a self,
        number: u32,
        message: &'a [u8],
    ) -> Pending<'a, Result<[u8; 64], AuditUnavailable>> {
        Box::pin(async move {
            let current = self.current();
            if current.key.number != number {
                return Err(AuditUnavailable("the signing key was replaced meanwhile".into()));
            }
            let algorithm = SigningAlgorithmSpec::Ed25519Sha512;
            let signature = current.material.sign(algorithm, Message::Raw(message)).await;
            let signature = signature.map_err(|error| match error {
                MaterialError::Input => AuditUnavailable("the message can't be signed".into()),
                MaterialError::KeyStore(error) => AuditUnavailable(Box::new(error)),
            })?;
            let wrong = |_| AuditUnavailable("the signature has a wrong length".into());
            signature.try_into().map_err(wrong)
        })
    }
}

/// The public keys of all numbers in a data directory, beside the server that uses it or without
/// one.
///
/// # Errors
/// [`AuditKeyError`].
pub async fn audit_public_keys(data: &Path) -> Result<Vec<(u32, PublicKey)>, AuditKeyError> {
    let store = storage::Reading::open(&data.join("state.sqlite3"))
        .map_err(|error| AuditKeyError::Store(Box::new(error)))?;
    all(&store).await?.iter().map(|one| Ok((one.number, one.public_key()?))).collect()
}

/// A key that was read from the store.
struct Numbered {
    number: u32,
    revision: Revision,
    stored: Stored,
}

impl Numbered {
    fn read(item: &Item) -> Result<Self, AuditKeyError> {
        let number = item.key.strip_prefix(PREFIX).and_then(|number| number.parse().ok());
        let number = number.ok_or_else(|| unreadable(format!("{} is no key", item.key)))?;
        let stored = decode(&item.value).map_err(|error| record_failed(&error))?;
        Ok(Self { number, revision: item.revision, stored })
    }

    fn public_key(&self) -> Result<PublicKey, AuditKeyError> {
        let der = STANDARD.decode(&self.stored.public_key).ok();
        let key = der.and_then(|der| PublicKey::from_der(&der).ok());
        key.ok_or_else(|| unreadable(format!("the public key of number {} is none", self.number)))
    }

    fn material(&self) -> Result<(MaterialId, Vec<u8>), AuditKeyError> {
        let material = self.stored.material.as_ref();
        let read = material.and_then(|material| {
            let id = STANDARD.decode(&material.id).ok()?.try_into().ok()?;
            Some((MaterialId(id), STANDARD.decode(&material.wrapped).ok()?))
        });
        read.ok_or_else(|| unreadable(format!("number {} has no private key", self.number)))
    }
}

/// All keys, the oldest first.
async fn all(store: &dyn Store) -> Result<Vec<Numbered>, AuditKeyError> {
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let page = store.range(PREFIX, &after, PAGE).await?;
        for item in page.items {
            found.push(Numbered::read(&item)?);
            after = item.key;
        }
        if !page.more {
            return Ok(found);
        }
    }
}

/// Makes the key that follows on the latest one, unless somebody else does.
async fn replace(
    store: &dyn Store,
    key_store: &dyn KeyStore,
    latest: Option<Numbered>,
) -> Result<(), AuditKeyError> {
    let number = latest.as_ref().map_or(0, |latest| latest.number).saturating_add(1);
    let name = key_arn(number);
    let (wrapped, made) = key_store.generate(binding(number, &name)).await?;
    let public_key = made.material.public_key().await?;
    let stored = Stored {
        public_key: STANDARD.encode(public_key),
        material: Some(StoredMaterial {
            id: STANDARD.encode(made.id.0),
            wrapped: STANDARD.encode(wrapped),
        }),
    };
    let mut commit = Commit {
        preconditions: vec![(place(number), Expect::Absent)],
        puts: vec![(place(number), encode(&stored).map_err(|error| record_failed(&error))?)],
        deletes: Vec::new(),
    };
    if let Some(latest) = latest {
        let retired = Stored { material: None, ..latest.stored };
        let retired = encode(&retired).map_err(|error| record_failed(&error))?;
        commit.preconditions.push((place(latest.number), Expect::At(latest.revision)));
        commit.puts.push((place(latest.number), retired));
    }
    match store.commit(commit).await {
        // Somebody else made it at the same time.
        Ok(_) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn opened(key_store: &dyn KeyStore, one: &Numbered) -> Result<Current, AuditKeyError> {
    let (id, wrapped) = one.material()?;
    let name = key_arn(one.number);
    let material = key_store.open(binding(one.number, &name), id, &wrapped).await?;
    let public_key = one.public_key()?.to_bytes();
    Ok(Current { key: DigestKey { number: one.number, public_key }, material })
}

/// Where a key stands; ten digits order as text.
fn place(number: u32) -> String {
    format!("{PREFIX}{number:010}")
}

fn key_arn(number: u32) -> String {
    format!("{PREFIX}{number}")
}

fn binding(number: u32, key_arn: &str) -> Binding<'_> {
    let mut identity = [0; 25];
    identity[21..].copy_from_slice(&number.to_be_bytes());
    Binding { region: REGION, key_arn, identity, spec: KeySpec::EccNistEdwards25519 }
}

#[cfg(test)]
mod tests {
    use crypto::RootKey;
    use keystores::software::Software;

    use super::*;

    async fn keys(store: &Arc<dyn Store>, key_store: &Arc<dyn KeyStore>) -> AuditKeys {
        AuditKeys::open(Arc::clone(store), Arc::clone(key_store)).await.unwrap()
    }

    async fn verifies(keys: &AuditKeys) -> bool {
        let DigestKey { number, public_key } = keys.key();
        let signature = keys.sign(number, b"a digest").await.unwrap();
        PublicKey::from_bytes(public_key).verifies(b"a digest", &signature)
    }

    #[tokio::test]
    async fn a_key_outlives_the_process_and_its_rotation() {
        let store: Arc<dyn Store> = Arc::new(storage::Memory::new());
        let root_key = RootKey::generate().unwrap();
        let software = Software::new(Arc::clone(&store), root_key);
        let key_store: Arc<dyn KeyStore> = Arc::new(software);
        let first = keys(&store, &key_store).await;
        assert!(first.key().number == 1 && verifies(&first).await);
        let again = keys(&store, &key_store).await;
        assert_eq!(again.key(), first.key());
        let item = store.get(&place(1)).await.unwrap().unwrap();
        assert!(again.rewrapped(&item).await.unwrap().is_none());
        assert_eq!(again.rotate().await.unwrap(), 2);
        assert!(again.sign(1, b"a digest").await.is_err());
        assert!(verifies(&again).await && again.key().public_key != first.key().public_key);
        let last = keys(&store, &key_store).await;
        assert_eq!(last.key(), again.key());
        // The old private key is gone, its public key is not.
        let all = all(store.as_ref()).await.unwrap();
        assert_eq!(all.len(), 2);
        assert!(all[0].material().is_err());
        assert_eq!(all[0].public_key().unwrap().to_bytes(), first.key().public_key);
    }

    #[tokio::test]
    async fn a_record_that_cannot_be_read_is_an_error() {
        let store: Arc<dyn Store> = Arc::new(storage::Memory::new());
        let key_store: Arc<dyn KeyStore> = Arc::new(keystores::Closed);
        for value in [b"".to_vec(), b"\x01{}".to_vec(), b"\x02{}".to_vec()] {
            let puts = vec![(place(1), value)];
            store.commit(Commit { puts, ..Commit::default() }).await.unwrap();
            let opened = AuditKeys::open(Arc::clone(&store), Arc::clone(&key_store)).await;
            assert!(matches!(opened, Err(AuditKeyError::Store(_))));
        }
    }
}
