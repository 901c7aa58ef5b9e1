"""Requests that are HTTP but none of AWS's, and what is no HTTP at all.

The application refuses the first in AWS's shape. The second are refused before it sees them, with
an empty answer of status 400, 414 or 431, and their connection ends. Every test runs beside a
neighbour, who must not notice (`unharmed`).
"""

import os
import time

import pytest
from botocore.exceptions import ClientError

from connection import Closed, head, kms_headers
from neighbour import (
    MIB, PROMPT_SECONDS, SERIALIZATION, assert_goes_on, assert_refused, chunked, padded, signed,
)

pytestmark = pytest.mark.usefixtures("unharmed")


def assert_refused_before_the_application(connection, statuses=(400, 414, 431)):
    """HTTP itself is broken: an empty answer, and the connection ends."""
    answer = connection.answer()
    assert answer.status in statuses, answer
    assert (answer.body, answer.headers["connection"]) == (b"", "close")
    assert connection.ended()


OTHERS = {
    "no type": {"leave_out": ["Content-Type"]},
    "text": {"Content_Type": "text/plain"},
    "plain JSON": {"Content_Type": "application/json"},
    "another version of JSON": {"Content_Type": "application/x-amz-json-1.0"},
    "a multipart form": {"Content_Type": "multipart/form-data; boundary=x"},
    "a type of bytes": {"Content_Type": "\xff"},
    "no target": {"leave_out": ["X-Amz-Target"]},
    "an empty target": {"X_Amz_Target": ""},
    "no operation": {"X_Amz_Target": "TrentService."},
    "two operations": {"X_Amz_Target": "TrentService.ListKeys.ListKeys"},
    "lower case": {"X_Amz_Target": "trentservice.listkeys"},
    "a long operation": {"X_Amz_Target": "TrentService." + "x" * 7_000},
    "a target of bytes": {"X_Amz_Target": "\xff\xfe"},
    **{line: {"line": f"{line} HTTP/1.1"} for line in (
        "POST /other", "POST /../", "POST /%00", "POST //", "GET /", "PUT /", "DELETE /",
        "PATCH /", "OPTIONS *", "TRACE /", "BREW /", "CONNECT localhost:1",
    )},
}


@pytest.mark.parametrize("case", OTHERS)
def test_requests_that_are_none_of_awss(connection, case):
    connection.send(signed(connection.endpoint, **OTHERS[case]))
    assert_refused(connection.answer())
    assert_goes_on(connection)


@pytest.mark.parametrize("line", [
    "GET /_strongroom/nonsense", "DELETE /_strongroom/health", "POST /_strongroom/clock",
])
def test_requests_that_dev_mode_refuses(connection, line):
    connection.send(signed(connection.endpoint, line=f"{line} HTTP/1.1"))
    answer = connection.answer()
    assert 400 <= answer.status < 500
    assert answer.json()["message"]
    assert_goes_on(connection)


