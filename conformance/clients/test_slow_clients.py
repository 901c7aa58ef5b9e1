"""Clients that take their time, hang up, or come in great numbers: nobody else waits for them.

Every test runs beside a neighbour, who must not notice (`unharmed`).
"""

import contextlib
import resource
import select
import socket
import threading
import time

import pytest

from connection import Closed, Connection, head
from neighbour import (
    MIB, PROMPT_SECONDS, SERIALIZATION, assert_goes_on, assert_refused, chunked, padded, signed,
)

pytestmark = pytest.mark.usefixtures("unharmed")

# The server's limits on a body and on a head, with some leave.
BODY_SECONDS = (8, 14)
HEAD_SECONDS = 25
# The number of open files that a process may have where nobody has set another.
USUAL_FILES = 1024


class Dribble(threading.Thread):
    """Sends one piece after the other, slowly, until the server has had enough."""

    def __init__(self, endpoint, first, piece, pause):
        super().__init__(daemon=True)
        self.connection = Connection(endpoint, timeout=HEAD_SECONDS)
        self.first, self.piece, self.pause = first, piece, pause
        self.seconds = self.answer = None

    def run(self):
        began = time.monotonic()
        self.connection.send(self.first)
        sending = threading.Thread(target=self.dribble, daemon=True)
        sending.start()
        # When its time is over, `seconds` is beyond every limit.
        with contextlib.suppress(Closed, TimeoutError):
            self.answer = self.connection.answer()
        self.seconds = time.monotonic() - began
        self.connection.close()

    def dribble(self):
        try:
            while self.seconds is None:
                self.connection.socket.sendall(self.piece)
                time.sleep(self.pause)
        except OSError:
            return


class Silent(threading.Thread):
    """Sends requests until the server takes no more, and never reads an answer."""

    def __init__(self, endpoint):
        super().__init__(daemon=True)
        self.connection = Connection(endpoint, timeout=3)
        self.requests = signed(endpoint) * 100
        self.sent = 0
        self.was_let_go = False

    def run(self):
        try:
            while self.sent < 200 * MIB:
                self.connection.socket.sendall(self.requests)
                self.sent += len(self.requests)
        except OSError:
            pass
        events = select.poll()
        events.register(self.connection.socket, select.POLLHUP | select.POLLERR)
        self.was_let_go = events.poll(HEAD_SECONDS * 1000) != []


@pytest.fixture(scope="module", autouse=True)
def patience(module_server):
    """Clients that the server should lose patience with, after a minute at most. They begin with
    the first of these tests, and the tests that wait for their end are the last ones, so that
    waiting costs little."""
    first = b"POST / HTTP/1.1\r\nHost: x\r\n"
    heads = [Dribble(module_server.endpoint, start, piece, 1) for start, piece in [
        (b"", b""), (b"P", b"O"), (first, b"a: b\r\n"), (first + b"a: ", b"b"), (b"\r\n", b"\r\n"),
    ]]
    silent = Silent(module_server.endpoint)
    for thread in (*heads, silent):
        thread.start()
    yield heads, silent
    for thread in (*heads, silent):
        thread.connection.close()


def test_slow_bodies(module_server, neighbour):
    endpoint = module_server.endpoint
    announced = signed(endpoint, Content_Length=10_000)
    in_chunks = chunked(endpoint, b"")
    dribbles = [Dribble(endpoint, first, piece, 0.3) for first, piece in [
        (announced, b""), (announced, b" "), (in_chunks, b""), (in_chunks, b"1\r\n \r\n"),
        (chunked(endpoint, b"FFFFFFFFFFFFFFFF\r\n"), b" "),
        (signed(endpoint, Content_Length=MIB, Expect="100-continue"), b""),
    ] for _ in range(5)]
    for dribble in dribbles:
        dribble.start()
    deadline = time.monotonic() + BODY_SECONDS[1]
    while any(dribble.is_alive() for dribble in dribbles) and time.monotonic() < deadline:
        neighbour.check()
        time.sleep(0.2)
    for dribble in dribbles:
        dribble.join(1)
        assert dribble.answer is not None, dribble.first[-40:]
        assert BODY_SECONDS[0] < dribble.seconds < BODY_SECONDS[1]
        assert dribble.answer.status == 408
        assert dribble.answer.headers["connection"] == "close"
        assert_refused(dribble.answer, {"RequestTimeoutException"})


