"""Seals: what opens them and what doesn't, what is told of it, and who may try.

What every altered byte of a record leads to, and how delays grow, is tested in crate seals.
"""

import grp
import json
import os
import shutil
import socket
import stat
import sys
import tempfile
import time

import pytest

import records
import strongroom
from production import PASSPHRASE, Production, run

sys.path.append(str(strongroom.REPOSITORY / "conformance" / "vectors"))
from seals import parse_share, share_text  # noqa: E402

NOBODY = 65534
DEV_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "111122223333", "AWS_SECRET_ACCESS_KEY": "any"}


def altered(share):
    """A share with another value, whose checksum fits."""
    of_set, threshold, number, value = parse_share(share)
    value = bytes([value[0] ^ 1]) + value[1:]
    return share_text(b"\x01" + of_set + bytes([threshold, number]) + value)


def works(server):
    """Whether it serves."""
    return bool(server.kms().create_key())


def written(server, name, text):
    """A file with that text, for its user alone."""
    path = server.home / name
    path.touch(mode=0o600)
    path.write_text(text)
    return path


def attempts(server):
    """What the audit log has of attempts: the kind, and the code and reason of a refusal."""
    return [(record["requestParameters"]["kind"], record.get("errorCode"),
             record.get("errorMessage")) for record in server.events("Unseal")]


@pytest.fixture
def shared(installation):
    """A server under two of three shares and a key file, sealed."""
    server = installation()
    return server.init("shares:2-of-3", f"key-file:{server.key_file}").start()


@pytest.fixture
def stranger(installation):
    """Another installation."""
    server = installation()
    return server.init("shares:2-of-3", f"key-file:{server.key_file}")


# -- opening ----------------------------------------------------------------------------------

def test_a_key_file_opens_and_another_does_not(shared, stranger):
    assert shared.sealed()
    said = shared.refused("unseal", "--key-file", stranger.key_file)
    assert "nothing was opened" in said and "the secret is not this seal's" in said
    assert "doesn't exist" in shared.refused("unseal", "--key-file", shared.home / "none")
    time.sleep(1.1)
    shared.unseal()
    assert not shared.sealed() and works(shared)
    assert "unsealed already" in shared.refused("unseal", "--key-file", shared.key_file)
    codes = [code for _, code, _ in attempts(shared)]
    assert codes == ["NotOpened", "KeyFileNotTaken", None]


def test_wrong_attempts_are_slowed_and_only_those_of_their_kind(shared, stranger):
    shared.refused("unseal", "--key-file", stranger.key_file)
    # The right one too: whether it is right isn't told.
    said = shared.refused("unseal", "--key-file", shared.key_file)
    assert "wait" in said or "too soon" in said, said
    assert shared.give(shared.shares[0]).returncode == 0
    time.sleep(1.1)
    shared.refused("seal", "rehearse", "--key-file", stranger.key_file)
    time.sleep(1.1)
    shared.refused("unseal", "--key-file", shared.key_file)
    time.sleep(1.1)
    shared.unseal()
    assert [code for _, code, _ in attempts(shared)] == [
        "NotOpened", "TooSoon", None, "TooSoon", None]
    assert [record["errorCode"] for record in shared.events("RehearseSeal")] == ["NotOpened"]


def test_an_attempt_whose_operator_hangs_up_is_slowed_and_recorded(shared, stranger):
    body = json.dumps({"key-file": str(stranger.key_file)}).encode()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(shared.socket))
        connection.sendall(b"POST /v1/unseal HTTP/1.1\r\nhost: s\r\ncontent-length: "
                           + str(len(body)).encode() + b"\r\n\r\n" + body)
    shared.until(lambda: attempts(shared))
    assert attempts(shared)[0][1] == "NotOpened"
    shared.refused("unseal", "--key-file", shared.key_file)


def test_shares_open_when_there_are_enough(shared):
    done = shared.give(shared.shares[2])
    assert "1 more needed" in done.stdout and done.returncode == 0
    assert shared.sealed() and shared.status()["collected"][0]["numbers"] == [3]
    assert "1 more needed" in shared.ask("status").stdout
    assert "unsealed by seal shares" in shared.give(shared.shares[0]).stdout
    assert works(shared)


