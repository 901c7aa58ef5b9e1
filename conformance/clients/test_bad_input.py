"""Bodies that no client of AWS's sends: each is refused in AWS's shape, in bounded time and memory.

Every test runs beside a neighbour, who must not notice (`unharmed`).
"""

import base64
import json
import os
import time

import pytest

from connection import head
from neighbour import PROMPT_SECONDS, SERIALIZATION, assert_goes_on, assert_refused

pytestmark = pytest.mark.usefixtures("unharmed")

STS = b"Action=GetCallerIdentity&Version=2011-06-15"
VALIDATION = {"ValidationException"}
CIPHERTEXT = {"InvalidCiphertextException"}
TAGS = {"TagException", "LimitExceededException", "ValidationException"}
POLICY = {"MalformedPolicyDocumentException", "ValidationException", "LimitExceededException"}
# Within AWS's own limits or not, depending on how one reads them: served or refused.
EITHER = None


def encrypting(**members):
    return json.dumps({"KeyId": "KEY", "Plaintext": "eA=="} | members).encode()


def tags(count):
    return [{"TagKey": f"k{n}", "TagValue": "v"} for n in range(count)]


def policy(text):
    return json.dumps({"KeyId": "KEY", "Policy": text}).encode()


def statement(**members):
    return json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
        "Action": "kms:*", "Resource": "*",
    } | members]})


