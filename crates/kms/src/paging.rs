//! Pages of lists: limits and markers.

use service::Error;
use wire::shapes::{Limit, Marker};
use wire::{ErrorCode, Integer as _};

/// How many items a page holds, at most and if the request doesn't say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PageSizes {
    pub(crate) max: usize,
    pub(crate) default: usize,
}

/// Where a page begins and how long it may be.
pub(crate) struct PageRequest {
    /// The item after which it begins; empty for the first page.
    pub(crate) after: String,
    pub(crate) limit: usize,
}

impl PageSizes {
    /// Reads limit and marker of the list `name`; a marker serves only the list that gave it.
    ///
    /// # Errors
    /// ValidationException for a limit above this list's, InvalidMarkerException.
    pub(crate) fn request(
        self,
        name: &str,
        limit: Option<Limit>,
        marker: Option<&Marker>,
    ) -> Result<PageRequest, Error> {
        let limit = limit.map_or(self.default, |limit| usize::try_from(limit.value()).unwrap_or(1));
        if limit > self.max {
            return Err(Error::validation(format!(
                "1 validation error detected: Value '{limit}' at 'limit' failed to satisfy \
                 constraint: Member must have value less than or equal to {}",
                self.max
            )));
        }
        let after = match marker {
            None => String::new(),
            Some(marker) => service::marked(name, marker.as_str())
                .ok_or_else(|| Error::bare(ErrorCode::InvalidMarkerException))?,
        };
        Ok(PageRequest { after, limit })
    }
}

impl PageRequest {
    /// The part of a list in memory that this page holds, and whether items remain behind it.
    /// `is` tells the item that the marker names; if it is gone, the list is over.
    pub(crate) fn part<'a, T>(
        &self,
        items: &'a [T],
        is: impl Fn(&T, &str) -> bool,
    ) -> (&'a [T], bool) {
        let start = match self.after.as_str() {
            "" => 0,
            after => items.iter().position(|item| is(item, after)).map_or(items.len(), |at| at + 1),
        };
        let end = items.len().min(start + self.limit);
        (&items[start..end], end < items.len())
    }
}

/// How many items that have to be read and worked out, a few microseconds each, are done before
/// others get their turn.
const PART: usize = 16;

/// Lets other requests go first from time to time; to be awaited before each item of a page, by its
/// place in the page.
pub(crate) async fn pause(place: usize) {
    if place > 0 && place.is_multiple_of(PART) {
        tokio::task::yield_now().await;
    }
}

/// The marker of a page of the list `name` that ends with the item `last`.
pub(crate) fn marker(name: &str, last: &str) -> Marker {
    Marker::of(service::marker(name, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_serves_its_own_list_only() {
        let sizes = PageSizes { max: 10, default: 5 };
        let given = marker("ListKeys", "item");
        assert_eq!(sizes.request("ListKeys", None, Some(&given)).unwrap().after, "item");
        for (name, marker) in
            [("ListAliases", given), ("ListKeys", Marker::of("?")), ("ListKeys", Marker::of("AA"))]
        {
            let error = sizes.request(name, None, Some(&marker)).err().unwrap();
            assert_eq!(error.code(), ErrorCode::InvalidMarkerException);
        }
    }

    #[test]
    fn a_page_begins_behind_what_its_marker_names() {
        let part = |after: &str, limit| {
            let page = PageRequest { after: after.to_owned(), limit };
            let (items, more) = page.part(&["a", "b", "c"], |item, after| *item == after);
            (items.concat(), more)
        };
        assert_eq!(part("", 2), ("ab".to_owned(), true));
        assert_eq!(part("b", 2), ("c".to_owned(), false));
        assert_eq!(part("", 3), ("abc".to_owned(), false));
        assert_eq!(part("gone", 3), (String::new(), false));
    }

    #[test]
    fn others_get_their_turn_within_a_page() {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let pauses = |place: &usize| std::pin::pin!(pause(*place)).poll(&mut context).is_pending();
        assert_eq!((0..40).filter(pauses).collect::<Vec<_>>(), [16, 32]);
    }

    #[test]
    fn limits_have_a_default_and_a_maximum() {
        let sizes = PageSizes { max: 10, default: 5 };
        assert_eq!(sizes.request("L", None, None).unwrap().limit, 5);
        assert_eq!(sizes.request("L", Some(Limit::of(10)), None).unwrap().limit, 10);
        assert!(sizes.request("L", Some(Limit::of(11)), None).is_err());
    }
}
