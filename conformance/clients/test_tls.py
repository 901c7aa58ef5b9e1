"""TLS: what stock clients, strict clients and hostile ones get from a server with a certificate.

Every test beside a neighbour on plain sockets of TLS must leave the server as it was (`unharmed`).
"""

import json
import ssl
import subprocess
import time

import boto3
import botocore.config
import botocore.exceptions
import pytest

import certificates
import cli
from connection import Closed, Connection, head
from neighbour import GROWTH, MIB, PROMPT_SECONDS, assert_refused, padded, resident, signed
from secure import GOAWAY, HEADERS, RST_STREAM, Http2, SecureConnection, context
from strongroom import StartFailure, Strongroom, binary

# The server looks at its files every five seconds.
RELOAD_SECONDS = 15
BODY_SECONDS = (8, 14)
ACCOUNT = "111122223333"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """The authority of the servers here."""
    return certificates.Authority(tmp_path_factory.mktemp("authority"))


def started(home, pair):
    """A server that shows that certificate."""
    options = certificates.write(home / "tls", pair)
    return Strongroom(home, options=options).start()


@pytest.fixture(scope="module")
def tls_server(tmp_path_factory, authority):
    """The server of this file."""
    server = started(tmp_path_factory.mktemp("tls-server"), authority.issue())
    yield server
    assert server.stop() == 0


@pytest.fixture
def connect(tls_server, authority):
    """Makes connections to it, which end with the test."""
    made = []

    def connect(protocols=(), version=None, session=None):
        how = context(authority, protocols, version)
        made.append(SecureConnection(tls_server.endpoint, how, session=session))
        return made[-1]

    yield connect
    for connection in made:
        connection.close()


@pytest.fixture
def http2(tls_server, authority):
    """Makes connections of HTTP/2 to it, which end with the test."""
    made = []

    def connect():
        made.append(Http2(tls_server.endpoint, authority))
        return made[-1]

    yield connect
    for connection in made:
        connection.close()


@pytest.fixture
def unharmed(tls_server, authority):
    """After the test a new client is served promptly, and the server has neither grown nor
    complained."""
    def check():
        with SecureConnection(tls_server.endpoint, context(authority)) as neighbour:
            began = time.monotonic()
            assert neighbour.call("ListKeys", {}).status == 200
            assert time.monotonic() - began < PROMPT_SECONDS

    check()
    before = resident(tls_server)
    yield
    check()
    assert tls_server.running()
    assert resident(tls_server) - before < GROWTH
    assert tls_server.stderr() == ""


def stock(server, verify, service="kms", account=ACCOUNT):
    """A client of boto3 that trusts what is in that file."""
    config = botocore.config.Config(retries={"total_max_attempts": 1})
    return boto3.client(
        service, endpoint_url=server.endpoint, region_name="us-east-1", verify=str(verify),
        aws_access_key_id=account, aws_secret_access_key="any", config=config)


# -- ordinary clients --------------------------------------------------------------------------

def test_boto3(tls_server, authority):
    kms = stock(tls_server, authority.file)
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    sealed = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"x"
    assert stock(tls_server, authority.file, "sts").get_caller_identity()["Account"] == ACCOUNT
    record = tls_server.audit()[-1]
    details = record["tlsDetails"]
    assert details["clientProvidedHostHeader"] == tls_server.endpoint.removeprefix("https://")
    assert details["tlsVersion"] in ("TLSv1.2", "TLSv1.3")
    assert details["cipherSuite"] and details["keyExchange"]


def test_the_command_line(tls_server, authority):
    environment = tls_server.environment() | {"AWS_CA_BUNDLE": str(authority.file)}
    done = subprocess.run(
        [cli.AWS, "kms", "list-keys", "--output", "json"], env=environment, capture_output=True,
        check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["Keys"]


def test_a_certificate_of_a_stranger_is_noticed(tls_server, tmp_path):
    stranger = certificates.Authority(tmp_path)
    with pytest.raises(botocore.exceptions.SSLError):
        stock(tls_server, stranger.file).list_keys()


SECURE_ONLY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
         "Action": "kms:*", "Resource": "*"},
        {"Effect": "Deny", "Principal": "*", "Action": "kms:Encrypt", "Resource": "*",
         "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
    ],
}


def test_policies_know_of_tls(tls_server, authority, server):
    def encrypt(kms):
        key = kms.create_key(Policy=json.dumps(SECURE_ONLY))["KeyMetadata"]["KeyId"]
        return kms.encrypt(KeyId=key, Plaintext=b"x")

    assert encrypt(stock(tls_server, authority.file))
    with pytest.raises(botocore.exceptions.ClientError, match="explicit deny"):
        encrypt(server.kms(ACCOUNT))
    assert "tlsDetails" not in server.audit()[-1]


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_versions(connect, tls_server, version):
    connection = connect(version=ssl.TLSVersion[version])
    assert connection.call("ListKeys", {}).status == 200
    suite = connection.socket.cipher()[0]
    details = tls_server.audit()[-1]["tlsDetails"]
    assert (details["tlsVersion"], details["cipherSuite"]) == (version.replace("_", "."), suite)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