WHOLE = encrypting(EncryptionContext={"a": "b"})
BODIES = {
    **{f"truncated after {n}": ("Encrypt", WHOLE[:n], SERIALIZATION)
       for n in range(1, len(WHOLE), 7)},
    "only whitespace": ("Encrypt", b" \n ", SERIALIZATION),
    "null": ("Encrypt", b"null", SERIALIZATION),
    "byte order mark": ("ListKeys", b"\xef\xbb\xbf{}", SERIALIZATION),
    "another encoding": ("ListKeys", "{}".encode("utf-16"), SERIALIZATION),
    "trailing comma": ("ListKeys", b'{"Limit":1,}', SERIALIZATION),
    "comment": ("ListKeys", b'{/**/"Limit":1}', SERIALIZATION),
    "two documents": ("ListKeys", b"{}{}", SERIALIZATION),
    "single quotes": ("ListKeys", b"{'Limit':1}", SERIALIZATION),
    "100,000 objects deep": ("Encrypt", b'{"a":' * 100_000, SERIALIZATION),
    "100,000 objects deep, closed": (
        "Encrypt", b'{"a":' * 100_000 + b"1" + b"}" * 100_000, SERIALIZATION),
    "100,000 lists deep": (
        "Encrypt", b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", SERIALIZATION),
    "a context of 100,000 objects": (
        "Encrypt", b'{"EncryptionContext":' + b'{"a":' * 100_000, SERIALIZATION),
    "30,000 lists": (
        "TagResource", b'{"KeyId":"KEY","Tags":[' + b",".join([b"[]"] * 30_000) + b"]}",
        SERIALIZATION),
    "500,000 values": (
        "TagResource", b'{"KeyId":"KEY","Tags":[' + b",".join([b"1"] * 500_000) + b"]}",
        SERIALIZATION),
    "30,000 unknown members": (
        "ListKeys", json.dumps({f"m{n}": n for n in range(30_000)}).encode(), EITHER),
    "duplicate members": ("Encrypt", b'{"KeyId":"a","KeyId":"KEY","Plaintext":"eA=="}',
                          SERIALIZATION),
    "duplicate pairs": (
        "Encrypt", b'{"KeyId":"KEY","Plaintext":"eA==","EncryptionContext":{"a":"b","a":"c"}}',
        SERIALIZATION),
    "duplicate by escape": ("Encrypt", b'{"KeyId":"a","\\u004beyId":"KEY","Plaintext":"eA=="}',
                            SERIALIZATION),
    "invalid UTF-8": ("DescribeKey", b'{"KeyId":"\xff\xfe"}', SERIALIZATION),
    "overlong UTF-8": ("DescribeKey", b'{"KeyId":"\xc0\xaf"}', SERIALIZATION),
    "surrogates as UTF-8": ("DescribeKey", b'{"KeyId":"\xed\xa0\x80"}', SERIALIZATION),
    "a lone surrogate": ("DescribeKey", b'{"KeyId":"\\ud800"}', SERIALIZATION),
    "a surrogate too late": ("DescribeKey", b'{"KeyId":"\\udc00\\ud800"}', SERIALIZATION),
    "a lone surrogate in a pair": (
        "Encrypt", b'{"KeyId":"KEY","Plaintext":"eA==","EncryptionContext":{"\\udfff":"x"}}',
        SERIALIZATION),
    "NUL": ("DescribeKey", b'{"KeyId":"\x00"}', SERIALIZATION),
    "NUL, escaped": ("DescribeKey", b'{"KeyId":"\\u0000"}', {"NotFoundException"}),
    "NUL around": ("DescribeKey", b'\x00{"KeyId":"KEY"}', SERIALIZATION),
    "control characters": ("DescribeKey", b'{"KeyId":"a\nb"}', SERIALIZATION),
    "1e400": ("ListKeys", b'{"Limit":1e400}', SERIALIZATION),
    "-1e400": ("ListKeys", b'{"Limit":-1e400}', SERIALIZATION),
    "NaN": ("ListKeys", b'{"Limit":NaN}', SERIALIZATION),
    "Infinity": ("ListKeys", b'{"Limit":Infinity}', SERIALIZATION),
    "leading zero": ("ListKeys", b'{"Limit":01}', SERIALIZATION),
    "plus": ("ListKeys", b'{"Limit":+1}', SERIALIZATION),
    "hexadecimal": ("ListKeys", b'{"Limit":0x10}', SERIALIZATION),
    "100,000 digits": ("ListKeys", b'{"Limit":' + b"9" * 100_000 + b"}", EITHER),
    "100,000 decimals": ("ListKeys", b'{"Limit":0.' + b"9" * 100_000 + b"}", EITHER),
    "beyond 64 bits": ("ListKeys", b'{"Limit":99999999999999999999}', EITHER),
    "beyond 32 bits": ("ListKeys", b'{"Limit":4294967297}', EITHER),
    "negative": ("ListKeys", b'{"Limit":-1}', VALIDATION),
    "an exponent": ("ListKeys", b'{"Limit":1e2}', EITHER),
    "a million characters": ("DescribeKey", b'{"KeyId":"' + b"x" * 1_000_000 + b'"}', VALIDATION),
    "a million escapes": ("DescribeKey", b'{"KeyId":"' + b"\\u0041" * 170_000 + b'"}', VALIDATION),
    **{f"base64 {text}": ("Encrypt", encrypting(Plaintext=text), SERIALIZATION)
       for text in ("a", "a===", "%%%%", "eA==eA==", "eA=", "e=A=", "====", "éé", "eA==\x00")},
    **{f"base64 {text}, of which readers differ": (
        "Encrypt", encrypting(Plaintext=text), EITHER)
       for text in ("eA", "eB==", "eA==\n", " eA==", "-_-_", "e A=")},
    "10,000 tags": ("CreateKey", json.dumps({"Tags": tags(10_000)}).encode(), TAGS),
    "10,000 more tags": ("TagResource", json.dumps(
        {"KeyId": "KEY", "Tags": tags(10_000)}).encode(), TAGS),
    "10,000 tags less": ("UntagResource", json.dumps(
        {"KeyId": "KEY", "TagKeys": [f"k{n}" for n in range(10_000)]}).encode(), EITHER),
    "10,000 grant tokens": (
        "Encrypt", encrypting(GrantTokens=[f"t{n}" for n in range(10_000)]), VALIDATION),
    "10,000 bad tags": ("TagResource", json.dumps(
        {"KeyId": "KEY", "Tags": [{"TagKey": "", "TagValue": "v" * 9}] * 10_000}).encode(),
        VALIDATION),
    "a context of 10,000 pairs": (
        "Encrypt", encrypting(EncryptionContext={f"k{n}": "v" * 50 for n in range(10_000)}),
        EITHER),
    "a context of 900 KB": ("Encrypt", encrypting(EncryptionContext={"k": "v" * 900_000}), EITHER),
    "a context name of 900 KB": (
        "Encrypt", encrypting(EncryptionContext={"k" * 900_000: "v"}), EITHER),
    "a context of numbers": ("Encrypt", encrypting(EncryptionContext={"k": 1}), SERIALIZATION),
    "a context that is a list": ("Encrypt", encrypting(EncryptionContext=["k"]), SERIALIZATION),
    "a policy 10,000 lists deep": ("PutKeyPolicy", policy("[" * 10_000), POLICY),
    "a policy 10,000 objects deep": ("PutKeyPolicy", policy('{"Statement":' * 2_000), POLICY),
    "a policy of 5,000 actions": (
        "PutKeyPolicy", policy(statement(Action=["kms:" + "?" * 15] * 5_000)), EITHER),
    "a policy of 200 KB": ("PutKeyPolicy", policy(statement(Sid="x" * 200_000)), POLICY),
    "a policy that is no JSON": ("PutKeyPolicy", policy("\x00"), POLICY),
}


@pytest.mark.parametrize("case", BODIES)
def test_bodies(connection, sealing_key, case):
    target, body, codes = BODIES[case]
    began = time.monotonic()
    answer = connection.call(target, body.replace(b'"KEY"', f'"{sealing_key}"'.encode()))
    assert time.monotonic() - began < PROMPT_SECONDS
    if codes is not EITHER or answer.status != 200:
        assert_refused(answer, codes)
    assert_goes_on(connection)


def test_a_policy_of_wildcards_is_matched_in_bounded_time(connection):
    """Patterns over which a backtracking reader would need longer than anybody lives."""
    key = connection.call("CreateKey", {}).json()["KeyMetadata"]["KeyId"]
    actions = ["kms:" + "*e" * 40 + "x", "kms:" + "*?" * 200 + "x"]
    document = json.loads(statement())
    for element in ({"Action": actions}, {"Action": "kms:*", "Resource": "*1*2*3*4" * 20 + "x"}):
        document["Statement"].append(document["Statement"][0] | {"Effect": "Deny"} | element)
    put = connection.call("PutKeyPolicy", {"KeyId": key, "Policy": json.dumps(document)})
    assert put.status == 200, put
    began = time.monotonic()
    assert connection.call("Encrypt", {"KeyId": key, "Plaintext": "eA=="}).status == 200
    assert time.monotonic() - began < PROMPT_SECONDS


def blobs(connection, key):
    """Ciphertexts that aren't, and a whole one in every kind of pieces."""
    arguments = {"KeyId": key, "Plaintext": "eA==", "EncryptionContext": {"a": "b"}}
    blob = base64.b64decode(connection.call("Encrypt", arguments).json()["CiphertextBlob"])
    yield os.urandom(1)
    yield os.urandom(6144)
    yield bytes(200)
    yield bytes.fromhex("01020300") + os.urandom(180)
    for length in range(1, len(blob), 13):
        yield blob[:length]
    for place in range(0, len(blob), 5):
        yield blob[:place] + bytes([blob[place] ^ 1]) + blob[place + 1:]
    yield blob + b"\0"
    yield blob * 2


def test_foreign_blobs(connection, sealing_key):
    for blob in blobs(connection, sealing_key):
        for target, member in (("Decrypt", "EncryptionContext"),
                               ("ReEncrypt", "SourceEncryptionContext")):
            answer = connection.call(target, {
                "CiphertextBlob": base64.b64encode(blob).decode(), member: {"a": "b"},
                "DestinationKeyId": sealing_key,
            })
            # A blob that names another key, Region or account may read as one of somebody else's.
            assert_refused(answer, CIPHERTEXT | {"AccessDeniedException"})
    for blob in (b"", os.urandom(6145)):
        answer = connection.call("Decrypt", {"CiphertextBlob": base64.b64encode(blob).decode()})
        assert_refused(answer, VALIDATION)
    assert_goes_on(connection)


FORMS = {
    "empty": b"",
    "no action": b"Version=2011-06-15",
    "no version": b"Action=GetCallerIdentity",
    "another service": b"Action=ListUsers&Version=2010-05-08",
    "an action that is none": b"Action=%ff%00%3c&Version=2011-06-15",
    "an action of 900 KB": b"Action=" + b"x" * 900_000 + b"&Version=2011-06-15",
    "twice": STS + b"&Action=GetCallerIdentity",
    "32,000 parameters": STS + b"".join(b"&%x=" % n for n in range(32_000)),
    "32,000 long parameters": STS + b"".join(b"&aaaaaaaaaaaaaaaaaaaa%x=" % n
                                             for n in range(32_000)),
    "200,000 parameters": STS + b"&a=" * 200_000,
    "10,000 list members": STS + b"".join(b"&T.member.%d.Key=x" % n for n in range(1, 10_001)),
    "a list with a gap": STS + b"&T.member.9999999=x",
    "500,000 levels": STS + b"&" + b"a." * 500_000 + b"=1",
    "broken escapes": STS + b"&%=%&%zz=%f",
    "invalid UTF-8": STS + b"&\xff=\xfe",
}


@pytest.mark.parametrize("case", FORMS)
def test_forms(connection, case):
    """The query protocol: its errors are XML."""
    body = FORMS[case]
    headers = {
        "Host": "localhost", "Content-Type": "application/x-www-form-urlencoded",
        "Content-Length": len(body),
    }
    began = time.monotonic()
    connection.send(head(headers) + body)
    answer = connection.answer()
    assert time.monotonic() - began < PROMPT_SECONDS
    assert_refused(answer)
    assert answer.headers["content-type"] == "text/xml"
    assert_goes_on(connection)
