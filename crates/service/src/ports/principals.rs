//! Which principals exist: what a service asks that lets policies and grants name them.

use super::Pending;
use crate::error::Error;

/// A principal that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// An account, a session or a service: it needs no making, and is known by its name.
    ByName,
    /// A user or role of that unique id (`AIDA…`, `AROA…`).
    ById(String),
}

/// Knows which principals exist.
pub trait Principals: Send + Sync {
    /// The principal of that ARN, if it exists: root, a user, a role, a session of a role.
    fn principal<'a>(&'a self, arn: &'a str) -> Pending<'a, Result<Option<Known>, Error>>;
}

/// Knows accounts' root users and nobody else: for a service that stands alone.
pub struct NoPrincipals;

impl Principals for NoPrincipals {
    fn principal<'a>(&'a self, arn: &'a str) -> Pending<'a, Result<Option<Known>, Error>> {
        let root = wire::Arn::parse(arn).is_some_and(|arn| {
            arn.service == "iam"
                && arn.resource == "root"
                && wire::AccountId::parse(arn.account).is_ok()
        });
        Box::pin(std::future::ready(Ok(root.then_some(Known::ByName))))
    }
}
