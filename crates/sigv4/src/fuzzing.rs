//! One entry for fuzzing: bytes in, every step that doesn't need a key taken.
//!
//! Owns the way in which bytes are read as a request. Must not be used to serve requests.

use crate::canonical::{canonical_request, hex_sha256};
use crate::parse::parse;
use crate::refusal::Refusal;
use crate::request::Request;

/// Reads bytes as a request, parses its signature and gives its canonical form.
///
/// The first line is method, path and query, each after a space; lines of `name:value` follow, and
/// after an empty line the body. Lines end in a line feed alone.
///
/// # Errors
/// Every refusal of [`parse`], whatever the bytes are.
pub fn parse_and_canonicalize(bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
    let end = bytes.windows(2).position(|pair| pair == b"\n\n").unwrap_or(bytes.len());
    let body = bytes.get(end + 2..).unwrap_or_default();
    let mut lines = bytes[..end].split(|byte| *byte == b'\n');
    let first = String::from_utf8_lossy(lines.next().unwrap_or_default());
    let mut parts = first.splitn(3, ' ');
    let headers: Vec<(&str, &[u8])> = lines
        .map(|line| {
            let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
            let name = std::str::from_utf8(&line[..colon]).unwrap_or_default();
            (name, line.get(colon + 1..).unwrap_or_default())
        })
        .collect();
    let request = Request {
        method: parts.next().unwrap_or_default(),
        path: parts.next().unwrap_or_default(),
        query: parts.next().unwrap_or_default(),
        headers: &headers,
        body,
    };
    let signed = parse(&request)?;
    // The answers aren't looked at; fuzzing asks only whether the checks come to an end.
    for now in [i64::MIN, 0, i64::MAX] {
        let _ = signed.check_time(now).map_err(|refusal| refusal.message());
    }
    let _ = signed.check_body();
    let hash = hex_sha256(body);
    let mut canonical = Vec::new();
    canonical_request(&request, &signed.to_sign(&hash), &mut canonical)?;
    Ok(canonical)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WIRE: &str = "GET /a/../b b=2&a=1\nhost:example.com\nx-amz-date:20150830T123600Z\n\
        authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/kms/aws4_request, \
        SignedHeaders=host;x-amz-date, \
        Signature=0000000000000000000000000000000000000000000000000000000000000000\n\nbody";

    #[test]
    fn a_request_gives_its_canonical_form() {
        let canonical = parse_and_canonicalize(WIRE.as_bytes()).unwrap();
        assert_eq!(
            String::from_utf8(canonical).unwrap(),
            "GET\n/b\na=1&b=2\nhost:example.com\nx-amz-date:20150830T123600Z\n\nhost;x-amz-date\n\
             230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5"
        );
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2048)) {
            let _ = parse_and_canonicalize(&bytes);
        }

        #[test]
        fn no_damaged_request_panics(
            cuts in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
            length in 0..WIRE.len(),
        ) {
            let mut bytes = WIRE.as_bytes().to_vec();
            for (place, byte) in cuts {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            let _ = parse_and_canonicalize(&bytes);
            bytes.truncate(length);
            let _ = parse_and_canonicalize(&bytes);
        }
    }
}
