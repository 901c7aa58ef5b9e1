//! A request as it came over the wire, and the limits on what is looked at.
//!
//! Owns every bound of this crate. Must not know how a signature is written or computed.

use crate::refusal::Refusal;

/// The most header lines that a request may have.
pub const MAX_HEADERS: usize = 128;
/// The longest header name, in bytes.
pub const MAX_HEADER_NAME: usize = 256;
/// The longest header value, in bytes. Session tokens have no bound in AWS's documentation; those
/// seen in practice stay below 4 KiB.
pub const MAX_HEADER_VALUE: usize = 16 * 1024;
/// The most bytes that all header names and values may have together.
pub const MAX_HEADER_BYTES: usize = 64 * 1024;
/// The longest raw path, in bytes.
pub const MAX_PATH: usize = 8 * 1024;
/// The longest raw query, in bytes.
pub const MAX_QUERY: usize = 32 * 1024;
/// The most parameters that a query may have.
pub const MAX_QUERY_PARAMETERS: usize = 256;
/// The longest method, in bytes.
pub const MAX_METHOD: usize = 32;
/// The most names that SignedHeaders may list.
pub const MAX_SIGNED_HEADERS: usize = 64;

/// A request as it came over the wire, borrowed.
///
/// Nothing is decoded: a signature is over the bytes that the client sent. The body is bounded by
/// whoever read it.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The method, in the letter case that came.
    pub method: &'a str,
    /// The path, raw and undecoded; empty means `/`.
    pub path: &'a str,
    /// The query without its question mark, raw and undecoded; empty where there is none.
    pub query: &'a str,
    /// Names in lower case (as HTTP/2 sends them) and values, in the order of arrival. A server
    /// that speaks HTTP/2 hands `:authority` over as `host`.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The whole body, after the transfer encoding was undone.
    pub body: &'a [u8],
}

impl<'a> Request<'a> {
    /// Holds the request against the limits, and refuses what would make the canonical form
    /// ambiguous: it is separated by line feeds, so no part may bring one of its own.
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        let method = self.method.as_bytes();
        if method.is_empty() || method.len() > MAX_METHOD || !method.iter().copied().all(is_token) {
            return Err(Refusal::Malformed("method"));
        }
        if self.path.len() > MAX_PATH {
            return Err(Refusal::Malformed("path"));
        }
        self.check_query()?;
        self.check_headers()
    }

    fn check_query(&self) -> Result<(), Refusal> {
        if self.query.is_empty() {
            return Ok(());
        }
        if self.query.len() > MAX_QUERY
            || self.query.bytes().filter(|byte| *byte == b'&').count() >= MAX_QUERY_PARAMETERS
        {
            return Err(Refusal::Malformed("query"));
        }
        Ok(())
    }

    fn check_headers(&self) -> Result<(), Refusal> {
        if self.headers.len() > MAX_HEADERS {
            return Err(Refusal::Malformed("headers"));
        }
        let mut total = 0;
        for (name, value) in self.headers {
            total += name.len() + value.len();
            // Without a short circuit the compiler checks sixteen bytes at a time.
            let odd_value = value.iter().fold(0, |odd, byte| odd | u8::from(is_control(*byte)));
            if name.len() > MAX_HEADER_NAME
                || value.len() > MAX_HEADER_VALUE
                || total > MAX_HEADER_BYTES
                || odd_value != 0
                || !is_header_name(name)
            {
                return Err(Refusal::Malformed("headers"));
            }
        }
        Ok(())
    }

    /// The value of a header that may come once at most.
    ///
    /// # Errors
    /// Twice is refused: which of the two another reader of the request would believe is unknown.
    pub(crate) fn header(&self, wanted: &str) -> Result<Option<&'a [u8]>, Refusal> {
        let mut values = self.headers.iter().filter(|(name, _)| *name == wanted);
        let first = values.next().map(|(_, value)| value.trim_ascii());
        if values.next().is_some() {
            return Err(Refusal::Malformed("headers"));
        }
        Ok(first)
    }
}

/// A lower-case header name: a token of RFC 9110 without capitals.
pub(crate) fn is_header_name(name: &str) -> bool {
    const NAME: [bool; 256] = table(b"0123456789abcdefghijklmnopqrstuvwxyz!#$%&'*+-.^_`|~");
    !name.is_empty() && name.bytes().all(|byte| NAME[usize::from(byte)])
}

/// A character of a token, RFC 9110, section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Every byte of every header name is looked up here, so that one load answers.
const fn table(members: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut at = 0;
    while at < members.len() {
        table[members[at] as usize] = true;
        at += 1;
    }
    table
}

fn is_control(byte: u8) -> bool {
    byte < 0x20 && byte != b'\t'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request<'a>(headers: &'a [(&'a str, &'a [u8])]) -> Request<'a> {
        Request { method: "POST", path: "/", query: "", headers, body: b"" }
    }

    #[test]
    fn what_could_forge_a_line_is_refused() {
        for header in [
            ("host", b"a\nb".as_slice()),
            ("host", b"a\rb"),
            ("host", b"a\0b"),
            ("ho st", b"a"),
            ("ho:st", b"a"),
            ("", b"a"),
            ("Host", b"a"),
        ] {
            let headers = [header];
            assert_eq!(request(&headers).check(), Err(Refusal::Malformed("headers")), "{header:?}");
        }
        let bad = Request { method: "PO\nST", ..request(&[]) };
        assert_eq!(bad.check(), Err(Refusal::Malformed("method")));
        assert_eq!(request(&[("host", b"a\tb")]).check(), Ok(()));
    }

    #[test]
    fn limits_hold_at_their_edge() {
        let many = vec![("a", b"b".as_slice()); MAX_HEADERS + 1];
        assert_eq!(request(&many[1..]).check(), Ok(()));
        assert_eq!(request(&many).check(), Err(Refusal::Malformed("headers")));

        let long = vec![b'v'; MAX_HEADER_VALUE + 1];
        assert_eq!(request(&[("a", &long[1..])]).check(), Ok(()));
        assert_eq!(request(&[("a", &long)]).check(), Err(Refusal::Malformed("headers")));

        let five = [("a", &long[1..]); 5];
        assert_eq!(request(&five).check(), Err(Refusal::Malformed("headers")));

        let query = "&".repeat(MAX_QUERY_PARAMETERS);
        let fits = Request { query: &query[1..], ..request(&[]) };
        assert_eq!(fits.check(), Ok(()));
        let over = Request { query: &query, ..request(&[]) };
        assert_eq!(over.check(), Err(Refusal::Malformed("query")));

        let path = "/".repeat(MAX_PATH + 1);
        assert_eq!(Request { path: &path[1..], ..request(&[]) }.check(), Ok(()));
        let over = Request { path: &path, ..request(&[]) };
        assert_eq!(over.check(), Err(Refusal::Malformed("path")));
    }

    #[test]
    fn a_single_header_is_trimmed_and_twice_is_refused() {
        let headers = [("a", b" x ".as_slice()), ("b", b"1"), ("b", b"2")];
        let request = request(&headers);
        assert_eq!(request.header("a"), Ok(Some(b"x".as_slice())));
        assert_eq!(request.header("b"), Err(Refusal::Malformed("headers")));
        assert_eq!(request.header("c"), Ok(None));
    }
}