def test_versions_of_old_are_refused(tls_server, authority, version):
    how = context(authority)
    how.minimum_version = how.maximum_version = ssl.TLSVersion[version]
    how.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(OSError):
        SecureConnection(tls_server.endpoint, how)


def test_weak_ciphers_are_refused(tls_server, authority):
    for ciphers in ("AES128-GCM-SHA256", "ECDHE+AES+SHA1", "eNULL:@SECLEVEL=0"):
        how = context(authority, version=ssl.TLSVersion.TLSv1_2)
        how.set_ciphers(ciphers)
        with pytest.raises(OSError):
            SecureConnection(tls_server.endpoint, how)


def test_sessions_are_resumed(tls_server, authority):
    how = context(authority)
    with SecureConnection(tls_server.endpoint, how) as first:
        assert first.call("ListKeys", {}).status == 200
        session = first.socket.session
    with SecureConnection(tls_server.endpoint, how, session=session) as second:
        assert second.socket.session_reused
        assert second.call("ListKeys", {}).status == 200


# -- certificates ------------------------------------------------------------------------------

def shown(server, authority):
    """The certificate that a new connection gets."""
    with SecureConnection(server.endpoint, context(authority)) as connection:
        return connection.socket.getpeercert(binary_form=True)


def test_a_renewed_certificate_is_shown_without_a_restart(tmp_path, authority):
    server = started(tmp_path, authority.issue())
    try:
        first = shown(server, authority)
        with SecureConnection(server.endpoint, context(authority)) as old:
            # A broken pair changes nothing.
            certificate, _ = authority.issue()
            (tmp_path / "tls" / "tls.crt").write_bytes(certificate)
            time.sleep(RELOAD_SECONDS / 2)
            assert shown(server, authority) == first
            certificates.write(tmp_path / "tls", authority.issue(is_rsa=True))
            deadline = time.monotonic() + RELOAD_SECONDS
            while shown(server, authority) == first:
                assert time.monotonic() < deadline
                time.sleep(0.2)
            assert old.call("ListKeys", {}).status == 200
    finally:
        assert server.stop() == 0


def test_what_a_server_does_not_start_with(tmp_path, authority):
    good = authority.issue()
    cases = [
        ((good[0], authority.issue()[1]), 0o600, "is not that of the certificate"),
        (good, 0o644, "chmod 0600"),
        ((b"", good[1]), 0o600, "no certificate in PEM"),
        ((good[0], b""), 0o600, "no private key in PEM"),
    ]
    for number, (pair, mode, words) in enumerate(cases):
        home = tmp_path / str(number)
        home.mkdir()
        server = Strongroom(home, True, certificates.write(home / "tls", pair, mode))
        with pytest.raises(StartFailure, match=words):
            server.start()
    alone = subprocess.run(
        [binary(), "dev", "--in-memory", "--tls-certificate", "x"], capture_output=True,
        check=False, timeout=30)
    assert alone.returncode == 2 and b"--tls-private-key" in alone.stderr


def test_an_expired_certificate_is_shown_with_a_note(tmp_path, authority):
    server = started(tmp_path, authority.issue(days=(-30, -3)))
    try:
        assert "note: the certificate in" in (tmp_path / "stdout-1.log").read_text()
        with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
            SecureConnection(server.endpoint, context(authority))
    finally:
        server.stop()


# -- hostile clients ---------------------------------------------------------------------------

GARBAGE = {
    "plain HTTP": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
    "plain HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "random bytes": bytes(range(256)) * 100,
    "zeros": bytes(100_000),
    "an empty greeting": bytes.fromhex("160301000401000000"),
    "a greeting of zeros": bytes.fromhex("16030100c8010000c40303") + bytes(194),
    "an alert": bytes.fromhex("15030300020228"),
    "data before the greeting": bytes.fromhex("1703030010") + bytes(16),
    "a record beyond the greatest": bytes.fromhex("160301ffff") + bytes(65_535),
    "SSL 2": bytes.fromhex("802e0100020015000000100100800200800300800400800500800600400700c0"),
}


@pytest.mark.parametrize("case", GARBAGE)
def test_what_is_no_handshake(unharmed, tls_server, case):
    with Connection(tls_server.endpoint) as connection:
        began = time.monotonic()
        connection.send(GARBAGE[case])
        try:
            while connection.socket.recv(65_536):
                pass
        except ConnectionResetError:
            pass
        assert time.monotonic() - began < PROMPT_SECONDS


