//! How long a connection waits for its client: for a head, for the next request, for an answer to
//! be taken.
//!
//! Must not know HTTP's versions: it is told of bytes, of requests and of answers.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::limits::Limits;
use super::stats::Stats;

/// How long a connection must have idled to be ended for want of room.
const PRESSED_IDLE_TIME: Duration = Duration::from_secs(1);
/// The part of the time for a head after which a connection is looked at again.
const LOOKS: u32 = 8;

/// The patience with one connection.
pub(super) struct Patience {
    state: Mutex<State>,
    limits: Arc<Limits>,
    stats: Arc<Stats>,
}

struct State {
    waits_for: Awaited,
    since: Instant,
    /// The requests under way, each with the time at which it was answered.
    requests: Vec<(u64, Option<Instant>)>,
    last: u64,
}

/// What a connection without requests waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Awaited {
    /// Its first request.
    First,
    /// The next one, of which no byte has come.
    Next,
    /// The rest of a head.
    Rest,
}

impl Patience {
    pub(super) fn new(limits: Arc<Limits>, stats: Arc<Stats>) -> Self {
        let waiting =
            State { waits_for: Awaited::First, since: Instant::now(), requests: vec![], last: 0 };
        Self { state: Mutex::new(waiting), limits, stats }
    }

    /// A request has come, which is under way until what this returns is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> UnderWay {
        self.stats.count_request_begun();
        let mut state = self.state();
        state.last += 1;
        let id = state.last;
        state.requests.push((id, None));
        UnderWay { patience: Arc::clone(self), id }
    }

    /// Waits until patience has run out, or until the connection idles while others wait for room.
    pub(super) async fn run_out(&self, mut pressed: watch::Receiver<()>) {
        let look = self.limits.head_time / LOOKS;
        loop {
            let now = Instant::now();
            let due = self.state().due(now, &self.limits);
            if due <= now {
                return;
            }
            tokio::select! {
                () = sleep_until(due.min(now + look)) => {}
                Ok(()) = pressed.changed() => {
                    if self.state().has_idled(PRESSED_IDLE_TIME) {
                        return;
                    }
                }
            }
        }
    }

    /// Bytes have come.
    fn heard(&self) {
        let mut state = self.state();
        // The time for the first head counts from the connection's beginning.
        if state.requests.is_empty() && state.waits_for == Awaited::Next {
            state.waits_for = Awaited::Rest;
            state.since = Instant::now();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// When patience runs out if nothing happens.
    fn due(&self, now: Instant, limits: &Limits) -> Instant {
        if self.requests.is_empty() {
            return self.since
                + match self.waits_for {
                    Awaited::First | Awaited::Rest => limits.head_time,
                    Awaited::Next => limits.idle_time,
                };
        }
        let answered = self.requests.iter().filter_map(|(_, answered)| *answered).min();
        // An answer that is being made takes the time that it takes.
        answered.map_or(now + limits.head_time, |answered| answered + limits.write_time)
    }

    fn has_idled(&self, time: Duration) -> bool {
        self.requests.is_empty() && self.waits_for != Awaited::Rest && self.since.elapsed() >= time
    }
}

/// A request that is being read or answered.
pub(super) struct UnderWay {
    patience: Arc<Patience>,
    id: u64,
}

impl UnderWay {
    /// It is answered; from now on the client takes its answer.
    pub(super) fn answered(self, body: Full<Bytes>) -> Taken {
        let mut state = self.patience.state();
        let answered = state.requests.iter_mut().find(|(id, _)| *id == self.id);
        if let Some((_, at)) = answered {
            *at = Some(Instant::now());
        }
        drop(state);
        Taken { body, _under_way: self }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.patience.stats.count_request_ended();
        let mut state = self.patience.state();
        state.requests.retain(|(id, _)| *id != self.id);
        if state.requests.is_empty() {
            state.waits_for = Awaited::Next;
            state.since = Instant::now();
        }
    }
}

/// The body of an answer, which the connection drops when all of it has been taken.
pub(super) struct Taken {
    body: Full<Bytes>,
    _under_way: UnderWay,
}

impl Body for Taken {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A stream that tells of bytes that come, so that the beginning of a head is noticed.
pub(super) struct Overheard<S> {
    stream: S,
    patience: Arc<Patience>,
}

impl<S> Overheard<S> {
    pub(super) fn new(stream: S, patience: Arc<Patience>) -> Self {
        Self { stream, patience }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Overheard<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.patience.heard();
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Overheard<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, data)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
