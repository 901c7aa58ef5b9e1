//! Reading a request within limits.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::task::Poll;

use http_body_util::BodyExt as _;
use hyper::Request;
use hyper::body::{Body as _, Incoming};
use service::Error;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;
use wire::ErrorCode;
use zeroize::Zeroizing;

use crate::listen::Peer;

/// The longest body that is read. The longest input of any operation is a policy of 131,072
/// characters, escaped.
const BODY_MAX: usize = 1 << 20;
/// How long a body may be to be read without waiting for one of the places for long ones. Nearly
/// all are shorter: 4,096 bytes of plaintext with a context fit.
const SHORT_BODY_MAX: usize = 16 * 1024;
/// How many longer bodies may be in memory at once.
const LONG_BODIES_MAX: usize = 128;
/// How long the target of a request may be, in bytes.
const TARGET_MAX: usize = 16_384;

/// The places for long bodies, which bound the memory that all bodies together can take, whoever
/// sends them.
static LONG_BODIES: Semaphore = Semaphore::const_new(LONG_BODIES_MAX);

/// A request, read as a whole.
pub(crate) struct Inbound {
    /// Method, target and headers.
    pub(crate) head: hyper::http::request::Parts,
    /// The body.
    pub(crate) body: Body,
    /// Where it came from.
    pub(crate) peer: Peer,
}

impl Inbound {
    /// Reads the body. What is too long is refused unread.
    ///
    /// # Errors
    /// RequestEntityTooLargeException, RequestTimeoutException, SerializationException for a body
    /// that breaks off.
    pub(crate) async fn read(request: Request<Incoming>, peer: Peer) -> Result<Self, Box<Refused>> {
        let (head, mut incoming) = request.into_parts();
        let target = head.uri.path_and_query().map_or(0, |target| target.as_str().len());
        let result = if target > TARGET_MAX {
            Err(too_large("target", TARGET_MAX))
        } else if incoming.size_hint().lower() > BODY_MAX as u64 {
            Err(too_large("body", BODY_MAX))
        } else {
            let mut reading = pin!(Body::read(&mut incoming));
            // Most bodies have come with their heads; only the others need a clock.
            match poll_fn(|cx| Poll::Ready(reading.as_mut().poll(cx))).await {
                Poll::Ready(read) => read,
                Poll::Pending => {
                    let read = timeout(peer.limits.body_time, reading).await;
                    read.unwrap_or_else(|_| Err(too_slow()))
                }
            }
        };
        match result {
            Ok(body) => Ok(Self { head, body, peer }),
            Err(error) => Err(Box::new(Refused { head, error, peer })),
        }
    }
}

/// A request that wasn't read to its end, with the reason. Its connection can't go on.
pub(crate) struct Refused {
    pub(crate) head: hyper::http::request::Parts,
    pub(crate) error: Error,
    pub(crate) peer: Peer,
}

/// A body in memory: wiped when dropped, as it may hold plaintext.
///
/// Room is made for what has come, not for what was announced: an announcement costs its sender
/// nothing.
pub(crate) struct Body {
    bytes: Zeroizing<Vec<u8>>,
    place: Option<SemaphorePermit<'static>>,
}

impl Drop for Body {
    fn drop(&mut self) {
        wire::wipe(&mut self.bytes);
    }
}

impl Body {
    /// The bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    async fn read(incoming: &mut Incoming) -> Result<Self, Error> {
        let mut body = Self { bytes: Zeroizing::default(), place: None };
        while let Some(frame) = incoming.frame().await {
            let frame = frame.map_err(|_| {
                Error::new(ErrorCode::SerializationException, "The request body is incomplete")
            })?;
            if let Some(data) = frame.data_ref() {
                body.append(data).await?;
            }
        }
        Ok(body)
    }

    async fn append(&mut self, data: &[u8]) -> Result<(), Error> {
        let length = self.bytes.len() + data.len();
        if length > BODY_MAX {
            return Err(too_large("body", BODY_MAX));
        }
        if length > SHORT_BODY_MAX && self.place.is_none() {
            // Nobody closes the semaphore.
            self.place = LONG_BODIES.acquire().await.ok();
        }
        if length > self.bytes.capacity() {
            // The vector would leave an unwiped copy behind if it grew by itself.
            let mut grown = Zeroizing::new(Vec::with_capacity(length.next_power_of_two()));
            grown.extend_from_slice(&self.bytes);
            self.bytes = grown;
        }
        self.bytes.extend_from_slice(data);
        Ok(())
    }
}

fn too_large(what: &str, max: usize) -> Error {
    Error::new(
        ErrorCode::RequestEntityTooLargeException,
        format!("The {what} of the request is longer than the limit of {max} bytes"),
    )
}

fn too_slow() -> Error {
    Error::new(
        ErrorCode::RequestTimeoutException,
        "The request body was not received within the time limit",
    )
}
