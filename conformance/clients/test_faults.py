"""Faults under the store and the audit log: no answer is a lie, and the server recovers by itself.

The faults come from `faults/shim.c`. Writers go on meanwhile (`writers.py`): what they were
answered must be there afterwards, what they have read must stay, and what has no record in the
audit log must not have been answered.
"""

import itertools
import json
import os
import subprocess
import time

import pytest

import strongroom
from connection import Closed, Connection
from faults import (
    ALWAYS, AUDIT, DATABASE, IO_ERROR, LOG, NO_SPACE, OPEN, READ, READ_ONLY, SHORT, SYNC, TRUNCATE,
    WRITE, FaultyStrongroom,
)
from writers import Trail, Writer, among_writes, kill_among_writes

WRITERS = 3
# How long a fault lasts, how long writers work before it and after it, in seconds.
FAULTY, BEFORE, AFTER = 0.3, 0.1, 0.2
# So many policies of 30 kB fill the log until it is emptied into the database.
CHECKPOINTED = 200
# How long the server may take to recover once a fault is gone.
RECOVERY_SECONDS = 5
ACCOUNTS = itertools.count(710_000_000_001)


@pytest.fixture
def faulty(tmp_path):
    """A server under the shim, without faults as yet."""
    server = FaultyStrongroom(tmp_path)
    server.start()
    yield server
    server.faults.cure()
    if server.running():
        server.stop()


class Load:
    """Writers on a server, and all that must be true of what they were answered."""

    def __init__(self, server):
        self.server = server
        self.acknowledged = []
        self.writers = [Writer(str(next(ACCOUNTS)), self.acknowledged) for _ in range(WRITERS)]
        self.trail = Trail(server.data_dir)

    def during(self, action):
        """Does something while the writers write."""
        among_writes(self.server, self.writers, action)

    def refused(self):
        """How many requests the server has failed at."""
        return sum(writer.refused for writer in self.writers)

    def recover(self):
        """The server must take writes again."""
        deadline = time.monotonic() + RECOVERY_SECONDS
        with Connection(self.server.endpoint) as connection:
            while True:
                answer = connection.call("CreateKey", {}, str(next(ACCOUNTS)))
                if answer.status == 200:
                    return
                assert time.monotonic() < deadline, answer
                time.sleep(0.02)

    def verify(self):
        """All that was answered is there, with its record."""
        for writer in self.writers:
            writer.verify(self.server.endpoint)
        self.trail.follow()
        self.trail.hold_against(self.acknowledged)
        self.acknowledged.clear()

    def verify_all(self):
        """The same of everything, to the last ciphertext."""
        for writer in self.writers:
            writer.verify_all(self.server.endpoint)
        self.verify()


def endure(server, inject, expect_refusals=True):
    """Writes, injects, cures, writes again, kills: gives how many requests were refused."""
    load = Load(server)

    def action():
        time.sleep(BEFORE)
        inject()
        time.sleep(FAULTY)
        server.faults.cure()
        load.recover()
        time.sleep(AFTER)

    load.during(action)
    assert server.running()
    if expect_refusals:
        assert load.refused() > 0, "the fault was never met"
    load.verify()
    kill_among_writes(server, load.writers, AFTER)
    server.restart()
    load.verify_all()
    return load.refused()


STORE_FAULTS = [
    (LOG, WRITE, NO_SPACE), (LOG, WRITE, IO_ERROR), (LOG, WRITE, SHORT), (LOG, SYNC, IO_ERROR),
    (LOG, SYNC, NO_SPACE), (DATABASE, WRITE, NO_SPACE), (DATABASE, SYNC, IO_ERROR),
    (DATABASE, WRITE | SYNC | TRUNCATE | READ | OPEN, IO_ERROR), (DATABASE, READ, IO_ERROR),
]


