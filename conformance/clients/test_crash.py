"""The server is killed with SIGKILL, many times over: nothing it has acknowledged may be lost.

`endurance.py` does the same for as many rounds as one likes.
"""

import os
import subprocess
import time

import pytest

import endurance
import strongroom

ROUNDS = 15
RESTART_SECONDS = 5
FIRST_START_SECONDS = 0.3
# How many operations must have been acknowledged in all: fewer would prove little.
ENOUGH = 1500


def test_acknowledged_writes_survive(own_server):
    figures = endurance.run(own_server, ROUNDS)
    assert max(figures.restarts) < RESTART_SECONDS
    assert figures.acknowledged > ENOUGH
    assert figures.opened > 0


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
