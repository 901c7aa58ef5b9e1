//! Pages of lists.

use service::{Context, Error};
use wire::Integer as _;
use wire::iam::{Marker, MaxItems, ResponseMarker};

use crate::Iam;
use crate::records::Entity;

/// How many items a page holds if the request doesn't say.
const DEFAULT: usize = 100;

/// How many records are looked at for one page whose items must satisfy something. A page may hold
/// fewer items than was asked for, as AWS's may.
pub(crate) const LOOKED_AT_MAX: usize = 5_000;

/// A list, and which page of it is wanted.
pub(crate) struct Listing {
    /// The operation, whose markers serve no other.
    name: &'static str,
    /// The item after which the page begins; empty for the first one.
    pub(crate) after: String,
    pub(crate) limit: usize,
}

/// A page.
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// Where the next one begins, if there is one.
    pub(crate) next: Option<ResponseMarker>,
}

impl Listing {
    /// Reads the members of a request that say which page is wanted.
    ///
    /// # Errors
    /// ValidationException for a marker that isn't of this list.
    pub(crate) fn of(
        name: &'static str,
        max_items: Option<MaxItems>,
        marker: Option<&Marker>,
    ) -> Result<Self, Error> {
        let limit = max_items.map_or(DEFAULT, |max| usize::try_from(max.value()).unwrap_or(1));
        let after = match marker {
            None => String::new(),
            Some(marker) => service::marked(name, marker.as_str())
                .ok_or_else(|| Error::validation(format!("Invalid Marker: {}", marker.as_str())))?,
        };
        Ok(Self { name, after, limit })
    }

    /// The page of the account's entities whose paths begin with `prefix`, by name.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn entities<R: Entity>(
        &self,
        cx: &Context<'_, Iam>,
        prefix: &str,
    ) -> Result<Page<R>, Error> {
        let (directory, mut items) = (&cx.service.directory, Vec::new());
        let (mut after, mut looked_at) = (self.after.clone(), 0);
        loop {
            let left = self.limit - items.len();
            let (records, more) = directory.entities::<R>(cx.account(), &after, left).await?;
            looked_at += records.len();
            if let Some(last) = records.last() {
                after = last.name().to_lowercase();
            }
            items.extend(records.into_iter().filter(|record| record.path().starts_with(prefix)));
            if !more || items.len() >= self.limit || looked_at >= LOOKED_AT_MAX {
                let next = more.then(|| self.marker(&after));
                return Ok(Page { items, next });
            }
        }
    }

    /// The page of a list that is in memory, sorted by `key`.
    pub(crate) fn part<T>(&self, items: Vec<T>, key: impl Fn(&T) -> String) -> Page<T> {
        let mut items = items;
        let start = match self.after.as_str() {
            "" => 0,
            after => items.partition_point(|item| key(item).as_str() <= after),
        };
        items.drain(..start);
        let more = items.len() > self.limit;
        items.truncate(self.limit);
        let next = items.last().filter(|_| more).map(|last| self.marker(&key(last)));
        Page { items, next }
    }

    /// The marker of a page that ends with that item.
    pub(crate) fn marker(&self, last: &str) -> ResponseMarker {
        ResponseMarker::of(service::marker(self.name, last))
    }
}
