//! Writing an answer.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Response, StatusCode, Version};
use service::{Answer, Ids, Protocol};
use zeroize::Zeroizing;

/// The header by which every answer names its request.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// An answer of a service.
pub(crate) fn answer(answer: Answer, protocol: Protocol, ids: &Ids) -> Response<Full<Bytes>> {
    if let Some(failure) = &answer.failure {
        // The caller learns the code; the cause is for the operator.
        let cause = failure.cause().map_or_else(String::new, ToString::to_string);
        tracing::error!(request = ids.request(), cause, "request failed: {failure}");
    }
    let content_type = match protocol {
        Protocol::Json => "application/x-amz-json-1.1",
        Protocol::Query { .. } => "text/xml",
    };
    write(answer.status, content_type, answer.body, ids)
}

/// An answer of one of dev mode's endpoints.
pub(crate) fn plain(status: u16, json: String, ids: &Ids) -> Response<Full<Bytes>> {
    write(status, "application/json", Zeroizing::new(json.into_bytes()), ids)
}

fn write(
    status: u16,
    content_type: &'static str,
    body: Zeroizing<Vec<u8>>,
    ids: &Ids,
) -> Response<Full<Bytes>> {
    // The bytes stay in the buffer that is wiped when the network has taken them.
    let mut response = Response::new(Full::new(Bytes::from_owner(Wiped(body))));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    // A UUID is visible ASCII.
    if let Ok(id) = HeaderValue::from_str(ids.request()) {
        headers.insert(REQUEST_ID, id);
    }
    response
}

/// The same answer, after which a connection of HTTP/1.1 ends: the rest of the request wasn't read.
/// HTTP/2 ends the one stream by itself, and has no such header (RFC 9113, 8.2.2).
pub(crate) fn closing(
    mut response: Response<Full<Bytes>>,
    version: Version,
) -> Response<Full<Bytes>> {
    if version == Version::HTTP_2 {
        return response;
    }
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Bytes that are wiped once the network has taken them.
pub(crate) struct Wiped(pub(crate) Zeroizing<Vec<u8>>);

impl Drop for Wiped {
    fn drop(&mut self) {
        wire::wipe(&mut self.0);
    }
}

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}
