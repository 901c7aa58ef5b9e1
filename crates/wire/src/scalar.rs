//! One member of a structure, picked by its name: what a policy asks of a request.

use crate::leaf::{Shape, Write};
use crate::structure::Structure;
use crate::timestamp::Timestamp;
use crate::writer::Writer;

/// The value of a member that is no list, map, structure or blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scalar {
    /// A string or an enum's value.
    Text(String),
    /// A number.
    Integer(i64),
    /// Yes or no.
    Boolean(bool),
    /// A point in time.
    Time(Timestamp),
}

/// A structure, as far as its members can be asked for by name.
pub trait Members: Send + Sync {
    /// The member of that name, as the model spells it; `None` where it is absent, no scalar, or
    /// nothing that may be recorded: what a policy compares can end up in its reason.
    fn scalar(&self, name: &str) -> Option<Scalar>;

    /// The list of pairs of that name, tags for instance: each structure's first two texts.
    fn pairs(&self, name: &str) -> Vec<(String, String)>;

    /// The list of texts of that name.
    fn texts(&self, name: &str) -> Vec<String>;

    /// The bytes of the member `name` of the structure that is the member `of`.
    fn blob(&self, of: &str, name: &str) -> Option<Vec<u8>>;
}

impl<T: Structure + Send + Sync> Members for T {
    fn scalar(&self, name: &str) -> Option<Scalar> {
        let mut picker = Picker { name, depth: 0, picking: false, found: None };
        self.write(&mut picker);
        picker.found
    }

    fn pairs(&self, name: &str) -> Vec<(String, String)> {
        let mut gatherer = Gatherer::of(name);
        self.write(&mut gatherer);
        let mut pairs = Vec::with_capacity(gatherer.found.len());
        for mut texts in gatherer.found {
            texts.truncate(2);
            if let (Some(value), Some(key)) = (texts.pop(), texts.pop()) {
                pairs.push((key, value));
            }
        }
        pairs
    }

    fn texts(&self, name: &str) -> Vec<String> {
        let mut gatherer = Gatherer::of(name);
        self.write(&mut gatherer);
        gatherer.found.into_iter().flatten().collect()
    }

    fn blob(&self, of: &str, name: &str) -> Option<Vec<u8>> {
        let mut digger = Digger { path: [of, name], depth: 0, found: None };
        self.write(&mut digger);
        digger.found
    }
}

/// A writer that keeps the texts of one list of the outermost structure, those of each item
/// together.
struct Gatherer<'a> {
    name: &'a str,
    depth: usize,
    gathering: bool,
    found: Vec<Vec<String>>,
}

impl<'a> Gatherer<'a> {
    fn of(name: &'a str) -> Self {
        Self { name, depth: 0, gathering: false, found: Vec::new() }
    }
}

impl Writer for Gatherer<'_> {
    fn structure(&mut self, members: impl FnOnce(&mut Self)) {
        self.depth += 1;
        members(self);
        self.depth -= 1;
    }

    fn member<T: Shape + Write>(&mut self, name: &'static str, value: &T) {
        if self.gathering {
            value.write(self);
        } else if self.depth == 1 && name == self.name {
            self.gathering = true;
            value.write(self);
            self.gathering = false;
        }
    }

    fn list<T: Write>(&mut self, values: &[T]) {
        if self.gathering {
            for value in values {
                self.found.push(Vec::new());
                value.write(self);
            }
        }
    }

    fn map<K: AsRef<str>, V: Write>(&mut self, _: &[(K, V)]) {}

    fn text(&mut self, value: &str) {
        if let (true, Some(item)) = (self.gathering, self.found.last_mut()) {
            item.push(value.to_owned());
        }
    }

    fn blob(&mut self, _: &[u8]) {}

    fn integer(&mut self, _: i64) {}

    fn boolean(&mut self, _: bool) {}

    fn timestamp(&mut self, _: Timestamp) {}
}

/// A writer that keeps the bytes of one member of a member of the outermost structure.
struct Digger<'a> {
    path: [&'a str; 2],
    depth: usize,
    found: Option<Vec<u8>>,
}

