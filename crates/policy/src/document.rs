//! A policy document: parsed and compiled once, when it is written. What isn't understood is
//! refused and never skipped. Owns what holds for a document as a whole. Must not know where it is
//! attached, beyond the kind of place.

use std::collections::HashSet;
use std::fmt;

use crate::json::{Object, RawDocument, RawStatement};
use crate::principal::Principal;
use crate::statement::Statement;

/// How long a document may be, in bytes: the longest that a service model lets through. Each kind
/// of policy has a smaller limit of its own, which is for those who store it.
const TEXT_MAX: usize = 131_072;

/// How many statements a document may hold.
const STATEMENTS_MAX: usize = 1_000;

/// The kind of place where a document is attached, which decides what it must and mustn't have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentKind {
    /// An inline policy of a user, group or role, or a session policy: no principal.
    Identity,
    /// A managed policy: no principal, and the version must be 2012-10-17.
    Managed,
    /// The policy of a resource: principals are needed.
    Resource,
    /// The trust policy of a role: principals are needed, the actions are of STS, and the resource
    /// is the role.
    Trust,
}

/// A document that was understood.
#[derive(Debug)]
pub struct Document {
    pub(crate) statements: Box<[Statement]>,
}

/// Why a document was refused, in AWS's words where they are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed(pub String);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl DocumentKind {
    pub(crate) fn is_attached_to_identity(self) -> bool {
        matches!(self, Self::Identity | Self::Managed)
    }

    /// IAM says no more than that there is an error; of a resource's policy it may be said which.
    pub(crate) fn syntax_error(self, detail: &str) -> Malformed {
        Malformed(match self {
            Self::Resource => format!("Syntax errors in policy: {detail}"),
            Self::Identity | Self::Managed | Self::Trust => "Syntax errors in policy.".to_owned(),
        })
    }

    pub(crate) fn no_principal(self) -> Malformed {
        Malformed(match self {
            Self::Trust => "Invalid principal in policy: com.amazon.balsa.error.\
                InvalidPolicyException: The passed in policy has a statement with no principals!"
                .to_owned(),
            _ => "Policy contains a statement with no principal.".to_owned(),
        })
    }
}

impl Document {
    /// Parses and compiles a document that somebody wants to be obeyed. `is_key` says of a
    /// condition key, in lower case, whether the services that will evaluate the document know it:
    /// a key that nobody ever sets is a mistake, and with a negated operator a permission for all.
    /// (Keys of services that aren't here may well be let through: IAM's documents speak of many
    /// services, and a statement about one of those permits nothing here.)
    ///
    /// # Errors
    /// [`Malformed`] with the first reason: no JSON, an element, operator or condition key that
    /// isn't known or stands twice, a value out of form, an element that the kind demands or
    /// forbids.
    pub fn parse(
        text: &str,
        kind: DocumentKind,
        is_key: &dyn Fn(&str) -> bool,
    ) -> Result<Self, Malformed> {
        let document = Self::parse_stored(text, kind)?;
        if let Some(key) = document.condition_keys().find(|key| !is_key(key)) {
            return Err(Malformed(format!("Policy has an invalid condition key: {key}")));
        }
        Ok(document)
    }

    /// Parses and compiles a document that is in force already, whatever condition keys it has.
    ///
    /// # Errors
    /// As [`Document::parse`], but for unknown condition keys.
    pub fn parse_stored(text: &str, kind: DocumentKind) -> Result<Self, Malformed> {
        if text.len() > TEXT_MAX {
            return Err(Malformed(format!(
                "The policy exceeds the maximum length of {TEXT_MAX} bytes"
            )));
        }
        let Object(raw): Object<RawDocument> =
            serde_json::from_str(text).map_err(|error| kind.syntax_error(&error.to_string()))?;
        let variables = match raw.version.as_deref() {
            Some("2012-10-17") => true,
            None | Some("2008-10-17") if kind == DocumentKind::Managed => {
                return Err(Malformed(
                    "Policy document must be version 2012-10-17 or greater.".to_owned(),
                ));
            }
            None | Some("2008-10-17") => false,
            Some(other) => {
                return Err(kind.syntax_error(&format!("unknown policy version '{other}'")));
            }
        };
        let statements = raw.statement.0;
        if statements.is_empty() || statements.len() > STATEMENTS_MAX {
            return Err(kind.syntax_error(&format!(
                "a policy must have between 1 and {STATEMENTS_MAX} statements"
            )));
        }
        let statements: Vec<RawStatement> = statements.into_iter().map(|object| object.0).collect();
        if kind.is_attached_to_identity() {
            check_sids(&statements)?;
        }
        let statements: Result<Box<[Statement]>, Malformed> = statements
            .into_iter()
            .map(|statement| Statement::compile(statement, kind, variables))
            .collect();
        Ok(Self { statements: statements? })
    }

    /// Every principal that the document names, spared ones included.
    pub fn principals(&self) -> impl Iterator<Item = &Principal> {
        self.statements.iter().flat_map(|statement| statement.principals.listed())
    }

    /// Every condition key that the document reads, in lower case: those of conditions and those of
    /// policy variables. One may come more than once.
    pub fn condition_keys(&self) -> impl Iterator<Item = &str> {
        self.statements.iter().flat_map(Statement::keys)
    }

    /// Whether each statement names a resource. One of a resource's policy that doesn't is legal in
    /// the language, and matches nothing.
    pub fn names_resources(&self) -> bool {
        self.statements.iter().all(Statement::names_resources)
    }

    /// What the document would say if all conditions of its permissions held, and none of its
    /// denials': for those who ask what a principal may do under some conditions. Never for a
    /// decision.
    #[must_use]
    pub fn favourable(&self) -> Self {
        let statements = self.statements.iter().filter_map(Statement::favourable);
        Self { statements: statements.collect() }
    }

    /// Binds the users and roles that the document names to their unique ids, so that another one
    /// of the same name isn't meant. `unique_id` answers for an ARN; principals for which it has
    /// none, such as sessions, go on being met by their ARN.
    pub fn bind(&mut self, mut unique_id: impl FnMut(&str) -> Option<String>) {
        for statement in &mut self.statements {
            for principal in statement.principals.listed_mut() {
                if let Principal::Arn { arn, unique_id: id } = principal {
                    *id = unique_id(arn);
                }
            }
        }
    }
}

fn check_sids(statements: &[RawStatement]) -> Result<(), Malformed> {
    let sids = statements.iter().filter_map(|s| s.sid.as_deref()).filter(|sid| !sid.is_empty());
    let mut seen = HashSet::new();
    for sid in sids {
        if !sid.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(Malformed(
                "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the \
                 regular expression [0-9A-Za-z]*"
                    .to_owned(),
            ));
        }
        if !seen.insert(sid) {
            return Err(Malformed(
                "Statement IDs (SID) in a single policy must be unique.".to_owned(),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
