//! Texts of a document as a request completes them: wildcards and policy variables. Must not know
//! what a text is compared for.

use policy::Values;
use serde_json::Value;

/// One unit of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Is(char),
    /// `?`.
    One,
    /// `*`.
    Any,
}

/// The request's condition keys, and whether the document's version knows policy variables.
pub(super) struct Facts<'a> {
    pub(super) context: &'a [(String, Values<'static>)],
    pub(super) variables: bool,
}

impl Facts<'_> {
    /// "Condition key names are not case-sensitive." A key without values is absent.
    pub(super) fn values(&self, key: &str) -> Option<&Values<'static>> {
        let named = |known: &String| known.to_lowercase() == key.to_lowercase();
        // Of a key that stands twice the last counts.
        let found = self.context.iter().rev().find(|(known, _)| named(known));
        let values = found.map(|(_, values)| values);
        values.filter(|values| match values {
            Values::Absent => false,
            Values::One(_) => true,
            Values::Many(values) => !values.is_empty(),
        })
    }

    /// The texts with their variables replaced: "If the variable is not present in the request and
    /// there is no default text, the statement doesn't match", which is None.
    pub(super) fn patterns(&self, texts: &[String]) -> Option<Vec<Vec<Unit>>> {
        texts.iter().map(|text| self.pattern(text)).collect()
    }

    fn pattern(&self, text: &str) -> Option<Vec<Unit>> {
        let mut units = Vec::new();
        let mut rest = text;
        while self.variables
            && let Some((before, after)) = rest.split_once("${")
        {
            units.extend(written(before));
            rest = self.replaced(after, &mut units)?;
        }
        units.extend(written(rest));
        Some(units)
    }

    /// Replaces the variable at the text's beginning, and gives what follows it.
    fn replaced<'t>(&self, text: &'t str, units: &mut Vec<Unit>) -> Option<&'t str> {
        let mut literally = |value: &str| units.extend(value.chars().map(Unit::Is));
        if let Some((sign @ ("*" | "?" | "$"), after)) = text.split_once('}') {
            literally(sign);
            return Some(after);
        }
        let ends = text.find(['}', ','])?;
        let (key, after) = text.split_at(ends);
        // A default may have a brace in it, but no quotation mark.
        let (default, after) = match after.strip_prefix(", '") {
            None => (None, after),
            Some(quoted) => {
                quoted.split_once('\'').map(|(default, after)| (Some(default), after))?
            }
        };
        match (self.values(key), default) {
            (Some(Values::One(value)), _) => literally(&value.clone().into_text()),
            (_, Some(default)) => literally(default),
            (_, None) => return None,
        }
        after.strip_prefix('}')
    }
}

/// A text in which `*` and `?` are wildcards.
pub(super) fn written(text: &str) -> Vec<Unit> {
    text.chars()
        .map(|c| match c {
            '*' => Unit::Any,
            '?' => Unit::One,
            c => Unit::Is(c),
        })
        .collect()
}

/// A text in which they are not, but for those that variables were replaced by.
pub(super) fn exactly(units: &[Unit]) -> String {
    let plain = |unit: &Unit| match unit {
        Unit::Is(c) => *c,
        Unit::One => '?',
        Unit::Any => '*',
    };
    units.iter().map(plain).collect()
}

/// Whether the text fits the pattern: for each beginning of the pattern, which beginnings of the
/// text fit it.
pub(super) fn like(pattern: &[Unit], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let mut fits = vec![false; text.len() + 1];
    fits[0] = true;
    for unit in pattern {
        let before = fits;
        fits = vec![false; text.len() + 1];
        for end in 0..=text.len() {
            let longer = |one: bool| end > 0 && one && before[end - 1];
            fits[end] = match unit {
                Unit::Any => before[end] || (end > 0 && fits[end - 1]),
                Unit::One => longer(true),
                Unit::Is(c) => longer(end > 0 && text[end - 1] == *c),
            };
        }
    }
    fits[text.len()]
}

/// What stands between the colons, of which those of variables count for nothing.
pub(super) fn fields(text: &str, variables: bool) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let ends = if variables && rest.starts_with("${") { rest.find('}') } else { None };
        let length = ends.map_or(c.len_utf8(), |end| end + 1);
        let (part, after) = rest.split_at(length);
        rest = after;
        match fields.last_mut() {
            Some(last) if part != ":" => last.push_str(part),
            _ => fields.push(String::new()),
        }
    }
    fields
}

/// One value or several, as texts: "quotation marks are optional for numeric and Boolean values".
pub(super) fn list(value: &Value) -> Vec<String> {
    match value {
        Value::Array(values) => values.iter().flat_map(list).collect(),
        Value::String(text) => vec![text.clone()],
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (None, None, Some(number)) => vec![number.to_string()],
            _ => vec![number.to_string()],
        },
        other => vec![other.to_string()],
    }
}
