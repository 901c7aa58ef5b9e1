"""Writers that remember what the server has acknowledged, and hold it against that later.

Each acts in an account of its own. The one request that was in flight when the server died, and
those at which it failed, may have happened or not; everything else must be there, down to its
record in the audit log. Owns what is written and what must be there; starts no server.
"""

import collections
import json
import os
import random
import re
import threading
import time

from connection import Closed, Connection

ABSENT = None
# How many keys a writer makes, so that the look at all of them stays short.
KEYS_MAX = 60
# How long a writer waits after the server has failed, in seconds.
REST = 0.01


class Refused(Exception):
    """The server answered that it has failed. Whether the write took place is unknown."""


class Writer:
    """Writes at random into one account and remembers what must have come of it.

    `values` maps a place, such as (key id, "description"), to all that it may hold: one value
    when the last write was acknowledged, two when it was in flight as the server died, or when the
    server has failed at it. What is read there once the server takes writes again must stay.
    """

    def __init__(self, account, log):
        self.account = account
        self.log = log
        self.refused = 0
        self.unsettled = False
        # Whether what is read is for good: not while the server fails, since a write at which it
        # failed may yet turn out to have taken place.
        self.lasting = True
        self.users = 0
        self.grants = {}
        self.random = random.Random(account)
        self.values = {}
        self.keys = []
        self.touched = set()
        self.sealed = []
        self.keys_in_flight = 0
        self.aliases = 0
        self.connection = None
        # Set by whoever wants it to end though the server goes on.
        self.ended = False

    def call(self, target, arguments):
        """Sends a request that must succeed, and notes that it was acknowledged."""
        answer = self.connection.call(target, arguments, self.account)
        self.acknowledge(answer, target, arguments)
        return json.loads(answer.body or b"{}")

    def call_iam(self, action, **arguments):
        """The same to IAM; gives the answer's text."""
        answer = self.connection.call_query("iam", "2010-05-08", action, arguments, self.account)
        self.acknowledge(answer, action, arguments)
        return answer.body.decode()

    def acknowledge(self, answer, target, arguments):
        """Notes an answer that the server must have a record of."""
        if answer.status >= 500:
            self.refused += 1
            self.unsettled = True
            raise Refused(target, answer)
        assert answer.status == 200, (target, arguments, answer)
        self.log.append((answer.request_id(), target))

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
                while not self.ended:
                    self.attempt()
        except (Closed, OSError):
            return

    def attempt(self):
        """One write, or the look at what came of one at which the server failed."""
        try:
            if self.unsettled:
                self.lasting = False
                self.settle_all()
                self.create_user(None)
                self.lasting = True
                self.settle_all()
                self.unsettled = False
            self.step()
        except Refused:
            time.sleep(REST)

    def step(self):
        """One write."""
        if not self.keys or len(self.keys) < KEYS_MAX and self.random.random() < 0.06:
            return self.create_key()
        key = self.random.choice(self.keys)
        if self.values[key, "deletion"] == {True}:
            return self.cancel_deletion(key)
        return self.random.choice([
            self.describe, self.describe, self.tag, self.tag, self.untag, self.put_policy,
            self.switch, self.create_alias, self.move_alias, self.delete_alias, self.seal,
            self.seal, self.schedule_deletion, self.grant, self.grant, self.revoke,
            self.create_user, self.delete_user,
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

    def usable(self, key):
        return self.values[key, "enabled"] == {True} and self.values[key, "deletion"] == {False}

    def grant(self, key):
        if not self.usable(key):
            return
        name = self.word()
        self.grants[name] = None
        place = (key, "grant", name)
        self.values[place] = {ABSENT, name}
        self.touched.add(key)
        made = self.call("CreateGrant", {
            "KeyId": key, "Name": name, "Operations": ["Decrypt"],
            "GranteePrincipal": f"arn:aws:iam::{self.account}:root"})
        self.grants[name] = made["GrantId"]
        self.values[place] = {name}

    def revoke(self, key):
        names = [place[2] for place, values in self.values.items()
                 if place[:2] == (key, "grant") and values == {place[2]}]
        if names:
            name = self.random.choice(names)
            self.write("RevokeGrant", {"KeyId": key, "GrantId": self.grants[name]},
                       (key, "grant", name), ABSENT)

    def write_user(self, action, name, value):
        place = ("user", name)
        self.values[place] = self.values.get(place, {ABSENT}) | {value}
        self.call_iam(action, UserName=name)
        self.values[place] = {value}

    def create_user(self, _):
        self.users += 1
        name = f"u{self.users}"
        self.write_user("CreateUser", name, name)

    def delete_user(self, _):
        names = [place[1] for place, values in self.values.items()
                 if place[0] == "user" and values == {place[1]}]
        if names:
            self.write_user("DeleteUser", self.random.choice(names), ABSENT)

    def seal(self, key):
        if self.usable(key):
            made = self.call("GenerateDataKey", {"KeyId": key, "KeySpec": "AES_256",
                                                 "EncryptionContext": {"writer": self.account}})
            self.sealed.append((key, made["CiphertextBlob"], made["Plaintext"]))

    # -- after the restart ------------------------------------------------------------------

    def verify(self, endpoint):
        """Holds what the server has against what it may have, and learns which it was."""
        with Connection(endpoint) as self.connection:
            self.lasting = True
            self.settle_all()
            self.unsettled = False
            for key, blob, plaintext in self.sealed[-10:]:
                if self.values[key, "enabled"] == {True}:
                    self.open(key, blob, plaintext)

    def settle_all(self):
        """Reads all that may have changed."""
        self.verify_keys()
        self.settle_aliases(self.page("ListAliases", "Aliases"))
        self.settle_users()
        for key in sorted(self.touched - {"alias"}):
            self.settle_key(key)
        if self.lasting:
            self.touched.clear()

    def settle_users(self):
        marker, there = {}, set()
        while True:
            answer = self.call_iam("ListUsers", MaxItems="1000", **marker)
            there.update(re.findall("<UserName>(.*?)</UserName>", answer))
            more = re.search("<Marker>(.*?)</Marker>", answer)
            if more is None:
                break
            marker = {"Marker": more[1]}
        expected = {place[1] for place in self.values if place[0] == "user"}
        assert there <= expected, there - expected
        for name in expected:
            self.settle(("user", name), name if name in there else ABSENT)

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

    def page(self, target, member, **arguments):
        items, marker = [], arguments
        while True:
            page = self.call(target, {"Limit": 100} | marker)
            items += page[member]
            if not page["Truncated"]:
                return items
            marker = arguments | {"Marker": page["NextMarker"]}

    def verify_keys(self):
        there = {item["KeyId"] for item in self.page("ListKeys", "Keys")}
        assert set(self.keys) <= there, set(self.keys) - there
        strangers = there - set(self.keys)
        assert len(strangers) <= self.keys_in_flight, strangers
        self.keys_in_flight -= len(strangers)
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
        if self.lasting:
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
        self.settle_grants(key)
        if (key, "policy") in self.values:
            policy = self.call("GetKeyPolicy", {"KeyId": key})["Policy"]
            # The policy of a key's first writing in flight replaces one that nobody here wrote.
            default = policy if '"Id":"key-default-1"' in policy.replace(" ", "") else ABSENT
            self.values[key, "policy"] = {
                default if value is ABSENT else value for value in self.values[key, "policy"]
            }
            self.settle((key, "policy"), policy)

    def settle_grants(self, key):
        grants = {grant["Name"]: grant["GrantId"] for grant
                  in self.page("ListGrants", "Grants", KeyId=key)}
        self.grants.update(grants)
        expected = {place[2] for place in self.values if place[:2] == (key, "grant")}
        assert set(grants) <= expected
        for name in expected:
            self.settle((key, "grant", name), name if name in grants else ABSENT)

    def settle(self, place, actual):
        assert actual in self.values[place], (self.account, place, actual, self.values[place])
        if self.lasting:
            self.values[place] = {actual}


class Trail:
    """The audit log as it grows and as its segments are closed, read once each."""

    def __init__(self, data):
        self.current = data / "audit.jsonl"
        self.closed = data / "audit"
        self.file = None
        self.seen = set()
        self.records = collections.Counter()

    def follow(self):
        """Reads what is new; every line must be a whole record."""
        if self.file is None:
            self.open(self.current)
        self.take()
        for path in [*sorted(self.closed.glob("[0-9]*.jsonl")), self.current]:
            if path.stat().st_ino not in self.seen:
                self.file.close()
                self.open(path)
                self.take()

    def open(self, path):
        self.file = path.open("rb")
        self.seen.add(os.fstat(self.file.fileno()).st_ino)

    def take(self):
        new = self.file.read()
        assert new.endswith(b"\n") or not new, new[-200:]
        for line in new.splitlines():
            record = json.loads(line)
            assert record["eventVersion"] and record["eventTime"]
            self.records[record["requestID"], record["eventName"]] += 1

    def hold_against(self, acknowledged):
        """Each of these requests has one record. They aren't asked about again."""
        for entry in acknowledged:
            assert self.records.pop(entry, 0) == 1, entry


def kill_among_writes(server, writers, seconds):
    """Lets the writers write for that long, then kills the server under them."""
    among_writes(server, writers, lambda: (time.sleep(seconds), server.kill9()))


def among_writes(server, writers, action):
    """Does something while the writers write. They end with the server, or when it is done."""
    failures = []

    def run(writer):
        writer.ended = False
        try:
            writer.run(server.endpoint)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=[writer]) for writer in writers]
    for thread in threads:
        thread.start()
    try:
        action()
    finally:
        for writer in writers:
            writer.ended = True
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    if failures:
        raise failures[0]
