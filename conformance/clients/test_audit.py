"""`strongroom audit`: the log's records read, searched and proven to be whole, from outside."""

import hashlib
import json
import re
import subprocess
import time

import pytest
import strongroom
from expectations import refused

ACCOUNT = "111122223333"


def audit(server, *words):
    """Runs the command; returns its exit code, and what it printed."""
    done = subprocess.run(
        [str(strongroom.binary()), "audit", *words, "--data-dir", str(server.data_dir)],
        capture_output=True, text=True, timeout=60, check=False,
    )
    return done.returncode, done.stdout, done.stderr


def search(server, *words):
    """The records that are found."""
    code, out, err = audit(server, "search", "--json", *words)
    assert code == 0, err
    return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def busy(own_server):
    """A server with some requests behind it, of which one was refused; and its key."""
    kms = own_server.kms(ACCOUNT)
    key = kms.create_key()["KeyMetadata"]
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    kms.decrypt(CiphertextBlob=blob)
    kms.disable_key(KeyId=key["KeyId"])
    with refused("DisabledException"):
        kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    own_server.kms("444455556666").list_keys()
    return own_server, key


@pytest.fixture
def proven(busy):
    """The same, stopped, with its public keys in a file elsewhere."""
    server, _ = busy
    assert server.stop() == 0
    code, pem, err = audit(server, "public-key")
    assert code == 0, err
    keys = server.home / "keys.pem"
    keys.write_text(pem)
    return server, keys


def test_each_line_is_a_record_with_its_link(busy):
    server, _ = busy
    before = hashlib.sha256(b"").digest()
    lines = (server.data_dir / "audit.jsonl").read_bytes().splitlines()
    for number, line in enumerate(lines, 1):
        record, link = line.rsplit(b',"chain":"', 1)
        said = re.fullmatch(rb'(\d+):([0-9a-f]{64})"}', link)
        inner = hashlib.sha256(record + b"}").digest()
        before = hashlib.sha256(before + number.to_bytes(8, "big") + inner).digest()
        assert said.groups() == (str(number).encode(), before.hex().encode())


def test_the_search_finds_by_each_criterion(busy):
    server, key = busy
    names = [record["eventName"] for record in search(server)]
    assert names == ["CreateKey", "Encrypt", "Decrypt", "DisableKey", "Encrypt", "ListKeys"]

    def found(*words):
        return [record["eventName"] for record in search(server, *words)]

    assert found("--event-name", "encrypt") == ["Encrypt", "Encrypt"]
    assert found("--event-name", "Encrypt", "--event-name", "Decrypt") == [
        "Encrypt", "Decrypt", "Encrypt"]
    assert found("--resource", key["Arn"]) == names[:5]
    assert found("--resource", key["KeyId"], "--event-name", "DisableKey") == ["DisableKey"]
    assert found("--user", f"arn:aws:iam::{ACCOUNT}:root") == names[:5]
    assert found("--account", "444455556666") == ["ListKeys"]
    assert found("--source-ip", "127.0.0.1") == names
    assert found("--source-ip", "192.0.2.1") == []
    code = search(server)[4]["errorCode"]
    assert found("--error-code", code) == ["Encrypt"]
    wanted = search(server)[2]["requestID"]
    assert found("--request-id", wanted) == ["Decrypt"]
    assert found("--since", "1h") == names
    assert found("--until", "1h") == []
    assert found("--since", "2020-01-01", "--until", "2021-01-01T00:00:00Z") == []
    assert audit(server, "search", "--since", "tomorrow")[0] == 2
    code, out, _ = audit(server, "search", "--event-name", "Decrypt")
    assert code == 0
    assert re.fullmatch(
        r"\S+Z kms:Decrypt \S+ by arn:aws:iam::\d+:root from 127.0.0.1 on \S+ request \S+\n", out)


