"""`strongroom init`: what is made, what is told once, and what is left when it fails."""

import os
import re
import stat

import pytest
from botocore.exceptions import ClientError

import access
from production import PASSPHRASE, run


def contents(directory):
    """The names of all that is in a directory, at any depth."""
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))


def test_the_administrator_may_do_everything_and_nobody_else_anything(production):
    key = production.kms().create_key()["KeyMetadata"]["KeyId"]
    blob = production.kms().encrypt(KeyId=key, Plaintext=b"first")["CiphertextBlob"]
    assert production.kms().decrypt(CiphertextBlob=blob)["Plaintext"] == b"first"
    caller = access.caller(production, production.administrator)
    assert caller == "arn:aws:iam::111122223333:user/administrator"
    secret = production.administrator["SecretAccessKey"]
    other = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    for key, code in [
        (production.administrator | {"SecretAccessKey": other}, "InvalidSignatureException"),
        ({"AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "SecretAccessKey": secret},
         "UnrecognizedClientException"),
    ]:
        with pytest.raises(ClientError) as caught:
            access.client(production, "kms", key).list_keys()
        assert caught.value.response["Error"]["Code"] == code


def test_secrets_are_told_once_and_kept_nowhere(installation):
    server = installation()
    passphrase = server.home / "passphrase"
    passphrase.write_text(PASSPHRASE + "\n")
    server.init("passphrase", "shares:2-of-3", f"key-file:{server.key_file}",
                options=["--passphrase-file", passphrase])
    assert len(set(server.shares)) == 3
    server.start().unseal()
    server.kms().create_key()
    told = [PASSPHRASE, server.administrator["SecretAccessKey"], *server.shares]
    told += [share.replace("-", "") for share in server.shares]
    seal_key = server.key_file.read_bytes()[16:48]
    server.stop()
    kept = b"".join(path.read_bytes() for path in server.data_dir.rglob("*") if path.is_file())
    said = server.said_at_birth
    for secret in told[:5]:
        assert said.count(secret) == (0 if secret == PASSPHRASE else 1)
    for secret in [*(secret.encode() for secret in told), seal_key]:
        assert secret not in kept and secret not in server.stderr().encode()
    assert server.administrator["AccessKeyId"].encode() in kept


def test_nobody_else_can_read_what_is_made(installation):
    server = installation()
    # As an installer or a service manager makes it.
    server.data_dir.mkdir(mode=0o755)
    server.init()
    for path in [server.data_dir, server.key_file, *server.data_dir.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    server.start()


def test_the_birth_is_the_first_record(production):
    first = production.audit()[0]
    assert first["eventName"] == "Initialize"
    assert first["userIdentity"] == {"type": "Operator", "principalId": str(os.getuid())}
    told = first["requestParameters"]
    assert told["accessKeyId"] == production.administrator["AccessKeyId"]
    assert [seal["name"] for seal in told["seals"]] == ["key-file"]


def test_what_init_says_to_do_next_can_be_done(installation):
    server = installation().init()
    command = re.search(r"^    strongroom (serve .*)$", server.said_at_birth, re.MULTILINE)[1]
    done = run(*command.split(), "--listen-addresses", "no address")
    assert "unexpected argument" not in done.stderr
    assert "listen.addresses" in done.stderr, done.stderr


def test_a_directory_that_is_not_empty_is_refused_and_stays(installation):
    server = installation().init()
    before = {path: path.read_bytes() for path in server.data_dir.rglob("*") if path.is_file()}
    other = server.home / "other.key"
    done = run("init", "--data-dir", server.data_dir, "--seal", f"key-file:{other}")
    assert done.returncode == 1 and "is not empty" in done.stderr
    assert done.stdout == "" and not other.exists()
    assert {path: path.read_bytes() for path in before} == before
    assert len(contents(server.data_dir)) == len(before) + 1
    strange = server.home / "strange"
    strange.mkdir()
    (strange / "notes.txt").write_text("mine")
    done = run("init", "--data-dir", strange, "--seal", f"key-file:{other}")
    assert done.returncode == 1 and contents(strange) == ["notes.txt"]


@pytest.mark.parametrize("existed", [False, True])
@pytest.mark.parametrize("words, reason", [
    (["--administrator", "no/name"], "administrator"),
    (["--account", "12"], "twelve digits"),
    (["--seal", "shares:1-of-3"], "share"),
    (["--seal", "shares:4-of-3"], "share"),
    (["--seal", "key-file=shares:2-of-3"], "name"),
    (["--seal", "kms:us-east-1:alias/none@http://127.0.0.1:9"], "KMS"),
    (["--seal", "kms:us-east-1:alias/none@http://192.0.2.1"], "endpoint"),
    (["--seal", "passphrase", "--passphrase-fd", "0"], "15 characters"),
    (["--seal", "nothing"], "is none of"),
])
def test_nothing_is_left_behind_by_a_failure(tmp_path, words, reason, existed):
    data, key_file = tmp_path / "data", tmp_path / "seal.key"
    if existed:
        data.mkdir()
    credentials = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "any"}
    done = run("init", "--data-dir", data, "--seal", f"key-file:{key_file}", *words,
               stdin="too short\n", environment=credentials)
    assert done.returncode != 0 and done.stdout == ""
    assert reason in done.stderr, done.stderr
    assert contents(tmp_path) == (["data"] if existed else [])


def test_a_key_file_that_exists_is_not_written_over(tmp_path):
    key_file = tmp_path / "seal.key"
    key_file.write_text("something else")
    done = run("init", "--data-dir", tmp_path / "data", "--seal", f"key-file:{key_file}")
    assert done.returncode == 1 and str(key_file) in done.stderr
    assert contents(tmp_path) == ["seal.key"] and key_file.read_text() == "something else"
