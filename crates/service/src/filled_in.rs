//! Members of a request that its audit record shows though the request left them out: AWS fills in
//! the values by which the service decides.
//!
//! Must not know which operations fill in what.

use wire::{Members, Scalar, Writer as _, recorded_name};

use crate::notes::extend;

/// What stands in a record for a member that isn't there.
#[derive(Debug, Clone, Copy)]
pub enum FilledIn {
    /// A text or an enum's value.
    Text(&'static str),
    /// A truth value.
    Boolean(bool),
    /// A number.
    Integer(i32),
    /// The text of another member, by the model's name; if that isn't there either, this one.
    Like(&'static str, &'static str),
}

impl FilledIn {
    fn scalar(self, input: &dyn Members) -> Scalar {
        match self {
            Self::Text(text) => Scalar::Text(text.to_owned()),
            Self::Boolean(value) => Scalar::Boolean(value),
            Self::Integer(value) => Scalar::Integer(i64::from(value)),
            Self::Like(other, text) => {
                input.scalar(other).unwrap_or_else(|| Scalar::Text(text.to_owned()))
            }
        }
    }
}

/// Adds to the recorded parameters `json` what the input left out.
pub(crate) fn fill_in(
    json: &mut Vec<u8>,
    input: &dyn Members,
    members: &[(&'static str, FilledIn)],
) {
    for (name, value) in members {
        if input.scalar(name).is_some() {
            continue;
        }
        let buffer = zeroize::Zeroizing::new(Vec::with_capacity(64));
        let mut out = wire::JsonWriter::record(buffer, wire::DateForm::Iso8601);
        out.text(&recorded_name(name));
        out.raw(b":");
        match value.scalar(input) {
            Scalar::Text(text) => out.text(&text),
            Scalar::Integer(value) => out.integer(value),
            Scalar::Boolean(value) => out.boolean(value),
            Scalar::Time(time) => out.timestamp(time),
        }
        extend(json, &out.finish());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    wire::structure! {
        struct Sample {
            a: bool = optional "A",
            b: wire::shapes::Description = optional "BOther",
        }
    }

    const MEMBERS: &[(&str, FilledIn)] = &[
        ("A", FilledIn::Boolean(false)),
        ("BOther", FilledIn::Text("x")),
        ("C", FilledIn::Like("BOther", "y")),
        ("D", FilledIn::Integer(7)),
    ];

    #[test]
    fn only_what_is_absent_is_filled_in() {
        let mut json = br#"{"a":true}"#.to_vec();
        fill_in(&mut json, &Sample { a: Some(true), b: None }, MEMBERS);
        assert_eq!(json, br#"{"a":true,"bOther":"x","c":"y","d":7}"#);
        let mut json = br#"{"bOther":"z"}"#.to_vec();
        let b = Some(wire::shapes::Description::of("z"));
        fill_in(&mut json, &Sample { a: None, b }, MEMBERS);
        assert_eq!(json, br#"{"bOther":"z","a":false,"c":"z","d":7}"#);
    }
}
