"""The server is killed with SIGKILL, many times over: nothing it has acknowledged may be lost.

Each writer acts in an account of its own and notes every value that the server has acknowledged.
The one request that was in flight when the server died may have happened or not; everything else
must be there after the restart, down to its record in the audit log.
"""

import collections
import json
import os
import random
import subprocess
import threading
import time

import pytest

import strongroom
from connection import Closed, Connection

ROUNDS = 15
WRITERS = 4
RESTART_SECONDS = 5
LONGEST_ROUND = 1.2
FIRST_START_SECONDS = 0.3
# How many operations must have been acknowledged in all: fewer would prove little.
ENOUGH = 1500
ABSENT = None


class Writer:
    """Writes at random into one account and remembers what must have come of it.

    `values` maps a place, such as (key id, "description"), to all that it may hold: one value
    when the last write was acknowledged, two when it was in flight as the server died.
    """

    def __init__(self, account, log):
        self.account = account
        self.log = log
        self.random = random.Random(account)
        self.values = {}
        self.keys = []
        self.touched = set()
        self.sealed = []
        self.keys_in_flight = 0
        self.aliases = 0
        self.connection = None

    def call(self, target, arguments):
        """Sends a request that must succeed, and notes that it was acknowledged."""
        answer = self.connection.call(target, arguments, self.account)
        self.log.append((answer.request_id(), target))
        assert answer.status == 200, (target, arguments, answer)
        return json.loads(answer.body or b"{}")

    def write(self, target, arguments, place, value):
        """A request that puts `value` in that place, whose key is read again after a restart."""
        before = self.values.get(place, {ABSENT})
        self.values[place] = before | {value}
        self.touched.add(place[0])
        self.call(target, arguments)
        self.values[place] = {value}

    def run(self, endpoint):
        """Writes until the server is gone."""
        try:
            with Connection(endpoint) as self.connection:
                while True:
                    self.step()
        except (Closed, OSError):
            return

    def step(self):
        """One write."""
        if not self.keys or self.random.random() < 0.06:
            return self.create_key()
        key = self.random.choice(self.keys)
        if self.values[key, "deletion"] == {True}:
            return self.cancel_deletion(key)
        return self.random.choice([
            self.describe, self.describe, self.tag, self.tag, self.untag, self.put_policy,
            self.switch, self.create_alias, self.move_alias, self.delete_alias, self.seal,
            self.seal, self.schedule_deletion,
        ])(key)

    def word(self):
        """A text that no other write has."""
        return f"{self.random.getrandbits(64):016x}"

    def create_key(self):
        self.keys_in_flight += 1
        arguments = {"Description": self.word(), "Tags": [{"TagKey": "0", "TagValue": "first"}]}
        key = self.call("CreateKey", arguments)["KeyMetadata"]["KeyId"]
        self.keys_in_flight -= 1
        self.values[key, "description"] = {arguments["Description"]}
        self.values[key, "tag", "0"] = {"first"}
        self.values[key, "enabled"] = {True}
        self.values[key, "deletion"] = {False}
        self.keys.append(key)
        self.touched.add(key)

    def describe(self, key):
        word = self.word()
        self.write("UpdateKeyDescription", {"KeyId": key, "Description": word},
                   (key, "description"), word)

    def tag(self, key):
        name, word = str(self.random.randrange(20)), self.word()
        self.write("TagResource", {"KeyId": key, "Tags": [{"TagKey": name, "TagValue": word}]},
                   (key, "tag", name), word)

    def untag(self, key):
        name = str(self.random.randrange(20))
        self.write("UntagResource", {"KeyId": key, "TagKeys": [name]}, (key, "tag", name), ABSENT)

    def put_policy(self, key):
        policy = json.dumps({"Version": "2012-10-17", "Id": self.word(), "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{self.account}:root"},
            "Action": "kms:*", "Resource": "*",
        }]})
        self.write("PutKeyPolicy", {"KeyId": key, "Policy": policy}, (key, "policy"), policy)

    def switch(self, key):
        enabled = self.random.random() < 0.5
        self.write("EnableKey" if enabled else "DisableKey", {"KeyId": key},
                   (key, "enabled"), enabled)

    def schedule_deletion(self, key):
        # Whatever was known of `enabled`, the key is disabled once its deletion is cancelled.
        self.values[key, "enabled"] = self.values[key, "enabled"] | {False}
        self.write("ScheduleKeyDeletion", {"KeyId": key}, (key, "deletion"), True)
        self.values[key, "enabled"] = {False}

    def cancel_deletion(self, key):
        self.write("CancelKeyDeletion", {"KeyId": key}, (key, "deletion"), False)

    def create_alias(self, key):
        self.aliases += 1
        name = f"alias/{self.aliases}"
        self.write("CreateAlias", {"AliasName": name, "TargetKeyId": key}, ("alias", name), key)

    def an_alias(self):
        names = [place[1] for place, values in self.values.items()
                 if place[0] == "alias" and values != {ABSENT}]
        return self.random.choice(names) if names else None

    def move_alias(self, key):
        name = self.an_alias()
        if name:
            self.write("UpdateAlias", {"AliasName": name, "TargetKeyId": key},
                       ("alias", name), key)

    def delete_alias(self, _):
        name = self.an_alias()
        if name:
            self.write("DeleteAlias", {"AliasName": name}, ("alias", name), ABSENT)

    def seal(self, key):
        if self.values[key, "enabled"] == {True} and self.values[key, "deletion"] == {False}:
            made = self.call("GenerateDataKey", {"KeyId": key, "KeySpec": "AES_256",
                                                 "EncryptionContext": {"writer": self.account}})
            self.sealed.append((key, made["CiphertextBlob"], made["Plaintext"]))

    # -- after the restart ------------------------------------------------------------------

    def verify(self, endpoint):
        """Holds what the server has against what it may have, and learns which it was."""
        with Connection(endpoint) as self.connection:
            self.verify_keys()
            self.settle_aliases(self.page("ListAliases", "Aliases"))
            for key in sorted(self.touched - {"alias"}):
                self.settle_key(key)
            self.touched.clear()
            for key, blob, plaintext in self.sealed[-10:]:
                if self.values[key, "enabled"] == {True}:
                    self.open(key, blob, plaintext)

    def verify_all(self, endpoint):
        """Reads every key again, and opens all that was ever sealed."""
        self.touched = set(self.keys)
        self.verify(endpoint)
        with Connection(endpoint) as self.connection:
            for key in self.keys:
                if self.values[key, "deletion"] == {True}:
                    self.call("CancelKeyDeletion", {"KeyId": key})
                self.call("EnableKey", {"KeyId": key})
            for key, blob, plaintext in self.sealed:
                self.open(key, blob, plaintext)

    def open(self, key, blob, plaintext):
        opened = self.call("Decrypt", {"CiphertextBlob": blob,
                                       "EncryptionContext": {"writer": self.account}})
        assert (opened["Plaintext"], opened["KeyId"].rsplit("/")[-1]) == (plaintext, key)

    def page(self, target, member):
        items, marker = [], {}
        while True:
            page = self.call(target, {"Limit": 100} | marker)
            items += page[member]
            if not page["Truncated"]:
                return items
            marker = {"Marker": page["NextMarker"]}

    def verify_keys(self):
        there = {item["KeyId"] for item in self.page("ListKeys", "Keys")}
        assert set(self.keys) <= there, set(self.keys) - there
        strangers = there - set(self.keys)
        assert len(strangers) <= self.keys_in_flight, strangers
        # A key whose creation was in flight is whole if it is there at all.
        for key in strangers:
            metadata = self.call("DescribeKey", {"KeyId": key})["KeyMetadata"]
            sealed = self.call("Encrypt", {"KeyId": key, "Plaintext": "eA=="})
            assert self.call("Decrypt", {"CiphertextBlob": sealed["CiphertextBlob"]})
            self.values[key, "description"] = {metadata["Description"]}
            self.values[key, "tag", "0"] = {"first"}
            self.values[key, "enabled"] = {True}
            self.values[key, "deletion"] = {False}
            self.keys.append(key)
            self.touched.add(key)
        self.keys_in_flight = 0

    def settle_aliases(self, items):
        targets = {item["AliasName"]: item["TargetKeyId"] for item in items}
        expected = {place[1] for place in self.values if place[0] == "alias"}
        assert set(targets) <= expected
        for name in expected:
            self.settle(("alias", name), targets.get(name, ABSENT))

    def settle_key(self, key):
        metadata = self.call("DescribeKey", {"KeyId": key})["KeyMetadata"]
        self.settle((key, "description"), metadata["Description"])
        pending = metadata["KeyState"] == "PendingDeletion"
        assert metadata["Enabled"] == (metadata["KeyState"] == "Enabled")
        assert pending == ("DeletionDate" in metadata)
        self.settle((key, "deletion"), pending)
        self.settle((key, "enabled"), metadata["Enabled"])
        tags = {tag["TagKey"]: tag["TagValue"]
                for tag in self.call("ListResourceTags", {"KeyId": key})["Tags"]}
        expected = {place[2] for place in self.values if place[:2] == (key, "tag")}
        assert set(tags) <= expected
        for name in expected:
            self.settle((key, "tag", name), tags.get(name, ABSENT))
        if (key, "policy") in self.values:
            policy = self.call("GetKeyPolicy", {"KeyId": key})["Policy"]
            # The policy of a key's first writing in flight replaces one that nobody here wrote.
            default = policy if '"Id":"key-default-1"' in policy.replace(" ", "") else ABSENT
            self.values[key, "policy"] = {
                default if value is ABSENT else value for value in self.values[key, "policy"]
            }
            self.settle((key, "policy"), policy)

    def settle(self, place, actual):
        assert actual in self.values[place], (self.account, place, actual, self.values[place])
        self.values[place] = {actual}


