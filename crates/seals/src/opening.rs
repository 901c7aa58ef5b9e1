//! Attempts: a secret comes in, and the root key comes out or a reason why it doesn't.
//!
//! Owns the order in which an attempt is checked. Must not know where a secret comes from.

use std::path::PathBuf;

use crypto::{PassphraseCost, RootKey, SALT, SealKey, Share};
use zeroize::Zeroizing;

use crate::Seals;
use crate::collected::{Added, Collected, Purpose};
use crate::error::{Finding, Refusal, SealsError, Tried, Unopened};
use crate::kind::{Kind, PASSPHRASE_MAX};
use crate::kms::{self, Bound, CIPHERTEXT_MAX, KmsError, KmsKey};
use crate::making::{read_file, stretched};
use crate::record::{Method, SealRecord, hex};
use crate::set::{self, Loaded, LoadedSeal};

/// What an operator brings to open a seal.
#[non_exhaustive]
pub enum Secret {
    /// A passphrase.
    Passphrase(Zeroizing<String>),
    /// One share, as its holder typed it.
    Share(Zeroizing<String>),
    /// The path of a seal key file.
    KeyFile(PathBuf),
    /// Nothing: the KMS is asked.
    Kms,
}

impl Secret {
    /// The kind of seal that it may open.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Passphrase(_) => Kind::Passphrase,
            Self::Share(_) => Kind::Shares,
            Self::KeyFile(_) => Kind::KeyFile,
            Self::Kms => Kind::Kms,
        }
    }
}

/// What came of an attempt that wasn't refused.
pub enum Outcome<K> {
    /// A seal opened.
    Opened {
        /// The seal's id.
        id: String,
        /// Its name.
        name: String,
        /// What it opened; nothing for a rehearsal.
        root_key: K,
    },
    /// The share is right, and more are needed.
    MoreShares(Collected),
}

/// A secret after what can be said about it without a seal.
enum Ready {
    Passphrase(Zeroizing<String>),
    Share(Share),
    KeyFile(SealKey),
    Kms,
}

/// A seal that opened.
struct Opened {
    record: SealRecord,
    root_key: RootKey,
}

impl Seals {
    /// Opens the root key, and keeps it for changes of the seals. `seal` is the id or name of one
    /// seal; without it all of the secret's kind are tried.
    ///
    /// # Errors
    /// A [`Refusal`] that tells an operator what to do and the audit log what happened.
    pub async fn unseal(
        &self,
        secret: Secret,
        seal: Option<&str>,
    ) -> Result<Outcome<RootKey>, Refusal> {
        let outcome = self.attempt(Purpose::Unsealing, secret, seal, false).await?;
        self.keep(outcome).await.map(|(outcome, _)| outcome)
    }

    /// The same where records were tampered with or are damaged, for an operator who has looked
    /// into it: the seal must still open, and then everything that was found against is removed.
    /// If the list itself isn't whole, the seal that was opened is the only one left.
    ///
    /// Returns what was found.
    ///
    /// # Errors
    /// As [`Self::unseal`].
    pub async fn unseal_and_mend(
        &self,
        secret: Secret,
        seal: Option<&str>,
    ) -> Result<(Outcome<RootKey>, Vec<Finding>), Refusal> {
        let outcome = self.attempt(Purpose::Unsealing, secret, seal, true).await?;
        let (outcome, opened) = self.keep(outcome).await?;
        let findings = match opened {
            Some(id) => self.mend(&id).await?,
            None => Vec::new(),
        };
        Ok((outcome, findings))
    }

    /// Whether the secret would open the root key now. Nothing is changed, sealed or not, but
    /// wrong attempts are slowed as those to unseal are, and together with them.
    ///
    /// # Errors
    /// As [`Self::unseal`].
    pub async fn rehearse(
        &self,
        secret: Secret,
        seal: Option<&str>,
    ) -> Result<Outcome<()>, Refusal> {
        Ok(match self.attempt(Purpose::Rehearsal, secret, seal, false).await? {
            Outcome::Opened { id, name, .. } => Outcome::Opened { id, name, root_key: () },
            Outcome::MoreShares(collected) => Outcome::MoreShares(collected),
        })
    }

    async fn keep(
        &self,
        outcome: Outcome<Opened>,
    ) -> Result<(Outcome<RootKey>, Option<String>), Refusal> {
        match outcome {
            Outcome::Opened { id, name, root_key: Opened { root_key, .. } } => {
                let kept = root_key.duplicate().map_err(|error| Refusal::Failed(error.into()))?;
                *self.root_key.lock().await = Some(kept);
                let opened = Some(id.clone());
                Ok((Outcome::Opened { id, name, root_key }, opened))
            }
            Outcome::MoreShares(collected) => Ok((Outcome::MoreShares(collected), None)),
        }
    }

