"""`strongroom serve`: sealed and unsealed, under load, reloaded, backed up, killed and refused."""

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tarfile
import threading
import time

import boto3
import botocore.config
import pytest
from botocore.exceptions import ClientError

import access
import certificates
import strongroom
from connection import Connection
from production import Load, Production, clean_environment, run

FIXTURES = strongroom.REPOSITORY / "conformance" / "fixtures"
REGION_COUNT = 3


@pytest.fixture
def sealed(installation):
    """A server that nobody has unsealed yet."""
    return installation().init().start()


def code_of(error):
    """The code and status of a refusal."""
    answer = error.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


# -- sealed -----------------------------------------------------------------------------------

def test_a_sealed_server_tells_only_that_it_is_sealed(sealed):
    status, _, body = sealed.send("GET", "/_strongroom/health")
    assert status == 503 and json.loads(body)["status"] == "sealed"
    with pytest.raises(ClientError) as caught:
        sealed.kms().list_keys()
    assert code_of(caught) == ("ServiceUnavailableException", 503)
    with pytest.raises(ClientError) as caught:
        sealed.client("sts").get_caller_identity()
    assert code_of(caught) == ("ServiceUnavailable", 503)
    for method, path in [("GET", "/"), ("POST", "/"), ("GET", "/_strongroom/clock"),
                         ("POST", "/_strongroom/reset"), ("POST", "/_strongroom/health"),
                         ("GET", "/none")]:
        assert sealed.send(method, path)[0] == 503, (method, path)
    recorded, = sealed.events("ListKeys")
    assert recorded["errorCode"] == "ServiceUnavailableException"
    assert recorded["eventSource"] == "kms.amazonaws.com"
    assert sealed.ask("status").returncode == 2
    sealed.unseal()
    assert sealed.kms().list_keys()["Keys"] == []
    assert sealed.ask("status").returncode == 0
    status, _, body = sealed.send("GET", "/_strongroom/health")
    assert status == 200 and json.loads(body)["status"] == "ok"


def test_what_dev_mode_grants_is_refused(production):
    for key in ("test", "111122223333"):
        for secret in ("test", "any"):
            identity = {"AccessKeyId": key, "SecretAccessKey": secret}
            for service, call in [("kms", "list_keys"), ("iam", "list_users"),
                                  ("sts", "get_caller_identity")]:
                with pytest.raises(ClientError) as caught:
                    getattr(access.client(production, service, identity), call)()
                code, status = code_of(caught)
                assert code in ("UnrecognizedClientException", "InvalidClientTokenId"), code
                assert status in (400, 403)
    now = production.send("GET", "/_strongroom/clock")
    assert now[0] == 404 and b"now" not in now[2]
    assert production.send("POST", "/_strongroom/clock", b'{"advance_seconds": 1}')[0] == 404
    assert production.send("POST", "/_strongroom/reset")[0] == 404


# -- rotation ---------------------------------------------------------------------------------

def rotated_through(server):
    """Whether nothing is left under old keys."""
    said = server.operate("rotate", "--status")
    return "under way" not in said and all(
        "nothing left" in line for line in said.splitlines() if "key " in line)


def test_keys_rotate_under_load_and_everything_decrypts(production):
    with Load(production, REGION_COUNT) as load:
        before = list(load.blobs)
        for _ in range(3):
            assert "the root key is rotated" in production.operate("rotate", "--root-key")
            load.more()
            said = production.operate("rotate", "--domain-keys")
            assert said.count("rotated the domain key of eu-test-") == REGION_COUNT, said
            load.more()
        production.operate("rotate", "--root-key", "--domain-keys")
        load.verify(blobs=before)
    production.until(lambda: rotated_through(production))
    load.verify()
    assert len(production.events("Rotate")) == 7
    assert production.stop() == 0
    production.restart()
    load.verify()
    production.kill9()
    production.restart()
    load.verify()
    assert '"level":"ERROR"' not in production.stderr()


