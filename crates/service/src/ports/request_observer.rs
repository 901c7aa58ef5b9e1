//! Who is told what became of requests: metrics.

use std::time::Duration;

use wire::{AccountId, ErrorCode};

/// What became of a request.
#[derive(Debug, Clone, Copy)]
pub struct Outcome<'a> {
    /// Where its operation stands in its service's registry; `None` for one that doesn't exist.
    pub operation: Option<usize>,
    /// The account that asked, if that was found out.
    pub account: Option<&'a AccountId>,
    /// The error that it was answered with.
    pub error: Option<ErrorCode>,
    /// Whether the audit log couldn't take its record, which is why it was refused.
    pub unrecorded: bool,
    /// From its arrival in the pipeline to its answer.
    pub duration: Duration,
}

/// Is told of every request of one service.
///
/// Contract: called in the course of serving, so it must be quick and must not block.
pub trait RequestObserver: Send + Sync {
    /// A request has come.
    fn began(&self);

    /// It has been decided and recorded, and is about to be answered.
    fn answered(&self, outcome: &Outcome<'_>);

    /// A request is over: answered, or its client has gone before it was. Told once for each
    /// [`RequestObserver::began`].
    fn ended(&self);
}
