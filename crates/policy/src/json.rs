//! The JSON of a document: which members there may be and of which types. Every member may stand
//! once; one that isn't known, a null, or a list where an object belongs is an error. Must not know
//! what a member means.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, DeserializeOwned, IntoDeserializer as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct RawDocument {
    #[serde(default, deserialize_with = "present")]
    pub(crate) version: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[expect(dead_code, reason = "an identifier without meaning, accepted")]
    id: Option<String>,
    pub(crate) statement: OneOrMany<Object<RawStatement>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct RawStatement {
    #[serde(default, deserialize_with = "present")]
    pub(crate) sid: Option<String>,
    pub(crate) effect: String,
    #[serde(default, deserialize_with = "present")]
    pub(crate) principal: Option<RawPrincipal>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) not_principal: Option<RawPrincipal>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) action: Option<OneOrMany<String>>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) not_action: Option<OneOrMany<String>>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) resource: Option<OneOrMany<String>>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) not_resource: Option<OneOrMany<String>>,
    #[serde(default)]
    pub(crate) condition: Members<Members<OneOrMany<Scalar>>>,
}

/// `*`, or principals by their kind.
pub(crate) enum RawPrincipal {
    Text(String),
    Kinds(Members<OneOrMany<String>>),
}

/// An object, and not the list of its values for which serde would take a list.
pub(crate) struct Object<T>(pub(crate) T);

/// One value, or a list of them.
pub(crate) struct OneOrMany<T>(pub(crate) Vec<T>);

/// An object of any members, in their order.
pub(crate) struct Members<T>(pub(crate) Vec<(String, T)>);

/// A condition's value: quotation marks are optional around numbers and booleans.
pub(crate) struct Scalar(pub(crate) String);

/// A member that is there, so that it can't be null.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

impl<T> Default for Members<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de> Deserialize<'de> for RawPrincipal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = RawPrincipal;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"*\" or principals by their kind")
            }

            fn visit_str<E>(self, text: &str) -> Result<RawPrincipal, E> {
                Ok(RawPrincipal::Text(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawPrincipal, A::Error> {
                Members::deserialize(MapAccessDeserializer::new(map)).map(RawPrincipal::Kinds)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Only<T>(PhantomData<T>);
        impl<'de, T: DeserializeOwned> Visitor<'de> for Only<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }
        deserializer.deserialize_any(Only(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Members<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Each<T> {
            type Value = Members<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<T>, A::Error> {
                let mut members: Vec<(String, T)> = Vec::new();
                let mut names = std::collections::HashSet::new();
                while let Some((name, value)) = map.next_entry::<String, T>()? {
                    if !names.insert(name.clone()) {
                        return Err(de::Error::custom(format_args!("duplicate field `{name}`")));
                    }
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_any(Each(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number or a boolean")
            }

            fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar(text.to_owned()))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Scalar, E> {
                Ok(Scalar(value.to_string()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Scalar, E> {
                Ok(Scalar(value.to_string()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Scalar, E> {
                Ok(Scalar(value.to_string()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Scalar, E> {
                Ok(Scalar(value.to_string()))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);

        impl<T> Either<T> {
            fn one<'de, E: de::Error>(
                from: impl Deserializer<'de, Error = E>,
            ) -> Result<OneOrMany<T>, E>
            where
                T: Deserialize<'de>,
            {
                Ok(OneOrMany(vec![T::deserialize(from)?]))
            }
        }

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = OneOrMany<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value or a list")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<OneOrMany<T>, E> {
                Self::one(text.into_deserializer())
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<OneOrMany<T>, E> {
                Self::one(value.into_deserializer())
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<OneOrMany<T>, E> {
                Self::one(value.into_deserializer())
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<OneOrMany<T>, E> {
                Self::one(value.into_deserializer())
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<OneOrMany<T>, E> {
                Self::one(value.into_deserializer())
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OneOrMany<T>, A::Error> {
                Self::one(MapAccessDeserializer::new(map))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<OneOrMany<T>, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = seq.next_element()? {
                    values.push(value);
                }
                Ok(OneOrMany(values))
            }
        }
        deserializer.deserialize_any(Either(PhantomData))
    }
}
