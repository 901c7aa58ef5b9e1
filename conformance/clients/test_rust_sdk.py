"""AWS SDK for Rust: runs the program in rust/, which walks a key's life."""

import os
import pathlib
import subprocess

import pytest

from operations import assert_all_used
from strongroom import REPOSITORY, TARGET


@pytest.fixture(scope="session")
def client():
    """The built program: STRONGROOM_RUST_CLIENT, or the debug build, made where it is absent."""
    named = os.environ.get("STRONGROOM_RUST_CLIENT")
    path = pathlib.Path(named) if named else TARGET / "debug" / "rust-sdk-client"
    if named or path.exists():
        assert path.is_file(), f"STRONGROOM_RUST_CLIENT names {path}, where there is no file"
        return path
    subprocess.run(
        ["cargo", "build", "--locked", "--package", "rust-sdk-client"], cwd=REPOSITORY, check=True
    )
    return path


def test_the_life_of_a_key(own_server, account, client):
    done = subprocess.run(
        [str(client)], env=own_server.environment(account), capture_output=True, text=True,
        timeout=120, check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == "the life of a key is as it should be\n"
    # Without a library for RSA it can only be refused here; other clients import.
    assert_all_used(own_server, account, lambda name: name != "ImportKeyMaterial")
