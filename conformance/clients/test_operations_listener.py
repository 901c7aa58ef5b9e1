"""Metrics, liveness and readiness, on a listener of their own."""

import pytest
from botocore.exceptions import ClientError

import strongroom
from operations_page import OPTIONS, Metrics, address, ask


@pytest.fixture
def watched(tmp_path):
    """A running server with the listener."""
    server = strongroom.Strongroom(tmp_path, options=OPTIONS).start()
    yield server
    server.stop()


def test_requests_are_counted_by_operation_code_and_account(watched):
    kms, other = watched.kms("111122223333"), watched.kms("444455556666")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    for _ in range(5):
        kms.encrypt(KeyId=key, Plaintext=b"secret")
    with pytest.raises(ClientError):
        other.encrypt(KeyId=key, Plaintext=b"secret")
    watched.client("sts").get_caller_identity()
    watched.send_kms("TrentService.NoSuchThing", b"{}")
    metrics = Metrics(watched)
    requests = "strongroom_requests_total"
    encrypt = {"service": "kms", "operation": "Encrypt"}
    assert metrics.total(requests, **encrypt, code="OK", account="111122223333") == 5
    assert metrics.total(requests, **encrypt, code="NotFoundException", account="444455556666") == 1
    assert metrics.total(requests, service="sts", operation="GetCallerIdentity", code="OK") == 1
    assert metrics.total(requests, operation="unknown", account="unknown") == 1
    assert "NoSuchThing" not in metrics.text and key not in metrics.text
    assert metrics.total("strongroom_request_duration_seconds_count", **encrypt) == 6
    assert metrics.total("strongroom_request_duration_seconds_bucket", **encrypt, le="+Inf") == 6
    assert 0 < metrics.total("strongroom_request_duration_seconds_sum", **encrypt) < 60
    assert metrics.total("strongroom_requests_in_flight") == 0
    assert metrics.total("strongroom_cache_hits_total", cache="keys") >= 4
    assert metrics.total("strongroom_store_commits_total", result="committed") >= 1
    assert metrics.total("strongroom_store_size_bytes") > 0
    assert metrics.total("process_open_fds") > 3
    assert metrics.total("strongroom_build_info") == 1


def test_accounts_beyond_the_first_are_told_together(watched):
    for number in range(40):
        watched.client("sts", account=f"{number + 1:012}").get_caller_identity()
    metrics = Metrics(watched)
    operation = {"service": "sts", "operation": "GetCallerIdentity"}
    assert metrics.total("strongroom_requests_total", **operation) == 40
    assert metrics.total("strongroom_requests_total", **operation, account="other") == 8


def test_health(watched):
    assert ask(watched, "/livez")[::2] == (200, "ok\n")
    assert ask(watched, "/readyz")[::2] == (200, "ok\n")
    assert Metrics(watched).total("strongroom_ready", condition="store") == 1
    for path, method, status in [
        ("/", "GET", 404), ("/_strongroom/reset", "POST", 404), ("/metrics", "POST", 405),
    ]:
        assert ask(watched, path, method)[0] == status


def test_the_listener_is_its_own(watched):
    assert watched.send("GET", "/metrics")[0] == 400
    assert address(watched) != watched.endpoint


def test_without_the_option_there_is_none(own_server):
    assert "operations:" not in (own_server.home / "stdout-1.log").read_text()
