//! Texts of a document that a request completes: policy variables (IAM User Guide, "IAM policy
//! elements: Variables and tags"). Owns their syntax and their replacement. Must not know which
//! keys a request has.

use std::borrow::Cow;

use crate::document::Malformed;
use crate::pattern::{Case, Glob, Unit, units};
use crate::request::{Context, Values};

/// How a text of a document is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Syntax {
    /// `*` and `?` are wildcards.
    pub(crate) wildcards: bool,
    /// `${…}` is a variable: in documents of version 2012-10-17 alone.
    pub(crate) variables: bool,
    /// It is to be compared with texts in lower case.
    pub(crate) lower: bool,
}

/// A text to compare others with.
#[derive(Debug, Clone)]
pub(crate) enum Pattern {
    /// Complete as it stands.
    Fixed(Glob),
    /// To be completed by a request.
    Template { parts: Box<[Part]>, lower: bool },
}

/// One part of a template.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    Text(Box<str>),
    One,
    Many,
    Variable(Variable),
}

/// `${key}` or `${key, 'default'}`.
#[derive(Debug, Clone)]
pub(crate) struct Variable {
    /// The condition key, in lower case.
    pub(crate) key: Box<str>,
    /// What stands in where the request doesn't have the key.
    pub(crate) default: Option<Box<str>>,
}

impl Variable {
    /// Its value in a request; none where the request has no single value for the key.
    pub(crate) fn value<'a>(&'a self, context: &'a dyn Context) -> Option<Cow<'a, str>> {
        match context.values(&self.key) {
            Values::One(value) => Some(value.into_text()),
            Values::Absent | Values::Many(_) => self.default.as_deref().map(Cow::Borrowed),
        }
    }
}

impl Pattern {
    /// Compiles a text.
    ///
    /// # Errors
    /// [`Malformed`] for a variable that isn't closed, has no key or a default out of form, and
    /// for a pattern that couldn't be searched in linear time.
    pub(crate) fn compile(text: &str, syntax: Syntax) -> Result<Self, Malformed> {
        let parts =
            if syntax.lower { parts(&text.to_lowercase(), syntax)? } else { parts(text, syntax)? };
        let empty = glob(&parts, &[])?;
        if !parts.iter().any(|part| matches!(part, Part::Variable(_))) {
            return Ok(Self::Fixed(empty));
        }
        let pieces: Vec<&[Part]> = parts.split(|part| matches!(part, Part::Many)).collect();
        if let [_, between @ .., _] = &pieces[..] {
            let has = |piece: &[Part], wanted: fn(&Part) -> bool| piece.iter().any(wanted);
            if between.iter().any(|piece| {
                has(piece, |part| matches!(part, Part::One))
                    && has(piece, |part| matches!(part, Part::Variable(_)))
            }) {
                return Err(Malformed(
                    "A policy variable and ? can't stand together between two *.".to_owned(),
                ));
            }
        }
        Ok(Self::Template { parts: parts.into(), lower: syntax.lower })
    }

    /// Whether a text fits, as the request completes the pattern. A variable's value stands for
    /// itself: a wildcard in it is none.
    pub(crate) fn matches(&self, text: &str, context: &dyn Context) -> bool {
        match self {
            Self::Fixed(glob) => glob.matches(text),
            Self::Template { parts, lower } => {
                let values: Option<Vec<Cow<'_, str>>> = parts
                    .iter()
                    .filter_map(Part::variable)
                    .map(|variable| variable.value(context))
                    .map(|value| match value {
                        Some(value) if *lower => Some(Cow::Owned(value.to_lowercase())),
                        value => value,
                    })
                    .collect();
                let Some(values) = values else { return false };
                // It was compiled once with empty values, and no value makes it harder to search.
                glob(parts, &values).is_ok_and(|glob| glob.matches(text))
            }
        }
    }

