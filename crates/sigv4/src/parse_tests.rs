//! Tests of what `parse` takes and refuses.

use super::*;
use crate::refusal::Kind;

const ZEROES: &str = "0000000000000000000000000000000000000000000000000000000000000000";
const CREDENTIAL: &str = "AKIDEXAMPLE/20150830/us-east-1/kms/aws4_request";
const DATE: (&str, &[u8]) = ("x-amz-date", b"20150830T123600Z");
const HOST: (&str, &[u8]) = ("host", b"example.com");

fn authorization(signed_headers: &str) -> String {
    format!(
        "{ALGORITHM} Credential={CREDENTIAL}, SignedHeaders={signed_headers}, Signature={ZEROES}"
    )
}

fn presigned(signed_headers: &str) -> String {
    format!(
        "X-Amz-Algorithm={ALGORITHM}&X-Amz-Credential={}&X-Amz-Date=20150830T123600Z\
         &X-Amz-Expires=60&X-Amz-SignedHeaders={signed_headers}&X-Amz-Signature={ZEROES}",
        CREDENTIAL.replace('/', "%2F")
    )
}

/// Parses and keeps what the tests look at, so that the borrowed request may go.
fn outcome(query: &str, headers: &[(&str, &[u8])]) -> Result<Option<String>, Refusal> {
    let request = Request { method: "POST", path: "/", query, headers, body: b"" };
    let signed = parse(&request)?;
    assert_eq!(signed.access_key_id(), "AKIDEXAMPLE");
    assert_eq!(signed.signed_at(), 1_440_938_160);
    Ok(signed.session_token().map(str::to_owned))
}

fn message(query: &str, headers: &[(&str, &[u8])]) -> String {
    outcome(query, headers).unwrap_err().message()
}

#[test]
fn both_forms_are_found() {
    let header = authorization("host;x-amz-date");
    assert_eq!(outcome("", &[HOST, DATE, ("authorization", header.as_bytes())]), Ok(None));
    assert_eq!(outcome(&presigned("host"), &[HOST]), Ok(None));
    let encoded = presigned("host").replace("X-Amz-Date", "X%2DAmz%2dDate");
    assert_eq!(outcome(&encoded, &[HOST]), Ok(None));
}

#[test]
fn neither_form_and_both_forms_are_refused() {
    assert_eq!(outcome("a=b", &[HOST]), Err(Refusal::MissingAuthenticationToken));
    let header = authorization("host;x-amz-date");
    let headers = [HOST, DATE, ("authorization", header.as_bytes())];
    assert!(message(&presigned("host"), &headers).starts_with("Only one auth mechanism allowed"));
    assert!(message("X-Amz-Signature=", &headers).starts_with("Only one auth mechanism allowed"));
    let twice = [HOST, DATE, headers[2], headers[2]];
    assert_eq!(outcome("", &twice), Err(Refusal::Malformed("headers")));
}

#[test]
fn everything_missing_is_named_and_the_header_is_not_echoed() {
    let refusal = outcome("", &[HOST, ("authorization", b"Bearer a=b")]).unwrap_err();
    assert_eq!(refusal.kind(), Kind::IncompleteSignature);
    assert_eq!(
        refusal.message(),
        format!(
            "Authorization header requires 'Credential' parameter. Authorization header requires \
             'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. \
             Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. \
             (Hashed with SHA-256 and encoded with Base64) Authorization={}",
            fingerprint(b"Bearer a=b")
        )
    );
    let secret = message("", &[HOST, ("authorization", b"Bearer hunter2")]);
    assert!(secret.starts_with("Invalid key=value pair (missing equal-sign) in Authorization"));
    assert!(!secret.contains("hunter2"));
    assert_eq!(
        message("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20150830T123600Z", &[HOST]),
        "AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters \
         must include 'X-Amz-Signature'. AWS query-string parameters must include \
         'X-Amz-SignedHeaders'. Re-examine the query-string parameters."
    );
}

#[test]
fn a_parameter_given_twice_is_refused() {
    let header = authorization("host;x-amz-date") + ",Signature=1";
    let headers = [HOST, DATE, ("authorization", header.as_bytes())];
    assert!(message("", &headers).contains("more than one 'Signature'"));
    for again in ["X-Amz-Signature=1", "X-Amz-Date=20150830T123600Z", "X-Amz-Expires=1"] {
        let query = format!("{}&{again}", presigned("host"));
        assert_eq!(outcome(&query, &[HOST]), Err(Refusal::Malformed("query")), "{again}");
    }
}

