//! Talking to a running server through its operator's socket.
//!
//! Must not know what is asked, nor how answers are shown.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::UnixStream;
use tokio::time::timeout;
use zeroize::Zeroizing;

/// How long an answer may take to begin. Argon2id takes seconds on a busy machine, and wrong
/// attempts are slowed.
const ANSWER_TIME_MAX: Duration = Duration::from_mins(15);
/// The longest answer that is read as a whole.
const ANSWER_MAX: usize = 4 << 20;

/// Why nothing came of a request. Every text says what to do.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Nobody listens there, or not to us.
    Unreachable(PathBuf, io::Error),
    /// The conversation broke off.
    Broken(String),
    /// The server says no.
    Refused(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(path, error) => {
                write!(f, "cannot reach a server through {}: {error}", path.display())?;
                match error.kind() {
                    io::ErrorKind::PermissionDenied => f.write_str(
                        " (the socket is for the server's user and the group that admin.group \
                         names)",
                    ),
                    io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => f.write_str(
                        " (is it running? --socket names another socket, as admin.socket does in \
                         the server's configuration)",
                    ),
                    _ => Ok(()),
                }
            }
            Self::Broken(what) => write!(f, "the server broke off: {what}"),
            Self::Refused(message) => f.write_str(message),
        }
    }
}

/// Asks for something and gives the answer, which is JSON.
///
/// # Errors
/// [`Failure`].
pub(crate) async fn ask(
    socket: &Path,
    method: Method,
    path: &str,
    body: Zeroizing<Vec<u8>>,
) -> Result<Value, Failure> {
    let response = send(socket, method, path, body).await?;
    if !response.status().is_success() {
        return Err(refusal(response.into_body()).await);
    }
    let content = whole(response.into_body()).await?;
    serde_json::from_slice(&content)
        .map_err(|error| Failure::Broken(format!("its answer isn't understood ({error})")))
}

/// Sends a request and gives the answer's beginning.
///
/// # Errors
/// [`Failure::Unreachable`], [`Failure::Broken`].
pub(crate) async fn send(
    socket: &Path,
    method: Method,
    path: &str,
    body: Zeroizing<Vec<u8>>,
) -> Result<Response<Incoming>, Failure> {
    let unreachable = |error| Failure::Unreachable(socket.to_owned(), error);
    let stream = UnixStream::connect(socket).await.map_err(unreachable)?;
    let broken = |error: hyper::Error| Failure::Broken(error.to_string());
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    tokio::spawn(connection);
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "strongroom")
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from_owner(Wiped(body))))
        .map_err(|error| Failure::Broken(error.to_string()))?;
    let answer = timeout(ANSWER_TIME_MAX, sender.send_request(request)).await;
    answer.map_err(|_| Failure::Broken("it doesn't answer".to_owned()))?.map_err(broken)
}

/// What a server that refused says.
pub(crate) async fn refusal(body: Incoming) -> Failure {
    let content = match whole(body).await {
        Ok(content) => content,
        Err(failure) => return failure,
    };
    let value: Value = serde_json::from_slice(&content).unwrap_or_default();
    let message = value.get("message").and_then(Value::as_str);
    Failure::Refused(message.unwrap_or("the server refused without a reason").to_owned())
}

async fn whole(mut body: Incoming) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut content = Zeroizing::new(Vec::with_capacity(16 << 10));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Failure::Broken(error.to_string()))?;
        if let Some(data) = frame.data_ref() {
            if content.len() + data.len() > ANSWER_MAX {
                return Err(Failure::Broken("its answer is too long".to_owned()));
            }
            content.extend_from_slice(data);
        }
    }
    Ok(content)
}

/// A request's body, which may hold a secret.
struct Wiped(Zeroizing<Vec<u8>>);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}
