"""A server to which the system lies: calls that fail on chosen files, a clock that is wrong.

Owns the control file of `faults/shim.c`, and its compilation. Knows nothing of what a server does
about it.
"""

import datetime
import errno
import os
import pathlib
import shutil
import struct
import subprocess

import botocore.auth
import pytest

import strongroom

SOURCE = pathlib.Path(__file__).parent / "faults" / "shim.c"
# Kinds of calls.
WRITE, SYNC, TRUNCATE, READ, OPEN = 1, 2, 4, 8, 16
# What a call may fail with; SHORT: a write takes only half.
SHORT, NO_SPACE, IO_ERROR, READ_ONLY = 0, errno.ENOSPC, errno.EIO, errno.EROFS
ALWAYS = -1
RULES, NAME = 8, 64
HEAD, RULE = struct.Struct("<qq"), struct.Struct(f"<{NAME}sqqqqqq")
STORE, LOG, DATABASE, AUDIT = "state.sqlite3", "state.sqlite3-wal", "state.sqlite3", "audit.jsonl"


def compiled():
    """The shim; skips the test where there is no compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("faults are injected by a library in C, and there is no compiler")
    built = strongroom.TARGET / "faults" / "shim.so"
    if not built.exists() or built.stat().st_mtime < SOURCE.stat().st_mtime:
        built.parent.mkdir(parents=True, exist_ok=True)
        new = built.with_suffix(f".{os.getpid()}")
        subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", new, SOURCE, "-ldl"], check=True)
        new.rename(built)
    return built


class Faults:
    """What a server that runs under the shim meets. `environment` is for its process."""

    def __init__(self, home):
        home = pathlib.Path(home)
        self.path = home / "faults.control"
        self.disk = home / "disk"
        self.disk.mkdir()
        self.path.write_bytes(bytes(HEAD.size + RULES * RULE.size))
        self.environment = os.environ | {
            "LD_PRELOAD": str(compiled()),
            "STRONGROOM_FAULTS": str(self.path),
            "STRONGROOM_FAULTS_DISK": str(self.disk),
        }

    def _put(self, offset, data):
        with self.path.open("r+b") as file:
            file.seek(offset)
            file.write(data)

    def move_clock(self, seconds):
        """Sets the system's clock so far ahead of the real one, or behind it."""
        self._put(0, struct.pack("<q", seconds))

    def keep_disk(self):
        """Begins to write down what a disk keeps: only what was synced. The server must be off,
        and every file of its directory is on the disk by now."""
        self._put(8, struct.pack("<q", 1))

    def inject(self, name, calls, error, after=0, times=ALWAYS, rule=0):
        """Makes such calls on files whose name begins so fail, after so many, so many times."""
        # The name last: it puts the rule in force.
        self._put(HEAD.size + rule * RULE.size + NAME,
                  struct.pack("<qqqqqq", calls, error, after, times, 0, 0))
        self._put(HEAD.size + rule * RULE.size, name.encode().ljust(NAME, b"\0"))

    def failed(self, rule=0):
        """How many calls the rule has made to fail."""
        with self.path.open("rb") as file:
            file.seek(HEAD.size + rule * RULE.size)
            return RULE.unpack(file.read(RULE.size))[-1]

    def cure(self):
        """Takes all rules away."""
        for rule in range(RULES):
            self._put(HEAD.size + rule * RULE.size, bytes(RULE.size))


class Clocks:
    """The clocks of a server under the shim and of the clients here, which are moved together."""

    def __init__(self, faults, monkeypatch):
        self.faults = faults
        self.ahead = 0
        monkeypatch.setattr(botocore.auth, "get_current_datetime", self.now)

    def move(self, seconds):
        """Sets them so far ahead of the real time, or behind it."""
        self.ahead = int(seconds)
        self.faults.move_clock(self.ahead)

    def now(self, remove_tzinfo=True):
        """The time that clients sign with."""
        real = datetime.datetime.now(datetime.timezone.utc)
        moved = real + datetime.timedelta(seconds=self.ahead)
        return moved.replace(tzinfo=None) if remove_tzinfo else moved


class FaultyStrongroom(strongroom.Strongroom):
    """A server under the shim. `faults` says what it meets."""

    def __init__(self, home, options=(), mode="dev"):
        super().__init__(home, options=options, mode=mode)
        self.faults = Faults(home)
        self.environment_of_process = self.faults.environment

    def cut_power(self):
        """Ends the process, and leaves in its directory what a disk would have kept of it."""
        self.kill9()
        for file in self.faults.disk.iterdir():
            shutil.copyfile(file, self.data_dir / file.name)
        # What was never synced isn't there after a loss of power.
        log = self.data_dir / "state.sqlite3-wal"
        if log.exists() and not (self.faults.disk / log.name).exists():
            log.unlink()
        (self.data_dir / "state.sqlite3-shm").unlink(missing_ok=True)

    def begin_disk(self):
        """Lets the disk stand where the directory stands. The server must be off."""
        assert not self.running()
        for file in self.faults.disk.iterdir():
            file.unlink()
        for file in self.data_dir.iterdir():
            if file.name.startswith(("state.sqlite3", "audit.jsonl")) and file.is_file():
                shutil.copyfile(file, self.faults.disk / file.name)
        self.faults.keep_disk()