impl Writer for Digger<'_> {
    fn structure(&mut self, members: impl FnOnce(&mut Self)) {
        members(self);
    }

    fn member<T: Shape + Write>(&mut self, name: &'static str, value: &T) {
        if self.path.get(self.depth) == Some(&name) {
            self.depth += 1;
            value.write(self);
            self.depth -= 1;
        }
    }

    fn list<T: Write>(&mut self, _: &[T]) {}

    fn map<K: AsRef<str>, V: Write>(&mut self, _: &[(K, V)]) {}

    fn text(&mut self, _: &str) {}

    fn blob(&mut self, value: &[u8]) {
        if self.depth == self.path.len() {
            self.found = Some(value.to_vec());
        }
    }

    fn integer(&mut self, _: i64) {}

    fn boolean(&mut self, _: bool) {}

    fn timestamp(&mut self, _: Timestamp) {}
}

/// A writer that keeps one member of the outermost structure and forgets the rest.
struct Picker<'a> {
    name: &'a str,
    depth: usize,
    /// Whether what is written is the member that is wanted.
    picking: bool,
    found: Option<Scalar>,
}

impl Picker<'_> {
    fn keep(&mut self, value: impl FnOnce() -> Scalar) {
        if self.picking && self.depth == 1 {
            self.found = Some(value());
        }
    }
}

impl Writer for Picker<'_> {
    fn structure(&mut self, members: impl FnOnce(&mut Self)) {
        self.depth += 1;
        members(self);
        self.depth -= 1;
    }

    fn member<T: Shape + Write>(&mut self, name: &'static str, value: &T) {
        if self.depth == 1 && name == self.name && T::INFO.recorded() {
            self.picking = true;
            value.write(self);
            self.picking = false;
        }
    }

    fn list<T: Write>(&mut self, _: &[T]) {}

    fn map<K: AsRef<str>, V: Write>(&mut self, _: &[(K, V)]) {}

    fn text(&mut self, value: &str) {
        self.keep(|| Scalar::Text(value.to_owned()));
    }

    fn blob(&mut self, _: &[u8]) {}

    fn integer(&mut self, value: i64) {
        self.keep(|| Scalar::Integer(value));
    }

    fn boolean(&mut self, value: bool) {
        self.keep(|| Scalar::Boolean(value));
    }

    fn timestamp(&mut self, value: Timestamp) {
        self.keep(|| Scalar::Time(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::enums::KeySpec;
    use crate::shapes::{Description, KeyMetadata, Plaintext, Tag, TagKey, TagValue, Tags};

    crate::structure! {
        /// Something of everything.
        struct Sample {
            spec: KeySpec = optional "Spec",
            description: Description = optional "Description",
            is_set: bool = optional "IsSet",
            at: Timestamp = optional "At",
            tags: Tags = optional "Tags",
            plaintext: Plaintext = optional "Plaintext",
            inner: KeyMetadata = optional "Inner",
        }
    }

    #[test]
    fn scalars_are_picked_and_nothing_else() {
        let tag = Tag { tag_key: TagKey::of("Spec"), tag_value: TagValue::of("no") };
        let sample = Sample {
            spec: Some(KeySpec::Rsa2048),
            description: None,
            is_set: Some(true),
            at: Some(Timestamp::from_millis(7)),
            tags: Some(Tags(vec![tag])),
            plaintext: Some(Plaintext::of(vec![1].into())),
            inner: None,
        };
        assert_eq!(sample.scalar("Spec"), Some(Scalar::Text("RSA_2048".to_owned())));
        assert_eq!(sample.scalar("IsSet"), Some(Scalar::Boolean(true)));
        assert_eq!(sample.scalar("At"), Some(Scalar::Time(Timestamp::from_millis(7))));
        assert_eq!(sample.pairs("Tags"), [("Spec".to_owned(), "no".to_owned())]);
        assert_eq!(sample.texts("Tags"), ["Spec", "no"]);
        assert!(sample.pairs("Spec").is_empty() && sample.texts("Description").is_empty());
        for name in ["Description", "Tags", "TagKey", "Plaintext", "Inner", "KeySpec", "spec"] {
            assert_eq!(sample.scalar(name), None, "{name}");
        }
    }
}
