//! What is asked: who calls, what for, on which resource, with which condition keys. Must not know
//! where a value comes from.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::principal::Caller;

/// A request, as documents see it.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Who calls.
    pub caller: &'a Caller<'a>,
    /// The action, such as `kms:Encrypt`.
    pub action: &'a str,
    /// The ARN of the resource, or `*` where the action has none.
    pub resource: &'a str,
    /// The values of the condition keys.
    pub context: &'a dyn Context,
}

/// The condition keys of a request.
///
/// A key is looked up only when a document speaks of it, so that an implementation may work out
/// each value when it is asked for it.
pub trait Context {
    /// The values of a key, whose name arrives in lower case, the part behind a slash or a second
    /// colon included (`aws:principaltag/team`, `kms:encryptioncontext:purpose`).
    fn values(&self, key: &str) -> Values<'_>;
}

/// What a request has for a condition key.
#[derive(Debug, Clone, PartialEq)]
pub enum Values<'a> {
    /// The request doesn't have the key.
    Absent,
    /// The value of a single-valued key.
    One(Value<'a>),
    /// The values of a multivalued key; none at all count as an absent key.
    Many(Vec<Value<'a>>),
}

/// A condition key's value. It is compared as the operator demands: any kind as text, a text as
/// whatever it can be read as.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// Text.
    Text(Cow<'a, str>),
    /// A whole number; for dates, seconds since 1970.
    Number(i64),
    /// Yes or no.
    Bool(bool),
    /// A moment, in milliseconds since 1970.
    Time(i64),
    /// An address.
    Address(IpAddr),
    /// Bytes.
    Binary(Cow<'a, [u8]>),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl<'a> Value<'a> {
    /// The value in the form in which string operators and policy variables see it: times in ISO
    /// 8601 to the second, bytes in base64.
    pub fn into_text(self) -> Cow<'a, str> {
        match self {
            Self::Text(text) => text,
            other => Cow::Owned(other.text().into_owned()),
        }
    }

    fn borrowed(&self) -> Value<'_> {
        match self {
            Self::Text(text) => Value::Text(Cow::Borrowed(text)),
            Self::Binary(bytes) => Value::Binary(Cow::Borrowed(bytes)),
            Self::Number(number) => Value::Number(*number),
            Self::Bool(yes) => Value::Bool(*yes),
            Self::Time(millis) => Value::Time(*millis),
            Self::Address(address) => Value::Address(*address),
        }
    }

    pub(crate) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::Bool(yes) => Cow::Borrowed(if *yes { "true" } else { "false" }),
            Self::Time(millis) => Cow::Owned(crate::values::time_text(*millis)),
            Self::Address(address) => Cow::Owned(address.to_string()),
            Self::Binary(bytes) => Cow::Owned(crate::values::base64_text(bytes)),
        }
    }
}

/// No condition keys at all.
impl Context for () {
    fn values(&self, _key: &str) -> Values<'_> {
        Values::Absent
    }
}

/// Condition keys given one by one, as the policy simulator takes them.
#[derive(Debug, Default, Clone)]
pub struct ContextEntries {
    entries: Vec<(String, Values<'static>)>,
}

impl ContextEntries {
    /// Sets a single-valued key.
    pub fn insert(&mut self, key: &str, value: Value<'static>) {
        self.set(key, Values::One(value));
    }

    /// Sets a multivalued key.
    pub fn insert_all(&mut self, key: &str, values: impl IntoIterator<Item = Value<'static>>) {
        self.set(key, Values::Many(values.into_iter().collect()));
    }

    fn set(&mut self, key: &str, values: Values<'static>) {
        let key = key.to_lowercase();
        match self.entries.binary_search_by(|(known, _)| known.cmp(&key)) {
            Ok(index) => self.entries[index].1 = values,
            Err(index) => self.entries.insert(index, (key, values)),
        }
    }
}

impl Context for ContextEntries {
    fn values(&self, key: &str) -> Values<'_> {
        self.entries.binary_search_by(|(known, _)| (**known).cmp(key)).map_or(
            Values::Absent,
            |index| match &self.entries[index].1 {
                Values::Absent => Values::Absent,
                Values::One(value) => Values::One(value.borrowed()),
                Values::Many(values) => Values::Many(values.iter().map(Value::borrowed).collect()),
            },
        )
    }
}
