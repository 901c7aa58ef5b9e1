//! A request body as a tree of borrowed values, whichever protocol it came in.
//!
//! Owns the limits on what a body may look like (depth, number of values) and the words AWS has
//! for a body that is no document at all. Must not know shapes: a tree is only syntax.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

/// How deep a document may nest. The deepest input of any operation nests four levels.
const DEPTH_MAX: usize = 64;
/// How many values a document may hold, so that a body of `[[],[],…` can't cost fifty times its
/// length in memory.
const NODES_MAX: usize = 32_768;
/// How many parameters a form may hold. Each is looked up among its siblings, so the cost is the
/// square of this; the largest inputs of the query protocol have a few hundred.
const PARAMETERS_MAX: usize = 2_000;
/// How far an index in a query parameter (`Tags.member.N`) may count.
const INDEX_MAX: usize = 10_000;

/// One value of a request body.
#[derive(Debug, PartialEq)]
pub enum Node<'a> {
    /// JSON null, which AWS takes for an absent member.
    Null,
    /// A JSON boolean.
    Boolean(bool),
    /// A JSON number without fraction, within 64 bits.
    Integer(i64),
    /// Any other JSON number.
    Number(f64),
    /// A string; every scalar of the query protocol.
    Text(Cow<'a, str>),
    /// A JSON array, or `Name.member.N` of the query protocol.
    List(Vec<Node<'a>>),
    /// A JSON object, or `Name.Member` of the query protocol; names are unique.
    Object(Vec<(Cow<'a, str>, Node<'a>)>),
}

/// A body that is no document of its protocol: AWS's SerializationException.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed(pub Cow<'static, str>);

impl<'a> Node<'a> {
    /// Reads a JSON 1.1 body. An empty body is an empty object, as AWS takes it.
    ///
    /// # Errors
    /// [`Malformed`] for anything that is no JSON object, nests too deep, holds too many values or
    /// names a member twice.
    pub fn from_json(body: &'a [u8]) -> Result<Self, Malformed> {
        if body.is_empty() {
            return Ok(Node::Object(Vec::new()));
        }
        let mut left = NODES_MAX;
        let mut json = serde_json::Deserializer::from_slice(body);
        let node = Build { depth: 0, left: &mut left }
            .deserialize(&mut json)
            .map_err(|_| Malformed(Cow::Borrowed("Unexpected token received from parser")))?;
        json.end()
            .map_err(|_| Malformed(Cow::Borrowed("Unexpected token received from parser")))?;
        match node {
            Node::Object(_) => Ok(node),
            Node::List(_) => {
                Err(Malformed(Cow::Borrowed("Start of list found where not expected")))
            }
            _ => Err(Malformed(Cow::Borrowed("Unexpected token received from parser"))),
        }
    }

    /// Reads the form-encoded body of a query protocol: `Tags.member.1.Key=x` becomes an object
    /// with a list of objects.
    ///
    /// # Errors
    /// [`Malformed`] where two parameters contradict each other, a list has gaps, or there are too
    /// many of them.
    pub fn from_query(body: &'a [u8]) -> Result<Self, Malformed> {
        let mut parameters: Vec<_> =
            form_urlencoded::parse(body).take(PARAMETERS_MAX + 1).collect();
        if parameters.len() > PARAMETERS_MAX {
            return Err(Malformed(Cow::Borrowed("Too many parameters")));
        }
        // The SDK for Go sends them in the order of their letters: member 10 before member 2.
        parameters.sort_by(|(one, _), (other, _)| steps(one).cmp(steps(other)));
        let mut root = Node::Object(Vec::new());
        for (name, value) in parameters {
            root.insert(&name, value)?;
        }
        Ok(root)
    }

    /// The member of that name, unless it is absent or null.
    pub fn member(&self, name: &str) -> Option<&Node<'a>> {
        let Node::Object(members) = self else { return None };
        members.iter().find(|(n, _)| n == name).map(|(_, node)| node).filter(|n| **n != Node::Null)
    }

    /// The text of the member of that name, if it is one.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.member(name)? {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether the member of that name is true, in either protocol.
    pub fn is_true(&self, name: &str) -> bool {
        match self.member(name) {
            Some(Node::Boolean(value)) => *value,
            Some(Node::Text(text)) => text == "true",
            _ => false,
        }
    }

    fn insert(&mut self, name: &str, value: Cow<'a, str>) -> Result<(), Malformed> {
        let mut node = self;
        let mut steps = name.split('.').peekable();
        let mut depth = 0;
        while let Some(step) = steps.next() {
            depth += 1;
            if depth > DEPTH_MAX {
                return Err(Malformed(Cow::Borrowed("Parameter nests too deep")));
            }
            node = if step == "member" && steps.peek().is_some() {
                let index = steps.next().unwrap_or_default();
                node.list_member(index)?
            } else {
                node.object_member(step)?
            };
        }
        if !matches!(node, Node::Null) {
            return Err(Malformed(Cow::Owned(format!("Duplicate parameter '{name}'"))));
        }
        *node = Node::Text(value);
        Ok(())
    }

    fn list_member(&mut self, index: &str) -> Result<&mut Node<'a>, Malformed> {
        let malformed = || Malformed(Cow::Borrowed("Malformed list index"));
        let index: usize = index.parse().map_err(|_| malformed())?;
        if index == 0 || index > INDEX_MAX {
            return Err(malformed());
        }
        if matches!(self, Node::Null) {
            *self = Node::List(Vec::new());
        }
        let Node::List(list) = self else { return Err(malformed()) };
        // Parameters are in the order of their indices here; a gap would let a short body ask for
        // a long list.
        if index > list.len() + 1 {
            return Err(malformed());
        }
        if index == list.len() + 1 {
            list.push(Node::Null);
        }
        Ok(&mut list[index - 1])
    }

    fn object_member(&mut self, name: &str) -> Result<&mut Node<'a>, Malformed> {
        if matches!(self, Node::Null) {
            *self = Node::Object(Vec::new());
        }
        let Node::Object(members) = self else {
            return Err(Malformed(Cow::Borrowed("Parameter is both a value and a structure")));
        };
        let at = members.iter().position(|(n, _)| n == name).unwrap_or_else(|| {
            members.push((Cow::Owned(name.to_owned()), Node::Null));
            members.len() - 1
        });
        Ok(&mut members[at].1)
    }
}

