"""Signature Version 4, verified in full for the root access keys that the server was given.

The requests are signed by botocore. What is altered afterwards must be refused, whatever it was.
"""

import datetime
import json
import re
import urllib.parse
import xml.etree.ElementTree

import boto3
import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

import strongroom
from expectations import refused

ACCOUNT, ACCESS_KEY, SECRET = strongroom.ROOT_ACCESS_KEYS[0]
OTHER_ACCOUNT, OTHER_ACCESS_KEY, OTHER_SECRET = strongroom.ROOT_ACCESS_KEYS[1]
UNKNOWN_ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
MODEL = strongroom.REPOSITORY / "conformance" / "model" / "kms.json"
REGISTRY = strongroom.REPOSITORY / "crates" / "kms" / "src" / "operations" / "mod.rs"
OPERATIONS = sorted(json.loads(MODEL.read_text())["operations"])
STS_FORM = b"Action=GetCallerIdentity&Version=2011-06-15"

MISSING_TOKEN = "Request is missing Authentication Token"
WRONG_SIGNATURE = (
    "The request signature we calculated does not match the signature you provided. Check your AWS "
    "Secret Access Key and signing method. Consult the service documentation for details."
)
UNKNOWN_CLIENT = "The security token included in the request is invalid."
EXPIRED = re.compile(r"Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z "
                     r"\(\d{8}T\d{6}Z - 5 min\.\)")
NOT_YET = re.compile(r"Signature not yet current: \d{8}T\d{6}Z is still later than \d{8}T\d{6}Z "
                     r"\(\d{8}T\d{6}Z \+ 5 min\.\)")


def client(server, service, access_key=ACCESS_KEY, secret=SECRET, token=None):
    """A client with that access key."""
    return boto3.client(
        service, endpoint_url=server.endpoint, region_name="us-east-1",
        aws_access_key_id=access_key, aws_secret_access_key=secret, aws_session_token=token,
        config=Config(retries={"total_max_attempts": 1}),
    )


def missing_operations():
    """The operations that don't exist yet, as the registry lists them."""
    listed = re.search(r"pub const MISSING: &\[&str\] = &\[(.*?)\];", REGISTRY.read_text(), re.S)
    return set(re.findall(r'"(\w+)"', listed[1]))


