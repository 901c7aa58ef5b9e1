//! The lists of managed policies, and of what one of them is attached to.

use service::{Context, Error};
use wire::iam::{
    EntityType, GroupName, Policy, PolicyGroup, PolicyRole, PolicyScope, PolicyUsage, PolicyUser,
    ResponseMarker, RoleName, UniqueId, UserName,
};

use crate::Iam;
use crate::attachments::{BOUNDARY, ManagedPolicy};
use crate::aws_managed::AWS_MANAGED;
use crate::layout;
use crate::managed::{Told, Usage};
use crate::paging::{LOOKED_AT_MAX, Listing, Page};
use crate::records::{Entity as _, GroupRecord, Permitted, PolicyRecord, RoleRecord, UserRecord};

/// How markers name a policy of the account's own, which come first, and one of AWS's.
const OWN: &str = "own/";
const AWS: &str = "aws/";

/// Which managed policies a list is to hold.
pub(crate) struct Wanted<'a> {
    pub(crate) scope: PolicyScope,
    pub(crate) only_attached: bool,
    pub(crate) prefix: &'a str,
    pub(crate) usage: Option<PolicyUsage>,
}

impl Wanted<'_> {
    fn suits(&self, usage: &Usage) -> bool {
        match self.usage {
            Some(PolicyUsage::PermissionsBoundary) => usage.bounding > 0,
            Some(PolicyUsage::PermissionsPolicy) => usage.attached > 0,
            None => !self.only_attached || usage.attached > 0,
        }
    }
}

/// A page of the managed policies that the account can attach: its own by name, then AWS's by name.
///
/// # Errors
/// Those of the store.
pub(crate) async fn policies(
    cx: &Context<'_, Iam>,
    wanted: &Wanted<'_>,
    listing: &Listing,
) -> Result<Page<Policy>, Error> {
    let mut items = Vec::new();
    if wanted.scope != PolicyScope::Aws && !listing.after.starts_with(AWS) {
        let next = own(cx, wanted, listing, &mut items).await?;
        if let Some(after) = next {
            return Ok(Page { items, next: Some(listing.marker(&format!("{OWN}{after}"))) });
        }
    }
    if wanted.scope == PolicyScope::Local {
        return Ok(Page { items, next: None });
    }
    let after = listing.after.strip_prefix(AWS).unwrap_or_default();
    let rest = AWS_MANAGED.partition_point(|policy| policy.name <= after);
    let mut last = after;
    for policy in AWS_MANAGED[rest..].iter().filter(|one| one.path.starts_with(wanted.prefix)) {
        let usage = cx.service.directory.usage(cx.account(), policy.id).await?;
        if !wanted.suits(&usage) {
            continue;
        }
        if items.len() >= listing.limit {
            return Ok(Page { items, next: Some(listing.marker(&format!("{AWS}{last}"))) });
        }
        last = policy.name;
        items.push(Told::Aws(policy).listed(cx, &usage));
    }
    Ok(Page { items, next: None })
}

/// Adds those of the account's own, and says behind which the next page begins, if the page ends
/// among them.
async fn own(
    cx: &Context<'_, Iam>,
    wanted: &Wanted<'_>,
    listing: &Listing,
    items: &mut Vec<Policy>,
) -> Result<Option<String>, Error> {
    let directory = &cx.service.directory;
    let mut after = listing.after.strip_prefix(OWN).unwrap_or_default().to_owned();
    let mut looked_at = 0;
    loop {
        let left = listing.limit - items.len();
        let (records, more) =
            directory.entities::<PolicyRecord>(cx.account(), &after, left).await?;
        looked_at += records.len();
        if let Some(last) = records.last() {
            after = last.name().to_lowercase();
        }
        for record in records.into_iter().filter(|one| one.path.starts_with(wanted.prefix)) {
            let usage = directory.usage(cx.account(), &record.id).await?;
            if wanted.suits(&usage) {
                items.push(Told::Own(&record).listed(cx, &usage));
            }
        }
        let full = items.len() >= listing.limit || looked_at >= LOOKED_AT_MAX;
        if !more || full {
            return Ok(more.then_some(after));
        }
    }
}

/// Which entities a list of what a policy is attached to is to hold.
pub(crate) struct WantedEntities<'a> {
    pub(crate) kind: Option<EntityType>,
    pub(crate) prefix: &'a str,
    pub(crate) usage: Option<PolicyUsage>,
}

