//! The canonical request and the string to sign.
//!
//! Owns the bytes that are signed, for every service but S3: the path is normalized and encoded a
//! second time. Must not know keys, clocks or where the signature stood.
//!
//! Source: the IAM User Guide's page "Create a signed AWS API request".

use std::borrow::Cow;
use std::ops::Range;

use aws_lc_rs::digest;

use crate::ALGORITHM;
use crate::refusal::Refusal;
use crate::request::Request;

/// The query parameter that holds the signature, and so isn't signed itself.
pub(crate) const SIGNATURE_PARAMETER: &str = "X-Amz-Signature";

/// A SHA-256 hash as 64 lower-case hexadecimal digits.
pub(crate) fn hex_sha256(data: &[u8]) -> [u8; 64] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; 64];
    let hash = digest::digest(&digest::SHA256, data);
    for (pair, byte) in text.chunks_exact_mut(2).zip(hash.as_ref()) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    text
}

/// Writes the string to sign into `out`, which is emptied first.
///
/// # Errors
/// A signed header that the request doesn't have is [`Refusal::SignatureDoesNotMatch`]: the client
/// signed something that didn't arrive.
pub(crate) fn string_to_sign(
    request: &Request<'_>,
    signed: &ToSign<'_>,
    out: &mut Vec<u8>,
) -> Result<(), Refusal> {
    canonical_request(request, signed, out)?;
    let hash = hex_sha256(out);
    out.clear();
    for part in [ALGORITHM.as_bytes(), b"\n", signed.stamp, b"\n", signed.scope, b"\n", &hash] {
        out.extend_from_slice(part);
    }
    Ok(())
}

/// What a signature covers besides the request itself.
pub(crate) struct ToSign<'a> {
    /// `YYYYMMDD'T'HHMMSS'Z'`.
    pub(crate) stamp: &'a [u8],
    /// `date/region/service/aws4_request`.
    pub(crate) scope: &'a [u8],
    /// Lower-case names, sorted, separated by semicolons.
    pub(crate) signed_headers: &'a str,
    /// The signature stands in the query.
    pub(crate) presigned: bool,
    /// The body's hash in hexadecimal.
    pub(crate) body_hash: &'a [u8; 64],
}

/// Writes the canonical request into `out`, which is emptied first.
pub(crate) fn canonical_request(
    request: &Request<'_>,
    signed: &ToSign<'_>,
    out: &mut Vec<u8>,
) -> Result<(), Refusal> {
    out.clear();
    out.extend_from_slice(request.method.as_bytes());
    out.push(b'\n');
    append_path(request.path, out);
    out.push(b'\n');
    append_query(request.query, signed.presigned, out);
    out.push(b'\n');
    for name in signed.signed_headers.split(';') {
        append_header(request, name, out)?;
    }
    out.push(b'\n');
    out.extend_from_slice(signed.signed_headers.as_bytes());
    out.push(b'\n');
    out.extend_from_slice(signed.body_hash);
    Ok(())
}

/// RFC 3986's dot segments removed and empty segments dropped, then encoded: a percent sign of the
/// client's own encoding becomes `%25`.
fn append_path(path: &str, out: &mut Vec<u8>) {
    if path.is_empty() || path == "/" {
        out.push(b'/');
        return;
    }
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    for segment in &segments {
        out.push(b'/');
        encode(segment.as_bytes(), out);
    }
    let open = ["/", "/.", "/.."].iter().any(|end| path.ends_with(end));
    if segments.is_empty() || open {
        out.push(b'/');
    }
}

/// Parameters decoded, encoded AWS's way and sorted by name, then value.
///
/// Sorting is over the encoded bytes, so that two spellings of one query have one form.
fn append_query(query: &str, presigned: bool, out: &mut Vec<u8>) {
    if query.is_empty() {
        return;
    }
    let mut encoded = Vec::with_capacity(query.len() + query.len() / 2);
    let mut ranges: Vec<(Range<usize>, Range<usize>)> = Vec::new();
    for (name, value) in parameters(query) {
        let name = decode(name);
        if presigned && name.as_ref() == SIGNATURE_PARAMETER.as_bytes() {
            continue;
        }
        let start = encoded.len();
        encode(&name, &mut encoded);
        let middle = encoded.len();
        encode(&decode(value), &mut encoded);
        ranges.push((start..middle, middle..encoded.len()));
    }
    let text = |range: &Range<usize>| encoded.get(range.clone()).unwrap_or_default();
    ranges.sort_unstable_by(|(name_a, value_a), (name_b, value_b)| {
        (text(name_a), text(value_a)).cmp(&(text(name_b), text(value_b)))
    });
    for (place, (name, value)) in ranges.iter().enumerate() {
        if place > 0 {
            out.push(b'&');
        }
        out.extend_from_slice(text(name));
        out.push(b'=');
        out.extend_from_slice(text(value));
    }
}

/// `name:value`, or `name:first,second` where the header came more than once.
fn append_header(request: &Request<'_>, wanted: &str, out: &mut Vec<u8>) -> Result<(), Refusal> {
    out.extend_from_slice(wanted.as_bytes());
    let mut separator = b':';
    for (_, value) in request.headers.iter().filter(|(name, _)| *name == wanted) {
        out.push(separator);
        separator = b',';
        append_value(value, out);
    }
    if separator == b':' {
        return Err(Refusal::SignatureDoesNotMatch);
    }
    out.push(b'\n');
    Ok(())
}

