//! Grants in the store: the record of each, the indices that lead to it, the count of a key's.
//!
//! Every change of a key's grants rewrites their count, so that no two change them at once and the
//! limit holds. Within this process they take turns; another process's change is a conflict, which
//! the pipeline resolves.

use service::Error;
use service::ports::{Commit, Expect, Revision};
use tokio::sync::{Mutex, MutexGuard};
use wire::{AccountId, ErrorCode, Region};

use crate::grants::record::GrantCount;
use crate::grants::{GrantId, GrantRecord};
use crate::key::Key;
use crate::key_id::{KeyId, not_found};
use crate::limits::Limits;
use crate::records::{decode, encode};
use crate::{Kms, layout};

/// How many turns there are. Keys share them by their ids.
const TURNS: usize = 64;

/// How many grants of equal hash are looked at at once; there is hardly ever more than one.
const BATCH: usize = 100;

/// Whose turn it is to change a key's grants.
pub(crate) struct Turns([Mutex<()>; TURNS]);

impl Default for Turns {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(())))
    }
}

impl Turns {
    async fn of(&self, key: &Key) -> MutexGuard<'_, ()> {
        self.at(&key.id).await
    }

    /// The turn of whatever changes the key of that id.
    pub(crate) async fn at(&self, id: &KeyId) -> MutexGuard<'_, ()> {
        let (_, id) = id.to_bytes();
        self.0[usize::from(id[0]) % TURNS].lock().await
    }
}

/// The turn to change a key's grants, with what the change is conditional on.
pub(crate) struct Turn<'a> {
    _guard: MutexGuard<'a, ()>,
    count: usize,
    expected: Expect,
}

/// A grant as it was read.
pub(crate) struct Found {
    pub(crate) record: GrantRecord,
    pub(crate) revision: Revision,
}

/// The refusal for a grant that isn't there.
pub(crate) fn absent(id: &GrantId) -> Error {
    not_found(format!("Grant '{id}' does not exist"))
}

/// The store keys of a grant: its record, its entry by grantee, then those by retiring principal
/// and by the parameters that a name makes repeatable, if it has them.
pub(crate) fn places(
    account: &AccountId,
    region: &Region,
    key_id: &str,
    id: &str,
    record: &GrantRecord,
) -> Result<Vec<String>, Error> {
    let mut places = vec![
        layout::grants(account, region, key_id) + id,
        layout::grantee(account, region, key_id, record.grantee.as_str()) + id,
    ];
    if let Some(principal) = &record.retiring {
        let part = layout::retirable_part(account, key_id, id);
        places.push(layout::retirable(region, principal.as_str()) + &part);
    }
    if record.name.is_some() {
        let hash = hash(&record.parameters()?);
        places.push(layout::repeatable(account, region, key_id, hash) + id);
    }
    Ok(places)
}

