"""Limits that the operator sets, and AWS's words when one is reached."""

import concurrent.futures
import json
import subprocess

import pytest

import strongroom
from expectations import refused


def serving(home, *options, in_memory=True):
    """A running server with those options."""
    return strongroom.Strongroom(home, in_memory=in_memory, options=options).start()


@pytest.fixture
def limited(tmp_path):
    """A server with every limit so low that a test reaches it."""
    limits = (
        "keys=4", "aliases-per-key=2", "tags-per-key=3", "policy-bytes=600",
        "on-demand-rotations=2",
    )
    server = serving(tmp_path, *(word for limit in limits for word in ("--limit", limit)))
    yield server
    server.stop()


def test_keys(limited):
    kms = limited.kms()
    keys = [kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(4)]
    words = "Key quota for this account in this region is 4 but the current usage is 4."
    for _ in range(2):
        with refused("LimitExceededException", words):
            kms.create_key()
    # Each account and each Region has its own; a pending deletion doesn't make room, its end does.
    limited.kms(account="444455556666").create_key()
    limited.kms(region="eu-west-1").create_key()
    kms.schedule_key_deletion(KeyId=keys[0], PendingWindowInDays=7)
    with refused("LimitExceededException", words):
        kms.create_key()
    limited.advance(days=7)
    kms.create_key()
    with refused("LimitExceededException", words):
        kms.create_key()
    # AWS managed keys don't count, before and after a count.
    kms.describe_key(KeyId="alias/aws/s3")
    limited.reset()
    kms.describe_key(KeyId="alias/aws/s3")
    for _ in range(4):
        kms.create_key()
    with refused("LimitExceededException", words):
        kms.create_key()


def test_keys_that_are_made_at_once(limited):
    """However many are made at the same time, no more than the limit come to be."""
    def create(_):
        try:
            limited.kms().create_key()
        except limited.kms().exceptions.LimitExceededException:
            return 0
        return 1

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(create, range(16))) == 4
    assert len(limited.kms().list_keys()["Keys"]) == 4


def test_keys_are_counted_across_a_restart(tmp_path):
    server = serving(tmp_path, "--limit", "keys=2", in_memory=False)
    server.kms().create_key()
    server.stop()
    server.restart()
    server.kms().create_key()
    with refused("LimitExceededException"):
        server.kms().create_key()
    server.stop()


def test_aliases(limited):
    kms = limited.kms()
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    for name in ("alias/a", "alias/b"):
        kms.create_alias(AliasName=name, TargetKeyId=key)
    words = "Aliases per key quota for this account in this region is 2, current usage is 2."
    with refused("LimitExceededException", words):
        kms.create_alias(AliasName="alias/c", TargetKeyId=key)
    kms.delete_alias(AliasName="alias/a")
    kms.create_alias(AliasName="alias/c", TargetKeyId=key)


def test_tags(limited):
    kms = limited.kms()
    tags = [{"TagKey": name, "TagValue": ""} for name in "abcd"]
    with refused("TagException", "Too many tags"):
        kms.create_key(Tags=tags)
    key = kms.create_key(Tags=tags[:3])["KeyMetadata"]["KeyId"]
    with refused("TagException", "Too many tags"):
        kms.tag_resource(KeyId=key, Tags=tags[3:])


def test_policies(limited):
    kms = limited.kms()
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    policy = json.loads(kms.get_key_policy(KeyId=key)["Policy"])
    policy["Id"] = "x" * 600
    with refused(
        "LimitExceededException", "The policy exceeds the maximum length of 600 bytes"
    ):
        kms.put_key_policy(KeyId=key, Policy=json.dumps(policy))


def test_rotations_on_demand(limited):
    kms = limited.kms()
    key = kms.create_key()["KeyMetadata"]
    for _ in range(2):
        kms.rotate_key_on_demand(KeyId=key["KeyId"])
    with refused(
        "LimitExceededException",
        "The on-demand rotations limit has been reached for the given keyId. No more on-demand "
        f"rotations can be performed for this key: {key['Arn']}",
    ):
        kms.rotate_key_on_demand(KeyId=key["KeyId"])


@pytest.mark.parametrize("setting, says", [
    ("keys", '"keys" is not of the form NAME=N'),
    ("keyz=1", 'there is no limit "keyz"; there are keys, aliases-per-key, grants-per-key, '),
    ("keys=0", "keys is a number from 1 to 10000000"),
    ("aliases-per-key=61", "aliases-per-key is a number from 1 to 60"),
])
def test_settings_that_are_none(tmp_path, setting, says):
    done = subprocess.run(
        [strongroom.binary(), "dev", "--in-memory", "--listen", "127.0.0.1:0", "--limit", setting],
        cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False,
    )
    assert done.returncode == 1
    assert says in done.stderr
