//! The signer of AWS's own SDK against this verifier: what it signs verifies, and no altered byte
//! does, except where two spellings are one request by definition.

use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use proptest::prelude::*;
use sigv4::{Refusal, Request, SigningKey, parse};

// 2015-08-30T12:36:00Z
const NOW: u64 = 1_440_938_160;
const KEY_ID: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// A request before it is signed, and how to sign it.
#[derive(Clone, Debug)]
struct Sample {
    wire: Wire,
    token: Option<String>,
    /// X-Amz-Expires; `None` signs in the header.
    expires: Option<u64>,
    /// With `x-amz-content-sha256`.
    declares_hash: bool,
}

/// A request as it is sent.
#[derive(Clone, Debug)]
struct Wire {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// Signs with the SDK's signer; `None` where it can't read the request.
fn signed(sample: &Sample) -> Option<Wire> {
    let credentials = Credentials::new(KEY_ID, SECRET, sample.token.clone(), None, "test");
    let identity = credentials.into();
    let mut settings = SigningSettings::default();
    if let Some(expires) = sample.expires {
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(Duration::from_secs(expires));
    }
    if sample.declares_hash {
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name("kms")
        .time(UNIX_EPOCH + Duration::from_secs(NOW))
        .settings(settings)
        .build()
        .unwrap()
        .into();
    let mut wire = sample.wire.clone();
    let uri = format!("http://example.com{}?{}", wire.path, wire.query);
    let headers = wire.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let body = SignableBody::Bytes(&wire.body);
    let request = SignableRequest::new(&wire.method, uri, headers, body).ok()?;
    let (instructions, _) = sign(request, &params).ok()?.into_parts();
    let (headers, parameters) = instructions.into_parts();
    for header in headers {
        wire.headers.push((header.name().to_owned(), header.value().to_owned()));
    }
    for (name, value) in parameters {
        if !wire.query.is_empty() {
            wire.query.push('&');
        }
        wire.query.extend([name, "=", &percent_encoded(&value)]);
    }
    Some(wire)
}

/// What a server does with a request.
fn authenticate(wire: &Wire) -> Result<Option<String>, Refusal> {
    let headers: Vec<(&str, &[u8])> =
        wire.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let request = Request {
        method: &wire.method,
        path: &wire.path,
        query: &wire.query,
        headers: &headers,
        body: &wire.body,
    };
    let signed = parse(&request)?;
    signed.check_scope("kms")?;
    signed.check_region(|region| region == "us-east-1")?;
    signed.check_time(i64::try_from(NOW).unwrap())?;
    if signed.access_key_id() != KEY_ID {
        return Err(Refusal::UnrecognizedAccessKeyId);
    }
    signed.verify(&SigningKey::derive(SECRET, &signed.scope()))?;
    Ok(signed.session_token().map(str::to_owned))
}

fn percent_encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

/// What a query means: its parameters, decoded and in no order.
fn meaning(query: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let decoded = |text: &str| {
        let bytes = text.as_bytes();
        let (mut out, mut at) = (Vec::new(), 0);
        while at < bytes.len() {
            let pair = text.get(at + 1..at + 3).filter(|pair| !pair.starts_with('+'));
            let escape = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok());
            match (bytes[at], escape) {
                (b'%', Some(byte)) => {
                    out.push(byte);
                    at += 2;
                }
                (b'+', _) => out.push(b' '),
                (byte, _) => out.push(byte),
            }
            at += 1;
        }
        out
    };
    let mut parameters: Vec<_> = query
        .split('&')
        .filter(|piece| !piece.is_empty())
        .map(|piece| {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            (decoded(name), decoded(value))
        })
        .collect();
    parameters.sort();
    parameters
}

fn words(text: &str, separators: &[char]) -> Vec<String> {
    text.split(separators).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Every way to replace one byte of an ASCII text by another of the alphabet, one per position.
fn replacements<'a>(
    text: &'a str,
    alphabet: &'a [u8],
    seed: usize,
) -> impl Iterator<Item = String> + 'a {
    (0..text.len()).map(move |at| {
        let mut bytes = text.as_bytes().to_vec();
        let mut turn = seed + at;
        while bytes[at] == alphabet[turn % alphabet.len()] {
            turn += 1;
        }
        bytes[at] = alphabet[turn % alphabet.len()];
        String::from_utf8(bytes).unwrap()
    })
}

fn check_method_and_body(wire: &Wire, seed: usize) {
    for method in replacements(&wire.method, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", seed) {
        let altered = Wire { method, ..wire.clone() };
        assert!(authenticate(&altered).is_err(), "{altered:?}");
    }
    for at in 0..wire.body.len() {
        let mut altered = wire.clone();
        altered.body[at] ^= u8::try_from(seed % 255).unwrap() + 1;
        assert!(authenticate(&altered).is_err(), "{altered:?}");
    }
    let mut longer = wire.clone();
    longer.body.push(0);
    assert!(authenticate(&longer).is_err());
}

/// Of an altered path the peer is the judge: it is the same request if it gets the same signature.
fn check_path(sample: &Sample, wire: &Wire, seed: usize) {
    let claim = |wire: &Wire| (wire.headers.clone(), meaning(&wire.query));
    let altered_paths = replacements(&sample.wire.path, b"abcxyzABCXYZ0189-_~%/.", seed);
    for path in altered_paths.filter(|path| path.starts_with('/')) {
        let mut altered = sample.clone();
        altered.wire.path.clone_from(&path);
        let Some(resigned) = signed(&altered) else { continue };
        let same = claim(&resigned) == claim(wire);
        let accepted = authenticate(&Wire { path, ..wire.clone() }).is_ok();
        assert_eq!(accepted, same, "{:?} to {:?}", wire.path, resigned.path);
    }
}

