//! Who calls.

use std::ops::Deref;

use wire::{AccountId, Region};

use crate::error::Error;
use crate::ports::Pending;

/// A principal, as authentication found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The account it belongs to.
    pub account: AccountId,
    /// Its ARN: of root `arn:aws:iam::ACCOUNT:root`.
    pub arn: String,
    /// Its unique id: of root the account id.
    pub principal_id: String,
    /// What it is.
    pub kind: CallerKind,
    /// The access key that signed.
    pub access_key_id: String,
}

/// What a caller is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallerKind {
    /// The root user of an account.
    Root,
}

impl CallerKind {
    /// CloudTrail's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Root => "Root",
        }
    }
}

/// Something that the pipeline has verified; nobody else can make one.
pub struct Verified<T>(T);

impl<T> Verified<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(value)
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// What authentication gives: who calls, and in which Region the request is to be served.
pub struct Session {
    /// The caller.
    pub caller: Caller,
    /// The Region of the credential's scope.
    pub region: Region,
}

/// A request's evidence of who sent it. The pipeline asks for it once, before it reads the body.
pub trait Authenticate: Send + Sync {
    /// Checks the evidence.
    fn authenticate(&self) -> Pending<'_, Result<Session, Error>>;
}
