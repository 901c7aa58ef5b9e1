//! Aliases: which names a caller may give, and what stands behind one.

use std::sync::Arc;

use service::{Context, Error, Facts, Resource, Target};
use wire::shapes::AliasName;
use wire::{AccountId, ErrorCode, Region, Timestamp};

use crate::authorization::{permit_all, permit_by_identity};
use crate::key::Key;
use crate::key_id::{KeyId, not_found};
use crate::limits::Limits;
use crate::lookup::{Alias, alias_arn};
use crate::{Kms, layout};

/// Checks that a caller may make, move or remove an alias of that name.
///
/// # Errors
/// ValidationException for a name without the prefix or with a colon, NotAuthorizedException for
/// the names that AWS keeps for itself.
pub(crate) fn owned_name(name: &AliasName) -> Result<(), Error> {
    let Some(rest) = name.as_str().strip_prefix("alias/") else {
        return Err(Error::validation(
            "Alias must start with the prefix \"alias/\". Please see \
             https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
        ));
    };
    if rest.starts_with("aws/") {
        return Err(Error::bare(ErrorCode::NotAuthorizedException));
    }
    if rest.is_empty() || rest.contains(':') {
        return Err(Error::validation(format!(
            "{} contains invalid characters for an alias",
            name.as_str()
        )));
    }
    Ok(())
}

/// Refuses an alias as the target of an alias.
///
/// # Errors
/// ValidationException.
pub(crate) fn target_name(name: &wire::shapes::KeyId) -> Result<&wire::shapes::KeyId, Error> {
    let resource = wire::Arn::parse(name.as_str()).map_or(name.as_str(), |arn| arn.resource);
    if resource.starts_with("alias/") {
        return Err(Error::validation("Aliases must refer to keys. Not aliases"));
    }
    Ok(name)
}

/// Refuses unless the caller's own policies let it do what the operation does to the alias of that
/// name in its account: aliases have no policies.
///
/// # Errors
/// AccessDeniedException.
pub(crate) fn permit_alias(cx: &Context<'_, Kms>, facts: &Facts, name: &str) -> Result<(), Error> {
    let arn = alias_arn(cx.account(), cx.region, name);
    facts.actions.iter().try_for_each(|action| permit_by_identity(cx, action, &arn))
}

/// How an audit record names an alias of the key; AWS gives it the type of keys.
pub(crate) fn alias_resource(key: &Key, name: &str) -> Resource {
    Resource { arn: alias_arn(&key.account, &key.region, name).into(), ..key.resource() }
}

/// An alias with the key behind it.
pub(crate) struct AliasTarget {
    pub(crate) name: String,
    pub(crate) alias: Arc<Alias>,
    pub(crate) key: Arc<Key>,
}

impl AliasTarget {
    /// Finds an alias of the caller's account.
    ///
    /// # Errors
    /// NotFoundException, also where its key is gone.
    pub(crate) async fn resolve(cx: &Context<'_, Kms>, name: &AliasName) -> Result<Self, Error> {
        let (account, region, name) = (cx.account(), cx.region, name.as_str());
        let alias = cx.service.alias(account, region, name).await?;
        let id = alias.as_ref().and_then(|alias| KeyId::parse(&alias.record.target));
        let key = match id {
            Some(id) => cx.service.key(account, region, &id, cx.now).await?,
            None => None,
        };
        match (alias, key) {
            (Some(alias), Some(key)) => Ok(Self { name: name.to_owned(), alias, key }),
            _ => {
                Err(not_found(format!("Alias {} is not found.", alias_arn(account, region, name))))
            }
        }
    }
}

impl Target<Kms> for AliasTarget {
    async fn authorize(&self, facts: &Facts, cx: &Context<'_, Kms>) -> Result<(), Error> {
        permit_alias(cx, facts, &self.name)?;
        permit_all(cx, facts, &self.key).await
    }

    fn check(&self, facts: &Facts, cx: &Context<'_, Kms>) -> Result<(), Error> {
        self.key.suits(facts, cx.now)
    }

    fn resources(&self) -> Vec<Resource> {
        vec![alias_resource(&self.key, &self.name), self.key.resource()]
    }
}

impl Kms {
    /// Whether an alias may be made of that name. One whose key is gone is removed with the key,
    /// if the job that does so hasn't come by yet.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn is_free_alias(
        &self,
        account: &AccountId,
        region: &Region,
        name: &str,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let Some(alias) = self.alias(account, region, name).await? else { return Ok(true) };
        self.remove(account, region, &alias.record.target, now).await
    }

    /// The names of the key's aliases, with their prefix.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn aliases_of(&self, key: &Key) -> Result<Vec<String>, Error> {
        let prefix = layout::key_aliases(&key.account, &key.region, key.id.as_str());
        let page = self.store.range(&prefix, "", Limits::ALIASES_PER_KEY_BOUND).await?;
        let name = |key: &str| key.strip_prefix(&prefix).map(ToOwned::to_owned);
        Ok(page.items.iter().filter_map(|item| name(&item.key)).collect())
    }

    /// Refuses a further alias for a key that has as many as it may.
    ///
    /// # Errors
    /// LimitExceededException.
    pub(crate) async fn room_for_alias(&self, key: &Key) -> Result<(), Error> {
        let prefix = layout::key_aliases(&key.account, &key.region, key.id.as_str());
        let max = self.limits.aliases_per_key;
        // More may be there than the limit says: it may have been higher once.
        let there = self.store.range(&prefix, "", Limits::ALIASES_PER_KEY_BOUND).await?.items.len();
        if there < max {
            return Ok(());
        }
        Err(Error::new(
            ErrorCode::LimitExceededException,
            format!(
                "Aliases per key quota for this account in this region is {max}, current usage is \
                 {there}."
            ),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_names_a_caller_may_give() {
        assert!(owned_name(&AliasName::of("alias/a/b-c_d")).is_ok());
        for (name, code) in [
            ("x", ErrorCode::ValidationException),
            ("alias/", ErrorCode::ValidationException),
            ("alias/a:b", ErrorCode::ValidationException),
            ("alias/aws/s3", ErrorCode::NotAuthorizedException),
        ] {
            assert_eq!(owned_name(&AliasName::of(name)).unwrap_err().code(), code, "{name}");
        }
    }
}
