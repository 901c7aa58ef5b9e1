//! Changes of the set of seals: making it, adding, removing, renewing, mending.
//!
//! Each is one commit, under the root key that the server holds. Must not know how seals are
//! opened.

use std::sync::Arc;

use crypto::RootKey;
use service::ports::{Clock, Expect, Store};

use crate::error::{Finding, SealsError};
use crate::making::{self, Issued, Made, NewMethod, NewSeal};
use crate::record::SealRecord;
use crate::set::{self, LoadedSet, NextSet, SET};
use crate::{SEALS_MAX, Seals};

impl Seals {
    /// Makes an installation's root key, and its first seals around it. The seals come out
    /// unsealed.
    ///
    /// # Errors
    /// [`SealsError::Exists`] if the store has seals, and for seals that can't be made. Nothing is
    /// stored then, and no key file is left.
    pub async fn create(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        seals: Vec<NewSeal>,
    ) -> Result<(Self, RootKey, Vec<Issued>), SealsError> {
        if set::any(&*store).await? {
            return Err(SealsError::Exists);
        }
        check_names(&seals)?;
        let (installation, root_key) = (making::new_installation()?, RootKey::generate()?);
        let kept = root_key.duplicate()?;
        let this = Self::new(store, clock, Some(kept));
        let mut next = NextSet::first(installation);
        let mut made = Vec::new();
        let written = async {
            for seal in seals {
                let id = making::new_id()?;
                let one = making::make(seal.method, &next.record.installation, &id).await?;
                let record = this.record(&next, id, seal.name, &one, &root_key);
                made.push((record?, one));
            }
            for (record, _) in &made {
                next.put(record, None)?;
            }
            next.write(&*this.store, &root_key).await
        };
        match written.await {
            Ok(()) => {
                let issued = made.into_iter().map(|(record, one)| issued(record, one)).collect();
                Ok((this, root_key, issued))
            }
            Err(error) => {
                for (_, one) in made {
                    undo(one, &error);
                }
                Err(match error {
                    SealsError::Conflict => SealsError::Exists,
                    other => other,
                })
            }
        }
    }

    /// Adds a seal.
    ///
    /// # Errors
    /// [`SealsError::Sealed`], [`SealsError::TooMany`], [`SealsError::NameTaken`], and for a seal
    /// that can't be made. Nothing is changed then.
    pub async fn add(&self, seal: NewSeal) -> Result<Issued, SealsError> {
        let NewSeal { name, method } = seal;
        making::check_name(&name)?;
        let installation = self.checked_for(&name).await?;
        let id = making::new_id()?;
        let one = making::make(method, &installation, &id).await?;
        match self.add_made(id, name, &one).await {
            Ok(record) => Ok(issued(record, one)),
            Err(error) => {
                undo(one, &error);
                Err(error)
            }
        }
    }

    /// Whether a seal of that name could be added, before anything is made for it.
    async fn checked_for(&self, name: &str) -> Result<String, SealsError> {
        let held = self.root_key.lock().await;
        let root_key = held.as_ref().ok_or(SealsError::Sealed)?;
        let loaded = set::load(&*self.store).await?;
        let set = loaded.whole(root_key)?;
        check_room(set, name)?;
        Ok(set.record.installation.clone())
    }

    async fn add_made(
        &self,
        id: String,
        name: String,
        one: &Made,
    ) -> Result<SealRecord, SealsError> {
        let held = self.root_key.lock().await;
        let root_key = held.as_ref().ok_or(SealsError::Sealed)?;
        let loaded = set::load(&*self.store).await?;
        let set = loaded.whole(root_key)?;
        check_room(set, &name)?;
        let mut next = NextSet::after(set);
        let record = self.record(&next, id, name, one, root_key)?;
        next.put(&record, None)?;
        next.write(&*self.store, root_key).await?;
        Ok(record)
    }

    /// Removes a seal, by id or name. What it opened before, it opens no more; a backup that was
    /// made before still opens with it.
    ///
    /// # Errors
    /// [`SealsError::LastSeal`], [`SealsError::NoSuchSeal`], [`SealsError::Sealed`].
    pub async fn remove(&self, seal: &str) -> Result<(), SealsError> {
        let held = self.root_key.lock().await;
        let root_key = held.as_ref().ok_or(SealsError::Sealed)?;
        let loaded = set::load(&*self.store).await?;
        let set = loaded.whole(root_key)?;
        let removed = loaded.seal(seal)?;
        if loaded.seals.len() == 1 {
            return Err(SealsError::LastSeal);
        }
        let mut next = NextSet::after(set);
        next.remove(removed);
        next.write(&*self.store, root_key).await
    }