/// Spaces trimmed, and those inside collapsed to one. Only spaces: AWS's signers leave tabs alone.
fn append_value(value: &[u8], out: &mut Vec<u8>) {
    let start = value.iter().position(|byte| *byte != b' ').unwrap_or(value.len());
    let end = value.iter().rposition(|byte| *byte != b' ').map_or(start, |last| last + 1);
    let value = &value[start..end];
    // Without a short circuit the compiler compares sixteen bytes at a time.
    let doubled = value
        .iter()
        .zip(value.iter().skip(1))
        .fold(0, |found, (a, b)| found | u8::from(*a == b' ' && *b == b' '));
    if doubled == 0 {
        out.extend_from_slice(value);
        return;
    }
    let mut before = 0;
    for byte in value {
        if !(*byte == b' ' && before == b' ') {
            out.push(*byte);
        }
        before = *byte;
    }
}

/// The raw names and values of a query. An empty piece between two ampersands is no parameter; one
/// without an equals sign has an empty value.
pub(crate) fn parameters(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query
        .split('&')
        .filter(|piece| !piece.is_empty())
        .map(|piece| piece.split_once('=').unwrap_or((piece, "")))
}

/// Percent-decodes once, and reads a plus sign as a space, as the query protocol does. A percent
/// sign that begins no escape stands for itself. Bytes, not text: replacing what isn't UTF-8 would
/// give different queries the same form.
pub(crate) fn decode(raw: &str) -> Cow<'_, [u8]> {
    if !raw.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Cow::Borrowed(raw.as_bytes());
    }
    let mut decoded = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match (first, tail) {
            (b'+', _) => decoded.push(b' '),
            (b'%', [high, low, after @ ..]) if hex(*high).is_some() && hex(*low).is_some() => {
                decoded.push(hex(*high).unwrap_or(0) << 4 | hex(*low).unwrap_or(0));
                rest = after;
            }
            _ => decoded.push(*first),
        }
    }
    Cow::Owned(decoded)
}

/// Percent-encodes everything but RFC 3986's unreserved characters, with upper-case digits.
fn encode(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            out.push(*byte);
        } else {
            out.push(b'%');
            out.push(DIGITS[usize::from(byte >> 4)]);
            out.push(DIGITS[usize::from(byte & 15)]);
        }
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// A signature's bytes. Only 64 lower-case digits are one: a second spelling would be a second
/// valid request.
pub(crate) fn signature_bytes(text: &str) -> Option<[u8; 32]> {
    let text = text.as_bytes();
    if text.len() != 64 || text.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = hex(pair[0])? << 4 | hex(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(raw: &str) -> String {
        let mut out = Vec::new();
        append_path(raw, &mut out);
        String::from_utf8(out).unwrap()
    }

    fn query(raw: &str, presigned: bool) -> String {
        let mut out = Vec::new();
        append_query(raw, presigned, &mut out);
        String::from_utf8(out).unwrap()
    }

    fn value(raw: &str) -> String {
        let mut out = Vec::new();
        append_value(raw.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn paths_are_normalized_and_encoded_twice() {
        for (raw, canonical) in [
            ("", "/"),
            ("/", "/"),
            ("//", "/"),
            ("/./", "/"),
            ("/foo/..", "/"),
            ("/foo/bar/..", "/foo/"),
            ("/../../foo", "/foo"),
            ("//foo//bar", "/foo/bar"),
            ("/foo/./bar/", "/foo/bar/"),
            ("/foo/.", "/foo/"),
            ("/foo...", "/foo..."),
            ("/a%20b", "/a%2520b"),
            ("/a b*", "/a%20b%2A"),
            ("/-._~09azAZ", "/-._~09azAZ"),
            ("/\u{1234}", "/%E1%88%B4"),
        ] {
            assert_eq!(path(raw), canonical, "{raw}");
        }
    }

    #[test]
    fn queries_are_sorted_and_encoded_once() {
        for (raw, canonical) in [
            ("", ""),
            ("a", "a="),
            ("b=2&a=1", "a=1&b=2"),
            ("a=2&a=1&a", "a=&a=1&a=2"),
            ("a&&b", "a=&b="),
            ("=1", "=1"),
            ("a=b=c", "a=b%3Dc"),
            ("a=%2f%2F", "a=%2F%2F"),
            ("a=%zz%4", "a=%25zz%254"),
            ("a=x+y%20z", "a=x%20y%20z"),
            ("a=%ff", "a=%FF"),
            ("%61=1", "a=1"),
            ("a-=1&a=1", "a=1&a-=1"),
            ("Action=ListUsers&Version=2010-05-08", "Action=ListUsers&Version=2010-05-08"),
        ] {
            assert_eq!(query(raw, false), canonical, "{raw}");
        }
    }

    #[test]
    fn only_a_presigned_query_leaves_the_signature_out() {
        let raw = "b=1&X-Amz-Signature=00&a=2&X%2DAmz-Signature=11";
        assert_eq!(query(raw, true), "a=2&b=1");
        assert_eq!(query(raw, false), "X-Amz-Signature=00&X-Amz-Signature=11&a=2&b=1");
    }

    #[test]
    fn header_values_lose_their_surplus_spaces() {
        for (raw, canonical) in [
            ("", ""),
            ("   ", ""),
            (" a ", "a"),
            ("a  b   c", "a b c"),
            ("\"a  b\"", "\"a b\""),
            ("a\t b", "a\t b"),
        ] {
            assert_eq!(value(raw), canonical, "{raw:?}");
        }
    }

    #[test]
    fn a_signature_has_one_spelling() {
        let text = "0f".repeat(32);
        assert_eq!(signature_bytes(&text), Some([15; 32]));
        assert_eq!(signature_bytes(&text.to_uppercase()), None);
        assert_eq!(signature_bytes(&text[1..]), None);
        assert_eq!(signature_bytes(&format!("g{}", &text[1..])), None);
        assert_eq!(signature_bytes(&format!("+{}", &text[1..])), None);
    }
}