def test_shares_that_are_no_good_are_told_apart_and_lose_nothing(shared, stranger):
    first = shared.shares[0]
    shared.give(first)
    typo = first[:-1] + ("2" if first[-1] != "2" else "3")
    # The wrong one last: it alone slows the next.
    for share, reason in [
        (typo, "mistyped"), ("a share", "not a share"), (first, "entered"),
        (stranger.shares[1], "which no seal has"), (altered(shared.shares[1]), "number 2"),
    ]:
        done = shared.give(share)
        assert done.returncode == 1 and reason in done.stderr, (reason, done.stderr)
    assert "TooSoon" == attempts_after(shared, shared.shares[1])
    time.sleep(1.1)
    assert "unsealed" in shared.give(shared.shares[1]).stdout
    codes = [code for _, code, _ in attempts(shared)]
    assert codes == [None, "ShareNotTaken", "ShareNotTaken", "DuplicateShare",
                     "ShareOfAnotherSet", "WrongShare", "TooSoon", None]
    text = (shared.data_dir / "audit.jsonl").read_text()
    assert not any(share in text for share in [*shared.shares, typo])


def attempts_after(server, share):
    """The code of an attempt with a share."""
    server.give(share)
    return attempts(server)[-1][1]


def test_shares_that_were_entered_can_be_forgotten(shared):
    shared.give(shared.shares[0])
    shared.operate("unseal", "--forget-shares")
    assert shared.status()["collected"] == []
    assert "1 more needed" in shared.give(shared.shares[1]).stdout
    assert shared.sealed()
    # Those that were entered to rehearse don't count.
    shared.give(shared.shares[2], "seal", "rehearse")
    assert shared.sealed()
    assert len(shared.events("ForgetShares")) == 1


def test_a_passphrase_comes_from_a_file_a_descriptor_or_a_credential(installation):
    server = installation()
    server.init("passphrase", options=["--passphrase-fd", "0"], stdin=PASSPHRASE + "\n")
    server.start()
    right, wrong = written(server, "right", PASSPHRASE), written(server, "wrong", PASSPHRASE + " ")
    said = server.refused("unseal", "--passphrase-file", wrong)
    assert "the secret is not this seal's" in said and PASSPHRASE not in said
    time.sleep(1.1)
    server.operate("unseal", "--passphrase-file", right)
    assert works(server)
    server.stop()
    server.start()
    server.operate("unseal", "--passphrase-fd", "0", stdin=PASSPHRASE + "\n")
    server.stop()
    credentials = server.home / "credentials"
    credentials.mkdir()
    (credentials / "unseal").write_text(PASSPHRASE + "\n")
    # As it looks under the access control lists that systemd sets.
    (credentials / "unseal").chmod(0o440)
    server.options = ["--seal-passphrase-credential", "unseal"]
    server.environment_of_process["CREDENTIALS_DIRECTORY"] = str(credentials)
    server.start()
    server.until(lambda: not server.sealed())
    server.stop()
    server.options = ["--seal-passphrase-file", wrong]
    server.start()
    server.until(lambda: len(attempts(server)) == 5)
    assert server.sealed()
    assert [code for _, code, _ in attempts(server)] == ["NotOpened", None, None, None, "NotOpened"]
    by = [record["userIdentity"].get("principalId", record["userIdentity"].get("invokedBy"))
          for record in server.events("Unseal")]
    assert by == [str(os.getuid())] * 3 + ["strongroom.internal"] * 2, by
    server.stop()
    right.chmod(0o640)
    server.options = ["--seal-passphrase-file", right]
    server.start()
    server.until(lambda: "others may use it" in server.stderr())
    assert server.sealed() and len(attempts(server)) == 5
    everything = (server.data_dir / "audit.jsonl").read_text() + server.stderr()
    assert PASSPHRASE not in everything


def test_a_key_file_in_the_configuration_unseals(installation):
    server = installation().init()
    server.options = ["--seal-key-file", server.key_file]
    server.start()
    server.until(lambda: not server.sealed())
    assert works(server)


# -- a KMS ------------------------------------------------------------------------------------

@pytest.fixture
def other(tmp_path):
    """Another Strongroom, which is the KMS."""
    home = tmp_path / "kms"
    home.mkdir()
    server = strongroom.Strongroom(home).start()
    yield server
    if server.running():
        server.stop()


@pytest.fixture
def by_kms(installation, other):
    """A server that a KMS unseals, not started, and the key there."""
    key = other.kms().create_key()["KeyMetadata"]["Arn"]
    server = installation(["--seal-retry-interval", "1s"], environment=DEV_CREDENTIALS)
    seal = f"cloud=kms:us-east-1:{key}@{other.endpoint}"
    server.init(seal, f"key-file:{server.key_file}", environment=DEV_CREDENTIALS)
    server.kms_key = key
    return server


