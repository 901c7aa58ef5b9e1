//! Finds the signature of a request, in its headers or its query.
//!
//! Owns both spellings of a signature's parameters, and what must be signed. Must not know keys or
//! the time.

use std::borrow::Cow;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::ALGORITHM;
use crate::canonical::{SIGNATURE_PARAMETER, decode, parameters, signature_bytes};
use crate::refusal::Refusal;
use crate::request::{MAX_SIGNED_HEADERS, Request, is_header_name};
use crate::scope::{Credential, printable};
use crate::time::Moment;
use crate::verify::{Form, Signed};

/// The longest time that a presigned request may be good for, in seconds: seven days.
pub const MAX_EXPIRES: i64 = 604_800;

/// Headers that the SDKs leave unsigned in a presigned request, where they can't know what the one
/// who uses it will send.
const UNSIGNED_WHEN_PRESIGNED: [&str; 2] = ["x-amz-user-agent", "x-amz-checksum-mode"];

/// Finds a request's signature and takes it apart: the form with an Authorization header, or the
/// presigned form with query parameters.
///
/// What is returned is a claim, nothing more; [`Signed::verify`] proves it.
///
/// # Errors
/// [`Refusal::MissingAuthenticationToken`] where there is neither form; otherwise whatever is wrong
/// with the parameters, the credential's scope or the list of signed headers.
pub fn parse<'a>(request: &Request<'a>) -> Result<Signed<'a>, Refusal> {
    request.check()?;
    let query = QueryParameters::find(request.query)?;
    let parts = match (request.header("authorization")?, query) {
        (None, None) => return Err(Refusal::MissingAuthenticationToken),
        (Some(_), Some(_)) => {
            return Err(Refusal::incomplete(
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter or \
                 the Authorization header should be specified",
            ));
        }
        (Some(header), None) => from_header(request, header)?,
        (None, Some(query)) => query.into_parts(request)?,
    };
    parts.into_signed(request)
}

/// What both forms have in common, decoded but unchecked.
struct Parts<'a> {
    form: Form,
    credential: Cow<'a, str>,
    signed_headers: Cow<'a, str>,
    signature: Cow<'a, str>,
    moment: Moment,
    session_token: Option<Cow<'a, str>>,
}

