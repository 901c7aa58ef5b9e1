"""The protection of a server's process and files, looked at from outside, as the kernel tells of
it: locked memory, no core dumps, nobody who reads along, and nobody else's files."""

import os
import pathlib
import resource

import pytest

import installed
from memory import mappings

ONLY_KEYS = {'"all"': '"keys"'}
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may be other users")


def status(pid):
    """What /proc tells of a process, by name."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.split() for name, value in (line.split(":", 1) for line in lines)}


def locked(pid):
    """How much of its memory is locked, in KiB."""
    return int(status(pid)["VmLck"][0])


def core_limit(pid):
    """The soft and the hard limit on its core files."""
    lines = pathlib.Path(f"/proc/{pid}/limits").read_text().splitlines()
    line = next(line for line in lines if line.startswith("Max core file size"))
    return tuple(line.split()[4:6])


@pytest.fixture
def others():
    """An installation of a user who isn't root, without a right of any kind."""
    many_keys = {"enabled = true": "enabled = false"}
    with installed.installation(installed.USER, ONLY_KEYS | many_keys) as made:
        yield made


@needs_root
def test_nobody_else_of_the_same_user_reads_the_process(others):
    others.start()
    pid = others.process.pid
    assert status(pid)["Uid"] == [str(installed.USER)] * 4
    # The kernel gives the files of a process that can't be dumped to root (proc(5)).
    for name in ("mem", "maps", "environ", "fd"):
        assert os.stat(f"/proc/{pid}/{name}").st_uid == 0, name
    assert core_limit(pid) == ("0", "0")
    child = os.fork()
    if child == 0:
        # No test goes on in here, whatever happens.
        try:
            os.setgroups([])
            os.setgid(others.group)
            os.setuid(others.user)
            opened = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
            os._exit(1 if opened >= 0 else 2)
        except PermissionError:
            os._exit(0)
        except BaseException:  # pylint: disable=broad-except
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@needs_root
def test_memory_of_keys_is_locked_within_the_system_s_limit(others):
    others.start()
    pid = others.process.pid
    before = locked(pid)
    assert before > 0
    kms = others.kms()
    for _ in range(300):
        kms.encrypt(KeyId=kms.create_key()["KeyMetadata"]["KeyId"], Plaintext=b"x")
    assert locked(pid) > before
    # Little of it: what isn't keys may go to swap.
    assert locked(pid) < int(status(pid)["VmSize"][0]) / 4


@pytest.mark.skipif(not installed.may_lock_everything(), reason="the limit on memory can't be had")
def test_all_memory_is_locked_if_that_is_asked_for():
    with installed.installation() as server:
        server.start()
        pid = server.process.pid
        # "lo": the kernel doesn't write these pages to swap.
        written = [one for one in mappings(pid) if "wr" in one.flags and "lo" not in one.flags]
        # Argon2 has gone, the heap and the threads' stacks are there; what can't be locked is
        # the kernel's own.
        assert [one for one in written if not one.name.startswith("[v")] == []
        assert locked(pid) > int(status(pid)["VmRSS"][0])
        assert core_limit(pid) == ("0", "0")


@needs_root
@pytest.mark.skipif(
    resource.getrlimit(resource.RLIMIT_MEMLOCK)[1] in (resource.RLIM_INFINITY, 0),
    reason="the limit on locked memory refuses nothing",
)
def test_memory_that_cannot_be_locked_is_no_start():
    with installed.installation(installed.USER) as server:
        with pytest.raises(installed.NotStarted, match="mlockall"):
            server.start()


@pytest.mark.parametrize("path, mode", [
    (".", 0o750), ("audit", 0o701), ("audit.jsonl", 0o640), ("state.sqlite3", 0o604),
    ("LOCK", 0o620),
])
def test_files_that_others_may_use_are_no_start(path, mode, module_installation):
    place = module_installation.data / path
    before = place.stat().st_mode & 0o777
    place.chmod(mode)
    try:
        with pytest.raises(installed.NotStarted) as told:
            module_installation.start()
        assert "others may use" in str(told.value) and f"{mode:04o}" in str(told.value)
        assert str(place.resolve()) in str(told.value)
    finally:
        place.chmod(before)


@needs_root
def test_files_of_somebody_else_are_no_start(module_installation):
    place = module_installation.data / "audit.jsonl"
    os.chown(place, installed.USER, -1)
    try:
        with pytest.raises(installed.NotStarted, match=f"belongs to user {installed.USER}"):
            module_installation.start()
    finally:
        os.chown(place, os.geteuid(), -1)


@pytest.fixture(scope="module")
def module_installation():
    """An installation whose server doesn't come to start."""
    with installed.installation(settings=ONLY_KEYS) as made:
        yield made
