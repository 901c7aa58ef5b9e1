//! Setting, removing and listing the tags of what is there already; the same for every kind of
//! entity.

use service::{Context, Error};
use wire::iam::{Marker, MaxItems, Tag, TagKey, TagKeys, TagValue, Tags};

use crate::Iam;
use crate::directory::{Change, Stored};
use crate::entities::{remove_tags, set_tags};
use crate::paging::{Listing, Page};
use crate::records::{self, Entity, PolicyRecord, ProviderRecord, RoleRecord, UserRecord};

/// What has tags that can be changed.
pub(crate) trait Tagged: Entity {
    /// Its tags, to be changed.
    fn tags_mut(&mut self) -> &mut records::Tags;
}

impl Tagged for UserRecord {
    fn tags_mut(&mut self) -> &mut records::Tags {
        &mut self.tags
    }
}

impl Tagged for RoleRecord {
    fn tags_mut(&mut self) -> &mut records::Tags {
        &mut self.tags
    }
}

impl Tagged for PolicyRecord {
    fn tags_mut(&mut self) -> &mut records::Tags {
        &mut self.tags
    }
}

impl Tagged for ProviderRecord {
    fn tags_mut(&mut self) -> &mut records::Tags {
        &mut self.tags
    }
}

/// Sets tags; a key that is there gets the new value.
///
/// # Errors
/// Those of [`set_tags`] and of the store.
pub(crate) async fn tag<R: Tagged>(
    cx: &Context<'_, Iam>,
    stored: &Stored<R>,
    new: &Tags,
) -> Result<(), Error> {
    let directory = &cx.service.directory;
    let mut record = stored.record.clone();
    set_tags(record.tags_mut(), new, directory.limits.tags)?;
    Change::default().replace(stored, &record)?.commit(directory).await
}

/// Removes tags; those that aren't there need no removing.
///
/// # Errors
/// Those of the store.
pub(crate) async fn untag<R: Tagged>(
    cx: &Context<'_, Iam>,
    stored: &Stored<R>,
    keys: &TagKeys,
) -> Result<(), Error> {
    let mut record = stored.record.clone();
    remove_tags(record.tags_mut(), keys);
    Change::default().replace(stored, &record)?.commit(&cx.service.directory).await
}

/// A page of an entity's tags, by key.
///
/// # Errors
/// Those of a page.
pub(crate) fn tags_page<R: Entity>(
    list: &'static str,
    record: &R,
    max_items: Option<MaxItems>,
    marker: Option<&Marker>,
) -> Result<Page<Tag>, Error> {
    Ok(page_of(&Listing::of(list, max_items, marker)?, record.tags()))
}

/// A page of tags, by key.
pub(crate) fn page_of(listing: &Listing, tags: &[(String, String)]) -> Page<Tag> {
    let mut tags = tags.to_vec();
    tags.sort_by_cached_key(|(key, _)| key.to_lowercase());
    // A key may be longer than a marker, so that its place stands there instead.
    let places: Vec<(usize, (String, String))> = tags.into_iter().enumerate().collect();
    let page = listing.part(places, |(place, _)| format!("{place:04}"));
    let tag = |(_, (key, value))| Tag { key: TagKey::of(key), value: TagValue::of(value) };
    Page { items: page.items.into_iter().map(tag).collect(), next: page.next }
}
