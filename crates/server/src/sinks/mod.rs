//! Where audit records go beside the file: the standard output, syslog, an HTTP server.
//!
//! The log is the queue. A sink reads on in it from where it was, which is kept in a file, and
//! delivers each record at least once; a receiver that is slow or gone costs nothing but lag.
//!
//! Must not know what a record says, but for what syslog tells of it.

mod cursor;
mod feed;
mod http;
mod stdout;
mod syslog;

#[cfg(test)]
mod tests;

use std::fmt;
use std::io;

use service::ports::Pending;

pub use feed::{Feed, FeedOptions, Lag, SinkStats};
pub use http::{HttpSink, HttpSinkOptions};
pub use stdout::StdoutSink;
pub use syslog::{SyslogSink, SyslogSinkOptions, SyslogTransport};

/// A receiver of audit records.
pub trait Sink: Send {
    /// Delivers whole lines, in their order. The future may be dropped before it is ready, when
    /// the receiver takes too long; what was to be delivered comes again then.
    fn deliver<'a>(&'a mut self, lines: &'a [u8]) -> Pending<'a, Result<(), Undelivered>>;
}

/// Records that a receiver didn't take.
#[derive(Debug)]
pub struct Undelivered {
    /// How many bytes of whole lines it did take before.
    pub taken: usize,
    /// Why it took no more.
    pub cause: io::Error,
}

impl Undelivered {
    /// Nothing was taken.
    fn all(cause: io::Error) -> Self {
        Self { taken: 0, cause }
    }
}

/// A setting of a sink that can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidSink(pub String);

impl fmt::Display for InvalidSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidSink {}