class Signed:
    """A signed request whose parts can be changed before it is sent."""

    def __init__(self, server, operation="ListKeys", body=b"{}", secret=SECRET, service="kms",
                 access_key=ACCESS_KEY, token=None, region="us-east-1", scope=None):
        headers = {"Host": urllib.parse.urlsplit(server.endpoint).netloc}
        if service == "sts":
            headers["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8"
        else:
            headers["Content-Type"] = "application/x-amz-json-1.1"
            headers["X-Amz-Target"] = f"TrentService.{operation}"
        self.server = server
        self.url = "/"
        self.method = "POST"
        self.body = body
        request = AWSRequest("POST", server.endpoint + "/", data=body, headers=headers)
        credentials = Credentials(access_key, secret, token)
        SigV4Auth(credentials, scope or service, region).add_auth(request)
        self.headers = dict(request.headers.items())

    def edit(self, name, pattern, replacement):
        """Replaces a part of a header, which must be there."""
        assert re.search(pattern, self.headers[name]), self.headers[name]
        self.headers[name] = re.sub(pattern, replacement, self.headers[name], count=1)

    def send(self):
        """The status and the body of the answer."""
        status, headers, body = self.server.send(self.method, self.url, self.body, self.headers)
        assert headers["x-amzn-RequestId"]
        return status, body


def assert_json(answer, code, message=None):
    """The answer must be that error of a JSON service."""
    status, body = answer
    error = json.loads(body)
    assert (status, error["__type"]) == (400, code), body
    assert_says(error.get("message"), message)


def assert_xml(answer, code, status=403, message=None):
    """The answer must be that error of a query service."""
    got, body = answer
    root = xml.etree.ElementTree.fromstring(body)
    space = root.tag.removesuffix("ErrorResponse")
    assert (got, root.findtext(f"{space}Error/{space}Code")) == (status, code), body
    assert root.findtext(f"{space}Error/{space}Type") == "Sender"
    assert root.findtext(f"{space}RequestId")
    assert_says(root.findtext(f"{space}Error/{space}Message"), message)


def assert_says(said, expected):
    if isinstance(expected, re.Pattern):
        assert expected.fullmatch(said), said
    elif expected is not None:
        assert said == expected


# -- what is accepted --------------------------------------------------------------------------

def test_the_right_secret(strict_server):
    for account, access_key, secret in strongroom.ROOT_ACCESS_KEYS:
        identity = client(strict_server, "sts", access_key, secret).get_caller_identity()
        assert (identity["Account"], identity["Arn"]) == (account, f"arn:aws:iam::{account}:root")
        kms = client(strict_server, "kms", access_key, secret)
        key = kms.create_key()["KeyMetadata"]
        assert key["AWSAccountId"] == account
        # Twice: the second is verified with the signing key that the server has kept.
        for _ in range(2):
            blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
            assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_the_access_key_stands_in_the_audit_log(strict_server):
    answer = client(strict_server, "kms").list_keys()["ResponseMetadata"]
    record = next(r for r in strict_server.audit() if r.get("requestID") == answer["RequestId"])
    assert record["userIdentity"]["accessKeyId"] == ACCESS_KEY
    assert record["userIdentity"]["accountId"] == ACCOUNT


def test_every_region_has_a_signing_key_of_its_own(strict_server):
    for region in ("us-east-1", "eu-central-1", "xy-nowhere-9"):
        assert Signed(strict_server, region=region).send()[0] == 200
        request = Signed(strict_server, region=region)
        request.edit("Authorization", region, "us-west-2")
        assert_json(request.send(), "InvalidSignatureException", WRONG_SIGNATURE)


def test_accounts_that_need_no_secret_are_still_there(strict_server):
    assert strict_server.client("sts", "111122223333").get_caller_identity()["Account"] \
        == "111122223333"


# -- presigned ---------------------------------------------------------------------------------

def target_of(server, url):
    """Path and query of a URL of this server's."""
    assert url.startswith(server.endpoint)
    return url.removeprefix(server.endpoint)


def fetch(server, target, method="GET", headers=None, body=b""):
    status, _, answer = server.send(method, target, body, headers)
    return status, answer


def presigned_identity(server, secret=SECRET, expires=600, access_key=ACCESS_KEY, token=None):
    sts = client(server, "sts", access_key, secret, token)
    return target_of(server, sts.generate_presigned_url("get_caller_identity", ExpiresIn=expires,
                                                        HttpMethod="GET"))


def test_a_presigned_identity(strict_server):
    """What `aws eks get-token` and Vault's AWS login are made of."""
    status, body = fetch(strict_server, presigned_identity(strict_server))
    assert status == 200
    root = xml.etree.ElementTree.fromstring(body)
    space = root.tag.removesuffix("GetCallerIdentityResponse")
    path = f"{space}GetCallerIdentityResult/{space}Account"
    assert root.findtext(path) == ACCOUNT


@pytest.mark.parametrize("pattern, replacement", [
    ("Action=GetCallerIdentity", "Action=GetCallerIdentity&Extra=1"),
    ("X-Amz-Expires=600", "X-Amz-Expires=604800"),
    ("X-Amz-Signature=.", "X-Amz-Signature=x"),
    (r"(X-Amz-Signature=\w{63})\w", r"\1"),
    ("X-Amz-Date=20", "X-Amz-Date=19"),
    (ACCESS_KEY, OTHER_ACCESS_KEY),
    ("us-east-1", "us-east-2"),
    ("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders="),
])
def test_a_presigned_identity_that_was_altered(strict_server, pattern, replacement):
    target = presigned_identity(strict_server)
    assert re.search(pattern, target)
    answer = fetch(strict_server, re.sub(pattern, replacement, target, count=1))
    assert_xml(answer, "SignatureDoesNotMatch")


@pytest.mark.parametrize("name", [
    "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Signature",
])
def test_a_presigned_identity_with_a_part_missing(strict_server, name):
    target = presigned_identity(strict_server)
    shorter = re.sub(f"{name}=[^&]*&?", "", target)
    assert shorter != target
    assert_xml(fetch(strict_server, shorter), "IncompleteSignature", 400)


def test_a_presigned_identity_of_another_secret(strict_server):
    target = presigned_identity(strict_server, secret=OTHER_SECRET)
    assert_xml(fetch(strict_server, target), "SignatureDoesNotMatch", message=WRONG_SIGNATURE)
    target = presigned_identity(strict_server, access_key=UNKNOWN_ACCESS_KEY)
    assert_xml(fetch(strict_server, target), "InvalidClientTokenId", message=UNKNOWN_CLIENT)
    target = presigned_identity(strict_server, token="a token that nobody gave")
    assert_xml(fetch(strict_server, target), "InvalidClientTokenId")


def test_a_presigned_identity_with_another_header(strict_server):
    """Headers of AWS's change what a request means: none may come unsigned."""
    answer = fetch(strict_server, presigned_identity(strict_server),
                   headers={"X-Amz-Security-Token": "x"})
    assert_xml(answer, "SignatureDoesNotMatch")
    answer = fetch(strict_server, presigned_identity(strict_server), headers={"Host": "elsewhere"})
    assert_xml(answer, "SignatureDoesNotMatch", message=WRONG_SIGNATURE)


def presigned_listing(server, expires=600, age=0):
    """A presigned ListKeys without a body: path and query, and the headers that were signed."""
    request = AWSRequest("POST", server.endpoint + "/", headers={
        "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "TrentService.ListKeys",
    })
    signer = SigV4QueryAuth(Credentials(ACCESS_KEY, SECRET), "kms", "us-east-1", expires)
    with_clock(signer, request, age)
    return target_of(server, request.url), dict(request.headers.items())


def with_clock(signer, request, age):
    """Signs as if it were that many seconds ago."""
    then = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=age)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.auth.get_current_datetime", lambda *_, **__: then)
        signer.add_auth(request)


