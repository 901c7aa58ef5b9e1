//! The principals of all accounts, their policies and access keys, as the store has them: reading
//! and changing records. What a principal may do is [`crate::identity`]'s.

use std::sync::Arc;

use service::ports::{
    Commit, Entropy, Expect, KeyStore, Revision, Store, StoreError, Subscription,
};
use service::records::{decode, encode};
use service::{CacheStats, Error, StateCache};
use wire::AccountId;

use crate::access_key::AccessKey;
use crate::identity::AccountIdentities;
use crate::layout;
use crate::limits::Limits;
use crate::records::{AccountRecord, Entity};

/// The principals of all accounts. IAM and STS share one.
pub struct Directory {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) key_store: Arc<dyn KeyStore>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) limits: Limits,
    /// Whether a condition key, in lower case, is one that the services here know.
    pub(crate) is_condition_key: fn(&str) -> bool,
    pub(crate) identities: Arc<StateCache<AccountIdentities>>,
    pub(crate) access_keys: Arc<StateCache<AccessKey>>,
    pub(crate) last_uses: crate::last_use::LastUses,
    /// Keep the caches told of changes.
    _subscriptions: [Subscription; 2],
}

/// A record with what is needed to change it.
pub(crate) struct Stored<R> {
    pub(crate) record: R,
    pub(crate) place: String,
    pub(crate) revision: Revision,
}

/// What an account has beside its entities, whether or not that was ever written down.
pub(crate) struct Account {
    pub(crate) record: AccountRecord,
    place: String,
    stored: Option<Stored<AccountRecord>>,
}

impl Directory {
    /// The principals in that store. `is_condition_key` says of the condition keys of the services
    /// that are here, in lower case, whether they exist; policies may speak of other services' as
    /// they like.
    ///
    /// # Errors
    /// Those of the store.
    pub fn new(
        store: Arc<dyn Store>,
        key_store: Arc<dyn KeyStore>,
        entropy: Arc<dyn Entropy>,
        is_condition_key: fn(&str) -> bool,
    ) -> Result<Self, StoreError> {
        let identities = Arc::new(AccountIdentities::cache());
        let access_keys = Arc::new(AccessKey::cache());
        let from: Revision = store.revision();
        let subscriptions = [
            store.watch(from, Arc::clone(&identities) as _)?,
            store.watch(from, Arc::clone(&access_keys) as _)?,
        ];
        Ok(Self {
            store,
            key_store,
            entropy,
            limits: Limits::default(),
            is_condition_key,
            identities,
            access_keys,
            last_uses: crate::last_use::LastUses::default(),
            _subscriptions: subscriptions,
        })
    }