#[test]
fn other_algorithms_are_refused() {
    for other in ["AWS4-ECDSA-P256-SHA256", "AWS4-HMAC-SHA1", "aws4-hmac-sha256"] {
        let expected = format!("Unsupported AWS 'algorithm': '{other}'.");
        let header = authorization("host;x-amz-date").replace(ALGORITHM, other);
        assert_eq!(message("", &[HOST, DATE, ("authorization", header.as_bytes())]), expected);
        let query = presigned("host").replace(ALGORITHM, other);
        assert_eq!(message(&query, &[HOST]), expected);
    }
}

#[test]
fn what_must_be_signed_is() {
    let unsigned = |name: &str| Err(Refusal::HeaderNotSigned { name: name.to_owned() });
    let header = authorization("x-amz-date");
    let headers = [HOST, DATE, ("authorization", header.as_bytes())];
    assert_eq!(outcome("", &headers), unsigned("host"));
    assert_eq!(
        message("", &headers),
        "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
    );
    let header = authorization("host");
    assert_eq!(
        outcome("", &[HOST, DATE, ("authorization", header.as_bytes())]),
        unsigned("x-amz-date")
    );
    let query = presigned("host");
    assert_eq!(outcome(&query, &[HOST, ("x-amz-target", b"t")]), unsigned("x-amz-target"));
    // What is there to be traced, or what a presigning client can't foresee.
    assert_eq!(outcome(&query, &[HOST, ("x-amzn-trace-id", b"t")]), Ok(None));
    assert_eq!(outcome(&query, &[HOST, ("x-amz-user-agent", b"t")]), Ok(None));
}

#[test]
fn a_list_of_signed_headers_has_one_spelling() {
    for list in [
        "x-amz-date;host",
        "host;host;x-amz-date",
        "Host;x-amz-date",
        "",
        ";host;x-amz-date",
        "host;x-amz-date;",
        "host; x-amz-date",
        "host,x-amz-date",
    ] {
        let query = presigned(&list.replace(' ', "%20"));
        let result = outcome(&query, &[HOST]);
        assert_eq!(result, Err(Refusal::SignatureDoesNotMatch), "{list}");
    }
    let many: Vec<String> = (0..MAX_SIGNED_HEADERS).map(|n| format!("i{n:03}")).collect();
    let list = format!("host;{}", many.join(";"));
    assert_eq!(outcome(&presigned(&list), &[HOST]), Err(Refusal::SignatureDoesNotMatch));
    let list = format!("host;{}", many[1..].join(";"));
    assert_eq!(outcome(&presigned(&list), &[HOST]), Ok(None));
}

#[test]
fn dates_come_from_either_header() {
    let header = authorization("host");
    let signed = ("authorization", header.as_bytes());
    for date in ["Sun, 30 Aug 2015 12:36:00 GMT", "20150830T123600Z"] {
        assert_eq!(outcome("", &[HOST, ("date", date.as_bytes()), signed]), Ok(None), "{date}");
    }
    assert_eq!(
        message("", &[HOST, ("date", b"yesterday"), signed]),
        "Date must be in ISO-8601 'basic format'. Got 'yesterday'. See \
         http://en.wikipedia.org/wiki/ISO_8601"
    );
    // X-Amz-Date goes before Date, even when it is the one that can't be read.
    let header = authorization("host;x-amz-date");
    let headers = [
        HOST,
        ("x-amz-date", b"x".as_slice()),
        ("date", b"20150830T123600Z"),
        ("authorization", header.as_bytes()),
    ];
    assert!(message("", &headers).starts_with("Date must be in ISO-8601"));
    let message = message("", &[HOST, ("date", b"20150831T000000Z"), signed]);
    assert!(message.starts_with("Date in Credential scope does not match YYYYMMDD"), "{message}");
}