def test_a_presigned_listing(strict_server):
    target, headers = presigned_listing(strict_server)
    status, body = fetch(strict_server, target, "POST", headers)
    assert status == 200, body
    for change in ({"X-Amz-Target": "TrentService.ListAliases"}, {"X-Amz-Extra": "x"}):
        answer = fetch(strict_server, target, "POST", headers | change)
        assert_json(answer, "InvalidSignatureException")
    assert_json(fetch(strict_server, target, "POST", headers, b"{}"),
                "InvalidSignatureException", WRONG_SIGNATURE)


@pytest.mark.parametrize("expires, age, is_good", [
    (600, 590, True), (600, 602, False), (60, 62, False), (604_800, 604_700, True),
    (604_800, 604_802, False), (604_801, 0, False), (600, -290, True), (600, -310, False),
])
def test_how_long_a_presigned_listing_is_good_for(strict_server, expires, age, is_good):
    target, headers = presigned_listing(strict_server, expires, age)
    status, body = fetch(strict_server, target, "POST", headers)
    assert (status == 200) == is_good, body
    if not is_good:
        assert status == 400
        assert json.loads(body)["__type"] in (
            "InvalidSignatureException", "IncompleteSignatureException")


# -- what is refused ---------------------------------------------------------------------------

def test_the_wrong_secret(strict_server):
    with refused("InvalidSignatureException", WRONG_SIGNATURE):
        client(strict_server, "kms", secret=OTHER_SECRET).list_keys()
    request = Signed(strict_server, body=STS_FORM, service="sts", secret=OTHER_SECRET)
    assert_xml(request.send(), "SignatureDoesNotMatch", message=WRONG_SIGNATURE)


def test_an_access_key_that_nobody_has(strict_server):
    with refused("UnrecognizedClientException", UNKNOWN_CLIENT):
        client(strict_server, "kms", UNKNOWN_ACCESS_KEY).list_keys()
    request = Signed(strict_server, body=STS_FORM, service="sts", access_key=UNKNOWN_ACCESS_KEY)
    assert_xml(request.send(), "InvalidClientTokenId", message=UNKNOWN_CLIENT)


def test_a_session_token_beside_a_long_term_key(strict_server):
    with refused("UnrecognizedClientException", UNKNOWN_CLIENT):
        client(strict_server, "kms", token="a token that nobody gave").list_keys()
    request = Signed(strict_server, body=STS_FORM, service="sts", token="a token")
    assert_xml(request.send(), "InvalidClientTokenId", message=UNKNOWN_CLIENT)


