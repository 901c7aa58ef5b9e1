//! One condition, read from the JSON for one request (IAM User Guide, "IAM JSON policy elements:
//! Condition operators"). Calendars, addresses and base64 are libraries' work; what is done with
//! them stands here.

use std::cmp::Ordering;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use policy::{Value as Actual, Values};
use serde_json::Value;

use super::text::{Facts, Unit, exactly, fields, like, list};

/// Whether the condition is met. `allows` says that the statement allows, so that a value which
/// can't be compared doesn't meet it; where it denies, such a value does.
pub(super) fn holds(
    operator: &str,
    key: &str,
    expected: &Value,
    facts: &Facts<'_>,
    allows: bool,
) -> bool {
    let texts = list(expected);
    let actual = facts.values(key);
    if operator == "Null" {
        return texts.iter().any(|text| text.eq_ignore_ascii_case(&actual.is_none().to_string()));
    }
    let (set, operator) = operator.split_once(':').unwrap_or(("", operator));
    let (operator, if_exists) = match operator.strip_suffix("IfExists") {
        Some(operator) => (operator, true),
        None => (operator, false),
    };
    if actual.is_none() && if_exists {
        return true;
    }
    let (comparison, negated) = (operator.replace("Not", ""), operator.contains("Not"));
    let Some(patterns) = facts.patterns(&texts) else { return false };
    let compared = |value: &Actual<'static>| match comparison.as_str() {
        "StringEquals" => {
            let value = value.clone().into_text();
            Some(patterns.iter().any(|pattern| exactly(pattern) == value))
        }
        "StringEqualsIgnoreCase" => {
            let value = value.clone().into_text().to_lowercase();
            Some(patterns.iter().any(|pattern| exactly(pattern).to_lowercase() == value))
        }
        "StringLike" => {
            let value = value.clone().into_text();
            Some(patterns.iter().any(|pattern| like(pattern, &value)))
        }
        "ArnEquals" | "ArnLike" => arn(&texts, facts, &value.clone().into_text()),
        typed => typed_value(typed, &texts, value),
    };
    let meets = |value: &Actual<'static>| match compared(value) {
        None => !allows,
        Some(fits) => fits != negated,
    };
    match (set, actual) {
        ("ForAllValues", None) => true,
        ("ForAnyValue", None) => false,
        (_, None) => negated,
        // "… or if the key value resolves to a null dataset, such as an empty string".
        ("ForAllValues", Some(values)) => is_blank(values) || each(values).iter().all(meets),
        ("ForAnyValue", Some(values)) => !is_blank(values) && each(values).iter().any(meets),
        (_, Some(values)) if negated => each(values).iter().all(meets),
        (_, Some(values)) => each(values).iter().any(meets),
    }
}

