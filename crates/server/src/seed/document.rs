//! The seed file as a YAML document: which fields there are and of what type.
//!
//! Must not know what a value means. No message tells anything of a material.

use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::{Error, MessageFormatter as _, Options, Spanned, UserMessageFormatter};
use zeroize::Zeroizing;

use super::{At, Mistake};

/// How many values the file's aliases may stand for, all together.
const ALIASED_MAX: usize = 20_000;
/// How deep the file may nest; a policy nests deepest, eight levels or so.
const DEPTH_MAX: usize = 32;

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub(super) account: Option<Spanned<String>>,
    pub(super) region: Option<Spanned<String>>,
    pub(super) keys: Vec<Spanned<Key>>,
}

/// A key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Key {
    pub(super) id: Spanned<String>,
    pub(super) account: Option<Spanned<String>>,
    pub(super) region: Option<Spanned<String>>,
    pub(super) spec: Option<Spanned<String>>,
    pub(super) usage: Option<Spanned<String>>,
    pub(super) origin: Option<Spanned<String>>,
    pub(super) created: Option<Spanned<String>>,
    pub(super) description: Option<Spanned<String>>,
    pub(super) enabled: Option<bool>,
    pub(super) tags: Option<Spanned<Tags>>,
    pub(super) aliases: Option<Vec<Spanned<String>>>,
    pub(super) policy: Option<Spanned<Policy>>,
    pub(super) bypass_policy_lockout_safety_check: Option<bool>,
    pub(super) rotation: Option<Rotation>,
    pub(super) material: Option<Spanned<Material>>,
    pub(super) materials: Option<Vec<Spanned<Material>>>,
}

/// Automatic rotation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rotation {
    pub(super) period_days: Spanned<i32>,
}

/// A material, written down in exactly one way.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Material {
    pub(super) hex: Option<Spanned<Secret>>,
    pub(super) base64: Option<Spanned<Secret>>,
    pub(super) pem: Option<Spanned<Secret>>,
    pub(super) file: Option<Spanned<String>>,
}

/// A text that is wiped, and of which no message tells.
pub(super) struct Secret(pub(super) Zeroizing<String>);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Secret;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E>(self, text: &str) -> Result<Secret, E> {
                Ok(Secret(Zeroizing::new(text.to_owned())))
            }

            fn visit_string<E>(self, text: String) -> Result<Secret, E> {
                Ok(Secret(Zeroizing::new(text)))
            }
        }
        deserializer.deserialize_string(Text)
    }
}

/// Tags, in the file's order.
pub(super) struct Tags(pub(super) Vec<(String, String)>);

impl<'de> Deserialize<'de> for Tags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Tags;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("tags, as `name: value`")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tags, A::Error> {
                let mut tags = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    tags.push(pair);
                }
                Ok(Tags(tags))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

/// A policy's text: as it is written, or as JSON where it is written as YAML.
pub(super) struct Policy(pub(super) String);

impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => Ok(Self(text)),
            mapping @ serde_json::Value::Object(_) => {
                serde_json::to_string_pretty(&mapping).map(Self).map_err(D::Error::custom)
            }
            _ => Err(D::Error::custom("a policy is a mapping, or JSON as text")),
        }
    }
}

/// Reads the document.
pub(super) fn parse(text: &str) -> Result<Document, Mistake> {
    serde_saphyr::from_str_with_options(text, options()).map_err(|error| {
        let error = error.without_snippet();
        Mistake { at: error.location().map(At::from), message: words(error) }
    })
}

fn options() -> Options {
    serde_saphyr::options! {
        // The file's lines may be secrets.
        with_snippet: false,
        strict_booleans: true,
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: ALIASED_MAX },
        budget: serde_saphyr::budget! { max_depth: DEPTH_MAX },
    }
}

/// What is wrong, for whoever wrote the file. The place is told apart.
fn words(error: &Error) -> String {
    UserMessageFormatter.format_message(error).into_owned()
}