@pytest.mark.parametrize("kind", ["--root-key", "--domain-keys"])
def test_a_kill_in_the_middle_of_a_rotation_loses_nothing(production, kind):
    blobs = []
    for delay in (0, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1):
        with Load(production, REGION_COUNT, may_break=True) as load:
            rotation = threading.Thread(target=production.ask, args=["rotate", kind])
            rotation.start()
            # The command needs a moment to come to the server.
            production.until(lambda: production.events("Rotate"), 5)
            time.sleep(delay)
            production.kill9()
            rotation.join()
        blobs += load.blobs
        (production.data_dir / "audit.jsonl").read_text()
        production.restart()
        load.verify(blobs=blobs)
        production.until(lambda: rotated_through(production))
        production.operate("rotate", kind)
    load.verify(blobs=blobs)


def test_rotations_at_once_follow_each_other(production):
    load = Load(production)
    with load:
        callers = [threading.Thread(target=production.operate, args=["rotate", "--root-key"])
                   for _ in range(4)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
    assert "under way" not in production.operate("rotate", "--status")
    assert len(production.events("Rotate")) == 4
    production.stop()
    production.restart()
    load.verify()


def test_a_rotation_whose_operator_hangs_up_comes_to_its_end(production):
    body = b'{"root_key": true}'
    for number in range(3):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(production.socket))
            connection.sendall(b"POST /v1/rotation HTTP/1.1\r\nhost: s\r\ncontent-length: "
                               + str(len(body)).encode() + b"\r\n\r\n" + body)
        production.until(lambda: len(production.events("Rotate")) == 2 * number + 1)
        assert "the root key is rotated" in production.operate("rotate", "--root-key")
        assert "under way" not in production.operate("rotate", "--status")
    # In a Region that has no domain key yet.
    blob = production.kms("eu-west-3").create_key()["KeyMetadata"]["KeyId"]
    production.stop()
    production.restart()
    assert production.kms("eu-west-3").describe_key(KeyId=blob)


# -- what is refused --------------------------------------------------------------------------

def test_a_second_server_on_a_directory_is_refused(production):
    second = Production(production.home)
    second.socket = production.home / "second.sock"
    said = second.refusal()
    assert str(production.data_dir) in said and "another" in said, said
    assert production.kms().list_keys()["Keys"] == []
    elsewhere = production.home / "elsewhere"
    elsewhere.mkdir()
    other = Production(elsewhere).init()
    other.socket = production.socket
    assert "another server listens there" in other.refusal()
    assert not production.sealed()


