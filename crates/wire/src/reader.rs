//! Reading a request: every violation of a bound is collected, in AWS's words.
//!
//! Must not know which operation is read; [`crate::structure!`] walks the members.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::leaf::{Shape, ShapeInfo};
use crate::node::{Malformed, Node};
use crate::path::Path;

/// How many violations are spelled out. More are counted, not worded, so that an answer stays
/// smaller than the request that provoked it.
const VIOLATIONS_WORDED_MAX: usize = 100;

/// Why a request is no input of its operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invalid {
    /// A value of the wrong JSON type: SerializationException, with AWS's text.
    Malformed(Malformed),
    /// Bounds that don't hold: ValidationException, with AWS's text.
    Violations(String),
}

/// Collects what is wrong with one request while its members are read.
#[derive(Default)]
pub struct Reader {
    scalars_as_text: bool,
    malformed: Option<Malformed>,
    count: usize,
    text: String,
}

impl Reader {
    /// A reader of JSON 1.1, where numbers and booleans are JSON's own.
    pub fn json() -> Self {
        Self::default()
    }

    /// A reader of the query protocol, where every scalar is text.
    pub fn query() -> Self {
        Self { scalars_as_text: true, ..Self::default() }
    }

    /// Whether numbers and booleans come as text.
    pub(crate) fn scalars_as_text(&self) -> bool {
        self.scalars_as_text
    }

    /// Reads a whole input; nothing of it is kept unless all of it is valid.
    ///
    /// # Errors
    /// [`Invalid`], where the JSON types' failures outrank the bounds': AWS finds them while
    /// parsing, before any bound is looked at.
    pub fn read<T: Shape>(mut self, node: &Node<'_>) -> Result<T, Invalid> {
        let value = T::read(node, &Path::ROOT, &mut self);
        if let Some(malformed) = self.malformed {
            return Err(Invalid::Malformed(malformed));
        }
        match value {
            Some(value) if self.count == 0 => Ok(value),
            _ => Err(Invalid::Violations(self.summary())),
        }
    }

    fn summary(&self) -> String {
        let plural = if self.count == 1 { "" } else { "s" };
        format!("{} validation error{plural} detected: {}", self.count, self.text)
    }

    /// Reads one member of a structure; an absent required one is a violation.
    pub fn member<T: Shape>(
        &mut self,
        node: &Node<'_>,
        at: &Path<'_>,
        name: &'static str,
        required: bool,
    ) -> Option<T> {
        let at = at.member(name);
        let Some(node) = node.member(name) else {
            if required {
                self.absent(&at);
            }
            return None;
        };
        T::read(node, &at, self)
    }

    /// Reads a value apart: its violations are dropped, and only the failure remains.
    pub(crate) fn probe<T>(&mut self, read: impl FnOnce(&mut Reader) -> Option<T>) -> Option<T> {
        let mut probe = Reader { scalars_as_text: self.scalars_as_text, ..Self::default() };
        let value = read(&mut probe);
        if self.malformed.is_none() {
            self.malformed = probe.malformed;
        }
        value
    }

    /// Whether a structure can be read from this node; if not, that is noted.
    #[doc(hidden)]
    pub fn is_structure(&mut self, node: &Node<'_>) -> bool {
        let is = matches!(node, Node::Object(_));
        if !is {
            self.wrong_type(node, "Structure");
        }
        is
    }

    /// Notes a bound that doesn't hold. `value` is echoed as AWS would echo it, unless the shape
    /// is a blob or sensitive.
    pub(crate) fn violation(&mut self, shape: &ShapeInfo, at: &Path<'_>, value: &str, rule: &str) {
        if !self.another_worded() {
            return;
        }
        // Writing to a String can't fail.
        let _ = if shape.recorded() {
            write!(self.text, "Value '{value}' at '{at}' failed to satisfy constraint: {rule}")
        } else {
            write!(self.text, "Value at '{at}' failed to satisfy constraint: {rule}")
        };
    }

    /// Notes that a required member is absent: there is no value that could be told, whatever the
    /// shape.
    fn absent(&mut self, at: &Path<'_>) {
        if self.another_worded() {
            let rule = "failed to satisfy constraint: Member must not be null";
            // Writing to a String can't fail.
            let _ = write!(self.text, "Value null at '{at}' {rule}");
        }
    }

    /// Counts a violation; gives whether it is to be spelled out.
    fn another_worded(&mut self) -> bool {
        self.count += 1;
        if self.count > VIOLATIONS_WORDED_MAX {
            return false;
        }
        if self.count > 1 {
            self.text.push_str("; ");
        }
        true
    }

    /// Notes a value of the wrong JSON type; the first one is answered.
    pub(crate) fn malformed(&mut self, text: impl Into<Cow<'static, str>>) {
        if self.malformed.is_none() {
            self.malformed = Some(Malformed(text.into()));
        }
    }