impl Kms {
    /// Waits for the turn to change the key's grants.
    pub(crate) async fn turn(&self, key: &Key) -> Result<Turn<'_>, Error> {
        let guard = self.turns.of(key).await;
        let place = layout::grant_count(&key.account, &key.region, key.id.as_str());
        let (count, expected) = match self.store.get(&place).await? {
            Some(item) => {
                let count: GrantCount = decode(&item.value)?;
                (count.grants, Expect::At(item.revision))
            }
            None => (0, Expect::Absent),
        };
        Ok(Turn { _guard: guard, count, expected })
    }

    /// The grant of that id on the key, if there is one.
    pub(crate) async fn grant(&self, key: &Key, id: &GrantId) -> Result<Option<Found>, Error> {
        let prefix = layout::grants(&key.account, &key.region, key.id.as_str());
        let Some(item) = self.store.get(&(prefix + id.as_str())).await? else { return Ok(None) };
        Ok(Some(Found { record: decode(&item.value)?, revision: item.revision }))
    }

    /// The id of a grant on the key that has a name and came of equal parameters.
    pub(crate) async fn repeated(
        &self,
        key: &Key,
        record: &GrantRecord,
    ) -> Result<Option<GrantId>, Error> {
        if record.name.is_none() {
            return Ok(None);
        }
        let parameters = record.parameters()?;
        let (account, region, id) = (&key.account, &key.region, key.id.as_str());
        let prefix = layout::repeatable(account, region, id, hash(&parameters));
        let mut after = String::new();
        loop {
            let page = self.store.range(&prefix, &after, BATCH).await?;
            for item in &page.items {
                let Some(id) = item.key.strip_prefix(&prefix).and_then(GrantId::parse) else {
                    return Err(Error::internal("an unreadable entry in the index of grants"));
                };
                let Some(found) = self.grant(key, &id).await? else { continue };
                if found.record.parameters()? == parameters {
                    return Ok(Some(id));
                }
            }
            match page.items.into_iter().next_back() {
                Some(last) if page.more => after = last.key,
                _ => return Ok(None),
            }
        }
    }

    /// Adds a grant to the key's.
    ///
    /// # Errors
    /// A conflict if the key has changed since the request was decided on it.
    pub(crate) async fn add_grant(
        &self,
        key: &Key,
        turn: Turn<'_>,
        id: &GrantId,
        record: &GrantRecord,
    ) -> Result<(), Error> {
        let mut commit = counted(key, &turn, turn.count + 1)?;
        let places = places(&key.account, &key.region, key.id.as_str(), id.as_str(), record)?;
        // What decides on requests stands in the index by grantee, the rest of the grant doesn't.
        let values = [encode(record)?, encode(&record.terms)?].into_iter();
        let values = values.chain(std::iter::repeat(Vec::new()));
        commit.puts.extend(places.into_iter().zip(values));
        self.store.commit(commit).await?;
        Ok(())
    }

    /// Removes a grant from the key's.
    ///
    /// # Errors
    /// A conflict if the key or the grant has changed since the request was decided on it.
    pub(crate) async fn remove_grant(
        &self,
        key: &Key,
        turn: Turn<'_>,
        id: &GrantId,
        found: &Found,
    ) -> Result<(), Error> {
        let mut commit = counted(key, &turn, turn.count.saturating_sub(1))?;
        commit.deletes =
            places(&key.account, &key.region, key.id.as_str(), id.as_str(), &found.record)?;
        commit.preconditions.push((commit.deletes[0].clone(), Expect::At(found.revision)));
        self.store.commit(commit).await?;
        Ok(())
    }
}

impl Turn<'_> {
    /// Refuses a further grant for a key that has as many as it may.
    ///
    /// # Errors
    /// LimitExceededException.
    pub(crate) fn room(&self, limits: &Limits) -> Result<(), Error> {
        let most = limits.grants_per_key;
        if self.count < most {
            return Ok(());
        }
        Err(Error::new(
            ErrorCode::LimitExceededException,
            format!("A KMS key can have at most {most} grants"),
        ))
    }
}

/// A commit that sets the key's count of grants, on condition that neither the key nor the count
/// has changed.
fn counted(key: &Key, turn: &Turn<'_>, grants: usize) -> Result<Commit, Error> {
    let (account, region, id) = (&key.account, &key.region, key.id.as_str());
    let place = layout::grant_count(account, region, id);
    Ok(Commit {
        preconditions: vec![
            (layout::key(account, region, id), Expect::At(key.revision)),
            (place.clone(), turn.expected),
        ],
        puts: vec![(place, encode(&GrantCount { grants })?)],
        deletes: Vec::new(),
    })
}

/// FNV-1a of 64 bits (Fowler, Noll, Vo). Parameters that share it are told apart as they are.
fn hash(parameters: &str) -> u64 {
    parameters.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(hash(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(hash("foobar"), 0x8594_4171_f739_67e8);
    }
}