/// What a policy is attached to, or the boundary of.
#[derive(Default)]
pub(crate) struct Holders {
    pub(crate) groups: Vec<PolicyGroup>,
    pub(crate) users: Vec<PolicyUser>,
    pub(crate) roles: Vec<PolicyRole>,
    pub(crate) next: Option<ResponseMarker>,
}

/// A page of what a policy is attached to, or the boundary of, in the order of the index: by way,
/// then by name.
///
/// # Errors
/// Those of the store.
pub(crate) async fn holders(
    cx: &Context<'_, Iam>,
    policy: &ManagedPolicy,
    wanted: &WantedEntities<'_>,
    listing: &Listing,
) -> Result<Holders, Error> {
    let prefix = layout::attachments(cx.account(), policy.id());
    let arn = policy.arn(cx.partition(), cx.account());
    let (mut page, mut found, mut looked_at) = (Holders::default(), 0, 0);
    let mut after = listing.after.clone();
    loop {
        let left = listing.limit - found;
        let (entries, more) = cx.service.directory.names(&prefix, &after, left).await?;
        looked_at += entries.len();
        for entry in entries {
            let (way, name) = entry.split_once('/').unwrap_or((&entry, ""));
            if add(cx, &arn, wanted, (way, name), &mut page).await? {
                found += 1;
            }
            after = entry;
        }
        if !more || found >= listing.limit || looked_at >= LOOKED_AT_MAX {
            page.next = more.then(|| listing.marker(&after));
            return Ok(page);
        }
    }
}

/// Adds the entity that an entry of the index names, if it is wanted.
async fn add(
    cx: &Context<'_, Iam>,
    arn: &str,
    wanted: &WantedEntities<'_>,
    (way, name): (&str, &str),
    page: &mut Holders,
) -> Result<bool, Error> {
    let (kind, bounds) = way.strip_suffix(BOUNDARY).map_or((way, false), |kind| (kind, true));
    match wanted.usage {
        Some(PolicyUsage::PermissionsPolicy) if bounds => return Ok(false),
        Some(PolicyUsage::PermissionsBoundary) if !bounds => return Ok(false),
        _ => {}
    }
    let of_kind = match wanted.kind {
        None => true,
        Some(EntityType::User) => kind == UserRecord::KIND,
        Some(EntityType::Group) => kind == GroupRecord::KIND,
        Some(EntityType::Role) => kind == RoleRecord::KIND,
        // Policies aren't attached to policies.
        Some(EntityType::LocalManagedPolicy | EntityType::AwsManagedPolicy) => false,
    };
    if !of_kind {
        return Ok(false);
    }
    // What a policy is both attached to and the boundary of is listed once.
    let twice = |attached: &[String]| {
        bounds && wanted.usage.is_none() && attached.iter().any(|one| one == arn)
    };
    let suits =
        |path: &str, attached: &[String]| path.starts_with(wanted.prefix) && !twice(attached);
    let added = match kind {
        GroupRecord::KIND => holder::<GroupRecord>(cx, name, suits).await?.map(|group| {
            page.groups.push(PolicyGroup {
                group_name: Some(GroupName::of(&group.name)),
                group_id: Some(UniqueId::of(&group.id)),
            });
        }),
        UserRecord::KIND => holder::<UserRecord>(cx, name, suits).await?.map(|user| {
            page.users.push(PolicyUser {
                user_name: Some(UserName::of(&user.name)),
                user_id: Some(UniqueId::of(&user.id)),
            });
        }),
        _ => holder::<RoleRecord>(cx, name, suits).await?.map(|role| {
            page.roles.push(PolicyRole {
                role_name: Some(RoleName::of(&role.name)),
                role_id: Some(UniqueId::of(&role.id)),
            });
        }),
    };
    Ok(added.is_some())
}

/// The entity of that name, if its path and its attached policies suit.
async fn holder<R: Permitted>(
    cx: &Context<'_, Iam>,
    name: &str,
    suits: impl Fn(&str, &[String]) -> bool,
) -> Result<Option<R>, Error> {
    let stored = cx.service.directory.entity::<R>(cx.account(), name).await?;
    let record = stored.map(|stored| stored.record);
    Ok(record.filter(|record| suits(record.path(), &record.permissions().attached)))
}
