//! The tags of a session: those that the request sets, and the transitive ones of the session that
//! sends it (IAM User Guide, "Pass session tags in AWS STS").

use policy::{Value, Values};
use service::{Error, SessionContext};
use wire::ErrorCode;
use wire::iam::{TagKeys, Tags};

/// How many tags a request may set.
const TAGS_MAX: usize = 50;

/// The tags that a session is to have.
#[derive(Default)]
pub(crate) struct SessionTags {
    set: Vec<(String, String)>,
    inherited: Vec<(String, String)>,
    /// The keys that the request calls transitive.
    transitive: Vec<String>,
}

impl SessionTags {
    /// The tags that a request sets in an API's members, sent by that session, if by any.
    ///
    /// # Errors
    /// Those of [`SessionTags::new`].
    pub(crate) fn asked(
        tags: Option<&Tags>,
        transitive: Option<&TagKeys>,
        session: Option<&SessionContext>,
    ) -> Result<Self, Error> {
        let tags = tags.map_or(&[][..], |tags| &tags.0);
        let tag =
            |tag: &wire::iam::Tag| (tag.key.as_str().to_owned(), tag.value.as_str().to_owned());
        let keys = transitive.map_or(&[][..], |keys| &keys.0);
        let keys = keys.iter().map(|key| key.as_str().to_owned()).collect();
        Self::new(tags.iter().map(tag).collect(), keys, session)
    }

    /// The tags `set`, of which those of the keys `transitive` are passed on.
    ///
    /// # Errors
    /// InvalidParameterValueException for too many, keys that stand twice (in whatever case), that
    /// are AWS's own or that the session handed down; and for transitive keys without a tag.
    pub(crate) fn new(
        set: Vec<(String, String)>,
        transitive: Vec<String>,
        session: Option<&SessionContext>,
    ) -> Result<Self, Error> {
        let inherited: Vec<(String, String)> = session.map_or_else(Vec::new, |session| {
            let passed = |key: &str| session.transitive.iter().any(|own| same(own, key));
            session.tags.iter().filter(|(key, _)| passed(key)).cloned().collect()
        });
        if set.len() > TAGS_MAX {
            return Err(invalid("A session can have at most 50 tags."));
        }
        for (index, (key, _)) in set.iter().enumerate() {
            if key.to_lowercase().starts_with("aws:") {
                return Err(invalid("Tag keys cannot start with 'aws:'."));
            }
            if set[..index].iter().any(|(known, _)| same(known, key)) {
                return Err(invalid(
                    "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
                ));
            }
            if inherited.iter().any(|(known, _)| same(known, key)) {
                return Err(invalid(
                    "One of the specified transitive tag keys can't be set because it conflicts \
                     with a transitive tag key from the calling session.",
                ));
            }
        }
        if !transitive.iter().all(|key| set.iter().any(|(known, _)| same(known, key))) {
            return Err(invalid(
                "The specified transitive tag key must be included in the requested tags.",
            ));
        }
        Ok(Self { set, inherited, transitive })
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.set.is_empty() && self.inherited.is_empty()
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<(String, String)> {
        self.inherited.iter().chain(&self.set).cloned().collect()
    }

    /// The keys of those that sessions keep which this one will open.
    pub(crate) fn transitive(&self) -> Vec<String> {
        let inherited = self.inherited.iter().map(|(key, _)| key);
        inherited.chain(&self.transitive).cloned().collect()
    }

    /// The condition keys that tell of those that the request sets.
    pub(crate) fn condition_keys(&self) -> Vec<(String, Values<'_>)> {
        let mut keys = Vec::with_capacity(self.set.len() + 2);
        for (key, value) in &self.set {
            let value = Values::One(Value::from(value.as_str()));
            keys.push((format!("aws:requesttag/{}", key.to_lowercase()), value));
        }
        let set = self.set.iter().map(|(key, _)| Value::from(key.as_str())).collect();
        let transitive = self.transitive.iter().map(|key| Value::from(key.as_str())).collect();
        keys.push(("aws:tagkeys".to_owned(), Values::Many(set)));
        keys.push(("sts:transitivetagkeys".to_owned(), Values::Many(transitive)));
        keys
    }
}

fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorCode::InvalidParameterValueException, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn session(transitive: &[&str]) -> SessionContext {
        SessionContext {
            issued: wire::Timestamp::from_millis(0),
            policies: None,
            tags: pairs(&[("Team", "red"), ("Stage", "test")]),
            transitive: transitive.iter().map(|key| (*key).to_owned()).collect(),
            source_identity: None,
            provider: None,
        }
    }

    #[test]
    fn transitive_tags_are_handed_down() {
        let parent = session(&["team"]);
        let tags = SessionTags::new(pairs(&[("a", "1")]), vec!["A".into()], Some(&parent)).unwrap();
        assert_eq!(tags.all(), pairs(&[("Team", "red"), ("a", "1")]));
        assert_eq!(tags.transitive(), ["Team", "A"]);
        assert!(SessionTags::new(Vec::new(), Vec::new(), Some(&session(&[]))).unwrap().is_empty());
        assert!(!SessionTags::new(Vec::new(), Vec::new(), Some(&parent)).unwrap().is_empty());
    }

    #[test]
    fn what_is_refused() {
        let parent = session(&["team"]);
        for (set, transitive) in [
            (pairs(&[("a", "1"), ("A", "2")]), vec![]),
            (pairs(&[("aws:a", "1")]), vec![]),
            (pairs(&[("TEAM", "blue")]), vec![]),
            (pairs(&[("a", "1")]), vec!["b".to_owned()]),
            ((0..51).map(|n| (n.to_string(), String::new())).collect(), vec![]),
        ] {
            let refused = SessionTags::new(set, transitive, Some(&parent)).err().unwrap();
            assert_eq!(refused.code(), ErrorCode::InvalidParameterValueException);
        }
    }
}
