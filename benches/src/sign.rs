//! Whole signed requests as bytes: AWS's own signer over HTTP/1.1. It must not know the operations
//! nor how the server verifies.

use std::net::SocketAddr;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;

use crate::Outcome;

const REGION: &str = "us-east-1";

/// An access key with its secret.
#[derive(Debug, Clone)]
pub(crate) struct AccessKey {
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl AccessKey {
    /// For servers that ask nobody who they are.
    pub(crate) fn made_up() -> Self {
        Self { id: "AKIABENCHMARK".to_owned(), secret: "made-up-for-the-benchmark".to_owned() }
    }
}

/// A request of KMS, in the JSON 1.1 protocol: the `X-Amz-Target` header and the input.
pub(crate) fn request(
    key: &AccessKey,
    address: SocketAddr,
    target: &str,
    body: &str,
) -> Outcome<Vec<u8>> {
    request_in(REGION, key, address, target, body)
}

/// The same, to that Region.
pub(crate) fn request_in(
    region: &str,
    key: &AccessKey,
    address: SocketAddr,
    target: &str,
    body: &str,
) -> Outcome<Vec<u8>> {
    let host = address.to_string();
    let headers = [
        ("host", host.as_str()),
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amz-target", target),
    ];
    signed(key, region, "kms", &headers, body)
}

/// A request of IAM, in the query protocol.
pub(crate) fn query(key: &AccessKey, address: SocketAddr, body: &str) -> Outcome<Vec<u8>> {
    let host = address.to_string();
    let headers = [("host", host.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    signed(key, REGION, "iam", &headers, body)
}

/// A request, signed in its headers as the SDKs do, valid for minutes. The first header is the
/// host.
fn signed(
    key: &AccessKey,
    region: &str,
    service: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Outcome<Vec<u8>> {
    let host = headers[0].1;
    let identity = Credentials::new(&key.id, &key.secret, None, None, "benches").into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service)
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| error.to_string())?
        .into();
    let uri = format!("http://{host}/");
    let bytes = SignableBody::Bytes(body.as_bytes());
    let signable = SignableRequest::new("POST", uri, headers.iter().copied(), bytes)
        .map_err(|error| error.to_string())?;
    let (instructions, _) =
        sign(signable, &parameters).map_err(|error| error.to_string())?.into_parts();
    let (signed, _) = instructions.into_parts();
    let signed = signed.iter().map(|header| (header.name(), header.value()));
    let lines =
        headers.iter().copied().chain(signed).map(|(name, value)| format!("{name}: {value}\r\n"));
    let lines: String = lines.collect();
    let length = body.len();
    let head = format!("POST / HTTP/1.1\r\n{lines}content-length: {length}\r\n\r\n");
    Ok([head.as_bytes(), body.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_signed_and_framed() {
        let address = SocketAddr::from(([127, 0, 0, 1], 4566));
        let bytes =
            request(&AccessKey::made_up(), address, "TrentService.ListKeys", "{}").expect("signed");
        let text = String::from_utf8(bytes).expect("text");
        assert!(text.starts_with("POST / HTTP/1.1\r\nhost: 127.0.0.1:4566\r\n"));
        assert!(text.contains("\r\nauthorization: AWS4-HMAC-SHA256 Credential=AKIABENCHMARK/"));
        let signed = "SignedHeaders=content-type;host;x-amz-date;x-amz-target";
        assert!(text.contains(signed), "{text}");
        assert!(text.contains("\r\nx-amz-target: TrentService.ListKeys\r\n"));
        assert!(text.ends_with("\r\ncontent-length: 2\r\n\r\n{}"));
    }
}