fn check_query(wire: &Wire, seed: usize) {
    for query in replacements(&wire.query, b"abcXYZ019-_.~%+&=", seed) {
        let same = meaning(&query) == meaning(&wire.query);
        let accepted = authenticate(&Wire { query: query.clone(), ..wire.clone() }).is_ok();
        assert_eq!(accepted, same, "{:?} to {query:?}", wire.query);
    }
    let more = Wire { query: format!("{}&x=y", wire.query), ..wire.clone() };
    assert!(authenticate(&more).is_err());
}

fn check_headers(wire: &Wire, seed: usize) {
    let printable: Vec<u8> = (b' '..=b'~').collect();
    for (at, (name, value)) in wire.headers.iter().enumerate() {
        let separators: &[char] = if name == "authorization" { &[' ', ','] } else { &[' '] };
        for replaced in replacements(value, &printable, seed) {
            let same = words(&replaced, separators) == words(value, separators);
            let mut altered = wire.clone();
            altered.headers[at].1.clone_from(&replaced);
            let accepted = authenticate(&altered).is_ok();
            assert!(!accepted || same, "{name}: {value:?} to {replaced:?}");
            if name != "authorization" {
                assert_eq!(accepted, same, "{name}: {value:?} to {replaced:?}");
            }
        }
        let mut without = wire.clone();
        without.headers.remove(at);
        assert!(authenticate(&without).is_err(), "without {name}");
        let mut twice = wire.clone();
        twice.headers.push((name.clone(), value.clone()));
        assert!(authenticate(&twice).is_err(), "{name} twice");
        let mut renamed = wire.clone();
        renamed.headers[at].0.push('z');
        assert!(authenticate(&renamed).is_err(), "{name} renamed");
    }
    let mut more = wire.clone();
    more.headers.push(("x-amz-target".to_owned(), "TrentService.Decrypt".to_owned()));
    assert!(authenticate(&more).is_err());
}

fn pieces(extra: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
    let mut all = vec![
        "a", "Z", "9", "-", "_", ".", "..", "~", "%20", "%2F", "%2f", "%25", "%C3%A9", "*", "!",
        "'", "(", ")", ",", ":", "@", ";", "$",
    ];
    all.extend_from_slice(extra);
    proptest::collection::vec(prop::sample::select(all), 0..most).prop_map(|all| all.concat())
}

fn headers() -> impl Strategy<Value = Vec<(String, String)>> {
    let name = prop_oneof![
        Just("content-type".to_owned()),
        Just("accept".to_owned()),
        // Not the names that the signer sets or leaves out itself.
        "x-amz-meta-[a-c]",
        "z[a-c]?",
    ];
    let value = prop_oneof!["[!-~]{1,12}", "( {0,2}[!-~]{1,4}){0,4} {0,2}"];
    proptest::collection::vec((name, value), 0..5).prop_map(|mut headers| {
        headers.insert(0, ("host".to_owned(), "example.com:4566".to_owned()));
        headers
    })
}

prop_compose! {
    fn samples()(
        method in prop_oneof![Just("GET"), Just("POST"), Just("PUT"), Just("DELETE")],
        path in pieces(&["/", "/", "/./"], 8),
        query in pieces(&["+", "=", "=", "&", "&", "Action"], 12),
        headers in headers(),
        body in proptest::collection::vec(any::<u8>(), 0..48),
        token in proptest::option::of("[A-Za-z0-9+/]{1,40}={0,2}"),
        expires in proptest::option::of(1..=604_800_u64),
        hash in any::<bool>(),
    ) -> Sample {
        let declares_hash = hash && expires.is_none();
        let method = method.to_owned();
        let path = format!("/{path}");
        Sample { wire: Wire { method, path, query, headers, body }, token, expires, declares_hash }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_the_peer_signs_verifies(sample in samples()) {
        let wire = signed(&sample).unwrap();
        prop_assert_eq!(authenticate(&wire), Ok(sample.token), "{:?}", wire);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_altered_byte_verifies(sample in samples(), seed in 0..1000_usize) {
        let wire = signed(&sample).unwrap();
        prop_assert!(authenticate(&wire).is_ok());
        check_method_and_body(&wire, seed);
        check_path(&sample, &wire, seed);
        check_query(&wire, seed);
        check_headers(&wire, seed);
    }

    #[test]
    fn no_other_secret_verifies(sample in samples(), at in 0..SECRET.len()) {
        let wire = signed(&sample).unwrap();
        let headers: Vec<(&str, &[u8])> =
            wire.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let Wire { method, path, query, body, .. } = &wire;
        let request = Request { method, path, query, headers: &headers, body };
        let claim = parse(&request).ok().unwrap();
        let mut other = SECRET.as_bytes().to_vec();
        other[at] ^= 1;
        let key = SigningKey::derive(std::str::from_utf8(&other).unwrap(), &claim.scope());
        prop_assert_eq!(claim.verify(&key), Err(Refusal::SignatureDoesNotMatch));
    }
}