def test_a_directory_that_cannot_be_written_is_refused(installation):
    server = installation().init()
    mounted = subprocess.run(["mount", "--bind", server.data_dir, server.data_dir],
                             capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("mounting needs root")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", server.data_dir], check=True)
        said = server.refusal()
        assert "ead-only" in said and str(server.data_dir) in said, said
    finally:
        subprocess.run(["umount", "-l", server.data_dir], check=True)
    server.start().unseal()
    assert server.kms().create_key()


def test_a_directory_without_an_installation_is_refused(installation, tmp_path):
    server = installation()
    assert "strongroom init" in server.refusal()
    assert not server.data_dir.exists()
    server.data_dir.mkdir(mode=0o700)
    assert "strongroom init" in server.refusal()
    # What dev mode made, of today and of earlier.
    dev = tmp_path / "dev"
    dev.mkdir()
    made = strongroom.Strongroom(dev).start()
    made.kms().create_key()
    made.stop()
    server.data_dir = made.data_dir
    said = server.refusal()
    assert "dev mode" in said and "strongroom init" in said


@pytest.mark.parametrize("version", sorted(
    folder.name for folder in FIXTURES.iterdir() if folder.is_dir()))
def test_a_directory_of_an_earlier_dev_mode_is_refused(installation, version):
    server = installation()
    server.data_dir.mkdir(mode=0o700)
    with tarfile.open(FIXTURES / version / "data.tar.gz") as tar:
        tar.extractall(server.data_dir, filter="data")
    for path in server.data_dir.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
        os.chown(path, os.getuid(), os.getgid())
    before = {path: path.read_bytes() for path in server.data_dir.rglob("*") if path.is_file()}
    assert "is a directory of dev mode" in server.refusal()
    after = {path: path.read_bytes() for path in server.data_dir.rglob("*") if path.is_file()}
    assert after == before


def test_files_that_others_may_use_are_refused(installation):
    server = installation().init()
    for name, mode in [("state.sqlite3", 0o640), ("audit.jsonl", 0o604), (".", 0o755)]:
        path = server.data_dir / name
        before = path.stat().st_mode
        path.chmod(mode)
        said = server.refusal()
        assert "others may use" in said and "chmod go=" in said and str(path) in said, said
        path.chmod(before)
    link = server.home / "link"
    link.symlink_to(server.data_dir)
    (server.data_dir / "state.sqlite3").chmod(0o644)
    data, server.data_dir = server.data_dir, link
    assert "others may use" in server.refusal()
    (data / "state.sqlite3").chmod(0o600)
    server.start().unseal()


# -- reloading --------------------------------------------------------------------------------

@pytest.fixture
def configured(installation):
    """A server with a configuration file, and what writes that."""
    server = installation()
    file = server.home / "strongroom.toml"
    file.touch(mode=0o600)
    server.options = ["--config", file]
    server.configure = file.write_text
    del server.environment_of_process["STRONGROOM_QUOTAS_ENABLED"]
    server.init().start().unseal()
    return server


def test_a_reload_takes_what_it_can_and_says_what_it_cannot(configured):
    key = configured.kms().create_key()["KeyMetadata"]["KeyId"]
    configured.configure('[log]\nlevel = "debug"\n[limits]\nconnections = 77\n'
                         '[quotas]\noverrides = ["*:DescribeKey=1"]\n')
    said = configured.operate("reload")
    assert "log.level" in said and "quotas.overrides" in said
    assert "in force after a restart: limits.connections" in said
    refused = 0
    for _ in range(20):
        try:
            configured.kms().describe_key(KeyId=key)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ThrottlingException"
            refused += 1
    assert refused > 10
    configured.configure("")
    configured.operate("reload")
    for _ in range(20):
        configured.kms().describe_key(KeyId=key)
    assert [record["eventName"] for record in configured.events("Reload")] == ["Reload"] * 2


@pytest.mark.parametrize("text, reason", [
    ('[log]\nlevel = "loud"\n', "log.level"),
    ('[log]\nlevle = "info"\n', "level"),
    ('[quotas]\noverrides = ["*:no-such-class=1"]\n[log]\nlevel = "debug"\n', "no-such-class"),
    ("[log\n", "strongroom.toml"),
])
def test_a_reload_of_what_is_wrong_changes_nothing(configured, text, reason):
    configured.configure(text)
    assert reason in configured.refused("reload")
    assert configured.kms().list_keys()["Keys"] == []
    configured.configure("")
    assert "changed: nothing" in configured.operate("reload")


def test_sighup_reloads(configured):
    configured.configure('[log]\nlevel = "debug"\n')
    os.kill(configured.pid(), signal.SIGHUP)
    configured.until(lambda: '"changed":"[\\"log.level\\"]"' in configured.stderr()
                     or "log.level" in configured.stderr())
    configured.configure("[log\n")
    os.kill(configured.pid(), signal.SIGHUP)
    configured.until(lambda: "can't be reloaded" in configured.stderr())
    assert configured.kms().list_keys()["Keys"] == []


def certificate_of(server):
    """The certificate that it shows."""
    host, port = server.endpoint.removeprefix("https://").split(":")
    return ssl.get_server_certificate((host, int(port)))


def test_certificates_are_reloaded_and_a_broken_one_is_refused(installation, tmp_path):
    authority = certificates.Authority(tmp_path)
    server = installation(certificates.write(tmp_path / "tls", authority.issue()))
    server.scheme = "https"
    server.init().start().unseal()
    kms = boto3.client(
        "kms", endpoint_url=server.endpoint, region_name="us-east-1", verify=str(authority.file),
        aws_access_key_id=server.administrator["AccessKeyId"],
        aws_secret_access_key=server.administrator["SecretAccessKey"],
        config=botocore.config.Config(retries={"total_max_attempts": 1}),
    )
    assert kms.create_key()
    first = certificate_of(server)
    certificates.write(tmp_path / "tls", authority.issue())
    server.operate("reload")
    second = certificate_of(server)
    assert second != first and kms.list_keys()
    (tmp_path / "tls" / "tls.crt").write_text("no certificate")
    assert "tls.crt" in server.refused("reload")
    assert certificate_of(server) == second


# -- ending -----------------------------------------------------------------------------------

def test_sigterm_lets_what_is_in_flight_finish(production):
    kms = production.kms()
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    with Load(production, may_break=True) as load:
        load.more()
        assert production.stop() == 0
    text = (production.data_dir / "audit.jsonl").read_text()
    assert text.endswith("\n")
    production.restart()
    load.verify()
    assert production.kms().describe_key(KeyId=key)
    assert '"level":"ERROR"' not in production.stderr()


def test_a_request_whose_body_is_still_coming_is_answered_after_sigterm(production):
    with Connection(production.endpoint) as connection:
        body = b"{}" + b" " * 5000
        connection.send(b"POST / HTTP/1.1\r\nhost: x\r\nx-amz-target: TrentService.ListKeys\r\n"
                        b"content-type: application/x-amz-json-1.1\r\n"
                        b"content-length: %d\r\n\r\n" % len(body) + body[:100])
        time.sleep(0.3)
        production._process.terminate()
        time.sleep(0.3)
        connection.send(body[100:])
        # Unsigned: what matters is that it is an answer.
        assert connection.answer().status == 400
    production.until(lambda: not production.running())


# -- backups ----------------------------------------------------------------------------------

def restored(server, backup, *words):
    """A server on what a backup was restored to."""
    home = server.home / f"restored-{time.monotonic_ns()}"
    home.mkdir()
    other = Production(home)
    done = run("backup", "restore", backup, "--data-dir", other.data_dir,
               *(words or ("--key-file", server.key_file)))
    assert done.returncode == 0, done.stderr
    other.key_file, other.administrator = server.key_file, server.administrator
    return other


def test_a_backup_under_load_restores_to_all_that_was_there(production):
    share_words = production.operate("seal", "add", "shares:2-of-2")
    shares = [line.strip() for line in share_words.splitlines() if "SRS1-" in line]
    with Load(production, REGION_COUNT) as load:
        load.more()
        before = list(load.blobs)
        production.operate("backup", "create", production.home / "one")
        rotation = threading.Thread(
            target=production.operate, args=["rotate", "--root-key", "--domain-keys"])
        rotation.start()
        backups = [production.home / f"during-{number}" for number in range(4)]
        for backup in backups:
            production.operate("backup", "create", backup)
        rotation.join()
    for backup in backups:
        done = run("backup", "verify", backup, "--key-file", production.key_file)
        assert done.returncode == 0 and "whole" in done.stdout, (backup, done.stderr)
    production.stop()
    files = []
    for number, share in enumerate(shares):
        files += ["--share-file", production.home / f"share-{number}"]
        files[-1].write_text(share)
    for backup, words in [(production.home / "one", ()), (backups[-1], files)]:
        other = restored(production, backup, *words)
        other.start().unseal()
        try:
            load.verify(other, before)
            key = other.kms().create_key()["KeyMetadata"]["KeyId"]
            assert other.kms().describe_key(KeyId=key)
            verified = run("audit", "verify", "--data-dir", other.data_dir)
            assert verified.returncode == 0, (verified.stdout, verified.stderr)
        finally:
            assert other.stop() == 0
    content = (production.home / "one").read_bytes()
    for secret in [production.administrator["SecretAccessKey"].encode(),
                   load.blobs[0][2], production.key_file.read_bytes()[16:48]]:
        assert secret not in content


def test_a_backup_without_its_seal_is_of_no_use(production, installation):
    production.kms().create_key()
    backup = production.home / "backup"
    production.operate("backup", "create", backup)
    stranger = installation().init()
    for words in (["--key-file", stranger.key_file], ["--key-file", production.home / "none"]):
        for command in (["verify", backup],
                        ["restore", backup, "--data-dir", production.home / "new"]):
            done = run("backup", *command, *words)
            assert done.returncode == 1 and done.stdout == "", done
            assert not (production.home / "new").exists()
    # One that was removed since opens the backups of before, as is said when it is removed.
    production.operate("seal", "add", "shares:2-of-2")
    assert "backups that were made before" in production.operate("seal", "remove", "key-file")
    done = run("backup", "verify", backup, "--key-file", production.key_file)
    assert done.returncode == 0, done.stderr


def test_a_backup_that_is_not_whole_is_refused_and_leaves_nothing(production, tmp_path):
    key = production.kms().create_key()["KeyMetadata"]["KeyId"]
    for number in range(40):
        production.kms().tag_resource(KeyId=key, Tags=[{"TagKey": str(number), "TagValue": "x"}])
    backup = production.home / "backup"
    production.operate("backup", "create", backup)
    content = backup.read_bytes()
    assert backup.stat().st_mode & 0o077 == 0
    wrong = production.home / "wrong"
    middle = len(content) - 1000
    flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1:]
    in_head = content.replace(b'"program"', b'"pr0gram"', 1)
    other_time = content.replace(b'"created":"20', b'"created":"21', 1)
    for what, reason in [
        (b"", "not a backup"), (content[:20], "not a backup"), (b"PK" + content, "not a backup"),
        (content[:40], "cut short"), (content[:middle], "cut short"), (content[:-1], "cut short"),
        (flipped, "altered"), (in_head, "altered"), (other_time, "altered"),
        (content + b"x", "altered"), (content[:17] + b"\x09" + content[18:], "version 9"),
    ]:
        wrong.write_bytes(what)
        for command in (["verify", wrong], ["restore", wrong, "--data-dir", tmp_path / "new"]):
            done = run("backup", *command, "--key-file", production.key_file)
            assert done.returncode == 1 and reason in done.stderr, (reason, done.stderr)
        assert not (tmp_path / "new").exists()