    /// Notes that `node` isn't of the JSON type that a shape wants, in AWS's words.
    pub(crate) fn wrong_type(&mut self, node: &Node<'_>, wanted: &str) {
        let found = match node {
            Node::Object(_) => {
                return self.malformed("Start of structure or map found where not expected.");
            }
            Node::List(_) => return self.malformed("Start of list found where not expected"),
            Node::Null => return self.malformed("Unexpected null"),
            Node::Boolean(true) => "TRUE_VALUE",
            Node::Boolean(false) => "FALSE_VALUE",
            Node::Integer(_) | Node::Number(_) => "NUMBER_VALUE",
            Node::Text(_) => "STRING_VALUE",
        };
        if matches!(wanted, "List" | "Map" | "Structure") {
            return self.malformed("Unexpected field type");
        }
        self.malformed(format!("{found} can not be converted to {} {wanted}", article(wanted)));
    }
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with(['A', 'E', 'I', 'O', 'U']) { "an" } else { "a" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::enums::{KeyAgreementAlgorithmSpec, MacAlgorithmSpec, ResourceOwnerType};
    use crate::shapes::{
        AliasName, KeyId, NumberOfBytes, Plaintext, ResourceOwners, TagKeys, Tags,
    };

    crate::structure! {
        /// Members of every kind.
        struct Sample {
            key_id: KeyId = required "KeyId",
            plaintext: Plaintext = optional "Plaintext",
            number_of_bytes: NumberOfBytes = optional "NumberOfBytes",
            mac_algorithm: MacAlgorithmSpec = optional "MacAlgorithm",
            agreement: KeyAgreementAlgorithmSpec = optional "KeyAgreementAlgorithm",
            alias_name: AliasName = optional "AliasName",
            tags: Tags = optional "Tags",
            tag_keys: TagKeys = optional "TagKeys",
            owners: ResourceOwners = optional "ResourceOwners",
            dry_run: bool = optional "DryRun",
        }
    }

    fn read(json: &str) -> Result<Sample, Invalid> {
        Reader::json().read(&Node::from_json(json.as_bytes()).unwrap())
    }

    fn violations(json: &str) -> String {
        match read(json) {
            Err(Invalid::Violations(text)) => text,
            Err(Invalid::Malformed(text)) => panic!("malformed: {text:?}"),
            Ok(_) => panic!("valid: {json}"),
        }
    }

    #[test]
    fn a_bound_is_worded_as_aws_words_it() {
        let long = "x".repeat(2049);
        let cases = [
            (
                r#"{"KeyId":"k","NumberOfBytes":1025}"#.to_owned(),
                "Value '1025' at 'numberOfBytes' failed to satisfy constraint: \
                 Member must have value less than or equal to 1024"
                    .to_owned(),
            ),
            (
                r#"{"KeyId":"k","MacAlgorithm":"X"}"#.to_owned(),
                "Value 'X' at 'macAlgorithm' failed to satisfy constraint: Member must satisfy \
                 enum value set: [HMAC_SHA_384, HMAC_SHA_256, HMAC_SHA_224, HMAC_SHA_512]"
                    .to_owned(),
            ),
            (
                r#"{"KeyId":"k","Plaintext":""}"#.to_owned(),
                "Value at 'plaintext' failed to satisfy constraint: \
                 Member must have length greater than or equal to 1"
                    .to_owned(),
            ),
            (
                r#"{"KeyId":"k","Tags":[{"TagKey":"","TagValue":"v"}]}"#.to_owned(),
                "Value '' at 'tags.1.member.tagKey' failed to satisfy constraint: \
                 Member must have length greater than or equal to 1"
                    .to_owned(),
            ),
            (
                r#"{"KeyId":"k","TagKeys":["a",""]}"#.to_owned(),
                "Value '[a, ]' at 'tagKeys' failed to satisfy constraint: Member must satisfy \
                 constraint: [Member must have length less than or equal to 128, Member must have \
                 length greater than or equal to 1]"
                    .to_owned(),
            ),
            (
                "{}".to_owned(),
                "Value null at 'keyId' failed to satisfy constraint: Member must not be null"
                    .to_owned(),
            ),
            (
                format!(r#"{{"KeyId":"{long}"}}"#),
                format!(
                    "Value '{long}' at 'keyId' failed to satisfy constraint: \
                 Member must have length less than or equal to 2048"
                ),
            ),
        ];
        for (json, text) in cases {
            assert_eq!(violations(&json), format!("1 validation error detected: {text}"));
        }
    }

    #[test]
    fn violations_are_collected_and_bounded() {
        let text = violations(r#"{"AliasName":"","KeyAgreementAlgorithm":"x"}"#);
        assert!(text.starts_with("4 validation errors detected: Value null at 'keyId'"), "{text}");
        assert_eq!(text.matches("; Value '").count(), 3, "{text}");
        let tags = r#"{"TagKey":"","TagValue":"v"},"#.repeat(5000);
        let text =
            violations(&format!(r#"{{"KeyId":"k","Tags":[{}]}}"#, tags.trim_end_matches(',')));
        assert!(text.starts_with("5000 validation errors detected"));
        assert_eq!(text.matches("Value ''").count(), VIOLATIONS_WORDED_MAX);
    }

    #[test]
    fn a_wrong_type_outranks_bounds() {
        for (json, text) in [
            (r#"{"KeyId":5}"#, "NUMBER_VALUE can not be converted to a String"),
            (r#"{"NumberOfBytes":"5"}"#, "STRING_VALUE can not be converted to an Integer"),
            (r#"{"NumberOfBytes":99999999999}"#, "NUMBER_VALUE can not be converted to an Integer"),
            (r#"{"DryRun":"true"}"#, "STRING_VALUE can not be converted to a Boolean"),
            (r#"{"KeyId":{}}"#, "Start of structure or map found where not expected."),
            (r#"{"KeyId":[]}"#, "Start of list found where not expected"),
            (r#"{"Tags":"x"}"#, "Unexpected field type"),
            (r#"{"Plaintext":"?"}"#, "The value at 'plaintext' is not valid base64"),
        ] {
            match read(json) {
                Err(Invalid::Malformed(Malformed(found))) => assert_eq!(found, text),
                _ => panic!("{json}"),
            }
        }
    }

    #[test]
    fn what_is_unknown_or_null_is_ignored() {
        let json =
            r#"{"KeyId":"k","Future":{"a":[1]},"NumberOfBytes":null,"ResourceOwners":["SELF"]}"#;
        let sample = read(json).ok().unwrap();
        assert_eq!(sample.key_id.as_str(), "k");
        assert!(sample.number_of_bytes.is_none());
        assert_eq!(sample.owners.unwrap().0, [ResourceOwnerType::Own]);
    }

    #[test]
    fn in_the_query_protocol_scalars_are_text() {
        let node =
            Node::from_query(b"KeyId=k&NumberOfBytes=12&DryRun=true&TagKeys.member.1=a").unwrap();
        let sample: Sample = Reader::query().read(&node).unwrap_or_else(|e| panic!("{e:?}"));
        assert_eq!(sample.number_of_bytes, Some(NumberOfBytes::of(12)));
        assert_eq!(sample.dry_run, Some(true));
        assert_eq!(sample.tag_keys.unwrap().0.len(), 1);
    }

    #[test]
    fn in_the_query_protocol_an_empty_list_is_an_empty_text() {
        let read = |body: &[u8]| Reader::query().read::<Sample>(&Node::from_query(body).unwrap());
        let sample = read(b"KeyId=k&TagKeys=&Tags=").unwrap_or_else(|e| panic!("{e:?}"));
        assert!(sample.tag_keys.is_some_and(|keys| keys.0.is_empty()));
        assert!(sample.tags.is_some_and(|tags| tags.0.is_empty()));
        assert!(matches!(read(b"KeyId=k&TagKeys=a"), Err(Invalid::Malformed(_))));
        // A list that may not be empty is refused as JSON's is.
        let Err(Invalid::Violations(text)) = read(b"KeyId=k&ResourceOwners=") else {
            panic!("valid");
        };
        assert_eq!(
            text,
            "1 validation error detected: Value '[]' at 'resourceOwners' failed to satisfy \
             constraint: Member must have length greater than or equal to 1"
        );
    }

    #[test]
    fn in_the_query_protocol_bounds_are_worded_as_in_json() {
        use crate::iam::{Tags, UserName};

        crate::structure! {
            struct CreateUserRequest {
                user_name: UserName = required "UserName",
                tags: Tags = optional "Tags",
            }
        }
        for (body, text) in [
            (
                "UserName=a%20b",
                "Value 'a b' at 'userName' failed to satisfy constraint: \
                 Member must satisfy regular expression pattern: [\\w+=,.@-]+",
            ),
            (
                "UserName=a&Tags.member.1.Key=k",
                "Value null at 'tags.1.member.value' failed to satisfy constraint: \
                 Member must not be null",
            ),
            (
                "Tags=",
                "Value null at 'userName' failed to satisfy constraint: Member must not be null",
            ),
        ] {
            let node = Node::from_query(body.as_bytes()).unwrap();
            let Err(Invalid::Violations(found)) = Reader::query().read::<CreateUserRequest>(&node)
            else {
                panic!("{body}");
            };
            assert_eq!(found, format!("1 validation error detected: {text}"));
        }
    }
}
