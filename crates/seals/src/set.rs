//! The set of seals as the store holds it: reading it, seeing what doesn't belong, and writing the
//! next one.
//!
//! Must not know how a seal is opened.

use crypto::RootKey;
use service::ports::{Commit, Expect, Item, Revision, Store};
use service::records::{decode, encode};

use crate::SEALS_MAX;
use crate::error::{Finding, SealsError};
use crate::record::{Listed, SealRecord, SetRecord, digest_of};

/// Where the record that binds the seals stands.
pub(crate) const SET: &str = "seal-set";
/// Below which the seals' records stand.
pub(crate) const PREFIX: &str = "seal/";
/// How many records are looked at: more than there can be, so that what was added shows.
const LOOKED_AT: usize = 4 * SEALS_MAX;
/// How often reading begins anew because the set changed meanwhile.
const READS_MAX: usize = 8;

/// Where the record of a seal stands.
pub(crate) fn place(id: &str) -> String {
    format!("{PREFIX}{id}")
}

/// The set of seals at one moment.
pub(crate) struct Loaded {
    pub(crate) set: Option<LoadedSet>,
    /// The seals that can be read.
    pub(crate) seals: Vec<LoadedSeal>,
    /// The places of all records, whole or not.
    pub(crate) places: Vec<String>,
    /// What shows without a secret.
    pub(crate) findings: Vec<Finding>,
}

pub(crate) struct LoadedSet {
    pub(crate) record: SetRecord,
    pub(crate) revision: Revision,
}

pub(crate) struct LoadedSeal {
    pub(crate) record: SealRecord,
    pub(crate) revision: Revision,
    /// Nothing is found against it; without a list, nothing can be.
    pub(crate) whole: bool,
}

/// Whether the store holds anything of seals.
pub(crate) async fn any(store: &dyn Store) -> Result<bool, SealsError> {
    let set = store.get(SET).await?;
    Ok(set.is_some() || !store.range(PREFIX, "", 1).await?.items.is_empty())
}

/// Reads the set of seals as it stood at one moment.
pub(crate) async fn load(store: &dyn Store) -> Result<Loaded, SealsError> {
    for _ in 0..READS_MAX {
        let before = store.get(SET).await?;
        let page = store.range(PREFIX, "", LOOKED_AT).await?;
        let after = store.get(SET).await?;
        let revision = |item: &Option<Item>| item.as_ref().map(|item| item.revision);
        if revision(&before) == revision(&after) {
            return Ok(compare(before, page.items));
        }
    }
    Err(SealsError::Conflict)
}

/// Holds the records against the list.
fn compare(set: Option<Item>, items: Vec<Item>) -> Loaded {
    let mut findings = Vec::new();
    let record = set.as_ref().map(|item| decode::<SetRecord>(&item.value));
    let set = match (set, record) {
        (Some(Item { revision, .. }), Some(Ok(record))) => Some(LoadedSet { record, revision }),
        (there, _) => {
            findings.push(match there {
                Some(_) => Finding::ListAltered,
                None => Finding::ListRemoved,
            });
            None
        }
    };
    let listed = set.as_ref().map(|set| set.record.seals.as_slice());
    if let Some(listed) = listed {
        for seal in listed {
            if !items.iter().any(|item| item.key == place(&seal.id)) {
                let (id, name) = (seal.id.clone(), seal.name.clone());
                findings.push(Finding::Removed { id, name });
            }
        }
    }
    let mut seals = Vec::new();
    for item in &items {
        let installation = set.as_ref().map(|set| set.record.installation.as_str());
        let id = item.key.strip_prefix(PREFIX).unwrap_or_default();
        let record = decode::<SealRecord>(&item.value).ok().filter(|record| record.id == id);
        let finding = examine(id, &item.value, record.as_ref(), installation, listed);
        if let Some(record) = record {
            let (revision, whole) = (item.revision, finding.is_none());
            seals.push(LoadedSeal { record, revision, whole });
        }
        findings.extend(finding);
    }
    Loaded { set, seals, places: items.into_iter().map(|item| item.key).collect(), findings }
}

/// What is found against the record in the place of seal `id`.
fn examine(
    id: &str,
    bytes: &[u8],
    record: Option<&SealRecord>,
    installation: Option<&str>,
    listed: Option<&[Listed]>,
) -> Option<Finding> {
    let listed = listed.map(|listed| listed.iter().find(|one| one.id == id));
    let (id, name) = match listed {
        Some(None) => return Some(Finding::Added { id: id.to_owned() }),
        Some(Some(listed)) => (id.to_owned(), listed.name.clone()),
        None => (id.to_owned(), String::new()),
    };
    let Some(record) = record else { return Some(Finding::Altered { id, name }) };
    if let Some(listed) = listed.flatten().filter(|listed| listed.digest != digest_of(bytes)) {
        return Some(if record.version < listed.version {
            Finding::RolledBack { id, name }
        } else {
            Finding::Altered { id, name }
        });
    }
    let moved = installation.is_some_and(|own| own != record.installation);
    moved.then_some(Finding::Altered { id, name })
}