def test_nothing_is_written_over(production):
    backup = production.home / "backup"
    production.operate("backup", "create", backup)
    content = backup.read_bytes()
    assert str(backup) in production.refused("backup", "create", backup)
    assert backup.read_bytes() == content
    unfinished = production.home / "other.part"
    unfinished.write_text("another's")
    assert str(unfinished) in production.refused("backup", "create", production.home / "other")
    assert unfinished.read_text() == "another's" and not (production.home / "other").exists()
    production.stop()
    before = {path: path.read_bytes() for path in production.data_dir.rglob("*")
              if path.is_file()}
    done = run("backup", "restore", backup, "--data-dir", production.data_dir,
               "--key-file", production.key_file)
    assert done.returncode == 1 and "is not empty" in done.stderr
    assert {path: path.read_bytes() for path in before} == before
    production.restart()


def test_a_restoration_that_is_killed_leaves_nothing_that_is_served(production):
    with Load(production) as load:
        load.more(400)
    backup = production.home / "backup"
    production.operate("backup", "create", backup)
    outcomes, whole = set(), None
    for part in (1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.2):
        home = production.home / f"killed-{part}"
        home.mkdir()
        other = Production(home)
        other.key_file, other.administrator = production.key_file, production.administrator
        words = ["backup", "restore", backup, "--data-dir", other.data_dir, "--key-file",
                 production.key_file]
        process = subprocess.Popen([str(word) for word in (strongroom.binary(), *words)],
                                   stdout=subprocess.DEVNULL, env=clean_environment())
        began = time.monotonic()
        try:
            process.wait(part * whole if whole else 60)
            whole = whole or time.monotonic() - began
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        try:
            other.start()
        except strongroom.StartFailure as failure:
            assert "holds no sealed installation" in str(failure), failure
            outcomes.add("refused")
            continue
        try:
            other.unseal()
            load.verify(other)
            assert run("audit", "verify", "--data-dir", other.data_dir).returncode == 0
            outcomes.add("whole")
        finally:
            other.stop()
    assert outcomes == {"refused", "whole"}


def test_a_restored_directory_is_for_its_user_alone(production):
    backup = production.home / "backup"
    production.operate("backup", "create", backup)
    data = production.home / "new"
    # As a service manager makes it.
    data.mkdir(mode=0o755)
    done = run("backup", "restore", backup, "--data-dir", data, "--key-file", production.key_file)
    assert done.returncode == 0, done.stderr
    for path in [data, *data.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path
    there = {str(path.relative_to(data)) for path in data.rglob("*") if path.is_file()}
    assert there - {"LOCK"} == {"state.sqlite3", "audit.jsonl", "audit/digests.jsonl"}
    production.kill9()
    production.data_dir = data
    shutil.rmtree(production.home / "data")
    production.restart()
