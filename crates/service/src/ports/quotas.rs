//! Request quotas: whether a request is served now, or its caller has to slow down.

use wire::enums::KeySpec;
use wire::{AccountId, Region};

/// A request, as quotas see it.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// The account that asks, whoever owns what it asks about.
    pub account: &'a AccountId,
    /// The Region in which the request is served.
    pub region: &'a Region,
    /// Where the operation stands in its service's registry.
    pub operation: usize,
    /// What the request uses; nothing is known of it when the question is asked first.
    pub uses: Option<&'a Uses>,
}

/// What a request uses, as far as quotas depend on it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Uses {
    /// The kinds of keys that it works with, or of the key pair that it asks for.
    pub keys: [Option<KeySpec>; 2],
    /// Another Region in which it takes effect as well.
    pub elsewhere: Option<Region>,
}

impl Uses {
    /// The use of one kind of key.
    pub fn of(spec: KeySpec) -> Self {
        Self { keys: [Some(spec), None], elsewhere: None }
    }
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It is served, and has been counted.
    Admitted,
    /// It is refused; nothing was counted.
    Throttled,
    /// It depends on what the request uses: the question has to be asked again.
    Deferred,
}

/// Decides who has to slow down.
///
/// Contract: the pipeline asks when it has found out who calls, before the request is decoded.
/// Where the answer is [`Admission::Deferred`] it asks once more, with [`Claim::uses`], when what
/// the request names has been found, before it looks whether the caller may do that; this answer is
/// never `Deferred`. A request that is refused in between isn't counted. Asked for every request,
/// so it must be quick and must not block.
pub trait Quotas: Send + Sync {
    /// Counts the request if it is to be served.
    fn admit(&self, claim: &Claim<'_>) -> Admission;
}
