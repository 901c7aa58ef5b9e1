//! Names, ids and paths of IAM's entities, and what its lists share.

use crate::declare::{integer, text};
use crate::shapes::{UNBOUNDED, is_word};

/// What names of entities are made of.
pub(crate) fn is_name_character(c: char) -> bool {
    is_word(c) || matches!(c, '+' | '=' | ',' | '.' | '@' | '-')
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_name_character)
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_word)
}

fn is_path(text: &str) -> bool {
    let between = || text.strip_prefix('/')?.strip_suffix('/');
    text == "/"
        || between().is_some_and(|inner| {
            !inner.is_empty() && inner.chars().all(|c| matches!(c, '\u{21}'..='\u{7e}'))
        })
}

fn is_path_prefix(text: &str) -> bool {
    text.strip_prefix('/')
        .is_some_and(|rest| rest.chars().all(|c| matches!(c, '\u{21}'..='\u{7f}')))
}

fn is_marker(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| matches!(c, '\u{20}'..='\u{ff}'))
}

text! {
    /// The name of a user that is made, renamed or answered.
    UserName = "userNameType", 1..=64, pattern "[\\w+=,.@-]+" by is_name;
    /// The name by which a request means a user that exists; longer ones date from earlier times.
    ExistingUserName = "existingUserNameType", 1..=128, pattern "[\\w+=,.@-]+" by is_name;
    /// The name of a group.
    GroupName = "groupNameType", 1..=128, pattern "[\\w+=,.@-]+" by is_name;
    /// The name of a role.
    RoleName = "roleNameType", 1..=64, pattern "[\\w+=,.@-]+" by is_name;
    /// The name of a policy, inline or managed.
    PolicyName = "policyNameType", 1..=128, pattern "[\\w+=,.@-]+" by is_name;
    /// The name of an instance profile.
    InstanceProfileName = "instanceProfileNameType", 1..=128,
        pattern "[\\w+=,.@-]+" by is_name;
    /// What sets apart several service-linked roles of one service.
    CustomSuffix = "customSuffixType", 1..=64, pattern "[\\w+=,.@-]+" by is_name;
    /// The unique id of an entity, such as `AIDA…`, which no later entity of its name has.
    UniqueId = "idType", 16..=128, pattern "[\\w]+" by is_id;
    /// An ARN.
    ArnText = "arnType", 20..=2048;
    /// The path of a user, group, role or instance profile: `/` or `/division/team/`.
    EntityPath = "pathType", 1..=512,
        pattern "(\\u002F)|(\\u002F[\\u0021-\\u007E]+\\u002F)" by is_path;
    /// What the paths of the users, groups or roles of a list begin with.
    PathPrefix = "pathPrefixType", 1..=512, pattern "\\u002F[\\u0021-\\u007F]*" by is_path_prefix;
    /// Where a list goes on, as a request says it.
    Marker = "markerType", 1..=320, pattern "[\\u0020-\\u00FF]+" by is_marker;
    /// Where a list goes on, as an answer says it.
    ResponseMarker = "responseMarkerType", 0..=UNBOUNDED;
    /// A text of no further kind, such as a service's name or a Region's.
    AnyText = "stringType", 0..=UNBOUNDED;
}

integer! {
    /// How many items a page of a list may hold at most.
    MaxItems = "maxItemsType", 1..=1000;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_and_a_few_signs() {
        for good in ["a", "A_9+=,.@-", "alice@example.com"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "a b", "a/b", "a:b", "é", "a\n"] {
            assert!(!is_name(bad), "{bad:?}");
        }
        assert!(is_id("AIDA_0123") && !is_id("") && !is_id("AIDA-1"));
    }

    #[test]
    fn paths_begin_and_end_with_a_slash() {
        for good in ["/", "/a/", "///", "/a/b c/".replace(' ', "~").as_str(), "/!/"] {
            assert!(is_path(good), "{good}");
        }
        for bad in ["", "a", "/a", "a/", "//", "/a b/", "/\u{7f}/", "/é/", "/a/\n"] {
            assert!(!is_path(bad), "{bad:?}");
        }
        for good in ["/", "//", "/a", "/a/b/", "/\u{7f}"] {
            assert!(is_path_prefix(good), "{good}");
        }
        for bad in ["", "a", "a/", "/ ", "/é"] {
            assert!(!is_path_prefix(bad), "{bad:?}");
        }
    }

    #[test]
    fn markers_are_latin_1_without_controls() {
        assert!(is_marker(" ~\u{ff}") && is_marker("\u{80}"));
        for bad in ["", "\t", "\u{100}"] {
            assert!(!is_marker(bad), "{bad:?}");
        }
    }
}