def test_the_tail_follows(busy):
    server, _ = busy
    code, out, _ = audit(server, "tail", "-n", "2")
    assert code == 0 and len(out.splitlines()) == 2
    command = [str(strongroom.binary()), "audit", "tail", "-n", "1", "-f",
               "--data-dir", str(server.data_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as tail:
        assert "kms:ListKeys" in tail.stdout.readline()
        server.kms(ACCOUNT).list_aliases()
        assert "kms:ListAliases" in tail.stdout.readline()
        tail.terminate()


def test_a_whole_log_is_proven(proven):
    server, keys = proven
    code, out, err = audit(server, "verify", "--public-key", str(keys))
    assert (code, err) == (0, "")
    assert "proven: records 1 to 6, by digest 1 of" in out
    assert out.endswith("OK\n")
    head = re.search(r"last digest: (\S+)", out)[1]
    assert audit(server, "verify", "--public-key", str(keys), "--head", head)[0] == 0
    # Without keys from elsewhere it works, and says what that is worth.
    code, _, err = audit(server, "verify")
    assert code == 0 and "the public keys are taken from" in err


def test_an_altered_record_is_named(proven):
    server, keys = proven
    log = server.data_dir / "audit.jsonl"
    log.write_bytes(log.read_bytes().replace(b'"eventName":"Decrypt"', b'"eventName":"Encrypt"'))
    code, out, _ = audit(server, "verify", "--public-key", str(keys))
    assert code == 1
    assert "FAULT: record 3 was altered (audit.jsonl, line 3)" in out


def test_a_cut_of_log_and_digests_is_found_by_what_was_noted(proven):
    server, keys = proven
    _, out, _ = audit(server, "verify", "--public-key", str(keys))
    head = re.search(r"last digest: (\S+)", out)[1]
    (server.data_dir / "audit.jsonl").write_bytes(b"")
    code, out, _ = audit(server, "verify", "--public-key", str(keys))
    assert code == 1 and "the end was cut: records 1 to 6 are missing" in out
    (server.data_dir / "audit" / "digests.jsonl").write_bytes(b"")
    assert audit(server, "verify", "--public-key", str(keys))[0] == 0
    code, out, _ = audit(server, "verify", "--public-key", str(keys), "--head", head)
    assert code == 1 and "noted elsewhere" in out


def test_a_log_of_before_goes_on(own_server):
    """A log that a version without a chain has left behind."""
    kms = own_server.kms(ACCOUNT)
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.encrypt(KeyId=key, Plaintext=b"x")
    assert own_server.stop() == 0
    log = own_server.data_dir / "audit.jsonl"
    old = re.sub(rb',"chain":"[^"]*"', b"", log.read_bytes())
    log.write_bytes(old)
    for path in (own_server.data_dir / "audit").iterdir():
        path.unlink()
    (own_server.data_dir / "audit").rmdir()
    kms = own_server.restart().kms(ACCOUNT)
    kms.encrypt(KeyId=key, Plaintext=b"x")
    assert own_server.stop() == 0
    assert log.read_bytes().startswith(old)
    code, out, _ = audit(own_server, "verify")
    assert code == 0, out
    assert "proven: record 1, by digest 1" in out
    assert f"before record 1: {len(old)} bytes from before the chain" in out
    # And it is in the proof.
    log.write_bytes(log.read_bytes().replace(b"CreateKey", b"DeleteKey"))
    assert audit(own_server, "verify")[0] == 1


def test_a_killed_server_leaves_a_whole_log(own_server):
    for _ in range(3):
        kms = own_server.kms(ACCOUNT)
        for _ in range(5):
            kms.list_keys()
        # A digest comes within a second or so only where one is due; none is needed.
        time.sleep(0.1)
        own_server.kill9()
        own_server.restart()
    assert own_server.stop() == 0
    code, out, _ = audit(own_server, "verify")
    assert code == 0 and "proven: records 1 to 15" in out, out


def test_no_log(tmp_path):
    for words in (["tail"], ["search"], ["verify"], ["public-key"]):
        done = subprocess.run(
            [str(strongroom.binary()), "audit", *words, "--data-dir", str(tmp_path)],
            capture_output=True, text=True, timeout=60, check=False,
        )
        assert done.returncode == 2 and done.stderr.startswith("strongroom: "), done.stderr
        assert not list(tmp_path.iterdir())