def test_a_kms_unseals_at_the_start(by_kms, other):
    by_kms.start()
    by_kms.until(lambda: not by_kms.sealed())
    assert works(by_kms)
    assert attempts(by_kms) == [("kms", None, None)]
    assert f"{by_kms.kms_key}" in by_kms.operate("seal", "list")
    assert "opens seal cloud" in by_kms.operate("seal", "rehearse", "--kms")
    asked = [record for record in other.audit() if record["eventName"] == "Decrypt"]
    context = asked[-1]["requestParameters"]["encryptionContext"]
    assert context["strongroom:installation"] == by_kms.status()["installation"]


def test_a_kms_that_cannot_be_reached_is_asked_again(by_kms, other):
    other.stop()
    by_kms.start()
    by_kms.until(lambda: len(attempts(by_kms)) >= 2)
    assert by_kms.sealed()
    assert "the KMS can't be reached" in attempts(by_kms)[0][2]
    other.listen = other.endpoint.removeprefix("http://")
    other.restart()
    by_kms.until(lambda: not by_kms.sealed())
    assert works(by_kms)


def test_a_kms_that_refuses_leaves_the_server_to_its_operators(by_kms, other):
    other.kms().disable_key(KeyId=by_kms.kms_key)
    by_kms.start()
    by_kms.until(lambda: attempts(by_kms))
    assert "DisabledException" in attempts(by_kms)[0][2]
    by_kms.unseal()
    assert works(by_kms)


def test_a_kms_is_not_asked_where_the_configuration_says_no(by_kms):
    by_kms.options = ["--seal-kms=false"]
    by_kms.start()
    by_kms.until(lambda: "the server is sealed" in by_kms.stderr())
    assert by_kms.sealed() and attempts(by_kms) == []
    by_kms.operate("unseal", "--kms")
    assert works(by_kms)


# -- changing ---------------------------------------------------------------------------------

def test_seals_are_added_rehearsed_rotated_and_removed(production):
    blob = sealed_blob(production)
    said = production.operate("seal", "add", "holders=shares:2-of-2")
    first, second = [line.strip() for line in said.splitlines() if "SRS1-" in line]
    listed = production.operate("seal", "list")
    assert "holders" in listed and "2 of 2" in listed and "SRS1" not in listed
    production.give(first, "seal", "rehearse")
    assert "it opens seal holders" in production.give(second, "seal", "rehearse").stdout
    said = production.operate("seal", "rotate", "holders", "shares:2-of-3")
    shares = [line.strip() for line in said.splitlines() if "SRS1-" in line]
    assert len(shares) == 3
    assert "which no seal has" in production.give(first, "seal", "rehearse").stderr
    assert "same kind" in production.refused(
        "seal", "rotate", "holders", f"key-file:{production.home / 'x.key'}")
    assert not (production.home / "x.key").exists()
    production.operate("seal", "remove", "key-file")
    assert "the last seal" in production.refused("seal", "remove", "holders")
    assert "no seal has" in production.refused("seal", "remove", "key-file")
    assert "no such seal" in production.refused("seal", "rehearse", "--key-file",
                                                production.key_file)
    production.stop()
    production.start()
    assert "no such seal" in production.refused("unseal", "--key-file", production.key_file)
    assert "which no seal has" in production.give(first).stderr
    production.give(shares[2])
    production.give(shares[1])
    assert production.kms().decrypt(CiphertextBlob=blob)["Plaintext"] == b"kept"
    done = [(record["eventName"], record["requestParameters"].get("name")
             or record["requestParameters"].get("seal")) for record in production.audit()
            if record["eventName"] in ("AddSeal", "RotateSeal", "RemoveSeal")]
    assert done[0] == ("AddSeal", "holders") and ("RemoveSeal", "key-file") in done
    text = (production.data_dir / "audit.jsonl").read_text() + production.stderr()
    assert not any(share in text for share in [first, second, *shares])


def sealed_blob(server):
    """Something encrypted."""
    key = server.kms().create_key()["KeyMetadata"]["KeyId"]
    return server.kms().encrypt(KeyId=key, Plaintext=b"kept")["CiphertextBlob"]


def test_seals_are_not_changed_while_the_server_is_sealed(shared):
    for words in (["add", "x=shares:2-of-2"], ["remove", "shares"],
                  ["rotate", "shares", "shares:2-of-2"]):
        assert "sealed" in shared.refused("seal", *words)
    assert "sealed" in shared.refused("rotate", "--root-key")
    assert "sealed" in shared.refused("backup", "create", shared.home / "backup")
    assert not (shared.home / "backup").exists()


def test_names_are_bounded_and_taken_once(production):
    assert "has the name" in production.refused("seal", "add", "key-file=shares:2-of-2")
    assert "1 to 64" in production.refused("seal", "add", "x" * 65 + "=shares:2-of-2")
    assert "1 to 64" in production.refused("seal", "add", "a!b=shares:2-of-2")
    production.operate("seal", "add", "night shift@2=shares:2-of-2")
    production.operate("seal", "rotate", "night shift@2", "shares:2-of-3")
    production.operate("seal", "remove", "night shift@2")


