//! Finding keys and aliases: by whatever name a request uses, through the cache, as of now.

use std::sync::Arc;

use service::{Context, Error};
use wire::{AccountId, Region, Timestamp};

use crate::authorization::unreachable_key;
use crate::key::{Key, arn};
use crate::key_id::{Aliases, KeyId, KeyName, KeyNameKind, not_found};
use crate::records::{AliasRecord, Existence, decode};
use crate::rotation::is_due;
use crate::{Kms, layout};

impl Kms {
    /// The key that a request names by id or ARN, or by alias or alias ARN where the operation
    /// takes those. `action` words the refusal for another account's key that isn't there.
    ///
    /// # Errors
    /// NotFoundException in the caller's own account, AccessDeniedException in another.
    pub(crate) async fn key_named(
        &self,
        cx: &Context<'_, Self>,
        name: &wire::shapes::KeyId,
        aliases: Aliases,
        action: &str,
    ) -> Result<Arc<Key>, Error> {
        let name = KeyName::parse(name.as_str(), cx.region, aliases)?;
        let account = name.account.unwrap_or(*cx.account());
        let own = account == *cx.account();
        let found = match &name.kind {
            KeyNameKind::Id(id) => self.key(&account, cx.region, id, cx.now).await?,
            KeyNameKind::Alias(alias) => {
                self.key_behind(&account, cx.region, alias, cx.now).await?
            }
        };
        match (found, name.kind) {
            (Some(key), _) => Ok(key),
            (None, _) if !own => Err(unreachable_key(cx, action)),
            (None, KeyNameKind::Id(id)) => {
                let arn = arn(&account, cx.region, &id);
                Err(not_found(format!("Key '{arn}' does not exist")))
            }
            (None, KeyNameKind::Alias(alias)) => {
                let arn = alias_arn(&account, cx.region, alias);
                Err(not_found(format!("Alias {arn} is not found.")))
            }
        }
    }

    /// The key of that id, if it exists at that moment, with all rotations whose dates have come.
    pub(crate) async fn key(
        &self,
        account: &AccountId,
        region: &Region,
        id: &KeyId,
        now: Timestamp,
    ) -> Result<Option<Arc<Key>>, Error> {
        loop {
            let Some(key) = self.standing_key(account, region, id, now).await? else {
                return Ok(None);
            };
            if !is_due(&key, now) || !self.rotate_due(&key, now).await? {
                return Ok(Some(key));
            }
            // Whoever rotated it, the next round meets the change.
        }
    }

    /// The key of that id as its record stands, if it exists at that moment. What is due is left.
    pub(crate) async fn standing_key(
        &self,
        account: &AccountId,
        region: &Region,
        id: &KeyId,
        now: Timestamp,
    ) -> Result<Option<Arc<Key>>, Error> {
        let place = layout::key(account, region, id.as_str());
        let key = match self.keys.get(&place) {
            Some(key) => Some(key),
            None => self.load_key(account, region, id, &place).await?,
        };
        Ok(key.filter(|key| key.record.exists(now)))
    }

    /// Whether there is a key of that id at that moment: for lists, which neither load the keys
    /// that they tell of nor drive others out of the cache.
    pub(crate) async fn has_key(
        &self,
        account: &AccountId,
        region: &Region,
        id: &KeyId,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let place = layout::key(account, region, id.as_str());
        if let Some(key) = self.keys.get(&place) {
            return Ok(key.record.exists(now));
        }
        let Some(item) = self.store.get(&place).await? else { return Ok(false) };
        Ok(decode::<Existence>(&item.value)?.exists(now))
    }

    async fn load_key(
        &self,
        account: &AccountId,
        region: &Region,
        id: &KeyId,
        place: &str,
    ) -> Result<Option<Arc<Key>>, Error> {
        let ticket = self.keys.before_load(place);
        let Some(item) = self.store.get(place).await? else { return Ok(None) };
        let key =
            Key::from_record(*account, region.clone(), id.clone(), &item.value, item.revision)?;
        let key = Arc::new(key);
        self.keys.keep(&ticket, place.to_owned(), Arc::clone(&key));
        Ok(Some(key))
    }

    /// The alias of that name (with its prefix), whether or not its key still exists.
    pub(crate) async fn alias(
        &self,
        account: &AccountId,
        region: &Region,
        name: &str,
    ) -> Result<Option<Arc<Alias>>, Error> {
        let place = layout::alias(account, region, name);
        if let Some(alias) = self.aliases.get(&place) {
            return Ok(Some(alias));
        }
        let ticket = self.aliases.before_load(&place);
        let Some(item) = self.store.get(&place).await? else { return Ok(None) };
        let alias = Arc::new(Alias { record: decode(&item.value)?, revision: item.revision });
        self.aliases.keep(&ticket, place, Arc::clone(&alias));
        Ok(Some(alias))
    }

    /// The key that an alias stands for, if both exist.
    pub(crate) async fn key_behind(
        &self,
        account: &AccountId,
        region: &Region,
        alias: &str,
        now: Timestamp,
    ) -> Result<Option<Arc<Key>>, Error> {
        let Some(alias) = self.alias(account, region, alias).await? else { return Ok(None) };
        let Some(id) = KeyId::parse(&alias.record.target) else { return Ok(None) };
        self.key(account, region, &id, now).await
    }
}

/// An alias as it was read.
pub(crate) struct Alias {
    pub(crate) record: AliasRecord,
    pub(crate) revision: service::ports::Revision,
}

/// The ARN of an alias; the name with its prefix.
pub(crate) fn alias_arn(account: &AccountId, region: &Region, name: &str) -> String {
    format!("arn:{}:kms:{region}:{account}:{name}", wire::partition(region.as_str()))
}