impl<'a> Parts<'a> {
    fn into_signed(self, request: &Request<'a>) -> Result<Signed<'a>, Refusal> {
        let credential = Credential::parse(self.credential, self.moment.text())?;
        let presigned = matches!(self.form, Form::Presigned { .. });
        check_signed_headers(request, &self.signed_headers, presigned)?;
        let signature = signature_bytes(&self.signature).ok_or(Refusal::SignatureDoesNotMatch)?;
        Ok(Signed {
            request: *request,
            form: self.form,
            credential,
            header_list: self.signed_headers,
            signature,
            moment: self.moment,
            session_token: self.session_token,
        })
    }
}

/// Holds the list of signed headers against the request.
///
/// The list must be as the specification writes it, in lower case and sorted without repetition,
/// because it is signed as it stands. `host` and every `x-amz-` header that came must be in it: the
/// first ties the request to this server, the others change what it means.
fn check_signed_headers(request: &Request<'_>, list: &str, presigned: bool) -> Result<(), Refusal> {
    let mut before = "";
    for (place, name) in list.split(';').enumerate() {
        if place >= MAX_SIGNED_HEADERS || !is_header_name(name) || name <= before {
            return Err(Refusal::SignatureDoesNotMatch);
        }
        before = name;
    }
    // Bytes are split faster than text where the pieces are this short.
    let is_signed = |wanted: &str| {
        list.as_bytes().split(|byte| *byte == b';').any(|name| name == wanted.as_bytes())
    };
    if !is_signed("host") {
        return Err(Refusal::HeaderNotSigned { name: "host".to_owned() });
    }
    request.header("host")?;
    for (name, _) in request.headers {
        let excused = presigned && UNSIGNED_WHEN_PRESIGNED.contains(name);
        if name.starts_with("x-amz-") && !excused && !is_signed(name) {
            return Err(Refusal::HeaderNotSigned { name: (*name).to_owned() });
        }
    }
    Ok(())
}

/// `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`
fn from_header<'a>(request: &Request<'a>, header: &'a [u8]) -> Result<Parts<'a>, Refusal> {
    let text = std::str::from_utf8(header).map_err(|_| Refusal::Malformed("headers"))?;
    let (algorithm, rest) = text.split_once(' ').unwrap_or((text, ""));
    let (mut credential, mut signed_headers, mut signature) = (None, None, None);
    // Split twice, because a search for one character at a time is several times faster.
    let pieces = rest.split(',').flat_map(|piece| piece.split(' '));
    for piece in pieces.filter(|piece| !piece.is_empty()) {
        let (name, value) = piece.split_once('=').ok_or_else(|| not_a_pair(header))?;
        let slot = match name {
            "Credential" => &mut credential,
            "SignedHeaders" => &mut signed_headers,
            "Signature" => &mut signature,
            _ => continue,
        };
        if slot.replace(value).is_some() {
            let message = format!("Authorization header has more than one '{name}' parameter.");
            return Err(Refusal::incomplete(message));
        }
    }
    let date = match request.header("x-amz-date")? {
        Some(date) => Some((date, Moment::from_basic(date))),
        None => request.header("date")?.map(|date| (date, Moment::from_date_header(date))),
    };
    let (Some(credential), Some(signature), Some(signed_headers), Some((date, moment))) =
        (credential, signature, signed_headers, date)
    else {
        let absent =
            [credential.is_none(), signature.is_none(), signed_headers.is_none(), date.is_none()];
        return Err(incomplete_header(absent, header));
    };
    if algorithm != ALGORITHM {
        let message = format!("Unsupported AWS 'algorithm': '{}'.", printable(algorithm));
        return Err(Refusal::incomplete(message));
    }
    Ok(Parts {
        form: Form::Header,
        credential: Cow::Borrowed(credential),
        signed_headers: Cow::Borrowed(signed_headers),
        signature: Cow::Borrowed(signature),
        moment: moment.ok_or_else(|| not_a_date(date))?,
        session_token: header_token(request)?.map(Cow::Borrowed),
    })
}

fn header_token<'a>(request: &Request<'a>) -> Result<Option<&'a str>, Refusal> {
    let token = request.header("x-amz-security-token")?;
    token.map(std::str::from_utf8).transpose().map_err(|_| Refusal::Malformed("headers"))
}

/// The parameters of the presigned form, as far as they were there.
#[derive(Default)]
struct QueryParameters<'a> {
    algorithm: Option<Cow<'a, str>>,
    credential: Option<Cow<'a, str>>,
    signature: Option<Cow<'a, str>>,
    signed_headers: Option<Cow<'a, str>>,
    date: Option<Cow<'a, str>>,
    expires: Option<Cow<'a, str>>,
    token: Option<Cow<'a, str>>,
}

impl<'a> QueryParameters<'a> {
    /// Looks through the query; `None` where nothing in it signs.
    fn find(query: &'a str) -> Result<Option<Self>, Refusal> {
        let mut found = Self::default();
        for (name, value) in parameters(query) {
            let decoded = decode(name);
            let slot = match decoded.as_ref() {
                b"X-Amz-Algorithm" => &mut found.algorithm,
                b"X-Amz-Credential" => &mut found.credential,
                b"X-Amz-SignedHeaders" => &mut found.signed_headers,
                b"X-Amz-Date" => &mut found.date,
                b"X-Amz-Expires" => &mut found.expires,
                b"X-Amz-Security-Token" => &mut found.token,
                other if other == SIGNATURE_PARAMETER.as_bytes() => &mut found.signature,
                _ => continue,
            };
            let value = decode_text(value).ok_or(Refusal::Malformed("query"))?;
            // The signature isn't signed, so a second one could be slipped in; the others can't
            // mean two things either.
            if slot.replace(value).is_some() {
                return Err(Refusal::Malformed("query"));
            }
        }
        let signs =
            found.algorithm.is_some() || found.credential.is_some() || found.signature.is_some();
        Ok(signs.then_some(found))
    }