# -- tampering --------------------------------------------------------------------------------

def place_of(server, name):
    """The key of a seal's record."""
    line, = [line for line in server.operate("seal", "list").splitlines()
             if line.startswith(name + " ")]
    return b"seal/" + line.removeprefix(name).split()[0].encode()


def flipped(value):
    """A record with a flipped bit in the wrapped root key."""
    at = value.index(b'"root_key":"') + 30
    return value[:at] + bytes([value[at] ^ 1]) + value[at + 1:]


def test_an_altered_record_is_named_and_can_be_left_behind(shared):
    place = place_of(shared, "shares")
    shared.stop()
    records.rewrite(shared.data_dir / "state.sqlite3", place, flipped)
    shared.start()
    said = shared.refused("unseal", "--key-file", shared.key_file)
    assert place.decode().removeprefix("seal/") in said and "was altered" in said
    assert "was altered" in shared.ask("seal", "list").stderr
    assert attempts(shared)[-1][1] == "Tampered" and shared.sealed()
    # It isn't a wrong secret, and slows nobody.
    shared.unseal("--key-file", shared.key_file, "--mend")
    assert works(shared)
    assert "shares" not in shared.operate("seal", "list")
    shared.stop()
    shared.restart()
    assert works(shared)


def test_a_list_of_another_making_is_named(shared):
    shared.stop()
    records.rewrite(shared.data_dir / "state.sqlite3", b"seal-set",
                    lambda value: value.replace(b'"name":"shares"', b'"name":"sharez"'))
    shared.start()
    assert "the list of seals was altered" in shared.refused(
        "unseal", "--key-file", shared.key_file)
    shared.unseal("--key-file", shared.key_file, "--mend")
    assert works(shared)
    assert [line.split()[0] for line in shared.operate("seal", "list").splitlines()[1:]] == [
        "key-file"]


def test_a_record_that_was_put_back_opens_no_more(production):
    place = place_of(production, "key-file")
    kept = []
    production.stop()
    records.rewrite(production.data_dir / "state.sqlite3", place,
                    lambda value: kept.append(value) or value)
    production.restart()
    old = production.home / "old.key"
    shutil.move(production.key_file, old)
    production.operate("seal", "rotate", "key-file", f"key-file:{production.key_file}")
    production.operate("seal", "add", "spare=shares:2-of-2")
    production.stop()
    records.rewrite(production.data_dir / "state.sqlite3", place, lambda _: kept[0])
    production.start()
    assert "put back" in production.refused("unseal", "--key-file", old)
    assert "put back" in production.refused("unseal", "--key-file", old, "--mend")
    assert production.sealed()


# -- who may ----------------------------------------------------------------------------------

@pytest.fixture
def open_home():
    """A directory that everybody can enter."""
    home = tempfile.mkdtemp(prefix="strongroom-")
    os.chmod(home, 0o755)
    yield strongroom.pathlib.Path(home)
    shutil.rmtree(home)


def test_only_its_user_can_open_the_socket(production):
    found = production.socket.stat()
    assert stat.S_ISSOCK(found.st_mode) and stat.S_IMODE(found.st_mode) == 0o600
    production.stop()
    assert not production.socket.exists()


@pytest.mark.skipif(os.getuid() != 0 or not shutil.which("setpriv"),
                    reason="acting as another user needs root and setpriv")
@pytest.mark.parametrize("is_member", [False, True])
def test_only_a_member_of_the_group_can_open_it(open_home, is_member):
    group = grp.getgrgid(NOBODY).gr_name
    server = Production(open_home, ["--admin-group", group] if is_member else [])
    server.init().start()
    try:
        mode = stat.S_IMODE(server.socket.stat().st_mode)
        done = run("status", "--socket", server.socket, user=NOBODY)
        if is_member:
            assert mode == 0o660 and server.socket.stat().st_gid == NOBODY
            assert done.returncode == 2 and "state: sealed" in done.stdout
            run("unseal", "--forget-shares", "--socket", server.socket, user=NOBODY)
            assert server.events("ForgetShares")[0]["userIdentity"]["principalId"] == str(NOBODY)
        else:
            assert mode == 0o600 and done.returncode == 1
            assert "ermission denied" in done.stderr and "admin.group" in done.stderr
    finally:
        server.stop()


def test_the_socket_of_a_killed_server_is_replaced(production):
    production.kill9()
    assert production.socket.exists()
    production.restart()
    assert works(production)
