//! Deciding a request by one document.

use crate::document::{Document, Listed, Principal, Statement};
use crate::pattern::matches;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The ARN of the caller: of root `arn:aws:iam::ACCOUNT:root`.
    pub principal_arn: &'a str,
    /// The account of the caller.
    pub account: &'a str,
    /// The action, such as `kms:Encrypt`.
    pub action: &'a str,
    /// The ARN of the resource.
    pub resource: &'a str,
}

/// What a document says to a request, with the statement that says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome<'d> {
    /// A statement denies it, which nothing overrides.
    Deny {
        /// The statement's Sid, if it has one.
        sid: Option<&'d str>,
    },
    /// A statement allows it.
    Allow {
        /// The statement's Sid, if it has one.
        sid: Option<&'d str>,
    },
    /// No statement speaks of it.
    Silent,
}

impl Document {
    /// What this document says to the request: a denial if any statement denies, else a permission
    /// if any allows.
    pub fn evaluate(&self, request: &Request<'_>) -> Outcome<'_> {
        let mut outcome = Outcome::Silent;
        for statement in self.statements.iter().filter(|s| s.applies(request)) {
            let sid = statement.sid.as_deref();
            if !statement.allow {
                return Outcome::Deny { sid };
            }
            if outcome == Outcome::Silent {
                outcome = Outcome::Allow { sid };
            }
        }
        outcome
    }
}

impl Statement {
    fn applies(&self, request: &Request<'_>) -> bool {
        self.principals.iter().any(|principal| principal.is(request))
            && self.actions.covers(request.action, true)
            && self.resources.covers(request.resource, false)
    }
}

impl Principal {
    fn is(&self, request: &Request<'_>) -> bool {
        match self {
            Self::Everyone => true,
            Self::Account(account) => account == request.account,
            Self::Arn(arn) => arn == request.principal_arn,
            // No service calls by itself.
            Self::Service(_) => false,
        }
    }
}

impl Listed {
    fn covers(&self, value: &str, ignore_case: bool) -> bool {
        self.patterns.iter().any(|pattern| matches(pattern, value, ignore_case)) != self.negated
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/k";

    fn outcome(statements: &str, account: &str, action: &str) -> String {
        let document = Document::parse(&format!(r#"{{"Statement":[{statements}]}}"#)).unwrap();
        let principal_arn = &format!("arn:aws:iam::{account}:root");
        let request = Request { principal_arn, account, action, resource: KEY };
        match document.evaluate(&request) {
            Outcome::Deny { sid } => format!("deny {}", sid.unwrap_or("-")),
            Outcome::Allow { sid } => format!("allow {}", sid.unwrap_or("-")),
            Outcome::Silent => "silent".to_owned(),
        }
    }

    #[test]
    fn decisions() {
        let allow = r#"{"Sid":"a","Effect":"Allow","Principal":{"AWS":"111122223333"},
            "Action":"kms:*","Resource":"*"}"#;
        let deny =
            r#"{"Sid":"d","Effect":"Deny","Principal":"*","Action":"kms:Decr*","Resource":"*"}"#;
        let not = r#"{"Sid":"n","Effect":"Deny","Principal":"*","NotAction":"KMS:encrypt",
            "Resource":"*"}"#;
        let bare = r#"{"Effect":"Allow","Principal":"*","Action":"kms:*"}"#;
        let other = r#"{"Effect":"Allow","Principal":"*","Action":"kms:*",
            "Resource":"arn:aws:kms:*:key/z"}"#;
        let service = r#"{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},
            "Action":"kms:*","Resource":"*"}"#;
        for (statements, account, action, expected) in [
            (allow.to_owned(), "111122223333", "kms:Encrypt", "allow a"),
            (allow.to_owned(), "444455556666", "kms:Encrypt", "silent"),
            (format!("{allow},{deny}"), "111122223333", "kms:Encrypt", "allow a"),
            (format!("{allow},{deny}"), "111122223333", "kms:Decrypt", "deny d"),
            (format!("{deny},{allow}"), "444455556666", "kms:Decrypt", "deny d"),
            (format!("{allow},{not}"), "111122223333", "kms:Encrypt", "allow a"),
            (format!("{allow},{not}"), "111122223333", "kms:Decrypt", "deny n"),
            (bare.to_owned(), "111122223333", "kms:Encrypt", "silent"),
            (other.to_owned(), "111122223333", "kms:Encrypt", "silent"),
            (service.to_owned(), "111122223333", "kms:Encrypt", "silent"),
        ] {
            assert_eq!(outcome(&statements, account, action), expected, "{statements} {action}");
        }
    }
}