#[test]
fn lifetimes_are_bounded() {
    for (text, good) in [
        ("1", true),
        ("604800", true),
        ("0", false),
        ("604801", false),
        ("-1", false),
        ("%2B1", false),
        ("", false),
        ("1.5", false),
        ("0000001", false),
        ("99999999999999999999", false),
    ] {
        let query = presigned("host").replace("Expires=60", &format!("Expires={text}"));
        assert_eq!(outcome(&query, &[HOST]).is_ok(), good, "{text}");
    }
}

#[test]
fn time_is_held_against_the_clock() {
    const SIGNED: i64 = 1_440_938_160;
    let header = authorization("host;x-amz-date");
    let headers = [HOST, DATE, ("authorization", header.as_bytes())];
    let plain = Request { method: "GET", path: "/", query: "", headers: &headers, body: b"" };
    let plain = parse(&plain).ok().unwrap();
    let check = |offset| plain.check_time(SIGNED + offset).is_ok();
    assert_eq!([-301, -300, 300, 301].map(check), [false, true, true, false]);
    assert!(plain.check_time(i64::MIN).is_err() && plain.check_time(i64::MAX).is_err());

    let query = presigned("host");
    let short = Request { method: "GET", path: "/", query: &query, headers: &[HOST], body: b"" };
    let short = parse(&short).ok().unwrap();
    let check = |offset| short.check_time(SIGNED + offset).is_ok();
    assert_eq!([-301, -300, 60, 61].map(check), [false, true, true, false]);

    // Without X-Amz-Expires the clock skew is the lifetime.
    let query = query.replace("&X-Amz-Expires=60", "");
    let open = Request { method: "GET", path: "/", query: &query, headers: &[HOST], body: b"" };
    let open = parse(&open).ok().unwrap();
    let check = |offset| open.check_time(SIGNED + offset).is_ok();
    assert_eq!([-301, -300, 300, 301].map(check), [false, true, true, false]);
}

#[test]
fn scope_and_region_are_checked() {
    let query = presigned("host");
    let request = Request { method: "GET", path: "/", query: &query, headers: &[HOST], body: b"" };
    let signed = parse(&request).ok().unwrap();
    assert_eq!(signed.check_scope("kms"), Ok(()));
    assert_eq!(signed.check_scope("sts"), Err(Refusal::WrongService { expected: "sts".into() }));
    assert_eq!(signed.check_region(|region| region == "us-east-1"), Ok(()));
    let refused = Err(Refusal::WrongRegion { region: "us-east-1".into() });
    assert_eq!(signed.check_region(|_| false), refused);
}

#[test]
fn session_tokens_are_decoded_and_never_doubled() {
    let header = authorization("host;x-amz-date;x-amz-security-token");
    let token = ("x-amz-security-token", b"a+b/c==".as_slice());
    let headers = [HOST, DATE, token, ("authorization", header.as_bytes())];
    assert_eq!(outcome("", &headers), Ok(Some("a+b/c==".to_owned())));
    assert_eq!(
        outcome("", &[HOST, DATE, token, token, headers[3]]),
        Err(Refusal::Malformed("headers"))
    );
    let query = presigned("host%3Bx-amz-security-token");
    assert_eq!(outcome(&query, &[HOST, token]), Ok(Some("a+b/c==".to_owned())));
    let query = format!("{query}&X-Amz-Security-Token=a%2Bb%2Fc%3D%3D");
    assert_eq!(outcome(&query, &[HOST]), Ok(Some("a+b/c==".to_owned())));
    assert_eq!(outcome(&query, &[HOST, token]), Err(Refusal::Malformed("headers")));
}

#[test]
fn a_declared_body_hash_must_be_the_bodys() {
    let header = authorization("host;x-amz-content-sha256;x-amz-date");
    let empty = b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".as_slice();
    for (declared, body, good) in [
        (empty, b"".as_slice(), true),
        (empty, b"x", false),
        (b"UNSIGNED-PAYLOAD", b"", false),
        (b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", b"", false),
        (&empty.to_ascii_uppercase(), b"", false),
        (b"", b"", false),
    ] {
        let headers =
            [HOST, DATE, ("x-amz-content-sha256", declared), ("authorization", header.as_bytes())];
        let request = Request { method: "PUT", path: "/", query: "", headers: &headers, body };
        let expected = if good { Ok(()) } else { Err(Refusal::BodyHashMismatch) };
        assert_eq!(parse(&request).ok().unwrap().check_body(), expected);
    }
}
