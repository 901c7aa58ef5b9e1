"""The example examples/encrypted-backup: its demonstration, and the care its scripts take."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

import strongroom

EXAMPLE = strongroom.REPOSITORY / "examples" / "encrypted-backup"


def run(script, *words, environment):
    """Runs one of the example's scripts with the `aws` command of this interpreter."""
    commands = pathlib.Path(sys.executable).parent
    environment = environment | {"PATH": f"{commands}{os.pathsep}{environment['PATH']}"}
    return subprocess.run(
        [str(EXAMPLE / script), *map(str, words)], env=environment, capture_output=True,
        text=True, timeout=120, check=False,
    )


def test_the_demonstration():
    environment = os.environ | {"STRONGROOM_BIN": str(strongroom.binary())}
    done = run("demo.sh", environment=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("== done\n")
    refusals = [line for line in done.stdout.splitlines() if "refused: " in line]
    reasons = (
        "folder.tar.enc: FAILED", "InvalidCiphertextException", "IncorrectKeyException",
        "is disabled.",
    )
    for reason in reasons:
        assert any(reason in line for line in refusals), (reason, refusals)


@pytest.fixture(scope="module")
def made(server, tmp_path_factory):
    """A backup that the tests of this file copy: its path, its key and its environment."""
    account = "800000000008"
    home = tmp_path_factory.mktemp("made")
    key = server.kms(account).create_key()["KeyMetadata"]["Arn"]
    (home / "folder").mkdir()
    (home / "folder" / "note").write_text("attack at dawn")
    environment = server.environment(account)
    done = run("backup.sh", home / "folder", home / "backup", key, environment=environment)
    assert done.returncode == 0, done.stderr
    return home / "backup", key, environment


def restore(made, backup, folder):
    """Restores a copy of the backup with the key it was made with."""
    _, key, environment = made
    return run("restore.sh", backup, folder, key, environment=environment)


@pytest.mark.parametrize("name", ["folder.tar.enc", "data-key.wrapped", "seal", "context"])
def test_a_part_that_is_missing_or_cut(made, tmp_path, name):
    for content in (None, (made[0] / name).read_bytes()[:-9]):
        backup = tmp_path / f"backup-{content is None}"
        shutil.copytree(made[0], backup)
        (backup / name).unlink()
        if content is not None:
            (backup / name).write_bytes(content)
        done = restore(made, backup, tmp_path / "restored")
        assert done.returncode != 0, done.stdout
        assert not list(tmp_path.glob("restored*"))


def test_a_context_that_would_read_a_file(made, tmp_path):
    shutil.copytree(made[0], tmp_path / "backup")
    (tmp_path / "backup" / "context").write_text("file:///etc/hostname\n")
    done = restore(made, tmp_path / "backup", tmp_path / "restored")
    assert (done.returncode, "bad context" in done.stderr) == (1, True)


def test_nothing_is_overwritten(made, tmp_path):
    backup, key, environment = made
    (tmp_path / "restored").mkdir()
    assert restore(made, backup, tmp_path / "restored").returncode != 0
    assert list((tmp_path / "restored").iterdir()) == []
    before = {path.name: path.read_bytes() for path in backup.iterdir()}
    done = run("backup.sh", tmp_path, backup, key, environment=environment)
    assert done.returncode != 0
    assert {path.name: path.read_bytes() for path in backup.iterdir()} == before