def test_connections_that_are_dropped(module_server):
    endpoint = module_server.endpoint
    whole = signed(endpoint, padded(100_000))
    for end in (0, 1, 20, 200, len(whole) - 50_000, len(whole) - 1, len(whole)):
        for is_abrupt in (False, True):
            for _ in range(10):
                connection = Connection(endpoint)
                connection.send(whole[:end])
                if is_abrupt:
                    # Closing resets the connection.
                    connection.socket.setsockopt(
                        socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                connection.close()


def test_a_client_that_sends_no_more_gets_its_answer(connection):
    connection.send(signed(connection.endpoint, Content_Length=100))
    connection.socket.shutdown(socket.SHUT_WR)
    assert_refused(connection.answer(), SERIALIZATION)


def test_idle_connections_keep_nobody_out(module_server, neighbour):
    idle = [Connection(module_server.endpoint) for _ in range(500)]
    # Each announces a body of the greatest length, and sends next to nothing of it.
    halves = [Connection(module_server.endpoint) for _ in range(200)]
    for half in halves:
        half.send(signed(module_server.endpoint, Content_Length=MIB))
    neighbour.check()
    with Connection(module_server.endpoint) as newcomer:
        began = time.monotonic()
        assert_goes_on(newcomer)
        assert time.monotonic() - began < PROMPT_SECONDS
    assert_goes_on(idle[250])
    for connection in idle + halves:
        connection.close()


def test_requests_that_cost_time_keep_nobody_out(module_server, neighbour):
    """The dearest requests that need no credentials, several at once."""
    body = b"Action=GetCallerIdentity&Version=2011-06-15"
    body += b"".join(b"&aaaaaaaaaaaaaaaaaaaa%x=" % n for n in range(32_000))
    headers = {"Host": "x", "Content-Type": "application/x-www-form-urlencoded",
               "Content-Length": len(body)}
    attackers = [Connection(module_server.endpoint, timeout=60) for _ in range(8)]
    for attacker in attackers:
        attacker.send(head(headers) + body)
    neighbour.check()
    for attacker in attackers:
        assert_refused(attacker.answer())
        attacker.close()


@pytest.fixture
def few_files():
    """Servers start with the usual limit on open files; this process may have more."""
    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most < 4 * USUAL_FILES:
        pytest.skip("this process may not open enough files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (USUAL_FILES, most))
    yield lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))


def test_more_idle_connections_than_a_process_usually_may_have(few_files, own_server):
    few_files()
    idle = [Connection(own_server.endpoint) for _ in range(USUAL_FILES + 100)]
    with Connection(own_server.endpoint) as newcomer:
        began = time.monotonic()
        assert_goes_on(newcomer)
        assert time.monotonic() - began < PROMPT_SECONDS
    for connection in idle:
        connection.close()


def wait_for(threads, neighbour):
    """Waits until they have ended. The neighbour is never idle for so long that it would have to
    connect anew."""
    while any(thread.is_alive() for thread in threads):
        neighbour.check()
        time.sleep(0.5)


def test_slow_heads(patience, neighbour):
    heads, _ = patience
    wait_for(heads, neighbour)
    for dribble in heads:
        assert dribble.seconds < HEAD_SECONDS, dribble.first
        assert dribble.answer is None or 400 <= dribble.answer.status < 500


def test_a_client_that_reads_nothing_is_let_go(patience, neighbour):
    """Its answers don't pile up, since the server reads no further than it can write; nor does it
    keep its connection for ever."""
    _, silent = patience
    wait_for([silent], neighbour)
    assert 0 < silent.sent < 100 * MIB
    assert silent.was_let_go
