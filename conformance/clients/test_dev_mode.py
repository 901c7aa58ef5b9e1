"""Dev mode's own endpoints, the audit file, and what a power cut leaves."""

import base64
import concurrent.futures
import json
import re
import stat
import time

import pytest

from expectations import refused


def test_health(server):
    status, _, _ = server.send("GET", "/_strongroom/health")
    assert status == 200


def test_the_clock_moves_forward_and_keeps_running(own_server):
    assert abs(own_server.now() - time.time()) < 5
    own_server.advance(days=10)
    own_server.advance(seconds=30)
    ahead = own_server.now() - time.time()
    assert abs(ahead - 864_030) < 5
    time.sleep(1)
    assert own_server.now() - time.time() == pytest.approx(ahead, abs=0.7)
    # Signatures are still compared with the real time.
    assert own_server.kms().list_keys()["Keys"] == []


@pytest.mark.parametrize("body", [
    b"", b"{", b"{}", b'{"advance_seconds": -1}', b'{"advance_seconds": "soon"}',
    b'{"advance_seconds": 1e300}',
])
def test_the_clock_refuses_nonsense(own_server, body):
    status, _, _ = own_server.send("POST", "/_strongroom/clock", body)
    assert 400 <= status < 500
    assert abs(own_server.now() - time.time()) < 5


def test_reset_empties_everything(own_server):
    kms = own_server.kms()
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/a", TargetKeyId=key)
    own_server.advance(days=1)
    own_server.reset()
    assert kms.list_keys()["Keys"] == []
    with refused("NotFoundException"):
        kms.describe_key(KeyId="alias/a")
    with refused("NotFoundException"):
        kms.encrypt(KeyId=key, Plaintext=b"x")


def test_what_was_answered_survives_a_restart(own_server):
    kms = own_server.kms()
    key = kms.create_key(Description="kept", Tags=[{"TagKey": "a", "TagValue": "b"}])
    metadata = key["KeyMetadata"]
    name = metadata["KeyId"]
    kms.create_alias(AliasName="alias/kept", TargetKeyId=name)
    blob = kms.encrypt(KeyId=name, Plaintext=b"secret", EncryptionContext={"a": "b"})
    assert own_server.stop() == 0
    kms = own_server.restart().kms()
    assert kms.describe_key(KeyId="alias/kept")["KeyMetadata"] == metadata
    assert kms.list_resource_tags(KeyId=name)["Tags"] == [{"TagKey": "a", "TagValue": "b"}]
    opened = kms.decrypt(CiphertextBlob=blob["CiphertextBlob"], EncryptionContext={"a": "b"})
    assert opened["Plaintext"] == b"secret"


def test_what_was_answered_survives_sigkill(own_server):
    kept = {}
    for _ in range(4):
        kms = own_server.kms()

        def make(number, kms=kms):
            try:
                name = kms.create_key(Description=str(number))["KeyMetadata"]["KeyId"]
                kms.tag_resource(KeyId=name, Tags=[{"TagKey": "n", "TagValue": str(number)}])
                data_key = kms.generate_data_key(KeyId=name, KeySpec="AES_256")
            except Exception:  # The server was killed before it answered.
                return None
            return name, number, data_key["Plaintext"], data_key["CiphertextBlob"]

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            runs = [pool.submit(make, number) for number in range(200)]
            # Killed amid the rest, however slow the machine is.
            assert all(run.result() for run in runs[:20])
            own_server.kill9()
            done = [run.result() for run in runs]
        answered = [entry for entry in done if entry]
        assert 20 <= len(answered) < 200
        kept.update({entry[0]: entry[1:] for entry in answered})
        own_server.restart()
    kms = own_server.kms()
    for name, (number, plaintext, blob) in kept.items():
        assert kms.describe_key(KeyId=name)["KeyMetadata"]["Description"] == str(number)
        tags = kms.list_resource_tags(KeyId=name)["Tags"]
        assert tags == [{"TagKey": "n", "TagValue": str(number)}]
        assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == plaintext


def test_memory_leaves_nothing_behind(own_memory_server):
    kms = own_memory_server.kms()
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"
    assert own_memory_server.stop() == 0
    kept = {path.name for path in own_memory_server.home.iterdir()}
    assert kept == {"stdout-1.log", "stderr.log"}
    assert own_memory_server.restart().kms().list_keys()["Keys"] == []


def test_each_request_is_recorded(own_server):
    kms = own_server.kms("111122223333", "eu-central-1")
    before = len(own_server.audit()) if (own_server.data_dir / "audit.jsonl").exists() else 0
    key = kms.create_key()["KeyMetadata"]
    answer = kms.encrypt(
        KeyId=key["KeyId"], Plaintext=b"do-not-record", EncryptionContext={"tenant": "a"}
    )
    kms.disable_key(KeyId=key["KeyId"])
    with refused("DisabledException"):
        kms.decrypt(CiphertextBlob=answer["CiphertextBlob"], EncryptionContext={"tenant": "a"})
    records = own_server.audit()[before:]
    names = [record["eventName"] for record in records]
    assert names == ["CreateKey", "Encrypt", "DisableKey", "Decrypt"]
    for record in records:
        assert record["eventSource"] == "kms.amazonaws.com"
        assert record["awsRegion"] == "eu-central-1"
        assert record["userIdentity"]["type"] == "Root"
        assert record["userIdentity"]["arn"] == "arn:aws:iam::111122223333:root"
        assert record["sourceIPAddress"] == "127.0.0.1"
        assert "Boto3" in record["userAgent"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", record["eventTime"])
    assert [record["readOnly"] for record in records] == [False, True, False, True]
    assert len({record["eventID"] for record in records}) == 4
    encrypted, refusal = records[1], records[3]
    assert encrypted["requestID"] == answer["ResponseMetadata"]["RequestId"]
    assert encrypted["requestParameters"]["encryptionContext"] == {"tenant": "a"}
    assert refusal["errorCode"] == "DisabledException"
    assert [each["ARN"] for each in encrypted["resources"]] == [key["Arn"]]


def test_no_plaintext_is_written_anywhere(own_server):
    kms = own_server.kms()
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    word = b"a-plaintext-that-nobody-may-find-again"
    blob = kms.encrypt(KeyId=key, Plaintext=word)["CiphertextBlob"]
    kms.decrypt(CiphertextBlob=blob)
    data_key = kms.generate_data_key(KeyId=key, KeySpec="AES_256")["Plaintext"]
    random = kms.generate_random(NumberOfBytes=32)["Plaintext"]
    own_server.stop()
    secrets = [
        form for secret in (word, data_key, random)
        for form in (secret, base64.b64encode(secret), secret.hex().encode())
    ]
    files = [path for path in own_server.home.rglob("*") if path.is_file()]
    assert any(path.name == "audit.jsonl" for path in files)
    for path in files:
        content = path.read_bytes()
        assert not any(secret in content for secret in secrets), path


def test_only_the_owner_reads_the_data(own_server):
    own_server.kms().create_key()

    def closed(path):
        return stat.S_IMODE(path.stat().st_mode) & 0o077 == 0

    files = [path for path in own_server.data_dir.rglob("*") if path.is_file()]
    assert files
    assert closed(own_server.data_dir) or all(closed(path) for path in files), files


def test_records_are_lines_of_json(own_server):
    own_server.kms().create_key(Description='line\nbreak "quoted"')
    for line in (own_server.data_dir / "audit.jsonl").read_text().splitlines():
        assert isinstance(json.loads(line), dict)