class Trail:
    """The audit log as it grows, read once each."""

    def __init__(self, path):
        self.path = path
        self.read = 0
        self.records = collections.Counter()

    def follow(self):
        """Reads what is new; every line must be a whole record."""
        with self.path.open("rb") as file:
            file.seek(self.read)
            new = file.read()
        assert new.endswith(b"\n") or not new, new[-200:]
        self.read += len(new)
        for line in new.splitlines():
            record = json.loads(line)
            assert record["eventVersion"] and record["eventTime"]
            self.records[record["requestID"], record["eventName"]] += 1


def kill_among_writes(server, writers, seconds):
    """Lets the writers write for that long, then kills the server under them."""
    failures = []

    def run(writer):
        try:
            writer.run(server.endpoint)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=[writer]) for writer in writers]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    server.kill9()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    if failures:
        raise failures[0]


def test_acknowledged_writes_survive(own_server):
    acknowledged = []
    writers = [Writer(str(700_000_000_001 + n), acknowledged) for n in range(WRITERS)]
    trail = Trail(own_server.data_dir / "audit.jsonl")
    moments = random.Random(1)
    told = 0
    for number in range(ROUNDS):
        # Short rounds die in the middle of the first writes after a start.
        kill_among_writes(own_server, writers, moments.choice([0.02, 0.2, 0.5, LONGEST_ROUND])
                          * moments.random())
        began = time.monotonic()
        own_server.restart()
        assert time.monotonic() - began < RESTART_SECONDS
        trail.follow()
        for request_id, operation in acknowledged[told:]:
            assert trail.records[request_id, operation] == 1, (number, request_id, operation)
        told = len(acknowledged)
        for writer in writers:
            writer.verify(own_server.endpoint)
    kill_among_writes(own_server, writers, LONGEST_ROUND)
    own_server.restart()
    for writer in writers:
        writer.verify_all(own_server.endpoint)
    trail.follow()
    lost = [entry for entry in acknowledged if trail.records[entry] != 1]
    assert lost == []
    assert len(acknowledged) > ENOUGH
    assert min(len(writer.sealed) for writer in writers) > 0


@pytest.mark.parametrize("files", range(1, 10))
@pytest.mark.parametrize("microseconds", [0, 300, 1500])
def test_a_first_start_that_is_killed_can_be_repeated(tmp_path, files, microseconds):
    """Killed at any moment of its first start, the server starts well on what it left.

    The moment is that at which the data directory has had so many files, or soon after.
    """
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    command = [strongroom.binary(), "dev", "--listen", "127.0.0.1:0", "--data-dir", data]
    first = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    seen, deadline = set(), time.monotonic() + FIRST_START_SECONDS
    while len(seen) < files and time.monotonic() < deadline:
        seen.update(os.listdir(data))
    time.sleep(microseconds / 1_000_000)
    first.kill()
    first.wait()
    server = strongroom.Strongroom(tmp_path).start()
    try:
        key = server.kms().create_key()["KeyMetadata"]["KeyId"]
        assert server.kms().encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    finally:
        server.stop()
