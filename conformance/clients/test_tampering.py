"""A flipped bit anywhere in the data directory is refused and named, or harms nobody: no wrong
plaintext, policy or state is ever served.

`STRONGROOM_FLIPS` says how many bits are flipped, one after the other; where, says the seed
`STRONGROOM_FLIPS_SEED`. What the store itself makes of every few bytes of its files is tested
beside it, in `crates/storage/tests/damage.rs`.
"""

import collections
import os
import random
import shutil
import sqlite3

import pytest

import strongroom
from observations import differences
from upgrade_world import HOME, World

FLIPS = int(os.environ.get("STRONGROOM_FLIPS", "60"))
SEED = int(os.environ.get("STRONGROOM_FLIPS_SEED", "1"))
# How many calls are made of a server that starts all the same.
CALLS = 60
# What a server calls its own failures; every other answer must be the one that was given before.
FAILURES = {"KMSInternalException", "InternalFailure", "ServiceFailure"}


class Original:
    """A data directory with one of everything, as a killed server left it."""

    def __init__(self, home):
        server = strongroom.Strongroom(home).start()
        world = World(server)
        world.make()
        server.stop()
        server.restart()
        world.seen.renew()
        # So that something stands in the write-ahead log alone.
        for _ in range(20):
            key = server.kms().create_key()["KeyMetadata"]["KeyId"]
            world.seen.see("root", "kms", "describe_key", KeyId=key)
        self.written = world.seen.written()
        self.data = server.data_dir
        server.kill9()
        self.files = sorted(
            path.relative_to(self.data) for path in self.data.rglob("*")
            if path.is_file() and path.stat().st_size
        )

    def copy(self, place):
        """A server, not started, on a copy of it."""
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        shutil.copytree(self.data, place / "data")
        return strongroom.Strongroom(place)

    def wrong(self, server, chance):
        """What a sample of calls is answered that wasn't answered before, failures aside."""
        calls = chance.sample(self.written["calls"], min(CALLS, len(self.written["calls"])))
        found = differences(server, self.written | {"calls": calls})
        return [(call, answer) for call, answer in found
                if answer.get("refused", [None])[0] not in FAILURES]


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """The directory that is copied and damaged."""
    return Original(tmp_path_factory.mktemp("original"))


def test_a_flipped_bit_is_refused_or_harmless(original, tmp_path):
    chance = random.Random(SEED)
    outcomes = collections.Counter()
    for number in range(FLIPS):
        # Every file is hit, the small ones too.
        name = original.files[number % len(original.files)]
        server = original.copy(tmp_path / "copy")
        path = server.data_dir / name
        content = bytearray(path.read_bytes())
        at, bit = chance.randrange(len(content)), chance.randrange(8)
        content[at] ^= 1 << bit
        path.write_bytes(content)
        what = f"{name}: bit {bit} of byte {at}"
        try:
            server.start()
        except strongroom.StartFailure:
            said = server.stderr()
            assert str(server.data_dir) in said, (what, said)
            outcomes[str(name), "refused"] += 1
            continue
        try:
            assert original.wrong(server, chance) == [], what
            assert server.kms("999999999999").create_key(), what
            outcomes[str(name), "harmless"] += 1
        finally:
            server.stop()
    print(dict(outcomes))
    for name in ("state.sqlite3-wal", "root.key", "LOCK"):
        assert outcomes[name, "refused"] > 0, outcomes
    assert outcomes["root.key", "harmless"] + outcomes["LOCK", "harmless"] == 0, outcomes


def flip_value(database, key, at):
    """Flips a bit of a record's value, and lets its check as it is."""
    connection = sqlite3.connect(database)
    with connection:
        value, = connection.execute("SELECT value FROM records WHERE key = ?", [key]).fetchone()
        changed = value[:at] + bytes([value[at] ^ 1]) + value[at + 1:]
        connection.execute("UPDATE records SET value = ? WHERE key = ?", [changed, key])
    connection.close()


def test_a_damaged_record_is_named(original, tmp_path):
    server = original.copy(tmp_path / "copy").start()
    kms = server.kms()
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    server.stop()
    place = f"kms/key/{HOME}/us-east-1/{key}"
    flip_value(server.data_dir / "state.sqlite3", place.encode(), 40)
    with pytest.raises(strongroom.StartFailure):
        server.restart()
    assert f"the record `{place}` is damaged" in server.stderr()


def test_a_record_that_is_damaged_while_the_server_runs_is_never_served(original, tmp_path):
    server = original.copy(tmp_path / "copy").start()
    kms = server.kms()
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    place = f"kms/key/{HOME}/us-east-1/{key}"
    flip_value(server.data_dir / "state.sqlite3", place.encode(), 40)
    # The description changes the record: the server must not build on what is damaged either.
    for call in (lambda: kms.update_key_description(KeyId=key, Description="x"),
                 lambda: kms.list_keys() and kms.disable_key(KeyId=key)):
        with pytest.raises(kms.exceptions.ClientError) as caught:
            call()
        assert caught.value.response["Error"]["Code"] == "KMSInternalException"
    assert f"the record `{place}` is damaged" in server.stderr()
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    assert kms.disable_key(KeyId=other)
    server.kill9()


def test_a_state_that_is_an_earlier_one_is_refused(original, tmp_path):
    server = original.copy(tmp_path / "copy").start()
    key = server.kms().create_key()["KeyMetadata"]["KeyId"]
    server.stop()
    earlier = (server.data_dir / "state.sqlite3").read_bytes()
    server.restart()
    server.kms().disable_key(KeyId=key)
    server.stop()
    (server.data_dir / "state.sqlite3").write_bytes(earlier)
    with pytest.raises(strongroom.StartFailure):
        server.restart()
    said = server.stderr()
    assert "were answered" in said and "LOCK" in said, said