@pytest.mark.parametrize("after", [0, 4])
@pytest.mark.parametrize("times", [1, ALWAYS])
@pytest.mark.parametrize("name, calls, error", STORE_FAULTS)
def test_a_failing_store_tells_no_lie(faulty, name, calls, error, times, after):
    # What is short once is written by the next call; reads come mostly from caches.
    quiet = (error == SHORT or calls == READ)
    refused = endure(faulty, lambda: faulty.faults.inject(name, calls, error, after, times),
                     expect_refusals=not quiet)
    said = faulty.stderr()
    if refused:
        assert "the commit failed" in said or "store is unavailable" in said, said[-500:]


AUDIT_FAULTS = [(WRITE, NO_SPACE), (WRITE, IO_ERROR), (WRITE, SHORT),
                (WRITE | SYNC | TRUNCATE, IO_ERROR)]


@pytest.mark.parametrize("times", [1, 7, ALWAYS])
@pytest.mark.parametrize("calls, error", AUDIT_FAULTS)
def test_what_cannot_be_recorded_is_not_answered(faulty, calls, error, times):
    endure(faulty, lambda: faulty.faults.inject(AUDIT, calls, error, 0, times),
           expect_refusals=error != SHORT)


def test_a_piece_of_a_record_is_cut_off(faulty):
    """Half of a record is written, then nothing more, not even the cut; then all is well again."""
    faults = faulty.faults

    def inject():
        faults.inject(AUDIT, WRITE, SHORT, 0, 1, rule=0)
        faults.inject(AUDIT, WRITE, NO_SPACE, 1, ALWAYS, rule=1)
        faults.inject(AUDIT, TRUNCATE, IO_ERROR, rule=2)

    endure(faulty, inject)


def test_everything_fails_at_once(faulty):
    faults = faulty.faults

    def inject():
        for rule, name in enumerate([DATABASE, AUDIT]):
            faults.inject(name, WRITE | SYNC | TRUNCATE, NO_SPACE, 0, ALWAYS, rule)

    endure(faulty, inject)


# -- syncs that fail, and a loss of power --------------------------------------------------------


@pytest.mark.parametrize("after", [0, 1, 2, 5, 9, 14])
def test_what_was_answered_after_a_failed_sync_survives_a_loss_of_power(faulty, after):
    """What a failed sync left in the system's cache never reaches the disk by a later one, which
    tells of success: <https://wiki.postgresql.org/wiki/Fsync_Errors>. Nothing may rest on it."""
    faulty.stop()
    faulty.begin_disk()
    faulty.restart()
    load = Load(faulty)

    def action():
        time.sleep(BEFORE)
        faulty.faults.inject(LOG, SYNC, IO_ERROR, after, 2)
        time.sleep(FAULTY)
        faulty.faults.cure()
        load.recover()
        time.sleep(AFTER)
        faulty.cut_power()

    load.during(action)
    assert load.refused() > 0
    faulty.restart()
    # Records that weren't synced are gone with the power: the audit log's own tests see to it.
    load.acknowledged.clear()
    for writer in load.writers:
        writer.verify_all(faulty.endpoint)


@pytest.mark.parametrize("after", [0, 1, 2, 5])
def test_the_same_with_a_start_between(faulty, after):
    """The process that met the failure is gone; the next one finds in the log what looks whole."""
    faulty.stop()
    faulty.begin_disk()
    faulty.restart()
    load = Load(faulty)

    def action():
        time.sleep(BEFORE)
        faulty.faults.inject(LOG, SYNC, IO_ERROR, after)
        time.sleep(FAULTY)
        faulty.kill9()

    load.during(action)
    faulty.faults.cure()
    faulty.restart()
    for writer in load.writers:
        writer.verify(faulty.endpoint)
    load.during(lambda: (time.sleep(AFTER), faulty.cut_power()))
    faulty.restart()
    load.acknowledged.clear()
    for writer in load.writers:
        writer.verify_all(faulty.endpoint)