    /// The variables in it.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &Variable> {
        let parts = match self {
            Self::Fixed(_) => &[],
            Self::Template { parts, .. } => &**parts,
        };
        parts.iter().filter_map(Part::variable)
    }
}

/// The pattern with these values for its variables, one after the other, and empty ones after that.
fn glob(parts: &[Part], values: &[Cow<'_, str>]) -> Result<Glob, Malformed> {
    let mut values = values.iter();
    let units = parts.iter().map(|part| match part {
        Part::Text(text) => Unit::Text(text),
        Part::One => Unit::One,
        Part::Many => Unit::Many,
        Part::Variable(_) => Unit::Text(values.next().map_or("", |value| &**value)),
    });
    Glob::compile(units, Case::Counts)
}

impl Part {
    fn variable(&self) -> Option<&Variable> {
        if let Self::Variable(variable) = self { Some(variable) } else { None }
    }
}

fn parts(text: &str, syntax: Syntax) -> Result<Vec<Part>, Malformed> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let start = if syntax.variables { rest.find("${") } else { None };
        let (plain, variable) = rest.split_at(start.unwrap_or(rest.len()));
        if syntax.wildcards {
            parts.extend(units(plain).map(|unit| match unit {
                Unit::Text(text) => Part::Text(text.into()),
                Unit::One => Part::One,
                Unit::Many => Part::Many,
            }));
        } else if !plain.is_empty() {
            parts.push(Part::Text(plain.into()));
        }
        let Some(variable) = variable.strip_prefix("${") else { break };
        let (part, after) = parse_variable(variable).ok_or_else(|| {
            Malformed(format!("The policy variable at \"${{{variable}\" isn't understood."))
        })?;
        parts.push(part);
        rest = after;
    }
    Ok(parts)
}

/// Reads a variable up to its brace, and gives what follows it.
fn parse_variable(text: &str) -> Option<(Part, &str)> {
    for literal in ["*", "?", "$"] {
        if let Some(after) = text.strip_prefix(literal) {
            return Some((Part::Text(literal.into()), after.strip_prefix('}')?));
        }
    }
    let (key, after) = text.split_at(text.find(['}', ',', '\'', '$', '{'])?);
    if !is_key(key) {
        return None;
    }
    let (default, after) = match after.strip_prefix(", '") {
        None => (None, after),
        Some(quoted) => {
            let (default, after) = quoted.split_once('\'')?;
            (Some(default.into()), after)
        }
    };
    let key = key.to_lowercase().into();
    Some((Part::Variable(Variable { key, default }), after.strip_prefix('}')?))
}

/// The six components of a pattern of ARNs, or as many as there are; the last has whatever colons
/// follow, and the colon of a variable's key separates nothing.
pub(crate) fn fields(text: &str, variables: bool) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut inside = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' if variables && text[..at].ends_with('$') => inside = true,
            b'}' => inside = false,
            b':' if !inside && parts.len() < 5 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// Whether a text has the form of a condition key: a prefix and a name. The prefix is a service's,