    async fn attempt(
        &self,
        purpose: Purpose,
        secret: Secret,
        seal: Option<&str>,
        mending: bool,
    ) -> Result<Outcome<Opened>, Refusal> {
        let kind = secret.kind();
        // A typing error is no attempt at anything.
        let ready = ready(secret).await?;
        let turn = self.attempts.turn(kind).await?;
        let tried = self.try_to_open(purpose, kind, ready, seal, mending).await;
        match &tried {
            Ok(Outcome::Opened { .. }) => turn.right(),
            Err(refusal) if refusal.wrong_secret() => turn.wrong(),
            Ok(Outcome::MoreShares(_)) | Err(_) => turn.void(),
        }
        tried
    }

    async fn try_to_open(
        &self,
        purpose: Purpose,
        kind: Kind,
        ready: Ready,
        seal: Option<&str>,
        mending: bool,
    ) -> Result<Outcome<Opened>, Refusal> {
        let loaded = set::load(&*self.store).await.map_err(Refusal::from)?;
        if !loaded.findings.is_empty() && !mending {
            return Err(Refusal::Tampered(loaded.findings));
        }
        let wanted = |one: &&LoadedSeal| {
            one.record.method.kind() == kind
                && seal.is_none_or(|seal| one.record.id == seal || one.record.name == seal)
        };
        let candidates: Vec<_> = loaded.seals.iter().filter(wanted).collect();
        if candidates.is_empty() {
            return Err(Refusal::NoSuchSeal { kind });
        }
        let opened = match ready {
            Ready::Share(share) => match self.enter(purpose, &candidates, share)? {
                Entered::Opened(opened) => *opened,
                Entered::Waiting(collected) => return Ok(Outcome::MoreShares(collected)),
            },
            Ready::Passphrase(passphrase) => by_passphrase(&candidates, &passphrase).await?,
            Ready::KeyFile(key) => with_key(&candidates, &key)?,
            Ready::Kms => by_kms(&candidates).await?,
        };
        if mending {
            belongs(&loaded, &opened)?;
        } else {
            loaded.whole(&opened.root_key).map_err(Refusal::from)?;
        }
        let (id, name) = (opened.record.id.clone(), opened.record.name.clone());
        Ok(Outcome::Opened { id, name, root_key: opened })
    }

    /// Enters a share, and opens its seal if it was the last that was needed.
    fn enter(
        &self,
        purpose: Purpose,
        candidates: &[&LoadedSeal],
        share: Share,
    ) -> Result<Entered, Refusal> {
        let of_set = share.set();
        let found = candidates.iter().find_map(|one| match &one.record.method {
            Method::Shares { set, threshold, ids } if *set == of_set => {
                Some((&one.record, *threshold, ids))
            }
            _ => None,
        });
        let Some((record, threshold, ids)) = found else {
            return Err(Refusal::OtherSet { set: of_set });
        };
        let number = share.number();
        let id = hex(&share.id().map_err(|error| Refusal::Failed(error.into()))?);
        let issued = number.checked_sub(1).and_then(|index| ids.get(usize::from(index)));
        if share.threshold() != threshold || issued != Some(&id) {
            return Err(Refusal::WrongShare { number });
        }
        match self.collections.add(purpose, share) {
            Added::Waiting(collected) => Ok(Entered::Waiting(collected)),
            Added::Duplicate { number, missing } => {
                Err(Refusal::DuplicateShare { number, missing })
            }
            Added::Complete(key) => {
                let key = key.map_err(|error| Refusal::Failed(error.into()))?;
                // Every share is the one that was issued, so it is the record that is wrong.
                let root_key = open(record, &key).map_err(|reason| altered(record, reason))?;
                Ok(Entered::Opened(Box::new(Opened { record: record.clone(), root_key })))
            }
        }
    }

    /// Makes the set of seals agree with what opened: see [`Self::unseal_and_mend`].
    async fn mend(&self, opened: &str) -> Result<Vec<Finding>, Refusal> {
        self.mend_around(opened).await.map_err(Refusal::from)
    }
}

/// What came of entering a share.
enum Entered {
    Waiting(Collected),
    Opened(Box<Opened>),
}

