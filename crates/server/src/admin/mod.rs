//! What operators ask a running server for, through its Unix socket: HTTP/1.1 with JSON, one file
//! for each group of calls.
//!
//! Who may open the socket may do all of it; who did is in the audit log, by the user id that the
//! kernel vouches for. Must not know the command line, nor the network.

mod backup;
mod event;
mod rotation;
mod seals;
mod socket;
mod status;
mod unseal;

use std::convert::Infallible;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Deserialize as _;
use serde::de::{DeserializeOwned, Deserializer};
use serde_json::{Value, json};
use tokio::net::UnixStream;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

pub(crate) use self::event::{EVENT_SOURCE, Event, Operator};
pub(crate) use self::socket::Socket;

use crate::serve::Instance;

/// How many operators may be served at once.
const CONNECTIONS_MAX: usize = 32;
/// The longest request: secrets and names are short.
const BODY_MAX: usize = 64 << 10;
/// How long a request's head may take.
const HEAD_TIME_MAX: Duration = Duration::from_secs(10);
/// How long a request's body may take.
const BODY_TIME_MAX: Duration = Duration::from_secs(10);

/// An answer's body: whole, or a backup that is still being made.
pub(crate) type Body = BoxBody<Bytes, std::io::Error>;

/// Why a call is refused.
pub(crate) struct Refused {
    status: StatusCode,
    message: String,
}

impl Refused {
    /// For what the operator asked.
    pub(crate) fn request(message: impl Display) -> Self {
        Self { status: StatusCode::BAD_REQUEST, message: message.to_string() }
    }

    /// For how things stand.
    pub(crate) fn state(message: impl Display) -> Self {
        Self { status: StatusCode::CONFLICT, message: message.to_string() }
    }

    /// For a failure.
    pub(crate) fn failed(message: impl Display) -> Self {
        Self { status: StatusCode::SERVICE_UNAVAILABLE, message: message.to_string() }
    }
}

/// Serves operators for as long as the future is polled.
pub(crate) async fn serve(socket: &Socket, instance: &Arc<Instance>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        // Nobody closes the semaphore.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match socket.listener.accept().await {
            Ok((stream, _)) => {
                let instance = Arc::clone(instance);
                tokio::spawn(async move {
                    connection(stream, instance).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the operator's socket doesn't accept");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn connection(stream: UnixStream, instance: Arc<Instance>) {
    let Ok(credentials) = stream.peer_cred() else { return };
    let operator = Operator { user: credentials.uid() };
    let answering = service_fn(move |request| {
        let instance = Arc::clone(&instance);
        // By itself, so that what was begun comes to its end and into the audit log, though the
        // operator hangs up: half a rotation, or a guess that nobody hears of, must not be.
        let answered = tokio::spawn(async move { answer(&instance, operator, request).await });
        async move {
            let failed = |_| refusal(&Refused::failed("the server has failed at it"));
            Ok::<_, Infallible>(answered.await.unwrap_or_else(failed))
        }
    });
    // A connection that breaks is the operator's affair.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .serve_connection(TokioIo::new(stream), answering)
        .await;
}

async fn answer(
    instance: &Arc<Instance>,
    operator: Operator,
    request: Request<Incoming>,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = match read(body).await {
        Ok(body) => body,
        Err(refused) => return refusal(&refused),
    };
    let path = head.uri.path().to_owned();
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let call = Call { instance, operator, body };
    let answered = match (&head.method, parts.as_slice()) {
        (&Method::GET, ["v1", "status"]) => call.status().await,
        (&Method::POST, ["v1", "unseal"]) => call.unseal().await,
        (&Method::DELETE, ["v1", "unseal"]) => call.forget_shares().await,
        (&Method::GET, ["v1", "seals"]) => call.list_seals().await,
        (&Method::POST, ["v1", "seals"]) => call.add_seal().await,
        (&Method::POST, ["v1", "seals", "rehearsal"]) => call.rehearse().await,
        (&Method::DELETE, ["v1", "seals", name]) => call.remove_seal(name).await,
        (&Method::POST, ["v1", "seals", name]) => call.rotate_seal(name).await,
        (&Method::GET, ["v1", "rotation"]) => call.rotation().await,
        (&Method::POST, ["v1", "rotation"]) => call.rotate().await,
        (&Method::POST, ["v1", "reload"]) => call.reload().await,
        (&Method::POST, ["v1", "backup"]) => {
            return call.backup().await.unwrap_or_else(|refused| refusal(&refused));
        }
        _ => Err(Refused {
            status: StatusCode::NOT_FOUND,
            message: "this server knows no such call: the program that asks is of another version"
                .to_owned(),
        }),
    };
    match answered {
        Ok(value) => json_answer(StatusCode::OK, &value),
        Err(refused) => refusal(&refused),
    }
}

/// A call of an operator's.
pub(crate) struct Call<'a> {
    pub(crate) instance: &'a Arc<Instance>,
    pub(crate) operator: Operator,
    body: Zeroizing<Vec<u8>>,
}

impl Call<'_> {
    /// What the call says.
    fn input<T: DeserializeOwned>(&self) -> Result<T, Refused> {
        let body: &[u8] = if self.body.is_empty() { b"{}" } else { &self.body };
        // The parser's message could quote a secret.
        serde_json::from_slice(body).map_err(|error| {
            Refused::request(format!("the call isn't understood (column {})", error.column()))
        })
    }
}

/// Reads a text that is a secret.
fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<Zeroizing<String>, D::Error> {
    String::deserialize(from).map(Zeroizing::new)
}

async fn read(body: Incoming) -> Result<Zeroizing<Vec<u8>>, Refused> {
    let mut body = Limited::new(body, BODY_MAX);
    let reading = async {
        let mut whole = Zeroizing::new(Vec::with_capacity(BODY_MAX));
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(Refused::request)?;
            if let Some(data) = frame.data_ref() {
                whole.extend_from_slice(data);
            }
        }
        Ok(whole)
    };
    let read = tokio::time::timeout(BODY_TIME_MAX, reading).await;
    read.unwrap_or_else(|_| Err(Refused::request("the call wasn't sent in time")))
}

fn sealed() -> Refused {
    Refused::state("the server is sealed: unseal it first")
}

fn refusal(refused: &Refused) -> Response<Body> {
    json_answer(refused.status, &json!({ "message": refused.message }))
}

fn json_answer(status: StatusCode, value: &Value) -> Response<Body> {
    // Shares that are issued are in it; it is wiped once it is sent.
    let text = Zeroizing::new(value.to_string().into_bytes());
    let body = Full::new(Bytes::from_owner(crate::outbound::Wiped(text)));
    let mut response = Response::new(body.map_err(|never: Infallible| match never {}).boxed());
    *response.status_mut() = status;
    response
}