def test_a_head_request_gets_no_body(connection):
    connection.send(b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    first = connection.line()
    assert first.startswith("HTTP/1.1 4")


def test_http_1_0(connection):
    connection.send(signed(connection.endpoint, line="POST / HTTP/1.0"))
    assert connection.answer().status == 200
    assert connection.ended()


def test_pipelined_requests_are_answered_in_order(connection):
    good, bad = signed(connection.endpoint), signed(connection.endpoint, b"{")
    connection.send(good + bad + good + bad + good)
    assert [connection.answer().status for _ in range(5)] == [200, 400, 200, 400, 200]


def test_an_expectation(connection):
    connection.send(signed(connection.endpoint, Expect="100-continue")[:-2])
    # The body follows only once the server has asked for it.
    assert connection.line() == "HTTP/1.1 100 Continue"
    assert connection.line() == ""
    connection.send(b"{}")
    assert connection.answer().status == 200


def test_an_expectation_of_too_much_is_refused_at_once(connection):
    request = signed(connection.endpoint, Expect="100-continue", Content_Length=2 * MIB)[:-2]
    connection.send(request)
    assert connection.line() == "HTTP/1.1 413 Payload Too Large"


# -- lengths -----------------------------------------------------------------------------------

TOO_LARGE = {"RequestEntityTooLargeException"}


def test_a_body_of_the_greatest_length(connection):
    assert connection.call("ListKeys", padded(MIB)).status == 200
    assert_refused(connection.call("ListKeys", padded(MIB + 1)), TOO_LARGE)


@pytest.mark.parametrize("announced, sent", [(2 * MIB, 0), (2 * MIB, 2 * MIB), (1 << 62, 10),
                                             (20 * MIB, 20 * MIB)])
def test_a_body_that_is_announced_too_long(connection, announced, sent):
    request = signed(connection.endpoint, Content_Length=announced)[:-2]
    began = time.monotonic()
    connection.send(request + b" " * sent)
    answer = connection.answer()
    assert time.monotonic() - began < 2 * PROMPT_SECONDS
    assert (answer.status, answer.headers["connection"]) == (413, "close")
    assert_refused(answer, TOO_LARGE)
    assert connection.ended()


def test_a_client_learns_that_its_request_is_too_long(module_server, sealing_key):
    kms = module_server.kms(validate=False)
    with pytest.raises(ClientError) as caught:
        kms.encrypt(KeyId=sealing_key, Plaintext=os.urandom(3 * MIB))
    assert caught.value.response["Error"]["Code"] == "RequestEntityTooLargeException"


CHUNK = b"10000\r\n" + b" " * 65_536 + b"\r\n"
CHUNKS = {
    "too many": (CHUNK * 17 + b"0\r\n\r\n", TOO_LARGE),
    "without an end": (CHUNK * 17, TOO_LARGE),
    "no number": (b"zz\r\n{}\r\n0\r\n\r\n", SERIALIZATION),
    "negative": (b"-2\r\n{}\r\n0\r\n\r\n", SERIALIZATION),
    "beyond 64 bits": (b"FFFFFFFFFFFFFFFFF\r\n{}\r\n", SERIALIZATION),
    "longer than said": (b"2\r\n{}}\r\n0\r\n\r\n", SERIALIZATION),
    "lines that end in LF": (b"2\n{}\n0\n\n", SERIALIZATION),
    "an end of LF": (b"2\r\n{}\r\n0\n\n", SERIALIZATION),
    "a blank before the number": (b" 2\r\n{}\r\n0\r\n\r\n", SERIALIZATION),
    "a number of C": (b"0x2\r\n{}\r\n0\r\n\r\n", SERIALIZATION),
    "an extension that ends in LF": (b"2;a\n{}\r\n0\r\n\r\n", SERIALIZATION),
    "100 KB of extensions": (b"2;" + b"x" * 100_000 + b"\r\n{}\r\n0\r\n\r\n", SERIALIZATION),
    "5,000 trailers": (
        b"2\r\n{}\r\n0\r\n" + b"".join(b"t%d: x\r\n" % n for n in range(5_000)) + b"\r\n",
        SERIALIZATION),
}


@pytest.mark.parametrize("case", CHUNKS)
def test_chunks(connection, case):
    body, codes = CHUNKS[case]
    began = time.monotonic()
    connection.send(chunked(connection.endpoint, body))
    answer = connection.answer()
    assert time.monotonic() - began < 2 * PROMPT_SECONDS
    assert answer.headers["connection"] == "close"
    assert_refused(answer, codes)
    assert connection.ended()


def test_a_quoted_end_of_line_ends_the_line(connection):
    """An extension can't have a line break (RFC 9112, 7.1.1). Whoever thinks so would take what
    follows for a part of this request, or this for a part of what follows."""
    connection.send(chunked(connection.endpoint, b'2;a="\r\n{}\r\n0\r\n\r\n"\r\n\r\n'))
    assert connection.answer().status == 200
    assert_refused_before_the_application(connection)


def test_a_hundred_thousand_chunks_of_one_byte(connection):
    body = b"1\r\n{\r\n" + b"1\r\n \r\n" * 100_000 + b"1\r\n}\r\n0\r\n\r\n"
    connection.send(chunked(connection.endpoint, body))
    assert connection.answer().status == 200
    assert_goes_on(connection)


TOO_MUCH = {
    "a 100 KB header": {"big": "x" * 100_000},
    "700 credentials": {"Authorization": "AWS4-HMAC-SHA256 " + "Credential=x," * 700},
    "8,000 commas": {"Authorization": "AWS4-HMAC-SHA256 " + "," * 8_000},
    "another scheme": {"Authorization": "Basic eDp4"},
    "a signature of bytes": {"Authorization": "\xff"},
    "a 20 KB token": {"X_Amz_Security_Token": "x" * 20_000},
    "a long date": {"X_Amz_Date": "9" * 1_000},
    "a 20 KB query": {"line": "POST /?" + "a" * 20_000 + " HTTP/1.1"},
    "signed twice": {"line": "POST /?X-Amz-Algorithm=AWS4-HMAC-SHA256 HTTP/1.1"},
}


@pytest.mark.parametrize("case", TOO_MUCH)
def test_heads_that_are_http_but_too_much(connection, case):
    connection.send(signed(connection.endpoint, **TOO_MUCH[case]))
    assert_refused(connection.answer())


BROKEN = {
    "110 headers": b"POST / HTTP/1.1\r\n" + b"".join(b"h%d: x\r\n" % n for n in range(110))
    + b"\r\n",
    "a 200 KB header": b"POST / HTTP/1.1\r\nHost: x\r\nbig: " + b"x" * 200_000 + b"\r\n\r\n",
    "a 5 MB header without an end": b"POST / HTTP/1.1\r\nHost: x\r\nbig: " + b"x" * 5_000_000,
    "a 70 KB target": b"GET /?" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "a 200 KB method": b"A" * 200_000,
    "random bytes": bytes(range(256)) * 20 + b"\r\n\r\n",
    "words": b"hello there\r\n\r\n",
    "a TLS greeting": bytes.fromhex("16030100c8010000c40303") + bytes(193),
    "another version": b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    "no colon": b"POST / HTTP/1.1\r\nHost x\r\n\r\n",
    "NUL in a header": b"POST / HTTP/1.1\r\nHost: x\r\nA: a\0b\r\n\r\n",
    "a carriage return in a header": b"POST / HTTP/1.1\r\nHost: x\r\nA: a\rb\r\n\r\n",
    "a blank in a name": b"POST / HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n",
    "a blank before a colon": b"POST / HTTP/1.1\r\nContent-Length : 2\r\n\r\n{}",
    "a folded header": b"POST / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
    "no host": b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
    "two hosts": b"POST / HTTP/1.1\r\nHost: x\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
    "a folded length": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n 2\r\n\r\n{}",
    "a coding of HTTP/1.0": b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"
    b"0\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
    **{f"length {length}": b"POST / HTTP/1.1\r\nContent-Length: %b\r\n\r\n{}" % length
       for length in (b"+2", b"-2", b"0x2", b"2, 2", b"2, 3", b"", b"two", b"2 2", b"9" * 30)},
    **{f"coding {coding}": b"POST / HTTP/1.1\r\nTransfer-Encoding: %b\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
       % coding for coding in (b"identity", b"xchunked", b"chunked, identity", b"\x0bchunked")},
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_no_http(connection, case):
    began = time.monotonic()
    connection.send(BROKEN[case])
    assert_refused_before_the_application(connection)
    assert time.monotonic() - began < PROMPT_SECONDS


def test_the_other_http(connection):
    """HTTP/2 isn't spoken: the connection ends."""
    connection.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    with pytest.raises(Closed):
        connection.answer()


SMUGGLED = b"POST /_strongroom/clock HTTP/1.1\r\nHost: x\r\nContent-Length: 23\r\n\r\n" \
    b'{"advance_seconds":999}'


@pytest.mark.parametrize("headers, body", [
    ({"Content-Length": "4", "Transfer-Encoding": "chunked"}, b"2\r\n{}\r\n0\r\n\r\n"),
    ({"Transfer-Encoding": "chunked", "Content-Length": "6"}, b"0\r\n\r\n"),
    ({"Content-Length": str(5 + len(SMUGGLED)), "Transfer-Encoding": "chunked"}, b"0\r\n\r\n"),
], ids=["short length", "long length", "length of both"])
def test_two_ways_to_say_how_long(module_server, connection, headers, body):
    """What stands behind is never taken for a second request (RFC 9112, section 6.3): whoever
    forwards requests may have read it as a part of the first."""
    before = module_server.now()
    base = kms_headers(connection.endpoint, "ListKeys", b"{}")
    connection.send(head(base | headers) + body + SMUGGLED)
    answer = connection.answer()
    assert answer.status in (200, 400), answer
    assert answer.headers["connection"] == "close"
    assert connection.ended()
    assert module_server.now() - before < 500