@pytest.mark.parametrize("calls", [WRITE, SYNC, WRITE | SYNC])
def test_a_checkpoint_that_fails_loses_nothing(faulty, calls):
    """The log is emptied into the database from time to time; while that fails, the log grows."""
    faulty.stop()
    faulty.begin_disk()
    faulty.restart()
    load = Load(faulty)
    with Connection(faulty.endpoint) as connection:
        account = str(next(ACCOUNTS))
        key = connection.call("CreateKey", {}, account).json()["KeyMetadata"]["Arn"]

        def fill(number):
            policy = json.dumps({"Version": "2012-10-17", "Id": f"{number:030000}", "Statement": [{
                "Effect": "Allow", "Principal": {"AWS": account}, "Action": "kms:*",
                "Resource": "*"}]})
            answer = connection.call("PutKeyPolicy", {"KeyId": key, "Policy": policy}, account)
            assert answer.status == 200, answer

        def action():
            faulty.faults.inject(DATABASE + "$", calls, IO_ERROR)
            for number in range(CHECKPOINTED):
                fill(number)
            assert faulty.faults.failed() > 0, "nothing was brought into the database"
            faulty.faults.cure()
            for number in range(CHECKPOINTED):
                fill(number)
            faulty.cut_power()

        load.during(action)
    faulty.restart()
    load.acknowledged.clear()
    for writer in load.writers:
        writer.verify_all(faulty.endpoint)


# -- disks -----------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path):
    """A file system of a few megabytes; needs root."""
    place = tmp_path / "disk-of-its-own"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", place]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system needs root")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_refuses_and_recovers(tmp_path, small_disk):
    server = strongroom.Strongroom(tmp_path)
    server.data_dir = small_disk / "data"
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(1 << 20))
    server.start()
    load = Load(server)

    def action():
        deadline = time.monotonic() + 60
        while load.refused() < 20 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert load.refused() >= 20, "the disk never filled up"
        ballast.unlink()
        load.recover()

    try:
        load.during(action)
        load.verify()
        server.kill9()
        server.restart()
        load.verify_all()
    finally:
        if server.running():
            server.kill9()


def test_a_start_on_a_full_disk_says_so(tmp_path, small_disk):
    server = strongroom.Strongroom(tmp_path)
    server.data_dir = small_disk / "data"
    with (small_disk / "ballast").open("wb", buffering=0) as ballast:
        with pytest.raises(OSError):
            while True:
                ballast.write(bytes(4096))
    with pytest.raises(strongroom.StartFailure):
        server.start()
    said = server.stderr()
    assert str(small_disk) in said and ("full" in said or "No space" in said), said
    (small_disk / "ballast").unlink()
    server.restart()
    assert server.kms().create_key()
    server.stop()


def test_a_read_only_directory_says_so(tmp_path, small_disk):
    server = strongroom.Strongroom(tmp_path)
    server.data_dir = small_disk / "data"
    server.start()
    key = server.kms().create_key()["KeyMetadata"]["KeyId"]
    server.stop()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(strongroom.StartFailure):
        server.start()
    said = server.stderr()
    assert str(small_disk) in said and "ead-only" in said, said
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    server.restart()
    assert server.kms().describe_key(KeyId=key)
    server.stop()


def test_a_directory_that_becomes_read_only_refuses(faulty):
    """As file systems do that have met an error of their disk."""
    def inject():
        for rule, name in enumerate([DATABASE, AUDIT, "LOCK"]):
            faulty.faults.inject(name, WRITE | SYNC | TRUNCATE | OPEN, READ_ONLY, rule=rule)

    endure(faulty, inject)


def test_a_second_server_on_a_directory_is_refused(own_server, tmp_path):
    home = tmp_path / "second"
    home.mkdir()
    second = strongroom.Strongroom(home)
    second.data_dir = own_server.data_dir
    key = own_server.kms().create_key()["KeyMetadata"]["KeyId"]
    with pytest.raises(strongroom.StartFailure):
        second.start()
    assert "another server uses this data directory" in second.stderr()
    assert own_server.kms().describe_key(KeyId=key)
    own_server.kill9()
    second.start()
    assert second.kms().describe_key(KeyId=key)
    second.stop()