fn each(values: &Values<'static>) -> Vec<Actual<'static>> {
    match values {
        Values::Absent => Vec::new(),
        Values::One(value) => vec![value.clone()],
        Values::Many(values) => values.clone(),
    }
}

fn is_blank(values: &Values<'_>) -> bool {
    matches!(values, Values::One(Actual::Text(text)) if text.is_empty())
}

/// "Each of the six colon-delimited components of the ARN is checked separately and each can
/// include multi-character match wildcards (*) or single-character match wildcards (?)."
fn arn(texts: &[String], facts: &Facts<'_>, actual: &str) -> Option<bool> {
    let actual: Vec<&str> = actual.splitn(6, ':').collect();
    if actual.len() < 6 || actual[0] != "arn" {
        return None;
    }
    let whole = actual.join(":");
    let one = |text: &String| -> Option<bool> {
        let mut parts = fields(text, facts.variables);
        if text == "*" {
            return Some(true);
        }
        if parts.len() < 6 {
            // A variable that stands for a whole ARN.
            let pattern = facts.patterns(std::slice::from_ref(text))?;
            return Some(exactly(&pattern[0]) == whole);
        }
        let last = parts.split_off(5).join(":");
        parts.push(last);
        let patterns: Vec<Vec<Unit>> = facts.patterns(&parts)?;
        Some(patterns.iter().zip(&actual).all(|(pattern, part)| like(pattern, part)))
    };
    Some(texts.iter().any(|text| one(text) == Some(true)))
}

/// A comparison of values that are more than text; None where the request's can't be read.
fn typed_value(operator: &str, texts: &[String], actual: &Actual<'_>) -> Option<bool> {
    let kinds = ["Numeric", "Date", "Bool", "Binary"];
    let kind = kinds.into_iter().find(|kind| operator.starts_with(kind)).unwrap_or("IpAddress");
    let order = operator.strip_prefix(kind).unwrap_or_default();
    let text = if let Actual::Text(text) = actual { Some(&**text) } else { None };
    let any = |fits: &dyn Fn(&String) -> Option<bool>| texts.iter().any(|t| fits(t) == Some(true));
    Some(match kind {
        "Numeric" => {
            let actual = match actual {
                Actual::Number(number) => number.to_string(),
                _ => text?.to_owned(),
            };
            number(&actual)?;
            any(&|text| Some(is_in_order(order, compare_numbers(&actual, text)?)))
        }
        "Date" => {
            let actual = match actual {
                Actual::Time(millis) => *millis,
                Actual::Number(seconds) => seconds.checked_mul(1000)?,
                _ => millis(text?)?,
            };
            any(&|text| Some(is_in_order(order, actual.cmp(&millis(text)?))))
        }
        "Bool" => {
            let actual = match actual {
                Actual::Bool(yes) => yes.to_string(),
                _ => text?.to_lowercase(),
            };
            if actual != "true" && actual != "false" {
                return None;
            }
            any(&|text| Some(text.to_lowercase() == actual))
        }
        "Binary" => {
            let actual = match actual {
                Actual::Binary(bytes) => bytes.to_vec(),
                _ => STANDARD.decode(text?).ok()?,
            };
            any(&|text| Some(STANDARD.decode(text).ok()? == actual))
        }
        _ => {
            let actual = match actual {
                Actual::Address(address) => *address,
                _ => text?.parse().ok()?,
            };
            let (tag, bits) = bits(actual.to_canonical());
            any(&|text| {
                let (wanted, prefix) = range(text)?;
                Some(tag == wanted && bits.starts_with(&prefix))
            })
        }
    })
}

fn is_in_order(order: &str, found: Ordering) -> bool {
    match order {
        "Equals" => found == Ordering::Equal,
        "LessThan" => found == Ordering::Less,
        "LessThanEquals" => found != Ordering::Greater,
        "GreaterThan" => found == Ordering::Greater,
        "GreaterThanEquals" => found != Ordering::Less,
        _ => false,
    }
}

/// A number's sign, whole part and fraction, without zeros that say nothing. It has at most as many
/// digits as 64 bits can, and nine after its point.
fn number(text: &str) -> Option<(bool, String, String)> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) || whole.len() > 20 || fraction.len() > 9 {
        return None;
    }
    let whole = whole.trim_start_matches('0').to_owned();
    let fraction = fraction.trim_end_matches('0').to_owned();
    let negative = text.starts_with('-') && !(whole.is_empty() && fraction.is_empty());
    Some((negative, whole, fraction))
}

fn compare_numbers(left: &str, right: &str) -> Option<Ordering> {
    let (left, right) = (number(left)?, number(right)?);
    let size = |n: &(bool, String, String)| (n.1.len(), n.1.clone(), n.2.clone());
    Some(match (left.0, right.0) {
        (false, true) => Ordering::Greater,
        (true, false) => Ordering::Less,
        (false, false) => size(&left).cmp(&size(&right)),
        (true, true) => size(&right).cmp(&size(&left)),
    })
}

/// "The W3C implementations of the ISO 8601 date formats or … epoch (UNIX) time."
fn millis(text: &str) -> Option<i64> {
    if text.chars().all(|c| c.is_ascii_digit()) {
        return text.parse::<i64>().ok()?.checked_mul(1000);
    }
    let zoned = |text: &str| text.parse::<jiff::Timestamp>().ok().filter(|_| !text.contains('['));
    let moment = zoned(text)
        .or_else(|| zoned(&format!("{text}Z")))
        .or_else(|| zoned(&format!("{text}T00:00:00Z")))
        .or_else(|| zoned(&format!("{text}-01T00:00:00Z")));
    Some(moment?.as_millisecond())
}

fn bits(address: IpAddr) -> (u8, String) {
    match address {
        IpAddr::V4(address) => (4, format!("{:032b}", u32::from(address))),
        IpAddr::V6(address) => (6, format!("{:0128b}", u128::from(address))),
    }
}

/// A range's kind of address and the bits that are the same in all of it. What IPv6 writes for an
/// IPv4 address is one.
fn range(text: &str) -> Option<(u8, String)> {
    let (address, length) = text.split_once('/').unwrap_or((text, ""));
    let (tag, all) = bits(address.parse().ok()?);
    let length = if length.is_empty() { all.len() } else { length.parse().ok()? };
    let mapped = format!("{}{}", "0".repeat(80), "1".repeat(16));
    let fixed = all.get(..length)?.to_owned();
    match fixed.strip_prefix(&mapped) {
        Some(fixed) if tag == 6 => Some((4, fixed.to_owned())),
        _ => Some((tag, fixed)),
    }
}
