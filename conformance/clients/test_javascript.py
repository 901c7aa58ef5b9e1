"""AWS SDK for JavaScript, version 3: runs javascript/life.mjs under node."""

import pathlib
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent / "javascript"


@pytest.fixture(scope="session")
def packages():
    """The packages of the lock file, installed where they aren't yet."""
    lock = HERE / "package-lock.json"
    installed = HERE / "node_modules" / ".installed-lock.json"
    if installed.exists() and installed.read_bytes() == lock.read_bytes():
        return
    done = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=HERE,
        capture_output=True, text=True, timeout=600, check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    installed.write_bytes(lock.read_bytes())


def test_the_life_of_a_key(server, account, packages):
    done = subprocess.run(
        ["node", "life.mjs"], cwd=HERE, env=server.environment(account), capture_output=True,
        text=True, timeout=120, check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == "the life of a key is as it should be\n"
