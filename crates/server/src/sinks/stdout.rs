//! Audit records on the standard output, a line each.
//!
//! A thread of its own writes, since a pipe that nobody reads blocks for ever; the server ends
//! without it. Must not know what a record says.

use std::io::{self, Write};
use std::sync::mpsc::{SyncSender, sync_channel};

use service::ports::Pending;
use tokio::sync::oneshot;

use super::{Sink, Undelivered};

type Work = (Vec<u8>, oneshot::Sender<io::Result<()>>);

/// Writes to the standard output.
pub struct StdoutSink {
    work: SyncSender<Work>,
}

impl StdoutSink {
    /// Starts the thread.
    ///
    /// # Errors
    /// What the system says.
    pub fn new() -> io::Result<Self> {
        Self::to(io::stdout())
    }

    pub(super) fn to(mut out: impl Write + Send + 'static) -> io::Result<Self> {
        let (work, waiting) = sync_channel::<Work>(1);
        let thread = std::thread::Builder::new().name("audit-stdout".to_owned());
        thread.spawn(move || {
            for (lines, told) in waiting {
                let written = out.write_all(&lines).and_then(|()| out.flush());
                // Whoever has given up meanwhile needn't know.
                let _ = told.send(written);
            }
        })?;
        Ok(Self { work })
    }
}

impl Sink for StdoutSink {
    fn deliver<'a>(&'a mut self, lines: &'a [u8]) -> Pending<'a, Result<(), Undelivered>> {
        Box::pin(async move {
            let (told, written) = oneshot::channel();
            let busy = |_| Undelivered::all(io::ErrorKind::WouldBlock.into());
            self.work.try_send((lines.to_vec(), told)).map_err(busy)?;
            let written = written.await.unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into()));
            written.map_err(Undelivered::all)
        })
    }
}