def test_handshakes_that_are_never_finished(unharmed, tls_server, authority):
    """They keep nobody out while they last, and they don't last."""
    silent = [Connection(tls_server.endpoint, timeout=30) for _ in range(300)]
    greeting = ssl.MemoryBIO()
    half = context(authority).wrap_bio(ssl.MemoryBIO(), greeting, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        half.do_handshake()
    hello = greeting.read()
    for connection in silent[:200]:
        connection.send(hello)
    for connection in silent[200:250]:
        connection.send(hello[:20])
    with SecureConnection(tls_server.endpoint, context(authority)) as newcomer:
        assert newcomer.call("ListKeys", {}).status == 200
    for connection in silent:
        try:
            while connection.socket.recv(65_536):
                pass
        except ConnectionResetError:
            pass
        connection.close()


def test_a_connection_that_is_cut_within_a_record(unharmed, tls_server, connect):
    for _ in range(50):
        connection = connect()
        connection.send(signed(connection.endpoint, padded(10_000))[:5_000])
        connection.close()


def test_broken_http_is_as_broken_over_tls(unharmed, connect):
    for broken in (b"hello there\r\n\r\n", b"POST / HTTP/1.1\r\nHost x\r\n\r\n",
                   b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"):
        connection = connect()
        connection.send(broken)
        try:
            assert connection.answer().status == 400
        except Closed:
            continue
        assert connection.ended()


def test_a_thousand_idle_connections(unharmed, tls_server, authority):
    idle = [SecureConnection(tls_server.endpoint, context(authority)) for _ in range(1_000)]
    with SecureConnection(tls_server.endpoint, context(authority)) as newcomer:
        began = time.monotonic()
        assert newcomer.call("ListKeys", {}).status == 200
        assert time.monotonic() - began < PROMPT_SECONDS
    for connection in idle:
        connection.close()


def test_a_slow_body_over_tls(unharmed, connect):
    connection = connect()
    began = time.monotonic()
    connection.send(signed(connection.endpoint, Content_Length=100)[:-2] + b"{")
    answer = connection.answer()
    assert BODY_SECONDS[0] < time.monotonic() - began < BODY_SECONDS[1]
    assert (answer.status, answer.headers["connection"]) == (408, "close")
    assert_refused(answer, {"RequestTimeoutException"})


def test_a_head_that_is_two(unharmed, tls_server, connect):
    """Nothing that stands behind a request is taken for another one."""
    connection = connect()
    before = tls_server.stderr()
    connection.send(head({"Host": "x", "Content-Length": 4, "Transfer-Encoding": "chunked"})
                    + b"0\r\n\r\n" + signed(connection.endpoint))
    answer = connection.answer()
    assert answer.headers["connection"] == "close"
    assert connection.ended()
    assert tls_server.stderr() == before


# -- HTTP/2 ------------------------------------------------------------------------------------

def test_many_requests_on_one_connection(http2):
    connection = http2()
    key = connection.call("CreateKey", {}).json()["KeyMetadata"]["KeyId"]
    body = json.dumps({"KeyId": key, "Plaintext": "eA=="}).encode()
    streams = [connection.begin("Encrypt", body) for _ in range(30)]
    answers = [connection.answer(stream) for stream in streams]
    assert {answer.status for answer in answers} == {200}
    for answer in answers:
        assert "connection" not in answer.headers
        opened = connection.call("Decrypt", {"CiphertextBlob": answer.json()["CiphertextBlob"]})
        assert opened.json()["Plaintext"] == "eA=="


def test_refusals_over_http2(http2):
    connection = http2()
    assert_refused(connection.call("Nothing", {}), {"UnknownOperationException"})
    assert_refused(connection.call("ListKeys", b"{"), {"SerializationException"})
    assert connection.call("ListKeys", padded(MIB)).status == 200


@pytest.mark.parametrize("announced, sent", [(2 * MIB, 0), (MIB + 1, MIB + 1)])
def test_a_body_that_is_too_long(unharmed, http2, announced, sent):
    connection = http2()
    stream = connection.begin("ListKeys", b" " * sent, announced, leave_open=True)
    answer = connection.answer(stream)
    assert answer.status == 413
    assert_refused(answer, {"RequestEntityTooLargeException"})
    # One stream is no other's affair.
    assert connection.call("ListKeys", {}).status == 200


def test_slow_bodies_over_http2(unharmed, http2):
    connection = http2()
    began = time.monotonic()
    slow = [connection.begin("ListKeys", b"{", 100, leave_open=True) for _ in range(50)]
    assert connection.call("ListKeys", {}).status == 200
    for stream in slow:
        answer = connection.answer(stream)
        assert answer.status == 408
        assert_refused(answer, {"RequestTimeoutException"})
    assert BODY_SECONDS[0] < time.monotonic() - began < BODY_SECONDS[1]


def frame(kind, flags, stream, payload=b""):
    """One frame (RFC 9113, 4.1)."""
    return (len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big")
            + payload)


# `:method GET`, `:scheme https`, `:path /`, `:authority h`, as HPACK has them.
BLOCK = bytes([0x82, 0x87, 0x84, 0x41, 0x01]) + b"h"
# An entry of 4,000 bytes for the table, and a thousand references to it.
BOMB = bytes([0x40, 0x01]) + b"b" + bytes([0x7F, 0xA1, 0x1E]) + b"x" * 4_000 + b"\xbe" * 1_000
ODD = range(1, 20_001, 2)

FLOODS = {
    "requests that are cancelled": b"".join(
        frame(1, 5, n, BLOCK) + frame(3, 0, n, b"\0\0\0\x08") for n in ODD),
    "heads without an end": frame(1, 1, 1, BLOCK) + frame(9, 0, 1, b"\x00\x01a\x01b" * 1_000) * 100,
    "empty continuations": frame(1, 1, 1, BLOCK) + frame(9, 0, 1) * 100_000,
    "a bomb of compression": b"".join(frame(1, 5, n, BLOCK + BOMB) for n in range(1, 401, 2)),
    "frames that do not belong": b"".join(frame(0, 0, n, b"x") for n in ODD),
    "windows of nothing": b"".join(frame(1, 4, n, BLOCK) + frame(8, 0, n, bytes(4)) for n in ODD),
    "a frame beyond the greatest": frame(0, 0, 1, b"x" * 100_000),
    "resets of what isn't there": b"".join(frame(3, 0, n, bytes(4)) for n in ODD),
    "even streams": frame(1, 5, 2, BLOCK),
    "a push": frame(5, 4, 1, bytes(4) + BLOCK),
}


@pytest.mark.parametrize("case", FLOODS)
def test_floods_end_their_connection(unharmed, http2, case):
    connection = http2()
    connection.socket.settimeout(30)
    connection.send(FLOODS[case])
    began = time.monotonic()
    # The server says goodbye with a reason, if it is still heard.
    assert connection.goodbye() != 0
    assert time.monotonic() - began < 30


BORES = {
    "pings": frame(6, 0, 0, bytes(8)) * 50_000,
    "settings": frame(4, 0, 0) * 50_000,
    "priorities": b"".join(frame(2, 0, n, bytes(5)) for n in ODD),
    "unknown frames": frame(0x77, 0, 0, b"x" * 1_000) * 1_000,
    "empty data": frame(1, 4, 1, BLOCK) + frame(0, 0, 1) * 50_000,
}


@pytest.mark.parametrize("case", BORES)
def test_floods_that_are_allowed_harm_nobody(unharmed, tls_server, authority, http2, case):
    """Nothing of the answers is read, so that they can't pile up either."""
    floods = [http2() for _ in range(4)]
    for connection in floods:
        connection.socket.settimeout(3)
        connection.send(BORES[case])
    with SecureConnection(tls_server.endpoint, context(authority)) as newcomer:
        began = time.monotonic()
        assert newcomer.call("ListKeys", {}).status == 200
        assert time.monotonic() - began < 2 * PROMPT_SECONDS


SMUGGLED = {
    "a coding": [("transfer-encoding", "chunked")],
    "a connection": [("connection", "keep-alive")],
    "another length": [("content-length", "100")],
    "a line in a value": [("a", "b\r\nx-amz-target: TrentService.CreateKey")],
    "a line in a name": [("a\r\nb", "c")],
    "upper case": [("X-Amz-Meta", "x")],
    "another host": [("host", "elsewhere.example")],
    "a second path": [(":path", "/other")],
}


@pytest.mark.parametrize("case", SMUGGLED)
def test_heads_that_would_mean_something_else_in_http1(unharmed, tls_server, http2, case):
    """Whoever translates them into HTTP/1.1 would send another request than the one that was
    meant (RFC 9113, 10.3)."""
    connection = http2()
    before = len(tls_server.audit())
    fields = [(":method", "POST"), (":scheme", "https"), (":authority", "h"), (":path", "/"),
              ("x-amz-target", "TrentService.ListKeys"),
              ("content-type", "application/x-amz-json-1.1"), ("content-length", "2")]
    if case == "another length":
        fields.pop()
    block = connection.h2.encoder.encode(fields + SMUGGLED[case])
    connection.send(frame(1, 4, 1, block) + frame(0, 1, 1, b"{}"))
    for kind, _, stream, payload in connection.frames():
        if kind in (RST_STREAM, GOAWAY):
            break
        if (kind, stream) == (HEADERS, 1):
            assert dict(connection.h2.decoder.decode(payload))[":status"] == "400"
            break
    else:
        pytest.fail("neither an answer nor an end")
    # What was recorded was refused.
    assert all("errorCode" in record for record in tls_server.audit()[before:])
