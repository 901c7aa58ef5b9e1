//! The condition operators (IAM User Guide, "IAM JSON policy elements: Condition operators"): their
//! names, the values that each takes, and whether a value of a request fits one of them. Must not
//! know what becomes of absent keys and of negation; that is `condition.rs`.

use crate::document::Malformed;
use crate::request::{Context, Value};
use crate::template::{Pattern, Syntax, Variable, fields};
use crate::values::{
    Decimal, Network, address_of, bool_of, bytes_of, parse_base64, parse_bool, parse_time, time_of,
};

/// An operator's name, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operator {
    pub(crate) set: Option<Set>,
    pub(crate) comparison: Comparison,
    pub(crate) negated: bool,
    pub(crate) if_exists: bool,
}

/// How the values of a multivalued key are taken together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Set {
    ForAllValues,
    ForAnyValue,
}

/// What is compared, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
    Numeric(Order),
    Date(Order),
    Bool,
    BinaryEquals,
    IpAddress,
    Arn,
    Null,
}

/// Where the request's value lies, seen from the document's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Each operator with what it compares and whether it is negated.
const OPERATORS: [(&str, Comparison, bool); 27] = [
    ("StringEquals", Comparison::StringEquals, false),
    ("StringNotEquals", Comparison::StringEquals, true),
    ("StringEqualsIgnoreCase", Comparison::StringEqualsIgnoreCase, false),
    ("StringNotEqualsIgnoreCase", Comparison::StringEqualsIgnoreCase, true),
    ("StringLike", Comparison::StringLike, false),
    ("StringNotLike", Comparison::StringLike, true),
    ("NumericEquals", Comparison::Numeric(Order::Equal), false),
    ("NumericNotEquals", Comparison::Numeric(Order::Equal), true),
    ("NumericLessThan", Comparison::Numeric(Order::Less), false),
    ("NumericLessThanEquals", Comparison::Numeric(Order::LessOrEqual), false),
    ("NumericGreaterThan", Comparison::Numeric(Order::Greater), false),
    ("NumericGreaterThanEquals", Comparison::Numeric(Order::GreaterOrEqual), false),
    ("DateEquals", Comparison::Date(Order::Equal), false),
    ("DateNotEquals", Comparison::Date(Order::Equal), true),
    ("DateLessThan", Comparison::Date(Order::Less), false),
    ("DateLessThanEquals", Comparison::Date(Order::LessOrEqual), false),
    ("DateGreaterThan", Comparison::Date(Order::Greater), false),
    ("DateGreaterThanEquals", Comparison::Date(Order::GreaterOrEqual), false),
    ("Bool", Comparison::Bool, false),
    ("BinaryEquals", Comparison::BinaryEquals, false),
    ("IpAddress", Comparison::IpAddress, false),
    ("NotIpAddress", Comparison::IpAddress, true),
    ("ArnEquals", Comparison::Arn, false),
    ("ArnLike", Comparison::Arn, false),
    ("ArnNotEquals", Comparison::Arn, true),
    ("ArnNotLike", Comparison::Arn, true),
    ("Null", Comparison::Null, false),
];

impl Operator {
    /// Reads a name with its qualifier and its suffix. `Null` asks for a key's presence itself, so
    /// that it takes neither.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (set, name) = match text.split_once(':') {
            None => (None, text),
            Some(("ForAllValues", name)) => (Some(Set::ForAllValues), name),
            Some(("ForAnyValue", name)) => (Some(Set::ForAnyValue), name),
            Some(_) => return None,
        };
        let (name, if_exists) =
            name.strip_suffix("IfExists").map_or((name, false), |name| (name, true));
        let (_, comparison, negated) = *OPERATORS.iter().find(|(known, _, _)| *known == name)?;
        if comparison == Comparison::Null && (set.is_some() || if_exists) {
            return None;
        }
        Some(Self { set, comparison, negated, if_exists })
    }
}

/// The values that a condition names, compiled.
#[derive(Debug, Clone)]
pub(crate) enum Expected {
    Text(Box<[Pattern]>),
    /// In lower case.
    TextIgnoringCase(Box<[Pattern]>),
    Numeric(Order, Box<[Decimal]>),
    Date(Order, Box<[i64]>),
    Bool(Box<[bool]>),
    Binary(Box<[Vec<u8>]>),
    Address(Box<[Network]>),
    Arn(Box<[ArnPattern]>),
    Null(Box<[bool]>),
}

/// A pattern of ARNs.
#[derive(Debug, Clone)]
pub(crate) enum ArnPattern {
    /// `*`: every ARN.
    Any,
    /// Its six components, each matched by itself.
    Components(Box<[Pattern; 6]>),
    /// A variable that stands for a whole ARN.
    Variable(Pattern),
}

