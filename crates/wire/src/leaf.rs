//! What a leaf shape is: a name, a kind with its bounds, a way to be read and to be written.
//!
//! Owns the wording of a bound that doesn't hold. The shapes themselves are tables, such as
//! [`crate::shapes`] and [`crate::enums`], made by the macros of [`crate::declare`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::node::Node;
use crate::path::Path;
use crate::reader::Reader;
use crate::structure::StructureInfo;
use crate::timestamp::Timestamp;
use crate::writer::Writer;

/// A shape's description, as the service model has it; the conformance tests compare the two.
#[derive(Debug, Clone, Copy)]
pub struct ShapeInfo {
    /// The shape's name in the model, such as `KeyIdType`.
    pub name: &'static str,
    /// What it is, with its bounds.
    pub kind: ShapeKind,
    /// Whether the model marks it sensitive: its values are never echoed or recorded.
    pub sensitive: bool,
}

/// What a shape is. Lengths of strings count UTF-16 units, those of blobs bytes.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the fields are the model's own words")]
pub enum ShapeKind {
    Boolean,
    Timestamp,
    Text { min: usize, max: usize, pattern: Option<Pattern> },
    Enum { values: &'static [&'static str] },
    Blob { min: usize, max: usize },
    Integer { min: i32, max: i32 },
    List { member: &'static ShapeInfo, min: usize, max: usize },
    Map { key: &'static ShapeInfo, value: &'static ShapeInfo },
    Structure(&'static StructureInfo),
}

/// A pattern of the model: its text for messages, and the check by hand that stands for it (the
/// conformance tests hold the two against each other).
#[derive(Debug, Clone, Copy)]
pub struct Pattern {
    /// The regular expression, as the model writes it.
    pub text: &'static str,
    /// Whether a value satisfies it.
    pub matches: fn(&str) -> bool,
}

/// Grant tokens, the tokens of sessions, the codes of MFA devices, and what a context provider
/// asserts of a caller.
const BEARER_SHAPES: &[&str] =
    &["GrantTokenList", "GrantTokenType", "contextAssertionType", "tokenCodeType", "tokenType"];

impl ShapeInfo {
    /// Whether a value of this shape may stand in an audit record, or in a message about it, which
    /// is recorded too. What admits whoever holds it may not, though the model doesn't call it
    /// sensitive: who reads one can use it.
    pub fn recorded(&self) -> bool {
        !self.sensitive
            && !matches!(self.kind, ShapeKind::Blob { .. })
            && !BEARER_SHAPES.contains(&self.name)
    }

    /// The rules of a scalar, as AWS lists them for a list whose member breaks one.
    fn rules(&self) -> String {
        let mut rules = Vec::new();
        match self.kind {
            ShapeKind::Text { min, max, pattern } => {
                rules.push(at_most(max));
                rules.push(at_least(min));
                rules.extend(pattern.map(|p| pattern_rule(&p)));
            }
            ShapeKind::Enum { values } => rules.push(enum_rule(values)),
            _ => {}
        }
        rules.join(", ")
    }
}

/// A type that a request can hold.
pub trait Shape: Sized {
    /// What it is in the model.
    const INFO: &'static ShapeInfo;

    /// Reads a value; whatever is wrong with it goes to the reader, and then there is none.
    fn read(node: &Node<'_>, at: &Path<'_>, reader: &mut Reader) -> Option<Self>;
}

/// A type that an answer can hold.
pub trait Write {
    /// Writes the value in the writer's encoding.
    fn write<W: Writer>(&self, out: &mut W);
}

fn at_most(max: usize) -> String {
    format!("Member must have length less than or equal to {max}")
}

fn at_least(min: usize) -> String {
    format!("Member must have length greater than or equal to {min}")
}

fn pattern_rule(pattern: &Pattern) -> String {
    format!("Member must satisfy regular expression pattern: {}", pattern.text)
}

/// AWS prints an enum's values in the order of a Java hash set: by the low bits of
/// `String.hashCode()`. Ties are in unknown order; here the model's.
fn enum_rule(values: &[&str]) -> String {
    let mut values = values.to_vec();
    values.sort_by_key(|value| {
        value.bytes().fold(0_u32, |h, b| h.wrapping_mul(31).wrapping_add(u32::from(b))) & 31
    });
    format!("Member must satisfy enum value set: [{}]", values.join(", "))
}

fn length(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

/// Reads a string of the shape `info`, which must be a text.
pub(crate) fn read_text(
    info: &'static ShapeInfo,
    node: &Node<'_>,
    at: &Path<'_>,
    reader: &mut Reader,
) -> Option<String> {
    let Node::Text(text) = node else {
        reader.wrong_type(node, "String");
        return None;
    };
    let ShapeKind::Text { min, max, pattern } = info.kind else { return None };
    let length = length(text);
    let mut valid = true;
    if length > max {
        reader.violation(info, at, text, &at_most(max));
        valid = false;
    }
    if length < min {
        reader.violation(info, at, text, &at_least(min));
        valid = false;
    }
    if let Some(pattern) = pattern.filter(|p| !(p.matches)(text)) {
        reader.violation(info, at, text, &pattern_rule(&pattern));
        valid = false;
    }
    valid.then(|| text.clone().into_owned())
}

/// Whether a string shape's bounds allow a text.
pub(crate) fn fits(info: &'static ShapeInfo, text: &str) -> bool {
    let ShapeKind::Text { min, max, pattern } = info.kind else { return false };
    (min..=max).contains(&length(text)) && pattern.is_none_or(|p| (p.matches)(text))
}

/// Reads a string of the enum `info` and gives its place among the values.
pub(crate) fn read_enum(
    info: &'static ShapeInfo,
    node: &Node<'_>,
    at: &Path<'_>,
    reader: &mut Reader,
) -> Option<usize> {
    let Node::Text(text) = node else {
        reader.wrong_type(node, "String");
        return None;
    };
    let ShapeKind::Enum { values } = info.kind else { return None };
    let found = values.iter().position(|value| value == text);
    if found.is_none() {
        reader.violation(info, at, text, &enum_rule(values));
    }
    found
}

/// Reads base64 of the shape `info`, which must be a blob.
pub(crate) fn read_blob(
    info: &'static ShapeInfo,
    node: &Node<'_>,
    at: &Path<'_>,
    reader: &mut Reader,
) -> Option<Vec<u8>> {
    let Node::Text(text) = node else {
        reader.wrong_type(node, "Blob");
        return None;
    };
    let ShapeKind::Blob { min, max } = info.kind else { return None };
    let Ok(bytes) = STANDARD.decode(text.as_bytes()) else {
        reader.malformed(format!("The value at '{at}' is not valid base64"));
        return None;
    };
    if bytes.len() > max {
        reader.violation(info, at, "", &at_most(max));
        return None;
    }
    if bytes.len() < min {
        reader.violation(info, at, "", &at_least(min));
        return None;
    }
    Some(bytes)
}

/// An integer within the bounds of its shape.
pub trait Integer: Copy {
    /// The number.
    fn value(self) -> i32;
}

pub(crate) fn read_integer(
    info: &'static ShapeInfo,
    node: &Node<'_>,
    at: &Path<'_>,
    reader: &mut Reader,
) -> Option<i32> {
    let number = match node {
        Node::Integer(number) => i32::try_from(*number).ok(),
        Node::Text(text) if reader.scalars_as_text() => text.parse().ok(),
        _ => None,
    };
    let Some(number) = number else {
        reader.wrong_type(node, "Integer");
        return None;
    };
    let ShapeKind::Integer { min, max } = info.kind else { return None };
    if number > max {
        let rule = format!("Member must have value less than or equal to {max}");
        reader.violation(info, at, &number.to_string(), &rule);
        return None;
    }
    if number < min {
        let rule = format!("Member must have value greater than or equal to {min}");
        reader.violation(info, at, &number.to_string(), &rule);
        return None;
    }
    Some(number)
}

/// Makes `map` of [`Writer`] take maps of strings.
impl Write for String {
    fn write<W: Writer>(&self, out: &mut W) {
        out.text(self);
    }
}

impl Shape for bool {
    const INFO: &'static ShapeInfo =
        &ShapeInfo { name: "BooleanType", kind: ShapeKind::Boolean, sensitive: false };

    fn read(node: &Node<'_>, _: &Path<'_>, reader: &mut Reader) -> Option<Self> {
        match node {
            Node::Boolean(value) => Some(*value),
            Node::Text(text) if reader.scalars_as_text() && text == "true" => Some(true),
            Node::Text(text) if reader.scalars_as_text() && text == "false" => Some(false),
            _ => {
                reader.wrong_type(node, "Boolean");
                None
            }
        }
    }
}

impl Write for bool {
    fn write<W: Writer>(&self, out: &mut W) {
        out.boolean(*self);
    }
}

impl Shape for Timestamp {
    const INFO: &'static ShapeInfo =
        &ShapeInfo { name: "DateType", kind: ShapeKind::Timestamp, sensitive: false };

    fn read(node: &Node<'_>, _: &Path<'_>, reader: &mut Reader) -> Option<Self> {
        let time = match node {
            Node::Integer(seconds) => seconds.checked_mul(1000).map(Timestamp::from_millis),
            #[expect(clippy::cast_possible_truncation, reason = "bounded by the guard")]
            Node::Number(seconds) if seconds.abs() < 1e15 => {
                Some(Timestamp::from_millis((seconds * 1000.0).round() as i64))
            }
            Node::Text(text) if reader.scalars_as_text() => Timestamp::parse_iso8601(text),
            _ => None,
        };
        if time.is_none() {
            reader.wrong_type(node, "Timestamp");
        }
        time
    }
}

impl Write for Timestamp {
    fn write<W: Writer>(&self, out: &mut W) {
        out.timestamp(*self);
    }
}

/// The values of a list shape.
pub type List<T> = Vec<T>;

/// Reads the members of the list shape `info`. A scalar member that breaks a bound is a violation
/// of the list, a structure's is its own: so AWS words them.
pub(crate) fn read_list<T: Shape>(
    info: &'static ShapeInfo,
    node: &Node<'_>,
    at: &Path<'_>,
    reader: &mut Reader,
) -> Option<List<T>> {
    let nodes = match node {
        Node::List(nodes) => nodes.as_slice(),
        // How the query protocol writes a list without members: `Tags=`.
        Node::Text(text) if reader.scalars_as_text() && text.is_empty() => &[],
        _ => {
            reader.wrong_type(node, "List");
            return None;
        }
    };
    let ShapeKind::List { min, max, .. } = info.kind else { return None };
    // The length first: the members of a list that is too long aren't worth reading.
    if nodes.len() > max {
        reader.violation(info, at, &echo(nodes), &at_most(max));
        return None;
    }
    if nodes.len() < min {
        reader.violation(info, at, &echo(nodes), &at_least(min));
        return None;
    }
    let structures = matches!(T::INFO.kind, ShapeKind::Structure(_));
    let mut values = Vec::with_capacity(nodes.len());
    for (index, node) in nodes.iter().enumerate() {
        if structures {
            values.extend(T::read(node, &at.index(index), reader));
            continue;
        }
        let Some(value) = reader.probe(|probe| T::read(node, &at.index(index), probe)) else {
            let rule = format!("Member must satisfy constraint: [{}]", T::INFO.rules());
            reader.violation(info, at, &echo(nodes), &rule);
            return None;
        };
        values.push(value);
    }
    Some(values)
}

/// A list as Java prints it.
fn echo(nodes: &[Node<'_>]) -> String {
    let words = nodes.iter().map(|node| match node {
        Node::Text(text) => text.clone().into_owned(),
        Node::Integer(number) => number.to_string(),
        Node::Boolean(value) => value.to_string(),
        Node::Number(number) => number.to_string(),
        Node::Null => "null".to_owned(),
        Node::List(_) | Node::Object(_) => "{}".to_owned(),
    });
    format!("[{}]", words.collect::<Vec<_>>().join(", "))
}

/// The pairs of a map of strings to strings, sorted by key; keys are unique.
pub type Map = Vec<(String, String)>;

pub(crate) fn read_map(node: &Node<'_>, reader: &mut Reader) -> Option<Map> {
    let Node::Object(members) = node else {
        reader.wrong_type(node, "Map");
        return None;
    };
    let mut pairs = Map::with_capacity(members.len());
    for (name, node) in members {
        let Node::Text(value) = node else {
            reader.wrong_type(node, "String");
            return None;
        };
        pairs.push((name.clone().into_owned(), value.clone().into_owned()));
    }
    pairs.sort_unstable();
    Some(pairs)
}

/// Reads the pairs of a map whose keys and values have bounds.
pub(crate) fn read_pairs<K: Shape, V: Shape>(
    node: &Node<'_>,
    at: &Path<'_>,
    reader: &mut Reader,
) -> Option<Vec<(K, V)>> {
    let Node::Object(members) = node else {
        reader.wrong_type(node, "Map");
        return None;
    };
    let mut pairs = Vec::with_capacity(members.len());
    for (name, node) in members {
        // All are read whatever is wrong with one, so that every violation is collected.
        let key = K::read(&Node::Text(name.clone()), at, reader);
        let value = V::read(node, &at.member(name), reader);
        pairs.extend(key.zip(value));
    }
    (pairs.len() == members.len()).then_some(pairs)
}