    /// What the caches have been used for, by their names.
    pub fn cache_stats(&self) -> [(&'static str, CacheStats); 2] {
        [("identities", self.identities.stats()), ("access_keys", self.access_keys.stats())]
    }

    /// The record of that name.
    pub(crate) async fn entity<R: Entity>(
        &self,
        account: &AccountId,
        name: &str,
    ) -> Result<Option<Stored<R>>, Error> {
        self.stored(layout::entity(account, R::KIND, name)).await
    }

    /// The record at that place.
    pub(crate) async fn stored<R: serde::de::DeserializeOwned>(
        &self,
        place: String,
    ) -> Result<Option<Stored<R>>, Error> {
        let Some(item) = self.store.get(&place).await? else { return Ok(None) };
        let record = decode(&item.value)?;
        Ok(Some(Stored { record, place, revision: item.revision }))
    }

    /// What an account has beside its entities.
    pub(crate) async fn account(&self, account: &AccountId) -> Result<Account, Error> {
        let place = layout::account_record(account);
        let stored: Option<Stored<AccountRecord>> = self.stored(place.clone()).await?;
        let record = stored.as_ref().map_or_else(AccountRecord::default, |s| s.record.clone());
        Ok(Account { record, place, stored })
    }

    /// Up to `limit` of an account's records of a kind behind the one of the name `after`, in the
    /// order of their names, and whether there are more.
    pub(crate) async fn entities<R: Entity>(
        &self,
        account: &AccountId,
        after: &str,
        limit: usize,
    ) -> Result<(Vec<R>, bool), Error> {
        let prefix = layout::entities(account, R::KIND);
        let after = if after.is_empty() { String::new() } else { format!("{prefix}{after}") };
        let page = self.store.range(&prefix, &after, limit).await?;
        let records: Result<Vec<R>, Error> =
            page.items.iter().map(|item| decode(&item.value)).collect();
        Ok((records?, page.more))
    }

    /// The last parts of up to `limit` keys below `prefix` behind the one that ends in `after`, and
    /// whether there are more. For indexes, whose records are empty.
    pub(crate) async fn names(
        &self,
        prefix: &str,
        after: &str,
        limit: usize,
    ) -> Result<(Vec<String>, bool), Error> {
        let after = if after.is_empty() { String::new() } else { format!("{prefix}{after}") };
        let page = self.store.range(prefix, &after, limit).await?;
        let part = |key: &str| key.strip_prefix(prefix).unwrap_or(key).to_owned();
        Ok((page.items.iter().map(|item| part(&item.key)).collect(), page.more))
    }

    /// Whether nothing stands below that prefix.
    pub(crate) async fn is_empty(&self, prefix: &str) -> Result<bool, Error> {
        Ok(self.store.range(prefix, "", 1).await?.items.is_empty())
    }
}

/// A change of several records, on condition that none of those it was decided on has changed.
#[derive(Default)]
pub(crate) struct Change(Commit);

impl Change {
    /// Writes a record where none may stand yet.
    pub(crate) fn create<R: serde::Serialize>(
        &mut self,
        place: String,
        record: &R,
    ) -> Result<&mut Self, Error> {
        self.0.preconditions.push((place.clone(), Expect::Absent));
        self.0.puts.push((place, encode(record)?));
        Ok(self)
    }

    /// Writes a record in place of another.
    pub(crate) fn replace<R: serde::Serialize>(
        &mut self,
        stored: &Stored<R>,
        record: &R,
    ) -> Result<&mut Self, Error> {
        self.expect(stored);
        self.0.puts.push((stored.place.clone(), encode(record)?));
        Ok(self)
    }

    /// Writes an account's changed record.
    pub(crate) fn account(&mut self, account: &Account) -> Result<&mut Self, Error> {
        match &account.stored {
            Some(stored) => self.replace(stored, &account.record),
            None => self.create(account.place.clone(), &account.record),
        }
    }

    /// Removes a record.
    pub(crate) fn delete<R>(&mut self, stored: &Stored<R>) -> &mut Self {
        self.expect(stored);
        self.0.deletes.push(stored.place.clone());
        self
    }

    /// Demands that a record be as it was read.
    pub(crate) fn expect<R>(&mut self, stored: &Stored<R>) -> &mut Self {
        self.0.preconditions.push((stored.place.clone(), Expect::At(stored.revision)));
        self
    }

    /// Writes a record as it is, so that a change that was decided on it meanwhile is decided anew:
    /// a deletion, say, that saw an index before this change notes something in it.
    pub(crate) fn touch<R: serde::Serialize>(
        &mut self,
        stored: &Stored<R>,
    ) -> Result<&mut Self, Error> {
        self.replace(stored, &stored.record)
    }

    /// Makes an entry of an index, which holds nothing.
    pub(crate) fn note(&mut self, place: String) -> &mut Self {
        self.0.puts.push((place, Vec::new()));
        self
    }

    /// Makes an entry of an index that holds a name.
    pub(crate) fn note_name(&mut self, place: String, name: &str) -> &mut Self {
        self.0.puts.push((place, name.as_bytes().to_vec()));
        self
    }

    /// Removes an entry of an index.
    pub(crate) fn forget(&mut self, place: String) -> &mut Self {
        self.0.deletes.push(place);
        self
    }

    /// Does all of it.
    ///
    /// # Errors
    /// A conflict, which makes the pipeline decide the request again.
    pub(crate) async fn commit(&mut self, directory: &Directory) -> Result<(), Error> {
        directory.store.commit(std::mem::take(&mut self.0)).await?;
        Ok(())
    }
}
