//! What users and roles may do by their own side: their policies, gathered from inline documents,
//! attachments and groups, compiled once and kept until anything in their account changes.
//!
//! Must not know what a policy says.

use std::sync::Arc;

use policy::{Document, DocumentKind};
use quick_cache::sync::Cache;
use service::ports::{Known, Pending, Principals};
use service::{Error, NamedPolicy, Principal, StateCache};
use wire::{AccountId, Arn};

use crate::aws_managed::AwsManaged;
use crate::directory::Directory;
use crate::layout;
use crate::records::{GroupRecord, Permissions, Permitted, PolicyRecord, RoleRecord, UserRecord};
use crate::session::OpenSession;
use crate::trust::Assumable;

/// How many accounts' identities stay in memory, and how many of an account.
const CACHED_ACCOUNTS: usize = 1_000;
const CACHED_PRINCIPALS: usize = 20_000;
/// How often a principal is read again because its account changed meanwhile.
const LOADS_MAX: usize = 64;
const CACHED_SESSIONS: usize = 5_000;
const CACHED_ASSUMABLE: usize = 1_000;
/// How often a group is looked for that is renamed meanwhile.
const GROUP_READS_MAX: usize = 8;

/// The identities of one account that are known. It is dropped as a whole when anything in the
/// account changes; a load that began before goes into the dropped one, where nobody looks.
pub(crate) struct AccountIdentities {
    principals: Cache<String, Arc<Principal>>,
    pub(crate) sessions: Cache<String, Arc<OpenSession>>,
    pub(crate) assumable: Cache<String, Arc<Assumable>>,
}

impl AccountIdentities {
    /// A cache of accounts' identities.
    pub(crate) fn cache() -> StateCache<Self> {
        StateCache::of_groups(layout::ACCOUNTS, CACHED_ACCOUNTS, layout::account_of, |_| 1)
    }
}

impl Directory {
    /// What is known of an account now. To be taken before the store is read.
    pub(crate) fn identities_of(&self, account: &AccountId) -> Arc<AccountIdentities> {
        let place = layout::account(account);
        if let Some(known) = self.identities.get(&place) {
            return known;
        }
        let ticket = self.identities.before_load(&place);
        let new = Arc::new(AccountIdentities {
            principals: Cache::new(CACHED_PRINCIPALS),
            sessions: Cache::new(CACHED_SESSIONS),
            assumable: Cache::new(CACHED_ASSUMABLE),
        });
        self.identities.keep(&ticket, place, Arc::clone(&new));
        new
    }

    /// The user of that name, with its policies.
    pub(crate) async fn user(
        &self,
        partition: &str,
        account: &AccountId,
        name: &str,
    ) -> Result<Option<Arc<Principal>>, Error> {
        self.principal_named::<UserRecord>(partition, account, name).await
    }

    /// The role of that name, with its policies.
    pub(crate) async fn role(
        &self,
        partition: &str,
        account: &AccountId,
        name: &str,
    ) -> Result<Option<Arc<Principal>>, Error> {
        self.principal_named::<RoleRecord>(partition, account, name).await
    }

    async fn principal_named<R: Identified>(
        &self,
        partition: &str,
        account: &AccountId,
        name: &str,
    ) -> Result<Option<Arc<Principal>>, Error> {
        let place = [partition, "/", R::KIND, "/", &name.to_lowercase()].concat();
        for _ in 0..LOADS_MAX {
            let known = self.identities_of(account);
            if let Some(principal) = known.principals.get(&place) {
                return Ok(Some(principal));
            }
            let ticket = self.identities.before_load(&layout::account(account));
            let loaded = self.load_principal::<R>(partition, account, name).await;
            // It was read piece by piece. If anything in the account changed meanwhile, it may be a
            // mixture that never was.
            if !self.identities.is_unchanged_since(&ticket) {
                continue;
            }
            if let Ok(Some(principal)) = &loaded {
                known.principals.insert(place, Arc::clone(principal));
            }
            return loaded;
        }
        Err(Error::internal("an account changes faster than its principals can be read"))
    }

    async fn load_principal<R: Identified>(
        &self,
        partition: &str,
        account: &AccountId,
        name: &str,
    ) -> Result<Option<Arc<Principal>>, Error> {
        let Some(stored) = self.entity::<R>(account, name).await? else { return Ok(None) };
        let record = stored.record;
        let permissions = record.permissions();
        let mut policies = self.documents(account, permissions).await?;
        for id in record.groups() {
            if let Some(group) = self.group_of_id(account, id).await? {
                policies.extend(self.documents(account, &group.permissions).await?);
            }
        }
        let boundary = match &permissions.boundary {
            Some(arn) => Some(self.attached(account, arn).await?),
            None => None,
        };
        Ok(Some(Arc::new(Principal {
            name: record.name().to_owned(),
            arn: record.arn(partition, account),
            unique_id: record.unique_id().to_owned(),
            policies,
            boundary,
            tags: record.tags().to_vec(),
        })))
    }