async fn ready(secret: Secret) -> Result<Ready, Refusal> {
    Ok(match secret {
        Secret::Passphrase(passphrase) => {
            if passphrase.len() > PASSPHRASE_MAX {
                return Err(SealsError::PassphraseTooLong.into());
            }
            Ready::Passphrase(passphrase)
        }
        Secret::Share(text) => Ready::Share(Share::parse(&text).map_err(|error| match error {
            crypto::Error::ShareRejected(rejection) => Refusal::Share(rejection),
            other => Refusal::Failed(other.into()),
        })?),
        Secret::KeyFile(path) => {
            let read = read_file(&path).await.map_err(Refusal::from)?;
            Ready::KeyFile(read.map_err(Refusal::KeyFile)?)
        }
        Secret::Kms => Ready::Kms,
    })
}

/// Whether a seal that opened is a seal still: with a list to trust, one that was removed or
/// renewed is none any more, even if its old record was put back.
fn belongs(loaded: &Loaded, opened: &Opened) -> Result<(), Refusal> {
    let Some(set) = &loaded.set else { return Ok(()) };
    let own = loaded.seals.iter().find(|one| one.record.id == opened.record.id);
    if own.is_some_and(|own| own.whole) || set.verify(&opened.root_key).is_err() {
        return Ok(());
    }
    Err(Refusal::Tampered(loaded.findings.clone()))
}

/// Opens the root key in a record.
fn open(record: &SealRecord, key: &SealKey) -> Result<RootKey, Unopened> {
    key.unwrap_root_key(&record.root_key, &record.binding()).map_err(|error| match error {
        crypto::Error::Unopened(_) => Unopened::WrongSecret,
        other => Unopened::Crypto(other),
    })
}

fn tried(record: &SealRecord, reason: Unopened) -> Tried {
    Tried { id: record.id.clone(), name: record.name.clone(), reason }
}

/// The refusal for a record that doesn't open although its key is known to be the right one.
fn altered(record: &SealRecord, reason: Unopened) -> Refusal {
    match reason {
        Unopened::WrongSecret => {
            let (id, name) = (record.id.clone(), record.name.clone());
            Refusal::Tampered(vec![Finding::Altered { id, name }])
        }
        other => Refusal::NotOpened(vec![tried(record, other)]),
    }
}

async fn by_passphrase(
    candidates: &[&LoadedSeal],
    passphrase: &Zeroizing<String>,
) -> Result<Opened, Refusal> {
    let mut all = Vec::new();
    for LoadedSeal { record, .. } in candidates {
        let Method::Passphrase { salt, memory_kib, passes, lanes } = &record.method else {
            continue;
        };
        let salt = <[u8; SALT]>::try_from(salt.as_slice());
        let cost = PassphraseCost::new(*memory_kib, *passes, *lanes);
        let (Ok(salt), Some(cost)) = (salt, cost) else {
            all.push(tried(record, Unopened::Record));
            continue;
        };
        let key = stretched(passphrase.clone(), salt, cost).await.map_err(Refusal::from)?;
        match key.map_err(Unopened::Crypto).and_then(|key| open(record, &key)) {
            Ok(root_key) => return Ok(Opened { record: record.clone(), root_key }),
            Err(reason) => all.push(tried(record, reason)),
        }
    }
    Err(Refusal::NotOpened(all))
}

fn with_key(candidates: &[&LoadedSeal], key: &SealKey) -> Result<Opened, Refusal> {
    let mut all = Vec::new();
    for LoadedSeal { record, .. } in candidates {
        match open(record, key) {
            Ok(root_key) => return Ok(Opened { record: record.clone(), root_key }),
            Err(reason) => all.push(tried(record, reason)),
        }
    }
    Err(Refusal::NotOpened(all))
}

async fn by_kms(candidates: &[&LoadedSeal]) -> Result<Opened, Refusal> {
    let mut all = Vec::new();
    for LoadedSeal { record, .. } in candidates {
        match decrypted(record).await {
            Ok(key) => {
                // The KMS gave back what was encrypted for this seal.
                let root_key = open(record, &key).map_err(|reason| altered(record, reason))?;
                return Ok(Opened { record: record.clone(), root_key });
            }
            Err(reason) => all.push(tried(record, reason)),
        }
    }
    Err(Refusal::NotOpened(all))
}

async fn decrypted(record: &SealRecord) -> Result<SealKey, Unopened> {
    let Method::Kms { region, endpoint, key_id, ciphertext } = &record.method else {
        return Err(Unopened::Record);
    };
    let key = KmsKey::new(region, endpoint.as_deref(), key_id).map_err(|_| Unopened::Record)?;
    if ciphertext.len() > CIPHERTEXT_MAX {
        return Err(Unopened::Record);
    }
    let bound = Bound { installation: &record.installation, seal: &record.id };
    kms::decrypt(&key, ciphertext, &bound).await.map_err(|error: KmsError| Unopened::Kms(error))
}