/// A parameter's name in steps that sort as the tree is built: an index by its number.
fn steps(name: &str) -> impl Iterator<Item = (Option<usize>, &str)> {
    name.split('.').map(|step| (step.parse().ok(), step))
}

/// Builds a [`Node`] from serde's events while counting depth and values down.
struct Build<'l> {
    depth: usize,
    left: &'l mut usize,
}

impl Build<'_> {
    fn below(&mut self) -> Build<'_> {
        Build { depth: self.depth + 1, left: self.left }
    }
}

impl<'de> DeserializeSeed<'de> for Build<'_> {
    type Value = Node<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node<'de>, D::Error> {
        if *self.left == 0 || self.depth > DEPTH_MAX {
            return Err(D::Error::custom("document too large or too deep"));
        }
        *self.left -= 1;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Build<'_> {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node<'de>, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node<'de>, E> {
        Ok(Node::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node<'de>, E> {
        Ok(Node::Integer(value))
    }

    #[expect(clippy::cast_precision_loss, reason = "such a number is out of every bound anyway")]
    fn visit_u64<E>(self, value: u64) -> Result<Node<'de>, E> {
        Ok(i64::try_from(value).map_or(Node::Number(value as f64), Node::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node<'de>, E> {
        Ok(Node::Number(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut access: A) -> Result<Node<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = access.next_element_seed(self.below())? {
            list.push(node);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut access: A) -> Result<Node<'de>, A::Error> {
        let mut members: Vec<(Cow<'de, str>, Node<'de>)> = Vec::new();
        while let Some(name) = access.next_key_seed(Name)? {
            members.push((name, access.next_value_seed(self.below())?));
        }
        if has_duplicates(&members) {
            return Err(A::Error::custom("duplicate member"));
        }
        Ok(Node::Object(members))
    }
}

fn has_duplicates(members: &[(Cow<'_, str>, Node<'_>)]) -> bool {
    if members.len() <= 16 {
        let mut rest = members;
        while let Some(((name, _), tail)) = rest.split_first() {
            if tail.iter().any(|(other, _)| other == name) {
                return true;
            }
            rest = tail;
        }
        return false;
    }
    let mut seen = HashSet::with_capacity(members.len());
    members.iter().any(|(name, _)| !seen.insert(name.as_ref()))
}

/// Reads a member's name, borrowed where the body holds it without escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(value.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_borrows_what_has_no_escapes() {
        let node = Node::from_json(br#"{"a":"b","c":[1,true,null,2.5]}"#).unwrap();
        assert!(matches!(node.member("a"), Some(Node::Text(Cow::Borrowed("b")))));
        assert_eq!(
            node.member("c"),
            Some(&Node::List(vec![
                Node::Integer(1),
                Node::Boolean(true),
                Node::Null,
                Node::Number(2.5)
            ]))
        );
        assert_eq!(Node::from_json(b"").unwrap(), Node::Object(vec![]));
    }

    #[test]
    fn what_is_no_object_is_malformed() {
        let bodies: [&[u8]; 9] = [
            b"{",
            b"[]",
            b"1",
            b"{}x",
            b"{\"a\":1,\"a\":2}",
            b"\xff",
            b"{\"a\":\"\xff\"}",
            b" ",
            b"nul",
        ];
        for body in bodies {
            assert!(Node::from_json(body).is_err(), "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn depth_and_count_are_bounded() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(63), "]".repeat(63));
        assert!(Node::from_json(deep.as_bytes()).is_ok());
        for depth in [65, 100_000] {
            let deep = format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
            assert!(Node::from_json(deep.as_bytes()).is_err());
        }
        let many = |n: usize| format!("{{\"a\":[{}0]}}", "0,".repeat(n));
        assert!(Node::from_json(many(30_000).as_bytes()).is_ok());
        assert!(Node::from_json(many(40_000).as_bytes()).is_err());
    }

    #[test]
    fn duplicates_are_found_among_many_members_too() {
        let members: Vec<String> = (0..100).map(|n| format!("\"m{n}\":1,")).collect();
        let body = format!("{{{}", members.concat());
        assert!(Node::from_json(format!("{body}\"x\":1}}").as_bytes()).is_ok());
        assert!(Node::from_json(format!("{body}\"m7\":1}}").as_bytes()).is_err());
    }

    #[test]
    fn query_parameters_become_a_tree() {
        let node = Node::from_query(
            b"Action=A&Tags.member.1.Key=k%20&Tags.member.1.Value=&Tags.member.2.Key=l",
        )
        .unwrap();
        assert_eq!(node.text("Action"), Some("A"));
        let Some(Node::List(tags)) = node.member("Tags") else { panic!("no list") };
        assert_eq!(tags[0].text("Key"), Some("k "));
        assert_eq!(tags[0].text("Value"), Some(""));
        assert_eq!(tags[1].text("Key"), Some("l"));
    }

    #[test]
    fn members_of_a_list_come_in_any_order() {
        let letters = "T.member.1=a&T.member.10=j&T.member.2=b&T.member.3=c&T.member.4=d\
            &T.member.5=e&T.member.6=f&T.member.7=g&T.member.9=i&T.member.8=h&A=1";
        let node = Node::from_query(letters.as_bytes()).unwrap();
        let Some(Node::List(members)) = node.member("T") else { panic!("no list") };
        let texts: Vec<_> = ('a'..='j').map(|c| Node::Text(c.to_string().into())).collect();
        assert_eq!(*members, texts);
    }

    #[test]
    fn contradictory_query_parameters_are_malformed() {
        let bodies: [&[u8]; 6] = [
            b"A=1&A=2",
            b"A=1&A.B=2",
            b"A.member.2=x",
            b"A.member.0=x",
            b"A.member.x=x",
            b"A.member.1=x&A.B=y",
        ];
        for body in bodies {
            assert!(Node::from_query(body).is_err(), "{}", String::from_utf8_lossy(body));
        }
    }
}