impl Loaded {
    /// The list, if nothing at all was found and it is `root_key`'s.
    ///
    /// # Errors
    /// [`SealsError::Tampered`].
    pub(crate) fn whole(&self, root_key: &RootKey) -> Result<&LoadedSet, SealsError> {
        match &self.set {
            Some(set) if self.findings.is_empty() => {
                set.verify(root_key)?;
                Ok(set)
            }
            _ => Err(SealsError::Tampered(self.findings.clone())),
        }
    }

    /// The seal of that id or name.
    ///
    /// # Errors
    /// [`SealsError::NoSuchSeal`].
    pub(crate) fn seal(&self, seal: &str) -> Result<&LoadedSeal, SealsError> {
        let found = self.seals.iter().find(|one| one.record.id == seal);
        found
            .or_else(|| self.seals.iter().find(|one| one.record.name == seal))
            .ok_or_else(|| SealsError::NoSuchSeal { seal: seal.to_owned() })
    }
}

impl LoadedSet {
    /// Whether the list is as it was written under `root_key`.
    ///
    /// # Errors
    /// [`SealsError::Tampered`].
    pub(crate) fn verify(&self, root_key: &RootKey) -> Result<(), SealsError> {
        match root_key.verify_seal_set_mac(&self.record.description(), &self.record.mac) {
            Ok(()) => Ok(()),
            Err(crypto::Error::InvalidMac) => Err(SealsError::Tampered(vec![Finding::ListAltered])),
            Err(error) => Err(error.into()),
        }
    }
}

/// The next set of seals: one commit, which happens only if the set is still the one before it.
pub(crate) struct NextSet {
    pub(crate) record: SetRecord,
    pub(crate) commit: Commit,
}

impl NextSet {
    /// The first set of an installation.
    pub(crate) fn first(installation: String) -> Self {
        let record = SetRecord {
            installation,
            version: 1,
            root_key_number: 1,
            seals: Vec::new(),
            mac: Vec::new(),
        };
        let preconditions = vec![(SET.to_owned(), Expect::Absent)];
        Self { record, commit: Commit { preconditions, ..Commit::default() } }
    }

    /// The set after `set`, with the same seals so far.
    pub(crate) fn after(set: &LoadedSet) -> Self {
        let record = SetRecord { version: set.record.version + 1, ..set.record.clone() };
        let preconditions = vec![(SET.to_owned(), Expect::At(set.revision))];
        Self { record, commit: Commit { preconditions, ..Commit::default() } }
    }

    /// Writes a seal's record, new or in place of the one at `before`.
    ///
    /// # Errors
    /// [`SealsError::Record`].
    pub(crate) fn put(
        &mut self,
        record: &SealRecord,
        before: Option<Revision>,
    ) -> Result<(), SealsError> {
        let bytes = encode(record).map_err(SealsError::Record)?;
        let entry = Listed::of(record, &bytes);
        match self.record.seals.iter_mut().find(|one| one.id == record.id) {
            Some(listed) => *listed = entry,
            None => self.record.seals.push(entry),
        }
        let expected = before.map_or(Expect::Absent, Expect::At);
        self.commit.preconditions.push((place(&record.id), expected));
        self.commit.puts.push((place(&record.id), bytes));
        Ok(())
    }

    /// Takes a seal out.
    pub(crate) fn remove(&mut self, seal: &LoadedSeal) {
        self.record.seals.retain(|one| one.id != seal.record.id);
        let place = place(&seal.record.id);
        self.commit.preconditions.push((place.clone(), Expect::At(seal.revision)));
        self.commit.deletes.push(place);
    }

    /// Does it, under the root key that the seals open from now on.
    ///
    /// # Errors
    /// [`SealsError::Conflict`], [`SealsError::Store`], [`SealsError::Record`],
    /// [`SealsError::Crypto`].
    pub(crate) async fn write(
        mut self,
        store: &dyn Store,
        root_key: &RootKey,
    ) -> Result<(), SealsError> {
        self.record.seals.sort_by(|one, other| one.id.cmp(&other.id));
        self.record.mac = root_key.seal_set_mac(&self.record.description())?.to_vec();
        let bytes = encode(&self.record).map_err(SealsError::Record)?;
        self.commit.puts.push((SET.to_owned(), bytes));
        store.commit(self.commit).await?;
        Ok(())
    }
}