/// as in `aws:PrincipalTag/team`, or the host and path of an identity provider.
pub(crate) fn is_key(text: &str) -> bool {
    text.split_once(':').is_some_and(|(prefix, name)| {
        let is_prefix = |b: u8| b.is_ascii_alphanumeric() || b"-._~/%".contains(&b);
        !prefix.is_empty() && prefix.bytes().all(is_prefix) && !name.is_empty()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{ContextEntries, Value};

    const LIKE: Syntax = Syntax { wildcards: true, variables: true, lower: false };
    const EQUALS: Syntax = Syntax { wildcards: false, variables: true, lower: false };
    const OLD: Syntax = Syntax { wildcards: true, variables: false, lower: false };

    #[test]
    fn keys_have_a_prefix_and_a_name() {
        for key in ["aws:username", "s3-x:a/b:c", "idp.example:sub", "idp.example/realms/A_~%:aud"]
        {
            assert!(is_key(key), "{key}");
        }
        for text in ["", "aws", "aws:", ":name", "a b:c", "a*:c", "a$:c", "a\u{e9}:c"] {
            assert!(!is_key(text), "{text}");
        }
    }

    fn context() -> ContextEntries {
        let mut context = ContextEntries::default();
        context.insert("aws:username", Value::from("eve*"));
        context.insert("aws:EpochTime", Value::Number(7));
        context.insert_all("aws:TagKeys", ["a", "b"].map(Value::from));
        context
    }

    #[test]
    fn variables_are_replaced() {
        for (syntax, pattern, text, expected) in [
            (LIKE, "home/${aws:username}/*", "home/eve*/x", true),
            (LIKE, "home/${AWS:UserName}/*", "home/eve*/x", true),
            // What a caller calls itself widens nothing.
            (LIKE, "home/${aws:username}/*", "home/everyone/x", false),
            (LIKE, "${aws:username}${aws:EpochTime}", "eve*7", true),
            (LIKE, "${aws:userid, 'nobody'}", "nobody", true),
            (LIKE, "${aws:username, 'nobody'}", "nobody", false),
            (LIKE, "${aws:username, 'nobody'}", "eve*", true),
            (LIKE, "${aws:userid, ''}x", "x", true),
            (LIKE, "${aws:userid}", "", false),
            (LIKE, "${aws:TagKeys}", "a", false),
            (LIKE, "${*}${?}${$}", "*?$", true),
            (LIKE, "${*}", "x", false),
            (LIKE, "a*${aws:username}*z", "a--eve*--z", true),
            (EQUALS, "*${aws:username}?", "*eve*?", true),
            (EQUALS, "*${aws:username}?", "xeve*y", false),
            (EQUALS, "", "", true),
            (OLD, "${aws:username}", "eve*", false),
            (OLD, "${aws:username}", "${aws:username}", true),
            // `${*}` in the older version is a star between literal characters.
            (OLD, "${*}", "${anything}", true),
        ] {
            let compiled = Pattern::compile(pattern, syntax).unwrap();
            assert_eq!(compiled.matches(text, &context()), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn case_is_ignored_in_variables_too() {
        let syntax = Syntax { lower: true, ..EQUALS };
        let mut context = context();
        context.insert("aws:PrincipalTag/Team", Value::from("RÖT"));
        let pattern = Pattern::compile("Team ${aws:PrincipalTag/team}", syntax).unwrap();
        assert!(pattern.matches("team röt", &context));
    }

    #[test]
    fn colons_of_variables_separate_nothing() {
        for (text, variables, expected) in [
            ("arn:aws:s3:::a:b/*", true, &["arn", "aws", "s3", "", "", "a:b/*"][..]),
            ("arn:${aws:a}:x", true, &["arn", "${aws:a}", "x"]),
            ("arn:${aws:a, 'b:c'}x:{d:e}", true, &["arn", "${aws:a, 'b:c'}x", "{d", "e}"]),
            ("arn:${aws:a}:x", false, &["arn", "${aws", "a}", "x"]),
        ] {
            assert_eq!(fields(text, variables), expected, "{text}");
        }
    }

    #[test]
    fn variables_out_of_form_are_refused() {
        for pattern in [
            "${",
            "${}",
            "${aws:username",
            "${username}",
            "${aws:}",
            "${:x}",
            "${aws:a${aws:b}}",
            "${aws:a,'x'}",
            "${aws:a, x}",
            "${aws:a, 'x}",
            "${aws:a, 'x'",
            "${aws:a, 'x'y}",
            "${**}",
            "*?${aws:a}*",
            "${a s:b}",
        ] {
            assert!(Pattern::compile(pattern, LIKE).is_err(), "{pattern}");
        }
        for pattern in ["$", "{}", "$x", "$$", "${aws:PrincipalTag/cost center}", "?${aws:a}*"] {
            assert!(Pattern::compile(pattern, LIKE).is_ok(), "{pattern}");
        }
    }
}
