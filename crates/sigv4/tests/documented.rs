//! Requests whose signatures AWS has published.

use sigv4::{Refusal, Request, SigningKey, parse};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
// 2015-08-30T12:36:00Z
const NOW: i64 = 1_440_938_160;

struct Example {
    request: Request<'static>,
    service: &'static str,
    signed_headers: &'static str,
    signature: &'static str,
}

fn check(example: &Example) -> Result<(), Refusal> {
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/{}/aws4_request, \
         SignedHeaders={}, Signature={}",
        example.service, example.signed_headers, example.signature
    );
    let mut headers = example.request.headers.to_vec();
    headers.push(("authorization", authorization.as_bytes()));
    let request = Request { headers: &headers, ..example.request };
    let signed = parse(&request)?;
    signed.check_scope(example.service)?;
    signed.check_time(NOW)?;
    signed.verify(&SigningKey::derive(SECRET, &signed.scope()))
}

fn examples() -> [Example; 3] {
    [
        // The IAM User Guide's example: ListUsers.
        Example {
            request: Request {
                method: "GET",
                path: "/",
                query: "Action=ListUsers&Version=2010-05-08",
                headers: &[
                    ("content-type", b"application/x-www-form-urlencoded; charset=utf-8"),
                    ("host", b"iam.amazonaws.com"),
                    ("x-amz-date", b"20150830T123600Z"),
                ],
                body: b"",
            },
            service: "iam",
            signed_headers: "content-type;host;x-amz-date",
            signature: "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
        },
        // The test suite's get-vanilla.
        Example {
            request: Request {
                method: "GET",
                path: "/",
                query: "",
                headers: &[("host", b"example.amazonaws.com"), ("x-amz-date", b"20150830T123600Z")],
                body: b"",
            },
            service: "service",
            signed_headers: "host;x-amz-date",
            signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        },
        // The test suite's get-vanilla-query-order-key-case.
        Example {
            request: Request {
                method: "GET",
                path: "/",
                query: "Param2=value2&Param1=value1",
                headers: &[("host", b"example.amazonaws.com"), ("x-amz-date", b"20150830T123600Z")],
                body: b"",
            },
            service: "service",
            signed_headers: "host;x-amz-date",
            signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        },
    ]
}

#[test]
fn published_signatures_verify() {
    for example in examples() {
        assert_eq!(check(&example), Ok(()), "{}", example.request.query);
    }
}

#[test]
fn published_signatures_do_not_verify_for_other_requests() {
    for mut example in examples() {
        example.request.body = b"x";
        assert_eq!(check(&example), Err(Refusal::SignatureDoesNotMatch));
        example.request.body = b"";
        example.request.method = "POST";
        assert_eq!(check(&example), Err(Refusal::SignatureDoesNotMatch));
    }
}
