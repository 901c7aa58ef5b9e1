"""The fixtures: servers by lifetime, and accounts that no other test touches.

Owns when servers start and end. Says nothing of KMS.
"""

import itertools
import os
import pathlib

import pytest

import strongroom
from connection import Connection
from grants import root
from imports import external
from neighbour import GROWTH, MIB, Neighbour, padded, resident
from production import Production
from specs import StandingKeys

_ACCOUNTS = itertools.count(100_000_000_001)
_RUNNING = []


def pytest_configure():
    """Refuses to start without the binary, and keeps the user's own AWS settings out."""
    if not strongroom.binary().is_file():
        raise pytest.UsageError(
            f"there is no server at {strongroom.binary()}: build it with\n"
            f"    cargo build --release -p strongroom\n"
            f"in {strongroom.REPOSITORY}, or name one in STRONGROOM_BIN"
        )
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.devnull
    os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport():
    """Adds what the servers wrote to stderr to the report of a failed test."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for server in _RUNNING:
            tail = "\n".join(server.stderr().splitlines()[-40:])
            report.sections.append((f"stderr of the server in {server.home}", tail))


def _serve(home: pathlib.Path, in_memory=False, options=()):
    server = strongroom.Strongroom(home, in_memory, options)
    _RUNNING.append(server)
    try:
        yield server.start()
    finally:
        if server.running():
            server.stop()
        _RUNNING.remove(server)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The server that tests share; each keeps to an account of its own and leaves its clock."""
    yield from _serve(tmp_path_factory.mktemp("shared-server"))


@pytest.fixture
def own_server(tmp_path):
    """A server for one test, which may kill it, restart it, and move its clock."""
    yield from _serve(tmp_path)


@pytest.fixture
def own_memory_server(tmp_path):
    """The same, without a data directory."""
    yield from _serve(tmp_path, in_memory=True)


@pytest.fixture(scope="module")
def module_server(tmp_path_factory):
    """A server for the tests of one file."""
    yield from _serve(tmp_path_factory.mktemp("module-server"))


@pytest.fixture(scope="session")
def strict_server(tmp_path_factory):
    """A server that also knows root access keys, whose signatures it verifies."""
    home = tmp_path_factory.mktemp("strict-server")
    keys = home / "root-access-keys"
    keys.write_text("".join(" ".join(key) + "\n" for key in strongroom.ROOT_ACCESS_KEYS))
    yield from _serve(home, options=["--root-access-keys", keys])


@pytest.fixture
def installation(tmp_path):
    """Makes servers of production, each in a directory of its own; nothing is founded yet."""
    made = []

    def make(options=(), **how):
        home = tmp_path / str(len(made))
        home.mkdir()
        made.append(Production(home, options, **how))
        _RUNNING.append(made[-1])
        return made[-1]

    yield make
    for server in made:
        if server.running():
            server.kill9()
        _RUNNING.remove(server)


@pytest.fixture
def production(installation):
    """A server of production under a key file, unsealed."""
    server = installation().init().start().unseal()
    yield server
    if server.running():
        assert server.stop() == 0


@pytest.fixture
def account():
    """An account that nothing has been created in."""
    return str(next(_ACCOUNTS))


@pytest.fixture
def kms(server, account):
    """A client of that account on the shared server."""
    return server.kms(account)


@pytest.fixture
def iam(server, account):
    """A client of IAM of that account on the shared server."""
    return server.client("iam", account)


@pytest.fixture
def lenient_kms(server, account):
    """The same, without botocore's own checks of the arguments."""
    return server.kms(account, validate=False)


@pytest.fixture
def key(kms):
    """The metadata of a fresh symmetric encryption key in that account."""
    return kms.create_key()["KeyMetadata"]


@pytest.fixture
def waiting(kms):
    """The metadata of a fresh symmetric encryption key that waits for imported material."""
    return external(kms)


@pytest.fixture
def guest(account):
    """Another account."""
    return str(int(account) + 500_000_000_000)


@pytest.fixture
def third(account):
    """And another one."""
    return str(int(account) + 700_000_000_000)


@pytest.fixture
def guest_kms(server, guest):
    """A client of the other account."""
    return server.kms(guest)


@pytest.fixture
def grant(kms, key, guest):
    """Makes grants on the key, to the other account unless told otherwise."""
    def make(*operations, **more):
        arguments = {"KeyId": key["KeyId"], "Operations": list(operations)} | more
        if not {"GranteePrincipal", "GranteeServicePrincipal"} & set(arguments):
            arguments["GranteePrincipal"] = root(guest)
        return kms.create_grant(**arguments)
    return make


@pytest.fixture(scope="session")
def standing(server):
    """Keys of every kind on the shared server, for tests that only use them."""
    return StandingKeys(server, "600000000006")


@pytest.fixture
def connection(module_server):
    """A connection to the server of this file."""
    with Connection(module_server.endpoint) as connection:
        yield connection


@pytest.fixture
def sealing_key(connection):
    """The id of a fresh key in the account that such a connection speaks for."""
    return connection.call("CreateKey", {}).json()["KeyMetadata"]["KeyId"]


@pytest.fixture(scope="module")
def neighbour(module_server):
    """Another client of that server, who keeps a connection."""
    return Neighbour(module_server)


@pytest.fixture(scope="module")
def baseline(module_server, neighbour):
    """The server's memory, in KiB, after ordinary work with bodies of the greatest length."""
    with Connection(module_server.endpoint) as connection:
        for _ in range(20):
            assert connection.call("ListKeys", padded(MIB)).status == 200
            neighbour.check()
    return resident(module_server)


@pytest.fixture
def unharmed(module_server, neighbour, baseline):
    """After the test the neighbour goes on, and the server has neither grown nor complained."""
    neighbour.check()
    yield
    neighbour.check()
    assert module_server.running()
    assert resident(module_server) - baseline < GROWTH
    assert module_server.stderr() == ""