    fn into_parts(self, request: &Request<'a>) -> Result<Parts<'a>, Refusal> {
        let absent = [
            self.algorithm.is_none(),
            self.credential.is_none(),
            self.signature.is_none(),
            self.signed_headers.is_none(),
            self.date.is_none(),
        ];
        let (Some(algorithm), Some(credential), Some(signature), Some(signed_headers), Some(date)) =
            (self.algorithm, self.credential, self.signature, self.signed_headers, self.date)
        else {
            return Err(incomplete_query(absent));
        };
        if algorithm != ALGORITHM {
            let message = format!("Unsupported AWS 'algorithm': '{}'.", printable(&algorithm));
            return Err(Refusal::incomplete(message));
        }
        let expires = self.expires.as_deref().map(lifetime).transpose()?;
        let session_token = match (self.token, header_token(request)?) {
            (Some(_), Some(_)) => return Err(Refusal::Malformed("headers")),
            (token, None) => token,
            (None, token) => token.map(Cow::Borrowed),
        };
        Ok(Parts {
            form: Form::Presigned { expires },
            credential,
            signed_headers,
            signature,
            moment: Moment::from_basic(date.as_bytes())
                .ok_or_else(|| not_a_date(date.as_bytes()))?,
            session_token,
        })
    }
}

/// X-Amz-Expires in seconds.
fn lifetime(text: &str) -> Result<i64, Refusal> {
    // `parse` would take a plus sign and any number of zeroes.
    let plain = text.len() <= 6 && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(seconds) if plain && (1..=MAX_EXPIRES).contains(&seconds) => Ok(seconds),
        _ => Err(Refusal::incomplete(
            "X-Amz-Expires must be a number of seconds between 1 and 604800.",
        )),
    }
}

fn decode_text(raw: &str) -> Option<Cow<'_, str>> {
    match decode(raw) {
        Cow::Borrowed(_) => Some(Cow::Borrowed(raw)),
        Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
    }
}

/// AWS names everything that is missing, then echoes the header. It used to echo the text; it now
/// shows its hash, and so do we: the header may hold a password of another scheme.
fn incomplete_header(absent: [bool; 4], header: &[u8]) -> Refusal {
    let sentences = [
        "Authorization header requires 'Credential' parameter.",
        "Authorization header requires 'Signature' parameter.",
        "Authorization header requires 'SignedHeaders' parameter.",
        "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
    ];
    let mut message = String::new();
    for (_, sentence) in absent.iter().zip(sentences).filter(|(absent, _)| **absent) {
        message.push_str(sentence);
        message.push(' ');
    }
    message.push_str("(Hashed with SHA-256 and encoded with Base64) Authorization=");
    message.push_str(&fingerprint(header));
    Refusal::incomplete(message)
}

fn incomplete_query(absent: [bool; 5]) -> Refusal {
    let names = [
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Signature",
        "X-Amz-SignedHeaders",
        "X-Amz-Date",
    ];
    let mut message = String::new();
    for (_, name) in absent.iter().zip(names).filter(|(absent, _)| **absent) {
        message.push_str("AWS query-string parameters must include '");
        message.push_str(name);
        message.push_str("'. ");
    }
    message.push_str("Re-examine the query-string parameters.");
    Refusal::incomplete(message)
}

fn not_a_pair(header: &[u8]) -> Refusal {
    Refusal::incomplete(format!(
        "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 \
         and encoded with Base64): '{}'.",
        fingerprint(header)
    ))
}

fn not_a_date(got: &[u8]) -> Refusal {
    Refusal::incomplete(format!(
        "Date must be in ISO-8601 'basic format'. Got '{}'. See \
         http://en.wikipedia.org/wiki/ISO_8601",
        printable(&String::from_utf8_lossy(got))
    ))
}

fn fingerprint(header: &[u8]) -> String {
    STANDARD.encode(digest::digest(&digest::SHA256, header))
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
