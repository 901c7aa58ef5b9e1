//! What an operation knows of the request beside its input.

use wire::{AccountId, ErrorCode, Members, Region, Scalar, Timestamp};
use zeroize::Zeroizing;

use crate::caller::{Caller, Verified};
use crate::error::Error;
use crate::notes::Notes;
use crate::operation::Service;
use crate::pipeline::Origin;
use crate::throttling::Deferred;

/// One request's surroundings.
pub struct Context<'a, S: Service> {
    /// The service.
    pub service: &'a S,
    /// Who calls.
    pub caller: &'a Verified<Caller>,
    /// The Region in which the request is served.
    pub region: &'a Region,
    /// Where the request came from.
    pub origin: Origin<'a>,
    /// The moment at which the request is decided; one for the whole request.
    pub now: Timestamp,
    /// The request's input, for what policies ask of it; nothing before it has been read.
    pub(crate) input: Option<&'a dyn Members>,
    pub(crate) dry_run: bool,
    pub(crate) withheld: Option<Zeroizing<String>>,
    /// The quotas that wait to hear what the request uses.
    pub(crate) deferred: Option<Deferred<'a>>,
    pub(crate) notes: &'a Notes,
}

impl<S: Service> Context<'_, S> {
    /// The caller's account.
    pub fn account(&self) -> &AccountId {
        &self.caller.account
    }

    /// The partition that the request's Region lies in: `aws`, `aws-cn`, …
    pub fn partition(&self) -> &'static str {
        wire::partition(self.region.as_str())
    }

    /// Ends a dry run: what comes next would change state.
    ///
    /// # Errors
    /// DryRunOperationException where the request asked for a dry run.
    pub fn unless_dry_run(&self) -> Result<(), Error> {
        if self.dry_run { Err(would_have_succeeded()) } else { Ok(()) }
    }

    /// What the operation tells its audit record beside its input and its answer.
    pub fn notes(&self) -> &Notes {
        self.notes
    }

    /// A scalar member of the request's input, by the model's name for it.
    pub fn member(&self, name: &str) -> Option<Scalar> {
        self.input.and_then(|input| input.scalar(name))
    }

    /// The bytes of a member of a structure in the request's input.
    pub fn blob(&self, of: &str, name: &str) -> Option<Vec<u8>> {
        self.input.and_then(|input| input.blob(of, name))
    }

    /// The secret that the operation took out of its request, if it takes any and there was one.
    pub fn withheld(&self) -> Option<&Zeroizing<String>> {
        self.withheld.as_ref()
    }

    /// Whether the request asked for a dry run.
    pub fn is_dry_run(&self) -> bool {
        self.dry_run
    }
}

pub(crate) fn would_have_succeeded() -> Error {
    Error::new(
        ErrorCode::DryRunOperationException,
        "The request would have succeeded, but the DryRun option is set.",
    )
}