def test_the_wrong_service(strict_server):
    request = Signed(strict_server)
    request.edit("Authorization", "/kms/", "/s3/")
    message = "Credential should be scoped to correct service: 'kms'. "
    assert_json(request.send(), "InvalidSignatureException", message)
    # Rightly signed, but for the other service.
    request = Signed(strict_server, scope="sts")
    assert_json(request.send(), "InvalidSignatureException", message)
    request = Signed(strict_server, body=STS_FORM, service="sts", scope="kms")
    assert_xml(request.send(), "SignatureDoesNotMatch", message=message.replace("kms", "sts"))


@pytest.mark.parametrize("age, message", [
    (290, None), (310, EXPIRED), (86_400, EXPIRED), (3_650 * 86_400, EXPIRED),
    (-290, None), (-310, NOT_YET), (-3_650 * 86_400, NOT_YET),
])
@pytest.mark.parametrize("access_key", [ACCESS_KEY, "111122223333"])
def test_the_age_of_a_signature(strict_server, age, message, access_key):
    """Five minutes either way, whether the secret is verified or not."""
    request = AWSRequest("POST", strict_server.endpoint + "/", data=b"{}", headers={
        "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "TrentService.ListKeys",
    })
    with_clock(SigV4Auth(Credentials(access_key, SECRET), "kms", "us-east-1"), request, age)
    status, _, body = strict_server.send("POST", "/", b"{}", dict(request.headers.items()))
    if message is None:
        assert status == 200, body
    else:
        assert_json((status, body), "InvalidSignatureException", message)


def altered_requests(server):
    """Requests signed rightly and altered afterwards, with a name each."""
    def altered(name, change, **parts):
        request = Signed(server, **parts)
        change(request)
        return name, request

    def header(name, value):
        return lambda request: request.headers.update({name: value})

    def edited(name, pattern, replacement):
        return lambda request: request.edit(name, pattern, replacement)

    yield altered("another body", lambda r: setattr(r, "body", b'{"Limit":1}'))
    yield altered("a longer body", lambda r: setattr(r, "body", b"{} "))
    yield altered("no body", lambda r: setattr(r, "body", b""))
    yield altered("another operation", header("X-Amz-Target", "TrentService.ListAliases"))
    yield altered("another type", header("Content-Type", "application/x-amz-json-1.1; x=y"))
    yield altered("another host", header("Host", "kms.us-east-1.amazonaws.com"))
    yield altered("an unsigned header of AWS's", header("X-Amz-Extra", "x"))
    yield altered("a query", lambda r: setattr(r, "url", "/?a=b"))
    yield altered("another second", edited("X-Amz-Date", r"(\d{8}T\d{4}).*", r"\g<1>00Z")
                  if datetime.datetime.now().second else edited("X-Amz-Date", "00Z", "01Z"))
    yield altered("another day in the scope", edited("Authorization", r"/\d{8}/", "/20200101/"))
    yield altered("another Region", edited("Authorization", "us-east-1", "us-east-2"))
    yield altered("a Region that is none", edited("Authorization", "us-east-1", "US_EAST"))
    yield altered("another end of the scope",
                  edited("Authorization", "aws4_request", "aws5_request"))
    yield altered("another access key", edited("Authorization", ACCESS_KEY, OTHER_ACCESS_KEY))
    yield altered("a shorter signature", edited("Authorization", r"\w$", ""))
    yield altered("a longer signature", edited("Authorization", r"$", "0"))
    yield altered("a signature in capitals", lambda r: r.headers.update({
        "Authorization": re.sub(r"Signature=(\w+)", lambda m: "Signature=" + m[1].upper(),
                                r.headers["Authorization"])}))
    yield altered("an empty signature", edited("Authorization", r"Signature=\w+", "Signature="))
    yield altered("zeros", edited("Authorization", r"Signature=\w+", "Signature=" + "0" * 64))
    yield altered("host not signed", edited("Authorization", "host;", ""))
    yield altered("target not signed", edited("Authorization", ";x-amz-target", ""))
    yield altered("date not signed", edited("Authorization", "x-amz-date;", ""))
    yield altered("nothing signed",
                  edited("Authorization", r"SignedHeaders=[^,]*", "SignedHeaders="))
    yield altered("another body's hash", header("X-Amz-Content-Sha256", "0" * 64))
    yield altered("no hash at all", header("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"))


