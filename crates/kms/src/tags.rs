//! Tags: their rules, and setting and removing them in a list.

use service::Error;
use wire::ErrorCode;
use wire::shapes::{Tag, TagKey, Tags};

/// Checks tags that a request sets on a key that may have `max` of them.
///
/// # Errors
/// TagException: too many, a key twice, a reserved prefix.
pub(crate) fn check(tags: &[Tag], max: usize) -> Result<(), Error> {
    if tags.len() > max {
        return Err(tag_error("Too many tags"));
    }
    for (index, tag) in tags.iter().enumerate() {
        if tags[..index].iter().any(|earlier| earlier.tag_key == tag.tag_key) {
            return Err(tag_error("Duplicate tag keys"));
        }
        let reserved = tag.tag_key.as_str().get(..4);
        if reserved.is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:")) {
            return Err(tag_error("Tags beginning with aws: are reserved"));
        }
    }
    Ok(())
}

/// Sets tags of a key that may have `max` of them; one that is there keeps its place.
///
/// # Errors
/// TagException where there would be too many.
pub(crate) fn set(tags: &mut Vec<(String, String)>, new: &[Tag], max: usize) -> Result<(), Error> {
    for tag in new {
        let (key, value) = (tag.tag_key.as_str(), tag.tag_value.as_str());
        match tags.iter_mut().find(|(k, _)| k == key) {
            Some((_, old)) => value.clone_into(old),
            None => tags.push((key.to_owned(), value.to_owned())),
        }
    }
    if tags.len() > max { Err(tag_error("Too many tags")) } else { Ok(()) }
}

/// The tags of a key that is made with these and may have `max` of them.
///
/// # Errors
/// Those of [`check`].
pub(crate) fn of_new_key(asked: Option<&Tags>, max: usize) -> Result<Vec<(String, String)>, Error> {
    let mut tags = Vec::new();
    if let Some(Tags(new)) = asked {
        check(new, max)?;
        set(&mut tags, new, max)?;
    }
    Ok(tags)
}

/// Removes tags; those that aren't there need no removing.
pub(crate) fn remove(tags: &mut Vec<(String, String)>, keys: &[TagKey]) {
    tags.retain(|(key, _)| !keys.iter().any(|removed| removed.as_str() == key));
}

fn tag_error(message: &'static str) -> Error {
    Error::new(ErrorCode::TagException, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::shapes::TagValue;

    fn tag(key: &str, value: &str) -> Tag {
        Tag { tag_key: TagKey::of(key), tag_value: TagValue::of(value) }
    }

    #[test]
    fn what_tags_may_not_be() {
        let many: Vec<Tag> = (0..51).map(|n| tag(&n.to_string(), "")).collect();
        let message = |tags: &[Tag]| check(tags, 50).unwrap_err().message().unwrap().to_owned();
        assert_eq!(message(&many), "Too many tags");
        assert_eq!(message(&[tag("a", "1"), tag("a", "2")]), "Duplicate tag keys");
        for key in ["aws:x", "AWS:x", "aWs:"] {
            assert_eq!(message(&[tag(key, "")]), "Tags beginning with aws: are reserved");
        }
        assert!(check(&many[..50], 50).is_ok());
        assert!(check(&[tag("awsx", ""), tag("ключ", "")], 50).is_ok());
    }

    #[test]
    fn setting_again_keeps_the_place() {
        let mut tags = Vec::new();
        set(&mut tags, &[tag("b", "1"), tag("a", "2")], 50).unwrap();
        set(&mut tags, &[tag("b", "3"), tag("c", "4")], 50).unwrap();
        let pairs: Vec<_> = tags.iter().map(|(k, v)| format!("{k}{v}")).collect();
        assert_eq!(pairs, ["b3", "a2", "c4"]);
        remove(&mut tags, &[TagKey::of("a"), TagKey::of("absent")]);
        assert_eq!(tags.len(), 2);
    }
}