    /// The group of that unique id.
    pub(crate) async fn group_of_id(
        &self,
        account: &AccountId,
        id: &str,
    ) -> Result<Option<GroupRecord>, Error> {
        for _ in 0..GROUP_READS_MAX {
            let Some(item) = self.store.get(&layout::group_id(account, id)).await? else {
                return Ok(None);
            };
            let name = String::from_utf8(item.value).map_err(Error::internal)?;
            let group = self.entity::<GroupRecord>(account, &name).await?;
            if let Some(group) = group.filter(|group| group.record.id == id) {
                return Ok(Some(group.record));
            }
            // It was renamed between the two reads. Without it, what it denies would be allowed.
        }
        Err(Error::internal("a group's name doesn't lead to it"))
    }

    async fn documents(
        &self,
        account: &AccountId,
        permissions: &Permissions,
    ) -> Result<Vec<NamedPolicy>, Error> {
        let mut policies = Vec::new();
        for (name, text) in &permissions.inline {
            policies.push(in_force(name, text, DocumentKind::Identity)?);
        }
        for arn in &permissions.attached {
            policies.push(self.attached(account, arn).await?);
        }
        Ok(policies)
    }

    /// The managed policy that is attached somewhere in the account. It exists: one that is
    /// attached can't be deleted.
    pub(crate) async fn attached(
        &self,
        account: &AccountId,
        arn: &str,
    ) -> Result<NamedPolicy, Error> {
        let found = self.managed_policy(account, arn).await?;
        found.ok_or_else(|| Error::internal(format!("an attached policy is gone: {arn}")))
    }

    /// What the managed policy of that ARN says now: one of AWS's, or of the account's own.
    pub(crate) async fn managed_policy(
        &self,
        account: &AccountId,
        arn: &str,
    ) -> Result<Option<NamedPolicy>, Error> {
        if let Some(managed) = AwsManaged::of_arn(arn) {
            return Ok(Some(NamedPolicy { name: arn.into(), document: managed.compiled()? }));
        }
        let Some(name) = policy_name(account, arn) else { return Ok(None) };
        let Some(stored) = self.entity::<PolicyRecord>(account, name).await? else {
            return Ok(None);
        };
        let policy = stored.record;
        let default = policy.versions.iter().find(|one| one.number == policy.default_version);
        let text = default.map(|version| version.document.as_str());
        let text = text.ok_or_else(|| Error::internal("a policy has no default version"))?;
        in_force(arn, text, DocumentKind::Managed).map(Some)
    }
}

/// The name of the account's own policy of that ARN, whose path isn't looked at.
pub(crate) fn policy_name<'a>(account: &AccountId, arn: &'a str) -> Option<&'a str> {
    let arn = Arn::parse(arn).filter(|arn| arn.service == "iam" && arn.region.is_empty())?;
    if arn.account != account.as_str() {
        return None;
    }
    arn.resource.strip_prefix("policy/")?.rsplit('/').next()
}

/// A document that was accepted when it was written.
pub(crate) fn in_force(name: &str, text: &str, kind: DocumentKind) -> Result<NamedPolicy, Error> {
    let document = Document::parse_stored(text, kind)
        .map_err(|malformed| Error::internal(format!("a stored policy: {malformed}")))?;
    Ok(NamedPolicy { name: name.into(), document: Arc::new(document) })
}

/// What a session can be of.
trait Identified: Permitted {
    fn unique_id(&self) -> &str;

    /// The unique ids of the groups that it is in.
    fn groups(&self) -> &[String] {
        &[]
    }
}

impl Identified for UserRecord {
    fn unique_id(&self) -> &str {
        &self.id
    }

    fn groups(&self) -> &[String] {
        &self.groups
    }
}

impl Identified for RoleRecord {
    fn unique_id(&self) -> &str {
        &self.id
    }
}

impl Principals for Directory {
    fn principal<'a>(&'a self, arn: &'a str) -> Pending<'a, Result<Option<Known>, Error>> {
        Box::pin(async move {
            let Some(parsed) = Arn::parse(arn).filter(|arn| arn.region.is_empty()) else {
                return Ok(None);
            };
            let Ok(account) = AccountId::parse(parsed.account) else { return Ok(None) };
            let (kind, rest) = parsed.resource.split_once('/').unwrap_or((parsed.resource, ""));
            let name = rest.rsplit('/').next().unwrap_or_default();
            let partition = parsed.partition;
            let found = match (parsed.service, kind) {
                ("iam", "root") if rest.is_empty() => return Ok(Some(Known::ByName)),
                ("iam", "user") => self.user(partition, &account, name).await?,
                ("iam", "role") => self.role(partition, &account, name).await?,
                ("sts", "federated-user") if !rest.is_empty() => return Ok(Some(Known::ByName)),
                ("sts", "assumed-role") => {
                    let Some((role, _)) = rest.split_once('/') else { return Ok(None) };
                    let role = self.role(partition, &account, role).await?;
                    return Ok(role.map(|_| Known::ByName));
                }
                _ => None,
            };
            // The path is part of the name here.
            let same = found.filter(|principal| principal.arn == arn);
            Ok(same.map(|principal| Known::ById(principal.unique_id.clone())))
        })
    }
}
