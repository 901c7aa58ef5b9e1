//! Tags: of entities of IAM, and of sessions of STS, whose model has the same shapes.

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory as _};

use crate::declare::{list, text};

/// Letters, separators and numbers of any script, and a few signs.
fn is_tag_character(c: char) -> bool {
    use GeneralCategoryGroup::{Letter, Number, Separator};

    if c.is_ascii() {
        return c.is_ascii_alphanumeric()
            || matches!(c, ' ' | '_' | '.' | ':' | '/' | '=' | '+' | '-' | '@');
    }
    matches!(c.general_category_group(), Letter | Number | Separator)
}

fn is_tag_key(text: &str) -> bool {
    !text.is_empty() && is_tag_value(text)
}

fn is_tag_value(text: &str) -> bool {
    text.chars().all(is_tag_character)
}

text! {
    /// A tag's key.
    TagKey = "tagKeyType", 1..=128,
        pattern "[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+" by is_tag_key;
    /// A tag's value.
    TagValue = "tagValueType", 0..=256,
        pattern "[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*" by is_tag_value;
}

list! {
    /// Tags.
    Tags = "tagListType" of Tag, 0..=50;
    /// Keys of tags.
    TagKeys = "tagKeyListType" of TagKey, 0..=50;
}

crate::structure! {
    /// A tag.
    pub struct Tag {
        key: TagKey = required "Key",
        value: TagValue = required "Value",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_letters_numbers_separators_and_signs() {
        for good in ["a", "Cost Center", "_.:/=+-@", "é", "日本", "½", "\u{3000}", "Ⅷ"] {
            assert!(is_tag_key(good), "{good}");
        }
        // Marks and symbols that count as alphabetic are no letters.
        for bad in ["\t", "a\n", "a*", "a,b", "\u{7f}", "€", "\u{93f}", "Ⓐ", "\u{85}", "😀"] {
            assert!(!is_tag_value(bad), "{bad:?}");
        }
        assert!(is_tag_value("") && !is_tag_key(""));
    }
}
