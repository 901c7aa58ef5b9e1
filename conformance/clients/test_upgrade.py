"""Data directories of earlier versions: everything in them reads, opens, decides as it did.

The directories are made by `upgrade_world.py`, each by the version that it is named for, and never
made anew. Their root keys and access keys are throw-aways that guard nothing. The server's clock
stands where it stood when they were made, so that tokens and dates mean what they meant.
"""

import gzip
import json
import subprocess
import tarfile
import time

import pytest

import records
import strongroom
from faults import Clocks, FaultyStrongroom
from observations import Caller, differences, unpacked

FIXTURES = strongroom.REPOSITORY / "conformance" / "fixtures"
VERSIONS = sorted(folder.name for folder in FIXTURES.iterdir() if folder.is_dir())
# What a newer version would write into a database's header, and into a record's first byte.
NEWER_DATABASE, NEWER_RECORD, NEWER_BLOB = 99, 9, 9
FORMAT_OFFSET = 60
HOME = "111122223333"


class Old:
    """A copy of an earlier version's directory, and a server that isn't started yet."""

    def __init__(self, home, version, monkeypatch):
        folder = FIXTURES / version
        with gzip.open(folder / "expectations.json.gz", "rt") as file:
            self.written = json.load(file)
        self.server = FaultyStrongroom(home)
        self.data = self.server.data_dir
        self.data.mkdir(mode=0o700)
        with tarfile.open(folder / "data.tar.gz") as tar:
            tar.extractall(self.data, filter="data")
        clocks = Clocks(self.server.faults, monkeypatch)
        clocks.move(self.written["made_at"] - time.time() + 1)
        self.root = Caller(self.server, [HOME, "any", None])

    def refusal(self):
        """What a server says that doesn't start on it."""
        with pytest.raises(strongroom.StartFailure):
            self.server.start()
        return self.server.stderr()

    def ask(self, *words):
        """The exit code of `strongroom policy`."""
        command = [strongroom.binary(), "policy", *words, "--data-dir", self.data]
        done = subprocess.run(command, capture_output=True, timeout=60, check=False,
                              env=self.server.faults.environment)
        return done.returncode


@pytest.fixture(params=VERSIONS)
def old(request, tmp_path, monkeypatch):
    """A directory of each earlier version."""
    directory = Old(tmp_path, request.param, monkeypatch)
    yield directory
    if directory.server.running():
        directory.server.stop()


def unchanged(old):
    found = differences(old.server, old.written)
    assert not found, f"{len(found)} of {len(old.written['calls'])}: {found[0]}"


def test_everything_reads_opens_and_decides_as_it_did(old):
    old.server.start()
    unchanged(old)
    # And once more from what this version has made of it.
    old.server.kill9()
    old.server.restart()
    unchanged(old)


def test_questions_are_answered_before_a_newer_server_has_started(old):
    calls = [call for call in old.written["calls"] if call["operation"] == "decrypt"
             and call["caller"] in ("alice", "bob")]
    details = next(call for call in old.written["calls"] if call["operation"] == "list_keys")
    key = unpacked(details["answer"])["Keys"][0]["KeyArn"]
    assert {call["caller"] for call in calls} == {"alice", "bob"}
    user = f"arn:aws:iam::{HOME}:user/"
    for name, allowed in (("alice", True), ("people/bob", False)):
        code = old.ask("explain", "--principal", user + name, "--action", "kms:DescribeKey",
                       "--resource", key)
        assert code == (0 if allowed else 1)
    assert old.ask("who-can", key) == 0


