//! Requests that nobody sent: what questions about permissions are asked of.

use wire::{Region, Timestamp};

use crate::caller::{Caller, Verified};
use crate::context::Context;
use crate::error::Error;
use crate::ids::Ids;
use crate::notes::Notes;
use crate::operation::Service;
use crate::pipeline::Origin;
use crate::ports::Entropy;

/// A request that a caller might send, without an input. Nothing can be done with it: only the
/// pipeline makes a target that an operation runs on.
pub struct Hypothetical<'a, S: Service> {
    service: &'a S,
    caller: Verified<Caller>,
    region: Region,
    now: Timestamp,
    ids: Ids,
    notes: Notes,
}

impl<'a, S: Service> Hypothetical<'a, S> {
    /// A request that this caller might send to the service in that Region at that moment.
    ///
    /// # Errors
    /// A failure of ours: there is no randomness.
    pub fn new(
        service: &'a S,
        entropy: &dyn Entropy,
        caller: Caller,
        region: Region,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let ids = Ids::draw(entropy)?;
        Ok(Self {
            service,
            caller: Verified::new(caller),
            region,
            now,
            ids,
            notes: Notes::default(),
        })
    }

    /// Its surroundings: from no address, by no program.
    pub fn context(&self) -> Context<'_, S> {
        Context {
            service: self.service,
            caller: &self.caller,
            region: &self.region,
            origin: Origin { ids: &self.ids, source_ip: "", user_agent: "", tls: None },
            now: self.now,
            input: None,
            dry_run: false,
            withheld: None,
            deferred: None,
            notes: &self.notes,
        }
    }
}

/// Condition keys that were given with a question, before those that are worked out.
pub struct Given<'a> {
    /// What was given.
    pub entries: &'a policy::ContextEntries,
    /// What is worked out.
    pub worked_out: &'a dyn policy::Context,
}

impl policy::Context for Given<'_> {
    fn values(&self, key: &str) -> policy::Values<'_> {
        match self.entries.values(key) {
            policy::Values::Absent => self.worked_out.values(key),
            given => given,
        }
    }
}