impl Expected {
    /// Compiles a condition's values.
    ///
    /// # Errors
    /// [`Malformed`] for a value that isn't of the operator's type.
    pub(crate) fn compile(
        comparison: Comparison,
        values: &[String],
        variables: bool,
    ) -> Result<Self, Malformed> {
        let equal = Syntax { wildcards: false, variables, lower: false };
        let like = Syntax { wildcards: true, ..equal };
        let lower = Syntax { lower: true, ..equal };
        Ok(match comparison {
            Comparison::StringEquals => {
                Self::Text(compiled(values, |text| Pattern::compile(text, equal))?)
            }
            Comparison::StringLike => {
                Self::Text(compiled(values, |text| Pattern::compile(text, like))?)
            }
            Comparison::StringEqualsIgnoreCase => {
                Self::TextIgnoringCase(compiled(values, |text| Pattern::compile(text, lower))?)
            }
            Comparison::Numeric(order) => {
                Self::Numeric(order, read(values, "number", Decimal::parse)?)
            }
            Comparison::Date(order) => Self::Date(
                order,
                compiled(values, |text| {
                    parse_time(text)
                        .ok_or_else(|| Malformed("The policy failed legacy parsing".to_owned()))
                })?,
            ),
            Comparison::Bool => Self::Bool(read(values, "boolean", parse_bool)?),
            Comparison::BinaryEquals => Self::Binary(read(values, "base64 text", parse_base64)?),
            Comparison::IpAddress => {
                Self::Address(read(values, "range of addresses", Network::parse)?)
            }
            Comparison::Arn => Self::Arn(compiled(values, |text| ArnPattern::compile(text, like))?),
            Comparison::Null => Self::Null(read(values, "boolean", parse_bool)?),
        })
    }

    /// Whether a request's value fits one of these. None where it isn't of the operator's type, so
    /// that there is no telling.
    pub(crate) fn fits(&self, value: &Value<'_>, context: &dyn Context) -> Option<bool> {
        match self {
            Self::Text(patterns) => {
                let text = value.text();
                Some(patterns.iter().any(|pattern| pattern.matches(&text, context)))
            }
            Self::TextIgnoringCase(patterns) => {
                let text = value.text().to_lowercase();
                Some(patterns.iter().any(|pattern| pattern.matches(&text, context)))
            }
            Self::Numeric(order, numbers) => {
                let value = Decimal::of(value)?;
                Some(numbers.iter().any(|number| order.holds(&value, number)))
            }
            Self::Date(order, moments) => {
                let value = time_of(value)?;
                Some(moments.iter().any(|moment| order.holds(&value, moment)))
            }
            Self::Bool(wanted) => bool_of(value).map(|value| wanted.contains(&value)),
            Self::Binary(wanted) => {
                let value = bytes_of(value)?;
                Some(wanted.iter().any(|bytes| **bytes == *value))
            }
            Self::Address(networks) => {
                let address = address_of(value)?;
                Some(networks.iter().any(|network| network.contains(address)))
            }
            Self::Arn(patterns) => {
                let text = value.text();
                let components = components(&text)?;
                Some(patterns.iter().any(|pattern| pattern.matches(&text, &components, context)))
            }
            // It is asked before there is a value.
            Self::Null(_) => None,
        }
    }

    /// The variables in the values.
    pub(crate) fn variables(&self) -> Vec<&Variable> {
        match self {
            Self::Text(patterns) | Self::TextIgnoringCase(patterns) => {
                patterns.iter().flat_map(Pattern::variables).collect()
            }
            Self::Arn(patterns) => patterns.iter().flat_map(ArnPattern::variables).collect(),
            Self::Numeric(..)
            | Self::Date(..)
            | Self::Bool(_)
            | Self::Binary(_)
            | Self::Address(_)
            | Self::Null(_) => Vec::new(),
        }
    }
}

fn compiled<T>(
    values: &[String],
    compile: impl Fn(&str) -> Result<T, Malformed>,
) -> Result<Box<[T]>, Malformed> {
    values.iter().map(|text| compile(text)).collect()
}

fn read<T>(
    values: &[String],
    what: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Box<[T]>, Malformed> {
    compiled(values, |text| {
        parse(text).ok_or_else(|| {
            Malformed(format!("The value \"{text}\" in a policy condition is no {what}."))
        })
    })
}

impl Order {
    fn holds<T: Ord>(self, value: &T, expected: &T) -> bool {
        match self {
            Self::Equal => value == expected,
            Self::Less => value < expected,
            Self::LessOrEqual => value <= expected,
            Self::Greater => value > expected,
            Self::GreaterOrEqual => value >= expected,
        }
    }
}

impl ArnPattern {
    fn compile(text: &str, syntax: Syntax) -> Result<Self, Malformed> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let parts = fields(text, syntax.variables);
        if let Ok(parts) = <[&str; 6]>::try_from(parts) {
            let mut compiled = Vec::with_capacity(parts.len());
            for part in parts {
                compiled.push(Pattern::compile(part, syntax)?);
            }
            if let Ok(components) = <[Pattern; 6]>::try_from(compiled) {
                return Ok(Self::Components(Box::new(components)));
            }
        }
        if syntax.variables && text.starts_with("${") && text.find('}') == Some(text.len() - 1) {
            return Ok(Self::Variable(Pattern::compile(text, syntax)?));
        }
        Err(Malformed(format!("The value \"{text}\" in a policy condition is no ARN.")))
    }

    fn matches(&self, text: &str, components: &[&str; 6], context: &dyn Context) -> bool {
        match self {
            Self::Any => true,
            Self::Components(patterns) => patterns
                .iter()
                .zip(components)
                .all(|(pattern, component)| pattern.matches(component, context)),
            Self::Variable(pattern) => pattern.matches(text, context),
        }
    }

    fn variables(&self) -> impl Iterator<Item = &Variable> {
        let patterns = match self {
            Self::Any => &[],
            Self::Components(patterns) => &patterns[..],
            Self::Variable(pattern) => std::slice::from_ref(pattern),
        };
        patterns.iter().flat_map(Pattern::variables)
    }
}

/// The six components of an ARN, of which the last has whatever colons follow.
fn components(arn: &str) -> Option<[&str; 6]> {
    let mut parts = arn.splitn(6, ':');
    let mut next = || parts.next();
    let components = [next()?, next()?, next()?, next()?, next()?, next()?];
    (components[0] == "arn").then_some(components)
}
