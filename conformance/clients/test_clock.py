"""A clock that jumps by years, both ways: no panic, no key lost, no session that outlives its term.

The system's clock is moved under a running server by `faults/shim.c`; clients sign by the same
clock unless a test says otherwise.
"""

import os
import time

import boto3
import pytest

from expectations import refused
from faults import Clocks, FaultyStrongroom
from imports import bring, external

DAY = 86_400
YEAR = 365 * DAY
# Where the system's clock is moved to: as far as a broken battery or a wrong hand takes it.
JUMPS = [DAY, YEAR, 30 * YEAR, 300 * YEAR, -DAY, -YEAR, -20 * YEAR, -70 * YEAR]
MODE = os.environ.get("STRONGROOM_MODE", "dev")


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A server, and clocks that are right as yet."""
    server = FaultyStrongroom(tmp_path)
    server.clocks = Clocks(server.faults, monkeypatch)
    server.start()
    yield server
    if server.running():
        server.stop()
    assert "panicked" not in server.stderr()


def session(server, duration=900):
    """Credentials of a user's session."""
    iam = server.client("iam")
    iam.create_user(UserName="alice")
    key = iam.create_access_key(UserName="alice")["AccessKey"]
    sts = as_whom(server, "sts", key)
    return sts.get_session_token(DurationSeconds=duration)["Credentials"]


def as_whom(server, service, credentials):
    """A client with these credentials."""
    return boto3.client(
        service, endpoint_url=server.endpoint, region_name="us-east-1",
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials.get("SessionToken"),
    )


@pytest.mark.parametrize("jump", JUMPS)
def test_everything_is_there_when_the_clock_is_right_again(machine, jump):
    kms = machine.kms()
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=90)
    before = kms.encrypt(KeyId=key, Plaintext=b"before")["CiphertextBlob"]
    machine.clocks.move(jump)
    meanwhile = [before]
    if time.time() + jump > 0 and jump < 200 * YEAR:
        for round_ in range(2):
            meanwhile.append(kms.encrypt(KeyId=key, Plaintext=b"before")["CiphertextBlob"])
            fresh = kms.create_key()["KeyMetadata"]["KeyId"]
            meanwhile.append(kms.encrypt(KeyId=fresh, Plaintext=b"before")["CiphertextBlob"])
            kms.describe_key(KeyId=key)
            kms.list_key_rotations(KeyId=key)
            if round_ == 0:
                machine.kill9()
                machine.restart()
                kms = machine.kms()
    else:
        # No client can sign for a time before 1970, and none in this century for that one.
        machine.kill9()
        machine.restart()
    machine.clocks.move(0)
    kms = machine.kms()
    for blob in meanwhile:
        assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"before"
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled"
    kms.get_key_last_usage(KeyId=key)
    kms.get_key_rotation_status(KeyId=key)
    again = kms.encrypt(KeyId=key, Plaintext=b"after")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=again)["Plaintext"] == b"after"


@pytest.mark.parametrize("jump", [YEAR, -YEAR])
def test_signatures_of_another_time_are_refused(machine, jump):
    machine.faults.move_clock(jump)
    with refused("InvalidSignatureException"):
        machine.kms().list_keys()
    machine.faults.move_clock(0)
    machine.kms().list_keys()


@pytest.mark.parametrize("jump", [DAY, 10 * YEAR])
def test_a_session_from_the_future_is_none(machine, jump):
    machine.clocks.move(jump)
    credentials = session(machine)
    as_whom(machine, "sts", credentials).get_caller_identity()
    machine.clocks.move(0)
    with pytest.raises(boto3.exceptions.botocore.exceptions.ClientError) as caught:
        as_whom(machine, "sts", credentials).get_caller_identity()
    assert caught.value.response["Error"]["Code"] == "ExpiredToken"
    # A clock that was a minute ahead disturbs nobody.
    machine.clocks.move(60)
    credentials = session_of(machine)
    machine.clocks.move(0)
    as_whom(machine, "sts", credentials).get_caller_identity()


def session_of(server):
    """Another session of the same user."""
    iam = server.client("iam")
    key = iam.create_access_key(UserName="alice")["AccessKey"]
    return as_whom(server, "sts", key).get_session_token(DurationSeconds=900)["Credentials"]


def test_a_session_ends_while_the_clock_is_ahead_and_no_other_way(machine):
    credentials = session(machine)
    machine.clocks.move(DAY)
    with pytest.raises(boto3.exceptions.botocore.exceptions.ClientError):
        as_whom(machine, "sts", credentials).get_caller_identity()
    machine.clocks.move(0)
    as_whom(machine, "sts", credentials).get_caller_identity()


def test_imported_material_that_expired_by_a_wrong_clock_is_back(machine):
    kms = machine.kms()
    key = external(kms)["KeyId"]
    bring(kms, key, bytes(32), ValidTo=time.time() + 10 * DAY,
          ExpirationModel="KEY_MATERIAL_EXPIRES")
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    machine.clocks.move(YEAR)
    with refused("KMSInvalidStateException"):
        kms.decrypt(CiphertextBlob=blob)
    # Something else of the key changes meanwhile.
    kms.update_key_description(KeyId=key, Description="while the clock was wrong")
    machine.clocks.move(0)
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


@pytest.mark.parametrize("restarted", [False, True])
def test_a_deleted_key_is_not_destroyed_by_a_wrong_clock(machine, restarted):
    """Its deletion's date passes by the wrong clock only. Dev mode, where tests move the clock to
    see keys deleted, believes the clock at once."""
    if MODE == "dev":
        pytest.skip("dev mode removes deleted keys without a grace")
    kms = machine.kms()
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    machine.clocks.move(YEAR)
    with refused("NotFoundException"):
        kms.describe_key(KeyId=key)
    if restarted:
        machine.kill9()
        machine.restart()
    time.sleep(3)
    machine.clocks.move(0)
    kms = machine.kms()
    kms.cancel_key_deletion(KeyId=key)
    kms.enable_key(KeyId=key)
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
