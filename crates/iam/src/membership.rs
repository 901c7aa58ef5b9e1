//! Which users are in which groups. Both sides are written down by the group's unique id: in the
//! user's record, where permissions come from, and in an index of the group's members.

use service::{Context, Error};

use crate::Iam;
use crate::directory::{Change, Stored};
use crate::entities::quota;
use crate::layout;
use crate::paging::{Listing, Page};
use crate::records::{GroupRecord, UserRecord};

/// Puts a user into a group, unless it is there.
///
/// # Errors
/// LimitExceededException.
pub(crate) async fn add_member(
    cx: &Context<'_, Iam>,
    group: &Stored<GroupRecord>,
    user: &Stored<UserRecord>,
) -> Result<(), Error> {
    let (directory, id) = (&cx.service.directory, &group.record.id);
    if user.record.groups.contains(id) {
        return Ok(());
    }
    let mut record = user.record.clone();
    record.groups.push(id.clone());
    if record.groups.len() > directory.limits.groups_per_user {
        return Err(quota("GroupsPerUser", directory.limits.groups_per_user));
    }
    let mut change = Change::default();
    change.replace(user, &record)?.note(layout::member(cx.account(), id, &record.name));
    // A deletion of the group that saw it without members must not go through.
    change.touch(group)?.commit(directory).await
}

/// Takes a user out of a group, if it is there.
///
/// # Errors
/// Those of the store.
pub(crate) async fn remove_member(
    cx: &Context<'_, Iam>,
    group: &Stored<GroupRecord>,
    user: &Stored<UserRecord>,
) -> Result<(), Error> {
    let id = &group.record.id;
    if !user.record.groups.contains(id) {
        return Ok(());
    }
    let mut record = user.record.clone();
    record.groups.retain(|known| known != id);
    let mut change = Change::default();
    change.replace(user, &record)?.forget(layout::member(cx.account(), id, &record.name));
    change.commit(&cx.service.directory).await
}

/// A page of a group's members, by name.
///
/// # Errors
/// Those of the store.
pub(crate) async fn member_page(
    cx: &Context<'_, Iam>,
    listing: &Listing,
    group: &GroupRecord,
) -> Result<Page<UserRecord>, Error> {
    let (directory, account) = (&cx.service.directory, cx.account());
    let prefix = layout::members(account, &group.id);
    let (names, more) = directory.names(&prefix, &listing.after, listing.limit).await?;
    let mut items = Vec::with_capacity(names.len());
    for name in &names {
        // A user who left or was renamed since the index was read is not listed.
        let user = directory.entity::<UserRecord>(account, name).await?;
        items.extend(user.map(|stored| stored.record));
    }
    let next = names.last().filter(|_| more).map(|last| listing.marker(last));
    Ok(Page { items, next })
}

/// The groups that a user is in, by name.
///
/// # Errors
/// Those of the store.
pub(crate) async fn groups_of(
    cx: &Context<'_, Iam>,
    user: &UserRecord,
) -> Result<Vec<GroupRecord>, Error> {
    let mut groups = Vec::with_capacity(user.groups.len());
    for id in &user.groups {
        groups.extend(cx.service.directory.group_of_id(cx.account(), id).await?);
    }
    groups.sort_by_key(|group| group.name.to_lowercase());
    Ok(groups)
}
