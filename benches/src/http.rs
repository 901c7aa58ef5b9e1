//! The least HTTP/1.1 client that can be trusted: whole requests out, answers framed by their
//! content-length in. It must not know what the bodies mean.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Outcome;

/// More than any answer in the table of operations.
const ANSWER_LIMIT: usize = 64 * 1024;

/// A keep-alive connection with at most one request under way.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Box<[u8]>,
}

/// An answer's parts in the connection's buffer.
#[derive(Debug, PartialEq, Eq)]
struct Frame {
    status: u16,
    body: std::ops::Range<usize>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        Ok(Self { stream, buffer: vec![0; ANSWER_LIMIT].into_boxed_slice() })
    }

    /// Sends a request and returns the body of its answer. Any status but 200 is an error: a
    /// measurement of refusals would flatter.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Outcome<&[u8]> {
        self.stream.write_all(request).await.map_err(|error| error.to_string())?;
        let mut filled = 0;
        let frame = loop {
            let free = &mut self.buffer[filled..];
            let count = self.stream.read(free).await.map_err(|error| error.to_string())?;
            if count == 0 {
                return Err("the connection ended within an answer".to_owned());
            }
            filled += count;
            if let Some(frame) = frame(&self.buffer[..filled])? {
                break frame;
            }
        };
        let body = &self.buffer[frame.body];
        if frame.status == 200 {
            Ok(body)
        } else {
            Err(format!("status {}: {}", frame.status, String::from_utf8_lossy(body)))
        }
    }
}

/// The answer, if the bytes hold all of it.
fn frame(bytes: &[u8]) -> Outcome<Option<Frame>> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&bytes[..end]).map_err(|_| "an answer's head isn't text")?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let status = status.ok_or("an answer has no status")?;
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let start = end + 4;
    let stop = start + length.ok_or("an answer has no content-length")?;
    if stop > ANSWER_LIMIT {
        return Err(format!("an answer of {stop} bytes"));
    }
    Ok((bytes.len() >= stop).then_some(Frame { status, body: start..stop }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\na: b\r\nContent-Length: 2\r\n\r\nhi";

    #[test]
    fn an_answer_is_whole_only_at_its_end() {
        for end in 0..ANSWER.len() {
            assert_eq!(frame(&ANSWER[..end]), Ok(None));
        }
        let body = ANSWER.len() - 2..ANSWER.len();
        assert_eq!(frame(ANSWER), Ok(Some(Frame { status: 200, body })));
    }

    #[test]
    fn answers_without_a_length_or_too_long_are_refused() {
        assert!(frame(b"HTTP/1.1 200 OK\r\na: b\r\n\r\n").is_err());
        assert!(frame(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n").is_err());
        assert!(frame(b"nonsense\r\n\r\n").is_err());
    }
}