def test_altered_requests(strict_server):
    names = []
    for name, request in altered_requests(strict_server):
        status, body = request.send()
        assert (status, json.loads(body)["__type"]) == (400, "InvalidSignatureException"), name
        names.append(name)
    assert len(names) == len(set(names)) > 20
    # The same, unaltered: it was the alteration that was refused.
    assert Signed(strict_server).send()[0] == 200


def test_a_signature_of_which_any_digit_is_altered(strict_server):
    signature = Signed(strict_server).headers["Authorization"].rsplit("=", 1)[1]
    for place in range(0, len(signature), 7):
        request = Signed(strict_server)
        before, digits = request.headers["Authorization"].rsplit("=", 1)
        digit = f"{int(digits[place], 16) ^ 1:x}"
        request.headers["Authorization"] = f"{before}={digits[:place]}{digit}{digits[place + 1:]}"
        assert_json(request.send(), "InvalidSignatureException", WRONG_SIGNATURE)


@pytest.mark.parametrize("authorization", [
    "", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=", "Bearer token", "Basic eDp5",
    f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}", f"AWS {ACCESS_KEY}:c2lnbmF0dXJl",
    "AWS4-ECDSA-P256-SHA256 Credential=x, SignedHeaders=host, Signature=y",
])
def test_half_a_signature(strict_server, authorization):
    request = Signed(strict_server)
    request.headers["Authorization"] = authorization
    assert_json(request.send(), "IncompleteSignatureException")


def test_a_signature_can_be_used_again_for_five_minutes_as_with_aws(strict_server):
    request = Signed(strict_server)
    assert request.send()[0] == request.send()[0] == 200


# -- every operation ---------------------------------------------------------------------------

def test_which_operations_exist(strict_server):
    missing = missing_operations()
    assert missing <= set(OPERATIONS)
    unknown = set()
    for operation in OPERATIONS:
        status, body = Signed(strict_server, operation, b"not even JSON").send()
        if json.loads(body)["__type"] == "UnknownOperationException":
            unknown.add(operation)
    assert unknown == missing


@pytest.mark.parametrize("operation", sorted(set(OPERATIONS) - missing_operations()))
def test_no_operation_goes_without_a_signature(strict_server, operation):
    """Nothing else is looked at before: not the body, and not whether the key exists."""
    for body in (b"{}", b"", b"not even JSON", b'{"KeyId": 7}'):
        unsigned = Signed(strict_server, operation, body)
        del unsigned.headers["Authorization"]
        assert_json(unsigned.send(), "MissingAuthenticationTokenException", MISSING_TOKEN)
        forged = Signed(strict_server, operation, body, secret=OTHER_SECRET)
        assert_json(forged.send(), "InvalidSignatureException", WRONG_SIGNATURE)
        unknown = Signed(strict_server, operation, body, access_key=UNKNOWN_ACCESS_KEY)
        assert_json(unknown.send(), "UnrecognizedClientException", UNKNOWN_CLIENT)


def test_an_identity_without_a_signature(strict_server):
    request = Signed(strict_server, body=STS_FORM, service="sts")
    del request.headers["Authorization"]
    assert_xml(request.send(), "MissingAuthenticationToken", message=MISSING_TOKEN)
    answer = fetch(strict_server, "/?" + STS_FORM.decode())
    assert_xml(answer, "MissingAuthenticationToken", message=MISSING_TOKEN)


def test_a_refusal_is_recorded_without_what_it_claimed(strict_server):
    """An unverified request has no identity, and what it asked for isn't told."""
    body = b'{"KeyId": "alias/a-key-that-is-nobodys"}'
    forged = Signed(strict_server, "DescribeKey", body, secret=OTHER_SECRET)
    _, headers, _ = strict_server.send("POST", "/", body, forged.headers)
    record = next(r for r in strict_server.audit()
                  if r.get("requestID") == headers["x-amzn-RequestId"])
    assert (record["eventName"], record["errorCode"]) == (
        "DescribeKey", "InvalidSignatureException")
    assert record["userIdentity"] == {"type": "Unknown"}
    assert record["requestParameters"] is None
    assert SECRET not in json.dumps(record) and OTHER_SECRET not in json.dumps(record)
