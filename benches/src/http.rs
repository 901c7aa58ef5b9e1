//! The least HTTP/1.1 client that can be trusted: whole requests out, answers framed by their
//! content-length in, over TCP or TLS. It must not know what the bodies mean.

use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::Outcome;
use crate::child::Endpoint;

/// More than any answer in the table of operations; a page of 1,000 grants is the longest.
const ANSWER_LIMIT: usize = 4 * 1024 * 1024;
/// What the buffer has at first; it grows with the answers.
const BUFFER: usize = 16 * 1024;
/// Headers of an answer.
const HEADERS: usize = 32;

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A keep-alive connection with at most one request under way. If the server closes it after an
/// answer, as some do after each, the next request opens another one.
pub(crate) struct Connection {
    endpoint: Endpoint,
    /// None after an answer that said so.
    stream: Option<Stream>,
    buffer: Vec<u8>,
}

/// An answer's parts in the connection's buffer.
#[derive(Debug, PartialEq, Eq)]
struct Frame {
    status: u16,
    body: std::ops::Range<usize>,
    closes: bool,
}

impl Connection {
    pub(crate) async fn open(endpoint: impl Into<Endpoint>) -> Outcome<Self> {
        let endpoint = endpoint.into();
        let stream = Some(Stream::open(&endpoint).await?);
        Ok(Self { endpoint, stream, buffer: vec![0; BUFFER] })
    }

    /// Sends a request and returns the body of its answer. Any status but 200 is an error: a
    /// measurement of refusals would flatter.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Outcome<&[u8]> {
        let (status, body) = self.ask(request).await?;
        if status == 200 {
            Ok(body)
        } else {
            Err(format!("status {status}: {}", String::from_utf8_lossy(body)))
        }
    }

    /// Sends a request and returns its answer's status and body.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Outcome<(u16, &[u8])> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => Stream::open(&self.endpoint).await?,
        };
        stream.write(request).await.map_err(|error| error.to_string())?;
        let mut filled = 0;
        let frame = loop {
            if filled == self.buffer.len() {
                self.buffer.resize(filled * 2, 0);
            }
            let free = &mut self.buffer[filled..];
            let count = stream.read(free).await.map_err(|error| error.to_string())?;
            if count == 0 {
                return Err("the connection ended within an answer".to_owned());
            }
            filled += count;
            match frame(&self.buffer[..filled])? {
                Some(frame) if frame.body.end <= filled => break frame,
                // The whole of it will fit.
                Some(frame) if frame.body.end > self.buffer.len() => {
                    self.buffer.resize(frame.body.end, 0);
                }
                _ => {}
            }
        };
        if !frame.closes {
            self.stream = Some(stream);
        }
        Ok((frame.status, &self.buffer[frame.body]))
    }
}

impl Stream {
    async fn open(endpoint: &Endpoint) -> Outcome<Self> {
        let address = endpoint.address;
        let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        let Some(config) = endpoint.tls.clone() else { return Ok(Self::Plain(stream)) };
        let name = ServerName::IpAddress(address.ip().into());
        let stream = TlsConnector::from(config).connect(name, stream).await;
        stream.map(|stream| Self::Tls(Box::new(stream))).map_err(|error| error.to_string())
    }

    async fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match self {
            Self::Plain(stream) => stream.write_all(bytes).await,
            Self::Tls(stream) => {
                stream.write_all(bytes).await?;
                stream.flush().await
            }
        }
    }

    async fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer).await,
            Self::Tls(stream) => stream.read(buffer).await,
        }
    }
}

/// The answer, if the bytes hold all of its head; its body may end beyond them.
fn frame(bytes: &[u8]) -> Outcome<Option<Frame>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut head = httparse::Response::new(&mut headers);
    let start = match head.parse(bytes).map_err(|error| format!("an answer's head: {error}"))? {
        httparse::Status::Complete(start) => start,
        httparse::Status::Partial => return Ok(None),
    };
    let status = head.code.ok_or("an answer has no status")?;
    let mut length = None;
    let mut closes = false;
    for header in head.headers {
        if header.name.eq_ignore_ascii_case("content-length") {
            length = std::str::from_utf8(header.value).ok().and_then(|text| text.parse().ok());
        } else if header.name.eq_ignore_ascii_case("connection") {
            closes = header.value.eq_ignore_ascii_case(b"close");
        }
    }
    // An answer without content (RFC 9110, 15.3.5) has no length either.
    let length: usize =
        if status == 204 { 0 } else { length.ok_or("an answer has no content-length")? };
    if length > ANSWER_LIMIT {
        return Err(format!("an answer of {length} bytes"));
    }
    Ok(Some(Frame { status, body: start..start + length, closes }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\na: b\r\nContent-Length: 2\r\n\r\nhi";

    #[test]
    fn an_answer_is_framed_once_its_head_is_whole() {
        let head = ANSWER.len() - 2;
        let body = head..ANSWER.len();
        for end in 0..head {
            assert_eq!(frame(&ANSWER[..end]), Ok(None));
        }
        for end in head..=ANSWER.len() {
            let body = body.clone();
            assert_eq!(frame(&ANSWER[..end]), Ok(Some(Frame { status: 200, body, closes: false })));
        }
    }

    #[test]
    fn a_connection_that_will_close_says_so() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        assert!(frame(answer).expect("an answer").expect("whole").closes);
    }

    #[test]
    fn only_answers_without_content_need_no_length() {
        let none = frame(b"HTTP/1.1 204 No Content\r\na: b\r\n\r\n").expect("an answer");
        assert!(none.expect("whole").body.is_empty());
        assert!(frame(b"HTTP/1.1 200 OK\r\na: b\r\n\r\n").is_err());
    }

    #[test]
    fn answers_that_are_too_long_or_none_are_refused() {
        assert!(frame(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n").is_err());
        assert!(frame(b"nonsense\r\n\r\n").is_err());
    }
}