def test_it_goes_on_being_used(old):
    old.server.start()
    kms, iam = old.root.client("kms"), old.root.client("iam")
    # An import that was begun under the earlier version.
    kms.import_key_material(**unpacked(old.written["waiting"]))
    for item in kms.list_keys(Limit=1000)["Keys"]:
        key = kms.describe_key(KeyId=item["KeyId"])["KeyMetadata"]
        if key["KeyState"] != "PendingDeletion":
            tags = [{"TagKey": "new", "TagValue": "yes"}]
            kms.tag_resource(KeyId=item["KeyId"], Tags=tags)
    aliases = {alias["AliasName"]: alias.get("TargetKeyId") for alias
               in kms.list_aliases()["Aliases"]}
    key = aliases["alias/upgrade/enabled"]
    kms.rotate_key_on_demand(KeyId=key)
    kms.cancel_key_deletion(KeyId=aliases["alias/upgrade/pending"])
    kms.enable_key(KeyId=aliases["alias/upgrade/pending"])
    kms.create_grant(KeyId=key, GranteePrincipal=f"arn:aws:iam::{HOME}:user/alice",
                     Operations=["Decrypt"])
    iam.delete_user_policy(UserName="alice", PolicyName="assume")
    iam.create_user(UserName="dora")
    fresh = kms.create_key()["KeyMetadata"]["KeyId"]
    blob = kms.encrypt(KeyId=fresh, Plaintext=b"x")["CiphertextBlob"]
    old.server.kill9()
    old.server.restart()
    kms = Caller(old.server, [HOME, "any", None]).client("kms")
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    opened = [call for call in old.written["calls"]
              if call["operation"] == "decrypt" and call["caller"] == "root"]
    for call in opened:
        answer = Caller(old.server, [HOME, "any", None]).answer(
            "kms", call["region"], "decrypt", unpacked(call["arguments"]))
        # A key whose deletion was cancelled opens again; nothing else is otherwise.
        before = unpacked(call["answer"])
        assert answer == before or "pending deletion" in before["refused"][1], call


def test_a_database_of_a_newer_format_is_refused(old):
    before = _patched(old.data / "state.sqlite3", FORMAT_OFFSET,
                      NEWER_DATABASE.to_bytes(4, "big"))
    said = old.refusal()
    assert "was written by a newer version: its format is 99" in said, said
    assert (old.data / "state.sqlite3").read_bytes() == before, "it was changed"


def _patched(path, offset, data):
    content = bytearray(path.read_bytes())
    content[offset:offset + len(data)] = data
    path.write_bytes(content)
    return bytes(content)


def test_records_of_a_newer_format_are_refused(old):
    old.server.start()
    old.server.stop()
    key = _first_key(old)
    edit_record(old.data, f"kms/key/{HOME}/us-east-1/{key}", bytes([NEWER_RECORD]))
    old.server.restart()
    root = Caller(old.server, [HOME, "any", None])
    answer = root.answer("kms", "us-east-1", "describe_key", {"KeyId": key})
    assert answer["refused"][0] == "KMSInternalException"
    assert "unknown record format 9" in old.server.stderr()
    # Nobody else is harmed.
    assert root.client("kms").create_key()


def _first_key(old):
    call = next(call for call in old.written["calls"] if call["operation"] == "list_keys")
    return unpacked(call["answer"])["Keys"][0]["KeyId"]


def edit_record(data, key, beginning):
    """Writes a record's value anew with other first bytes, as a version of another format would."""
    records.rewrite(data / "state.sqlite3", key.encode(),
                    lambda value: beginning + value[len(beginning):])


def test_blobs_of_a_newer_version_are_refused(old):
    old.server.start()
    call = next(call for call in old.written["calls"] if call["operation"] == "decrypt")
    arguments = unpacked(call["arguments"])
    arguments["CiphertextBlob"] = bytes([NEWER_BLOB]) + arguments["CiphertextBlob"][1:]
    answer = old.root.answer("kms", "us-east-1", "decrypt", arguments)
    assert answer["refused"] == ["InvalidCiphertextException", ""]


def test_a_root_key_of_another_form_is_refused(old):
    _patched(old.data / "root.key", 15, bytes([NEWER_RECORD]))
    said = old.refusal()
    assert "root.key" in said and "version" in said, said
