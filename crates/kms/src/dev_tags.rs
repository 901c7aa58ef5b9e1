//! The tags by which emulators let a test choose what CreateKey makes: `_custom_id_` fixes the
//! key's id, `_custom_key_material_` its material in base64.
//!
//! They mean something only where [`Kms::with_dev_tags`] says so; else they are tags like others.
//! As their users know them, the first stays among the key's tags and the second does not. Unlike
//! there, an id that is taken is refused: what exists is never overwritten.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use service::ports::{Binding, ImportError, Opened};
use service::{Context, Error};
use wire::{ErrorCode, Node};
use zeroize::Zeroizing;

use crate::Kms;
use crate::key::arn;
use crate::key_id::KeyId;

const ID: &str = "_custom_id_";
const MATERIAL: &str = "_custom_key_material_";

/// Takes the material out of a request's tags, so that no list, no record and no bound of tags
/// ever meets it: an RSA key is longer than a tag's value may be. Several such tags stay, emptied,
/// and CreateKey refuses them as it refuses any tag that comes twice.
pub(crate) fn withhold_material(node: &mut Node<'_>) -> Option<Zeroizing<String>> {
    let Node::Object(members) = node else { return None };
    let (_, tags) = members.iter_mut().find(|(name, _)| name == "Tags")?;
    let Node::List(tags) = tags else { return None };
    let mut found = Vec::new();
    for (place, tag) in tags.iter_mut().enumerate() {
        if tag.text("TagKey") == Some(MATERIAL) {
            found.extend(take_value(tag).map(|text| (place, text)));
        }
    }
    let (place, text) = found.pop().filter(|_| found.is_empty())?;
    tags.remove(place);
    Some(text)
}

/// Empties a tag's value, if it is a text.
fn take_value(tag: &mut Node<'_>) -> Option<Zeroizing<String>> {
    let Node::Object(members) = tag else { return None };
    let (_, value) = members.iter_mut().find(|(name, _)| name == "TagValue")?;
    let Node::Text(text) = value else { return None };
    Some(Zeroizing::new(std::mem::take(text).into_owned()))
}

/// The id that the tags fix, if they do.
///
/// # Errors
/// ValidationException for what is no id of a key of this kind, AlreadyExistsException, those of
/// the store.
pub(crate) async fn custom_id(
    cx: &Context<'_, Kms>,
    tags: &[(String, String)],
    multi_region: bool,
) -> Result<Option<KeyId>, Error> {
    if !cx.service.dev_tags {
        return Ok(None);
    }
    let Some((_, text)) = tags.iter().find(|(key, _)| key == ID) else { return Ok(None) };
    let id = KeyId::parse(text.trim());
    let id = id.filter(|id| id.is_multi_region() == multi_region).ok_or_else(|| {
        let form = if multi_region { "mrk- and 32 hex digits" } else { "a UUID" };
        Error::validation(format!("The value of the tag {ID} must be {form}, not '{text}'"))
    })?;
    let (account, region) = (cx.account(), cx.region);
    let free = cx.service.is_free_id(account, region, &id, cx.now).await?;
    if free {
        return Ok(Some(id));
    }
    Err(Error::new(
        ErrorCode::AlreadyExistsException,
        format!("A key with the ARN {} already exists", arn(account, region, &id)),
    ))
}

/// The refusal of material for a key whose owner is to import it.
pub(crate) fn no_material_of_its_own() -> Error {
    Error::validation(format!("The tag {MATERIAL} cannot be used with Origin EXTERNAL"))
}

/// Takes the material that the tag holds.
///
/// # Errors
/// ValidationException, which tells nothing of the material but its length; those of the key
/// store.
pub(crate) async fn material(
    kms: &Kms,
    binding: Binding<'_>,
    text: &str,
) -> Result<(Vec<u8>, Opened), Error> {
    let invalid = |why: String| Error::validation(format!("The value of the tag {MATERIAL} {why}"));
    let bytes = STANDARD.decode(text.trim()).map(Zeroizing::new);
    let bytes = bytes.map_err(|_| invalid("is not base64".to_owned()))?;
    kms.key_store.take(binding, bytes).await.map_err(|error| match error {
        ImportError::Rejected(why) => {
            invalid(format!("is no material of a key of spec {}: {why}", binding.spec))
        }
        ImportError::Unopened => invalid("does not open".to_owned()),
        ImportError::KeyStore(error) => error.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn withheld(body: &str) -> (Option<String>, String) {
        let mut node = Node::from_json(body.as_bytes()).unwrap();
        let text = withhold_material(&mut node).map(|text| text.to_string());
        (text, format!("{node:?}"))
    }

    #[test]
    fn material_leaves_the_request_and_other_tags_stay() {
        let (text, rest) = withheld(
            r#"{"Tags":[{"TagKey":"a","TagValue":"1"},
                {"TagKey":"_custom_key_material_","TagValue":"c2VjcmV0"},
                {"TagKey":"_custom_id_","TagValue":"x"}]}"#,
        );
        assert_eq!(text.as_deref(), Some("c2VjcmV0"));
        assert!(!rest.contains("c2VjcmV0") && !rest.contains(MATERIAL), "{rest}");
        assert!(rest.contains("\"1\"") && rest.contains(ID), "{rest}");
    }

    #[test]
    fn two_materials_are_one_too_many() {
        let (text, rest) = withheld(
            r#"{"Tags":[{"TagKey":"_custom_key_material_","TagValue":"c2VjcmV0"},
                {"TagKey":"_custom_key_material_","TagValue":"c2VjcmV1"}]}"#,
        );
        assert_eq!(text, None);
        assert_eq!(rest.matches(MATERIAL).count(), 2, "{rest}");
        assert!(!rest.contains("c2Vjcm"), "{rest}");
    }

    #[test]
    fn what_is_no_such_tag_is_left_to_the_reader() {
        for body in [
            "{}",
            r#"{"Tags":1}"#,
            r#"{"Tags":[1]}"#,
            r#"{"Tags":[{"TagKey":"_custom_key_material_"}]}"#,
            r#"{"Tags":[{"TagKey":"_custom_key_material_","TagValue":7}]}"#,
            r#"{"tags":[{"TagKey":"_custom_key_material_","TagValue":"x"}]}"#,
        ] {
            let before = format!("{:?}", Node::from_json(body.as_bytes()).unwrap());
            assert_eq!(withheld(body), (None, before), "{body}");
        }
    }
}
