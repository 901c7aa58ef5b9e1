//! Reading a request within limits.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use hyper::{Request, header};
use service::Error;
use tokio::time::timeout;
use wire::ErrorCode;
use zeroize::Zeroizing;

/// The longest body that is read. The longest input of any operation is a policy of 131,072
/// characters, escaped.
pub(crate) const BODY_MAX: usize = 1 << 20;
/// How long a client may take to send a body.
const BODY_TIME_MAX: Duration = Duration::from_secs(10);
/// How long the line of method and target may be.
const TARGET_MAX: usize = 16_384;

/// A request, read as a whole.
pub(crate) struct Inbound {
    /// Method, target and headers.
    pub(crate) head: hyper::http::request::Parts,
    /// The body, wiped when dropped: it may hold plaintext.
    pub(crate) body: Zeroizing<Vec<u8>>,
    /// Where it came from.
    pub(crate) peer: SocketAddr,
}

impl Inbound {
    /// Reads the body. What is too long is refused unread.
    ///
    /// # Errors
    /// RequestEntityTooLargeException, RequestTimeoutException, SerializationException for a body
    /// that breaks off.
    pub(crate) async fn read(
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Result<Self, Refused> {
        let (head, mut incoming) = request.into_parts();
        let announced = incoming.size_hint().lower();
        let target = head.uri.path_and_query().map_or(0, |target| target.as_str().len());
        if announced > BODY_MAX as u64 || target > TARGET_MAX {
            return Err(Refused { head, error: too_large() });
        }
        // Sized at once where the length is announced: growing leaves unwiped copies behind.
        let mut body = Zeroizing::new(Vec::with_capacity(usize::try_from(announced).unwrap_or(0)));
        let reading = timeout(BODY_TIME_MAX, append(&mut incoming, &mut body)).await;
        match reading.unwrap_or_else(|_| Err(too_slow())) {
            Ok(()) => Ok(Self { head, body, peer }),
            Err(error) => Err(Refused { head, error }),
        }
    }

    /// The value of a header, if it is text.
    pub(crate) fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok()
    }
}

/// A request that wasn't read to its end, with the reason. Its connection can't go on.
pub(crate) struct Refused {
    pub(crate) head: hyper::http::request::Parts,
    pub(crate) error: Error,
}

async fn append(incoming: &mut Incoming, body: &mut Vec<u8>) -> Result<(), Error> {
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|_| {
            Error::new(ErrorCode::SerializationException, "The request body is incomplete")
        })?;
        let Some(data) = frame.data_ref() else { continue };
        if body.len() + data.len() > BODY_MAX {
            return Err(too_large());
        }
        body.extend_from_slice(data);
    }
    Ok(())
}

fn too_large() -> Error {
    Error::new(
        ErrorCode::RequestEntityTooLargeException,
        format!("The request is larger than the limit of {BODY_MAX} bytes"),
    )
}

fn too_slow() -> Error {
    Error::new(
        ErrorCode::RequestTimeoutException,
        "The request body was not received within the time limit",
    )
}
