//! Parsing a resource policy.
//!
//! The elements that this version understands: Version, Id, Statement, Sid, Effect, Principal (AWS,
//! Service, `*`), Action, NotAction, Resource, NotResource. A document with any other element is
//! refused, conditions included, so that no document is kept whose meaning would not be obeyed.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, IntoDeserializer as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// How many statements a document may hold.
const STATEMENTS_MAX: usize = 1_000;

/// A document that was understood.
#[derive(Debug)]
pub struct Document {
    pub(crate) statements: Vec<Statement>,
}

/// Why a document was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed(pub String);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whom a statement speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// Everybody, anonymous callers included.
    Everyone,
    /// The account of that id, named by id or by its root ARN.
    Account(String),
    /// A user, role or session, by its ARN.
    Arn(String),
    /// An AWS service, such as `s3.amazonaws.com`.
    Service(String),
}

#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) sid: Option<String>,
    pub(crate) allow: bool,
    pub(crate) principals: Vec<Principal>,
    pub(crate) actions: Listed,
    pub(crate) resources: Listed,
}

/// A list of patterns, or everything but what it lists.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) patterns: Vec<String>,
    pub(crate) negated: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct RawDocument {
    version: Option<String>,
    #[serde(default)]
    #[expect(dead_code, reason = "an identifier without meaning, accepted")]
    id: Option<String>,
    statement: OneOrMany<RawStatement>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct RawStatement {
    sid: Option<String>,
    effect: String,
    principal: Option<RawPrincipal>,
    action: Option<OneOrMany<String>>,
    not_action: Option<OneOrMany<String>>,
    resource: Option<OneOrMany<String>>,
    not_resource: Option<OneOrMany<String>>,
}

enum RawPrincipal {
    Text(String),
    Kinds(RawPrincipals),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPrincipals {
    #[serde(rename = "AWS")]
    aws: Option<OneOrMany<String>>,
    #[serde(rename = "Service")]
    service: Option<OneOrMany<String>>,
}

/// One value, or a list of them.
struct OneOrMany<T>(Vec<T>);

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
                let kinds = RawPrincipals::deserialize(MapAccessDeserializer::new(map))?;
                Ok(RawPrincipal::Kinds(kinds))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = OneOrMany<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value or a list")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<OneOrMany<T>, E> {
                Ok(OneOrMany(vec![T::deserialize(text.into_deserializer())?]))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OneOrMany<T>, A::Error> {
                Ok(OneOrMany(vec![T::deserialize(MapAccessDeserializer::new(map))?]))
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

impl Document {
    /// Parses and compiles a document.
    ///
    /// # Errors
    /// [`Malformed`] with the first reason: no JSON, an element that is unknown or stands twice, a
    /// statement without effect, principal or action.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let raw: RawDocument = serde_json::from_str(text)
            .map_err(|error| Malformed(format!("Syntax errors in policy: {error}")))?;
        match raw.version.as_deref() {
            None | Some("2012-10-17" | "2008-10-17") => {}
            Some(other) => return Err(Malformed(format!("Unknown policy version '{other}'"))),
        }
        let statements = raw.statement.0;
        if statements.is_empty() || statements.len() > STATEMENTS_MAX {
            return Err(Malformed(format!(
                "A policy must have between 1 and {STATEMENTS_MAX} statements"
            )));
        }
        let statements =
            statements.into_iter().map(Statement::compile).collect::<Result<_, _>>()?;
        Ok(Self { statements })
    }

    /// Every principal that the document names.
    pub fn principals(&self) -> impl Iterator<Item = &Principal> {
        self.statements.iter().flat_map(|statement| &statement.principals)
    }
}

impl Statement {
    fn compile(raw: RawStatement) -> Result<Self, Malformed> {
        let allow = match raw.effect.as_str() {
            "Allow" => true,
            "Deny" => false,
            other => return Err(Malformed(format!("Unknown effect '{other}'"))),
        };
        let principals = raw.principal.map(principals).transpose()?.unwrap_or_default();
        if principals.is_empty() {
            return Err(Malformed("Policy contains a statement with no principal.".to_owned()));
        }
        let actions = listed(raw.action, raw.not_action, "Action")?
            .ok_or_else(|| Malformed("A statement must have an action".to_owned()))?;
        // A key policy's statement without a resource is accepted and matches nothing.
        let resources = listed(raw.resource, raw.not_resource, "Resource")?
            .unwrap_or(Listed { patterns: Vec::new(), negated: false });
        Ok(Self { sid: raw.sid, allow, principals, actions, resources })
    }
}

fn listed(
    plain: Option<OneOrMany<String>>,
    negated: Option<OneOrMany<String>>,
    what: &str,
) -> Result<Option<Listed>, Malformed> {
    let (patterns, negated) = match (plain, negated) {
        (None, None) => return Ok(None),
        (Some(patterns), None) => (patterns, false),
        (None, Some(patterns)) => (patterns, true),
        (Some(_), Some(_)) => {
            return Err(Malformed(format!("A statement can't have {what} and Not{what}")));
        }
    };
    let patterns = patterns.0;
    if patterns.is_empty() || patterns.iter().any(String::is_empty) {
        return Err(Malformed(format!("{what} must not be empty")));
    }
    Ok(Some(Listed { patterns, negated }))
}

fn principals(raw: RawPrincipal) -> Result<Vec<Principal>, Malformed> {
    match raw {
        RawPrincipal::Text(text) if text == "*" => Ok(vec![Principal::Everyone]),
        RawPrincipal::Text(_) => Err(invalid_principal()),
        RawPrincipal::Kinds(kinds) => {
            let aws = kinds.aws.map(|many| many.0).unwrap_or_default();
            let services = kinds.service.map(|many| many.0).unwrap_or_default();
            aws.into_iter()
                .map(aws_principal)
                .chain(services.into_iter().map(|name| Ok(Principal::Service(name))))
                .collect()
        }
    }
}

fn aws_principal(text: String) -> Result<Principal, Malformed> {
    let is_account = |id: &str| id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit());
    if text == "*" {
        return Ok(Principal::Everyone);
    }
    if is_account(&text) {
        return Ok(Principal::Account(text));
    }
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    match parts[..] {
        ["arn", _, "iam", "", account, "root"] if is_account(account) => {
            Ok(Principal::Account(account.to_owned()))
        }
        ["arn", _, "iam" | "sts", "", account, name]
            if is_account(account) && !name.contains('*') =>
        {
            Ok(Principal::Arn(text))
        }
        _ => Err(invalid_principal()),
    }
}

fn invalid_principal() -> Malformed {
    Malformed("Policy contains a statement with one or more invalid principals.".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_key_policy_is_understood() {
        let document = Document::parse(
            r#"{"Version":"2012-10-17","Id":"key-default-1","Statement":[{"Sid":"x",
            "Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},
            "Action":"kms:*","Resource":"*"}]}"#,
        )
        .unwrap();
        let principals: Vec<_> = document.principals().cloned().collect();
        assert_eq!(principals, [Principal::Account("111122223333".to_owned())]);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let statement = |s: &str| format!(r#"{{"Statement":[{{{s}}}]}}"#);
        let good = r#""Effect":"Allow","Principal":"*","Action":"kms:*""#;
        assert!(Document::parse(&statement(good)).is_ok());
        let documents = [
            "not json".to_owned(),
            "[]".to_owned(),
            "{}".to_owned(),
            r#"{"Statement":[]}"#.to_owned(),
            r#"{"Version":"2020-01-01","Statement":[]}"#.to_owned(),
            format!(r#"{{"Versio":"2012-10-17","Statement":[{{{good}}}]}}"#),
            format!(r#"{{"Statement":[{{{good}}}],"Statement":[{{{good}}}]}}"#),
            statement(&format!(r#"{good},"Condition":{{}}"#)),
            statement(&format!(r#"{good},"Action":"kms:*""#)),
            statement(&format!(r#"{good},"NotAction":"kms:*""#)),
            statement(r#""Effect":"allow","Principal":"*","Action":"kms:*""#),
            statement(r#""Effect":"Allow","Action":"kms:*""#),
            statement(r#""Effect":"Allow","Principal":{},"Action":"kms:*""#),
            statement(r#""Effect":"Allow","Principal":{"Federated":"x"},"Action":"kms:*""#),
            statement(r#""Effect":"Allow","Principal":{"AWS":"bob"},"Action":"kms:*""#),
            statement(
                r#""Effect":"Allow","Principal":{"AWS":"arn:aws:iam::1:root"},"Action":"k:*""#,
            ),
            statement(r#""Effect":"Allow","Principal":"*""#),
            statement(r#""Effect":"Allow","Principal":"*","Action":[]"#),
        ];
        for document in documents {
            assert!(Document::parse(&document).is_err(), "{document}");
        }
    }
}