    /// Gives a seal, by id or name, a new secret of the same kind; the old one opens it no more.
    ///
    /// # Errors
    /// [`SealsError::OtherKind`], [`SealsError::NoSuchSeal`], [`SealsError::Sealed`], and for a
    /// secret that can't be made.
    pub async fn rotate(&self, seal: &str, method: NewMethod) -> Result<Issued, SealsError> {
        let (id, installation) = {
            let held = self.root_key.lock().await;
            let root_key = held.as_ref().ok_or(SealsError::Sealed)?;
            let loaded = set::load(&*self.store).await?;
            let set = loaded.whole(root_key)?;
            let record = &loaded.seal(seal)?.record;
            let kind = record.method.kind();
            if kind != method.kind() {
                return Err(SealsError::OtherKind { kind });
            }
            (record.id.clone(), set.record.installation.clone())
        };
        let one = making::make(method, &installation, &id).await?;
        match self.rotate_made(&id, &one).await {
            Ok(record) => Ok(issued(record, one)),
            Err(error) => {
                undo(one, &error);
                Err(error)
            }
        }
    }

    async fn rotate_made(&self, id: &str, one: &Made) -> Result<SealRecord, SealsError> {
        let held = self.root_key.lock().await;
        let root_key = held.as_ref().ok_or(SealsError::Sealed)?;
        let loaded = set::load(&*self.store).await?;
        let mut next = NextSet::after(loaded.whole(root_key)?);
        let before = loaded.seal(id)?;
        let mut record = SealRecord {
            renewed: self.clock.now(),
            method: one.method.clone(),
            version: next.record.version,
            ..before.record.clone()
        };
        record.wrap(root_key, &one.seal_key)?;
        next.put(&record, Some(before.revision))?;
        next.write(&*self.store, root_key).await?;
        Ok(record)
    }

    /// Removes all that is found against the set, and writes it anew: with the seals that nothing
    /// is found against or, if the list can't be trusted, with `opened` alone.
    pub(crate) async fn mend_around(&self, opened: &str) -> Result<Vec<Finding>, SealsError> {
        let held = self.root_key.lock().await;
        let root_key = held.as_ref().ok_or(SealsError::Sealed)?;
        let mut loaded = set::load(&*self.store).await?;
        let trusted = match &loaded.set {
            Some(set) => set.verify(root_key).is_ok(),
            None => false,
        };
        if !trusted && loaded.set.is_some() {
            loaded.findings.push(Finding::ListAltered);
        }
        if loaded.findings.is_empty() {
            return Ok(Vec::new());
        }
        let kept = loaded
            .seals
            .iter()
            .filter(|one| if trusted { one.whole } else { one.record.id == opened });
        let own = &loaded.seal(opened)?.record;
        let mut next = NextSet::first(own.installation.clone());
        next.record.root_key_number = own.root_key_number;
        let latest = loaded.set.as_ref().map_or(0, |set| set.record.version);
        next.record.version = latest.max(own.version) + 1;
        let now = self.store.get(SET).await?.map(|item| item.revision);
        let expected = now.map_or(Expect::Absent, Expect::At);
        next.commit.preconditions = vec![(SET.to_owned(), expected)];
        for seal in kept {
            next.put(&seal.record, Some(seal.revision))?;
        }
        let stays =
            |place: &String| next.record.seals.iter().any(|one| set::place(&one.id) == *place);
        let gone = loaded.places.iter().filter(|place| !stays(place)).cloned().collect();
        next.commit.deletes = gone;
        next.write(&*self.store, root_key).await?;
        Ok(loaded.findings)
    }

    /// The record of a new seal in the set `next`.
    fn record(
        &self,
        next: &NextSet,
        id: String,
        name: String,
        one: &Made,
        root_key: &RootKey,
    ) -> Result<SealRecord, SealsError> {
        let now = self.clock.now();
        let mut record = SealRecord {
            installation: next.record.installation.clone(),
            id,
            name,
            created: now,
            renewed: now,
            method: one.method.clone(),
            version: next.record.version,
            root_key_number: next.record.root_key_number,
            root_key: Vec::new(),
            seal_key: Vec::new(),
        };
        record.wrap(root_key, &one.seal_key)?;
        Ok(record)
    }
}

fn issued(record: SealRecord, one: Made) -> Issued {
    Issued { id: record.id, name: record.name, shares: one.shares }
}

/// Takes back what a seal that came to nothing left behind, unless it may have been stored.
fn undo(one: Made, error: &SealsError) {
    if !matches!(error, SealsError::Store(_)) {
        one.undo();
    }
}

fn check_names(seals: &[NewSeal]) -> Result<(), SealsError> {
    if seals.is_empty() {
        return Err(SealsError::NoSeal);
    }
    if seals.len() > SEALS_MAX {
        return Err(SealsError::TooMany);
    }
    for (index, seal) in seals.iter().enumerate() {
        making::check_name(&seal.name)?;
        if seals[..index].iter().any(|other| other.name == seal.name) {
            return Err(SealsError::NameTaken { name: seal.name.clone() });
        }
    }
    Ok(())
}

/// Whether the set has room for one more seal, of that name.
fn check_room(set: &LoadedSet, name: &str) -> Result<(), SealsError> {
    if set.record.seals.iter().any(|one| one.name == name) {
        return Err(SealsError::NameTaken { name: name.to_owned() });
    }
    if set.record.seals.len() >= SEALS_MAX {
        return Err(SealsError::TooMany);
    }
    Ok(())
}
