"""Connections over TLS: HTTP/1.1 as `connection` has it, and HTTP/2 frame by frame.

Owns handshakes and the other version of HTTP. It knows nothing of what answers should be.
"""

import json
import socket
import ssl
import urllib.parse

import h2.config
import h2.connection
import h2.events

from connection import ANSWER_SECONDS, Answer, Closed, Connection, kms_headers

# Kinds of frames (RFC 9113, 6).
HEADERS, RST_STREAM, GOAWAY = 1, 3, 7


def context(authority, protocols=(), version=None):
    """How a client shakes hands that trusts that authority."""
    made = ssl.create_default_context(cafile=str(authority.file))
    if protocols:
        made.set_alpn_protocols(list(protocols))
    if version:
        made.minimum_version = made.maximum_version = version
    return made


class SecureConnection(Connection):
    """A connection of HTTP/1.1 over TLS."""

    def __init__(self, endpoint, how, timeout=ANSWER_SECONDS, session=None):
        super().__init__(endpoint, timeout)
        try:
            self.socket = how.wrap_socket(
                self.socket, server_hostname="localhost", session=session)
        except BaseException:
            self.socket.close()
            raise

    def _fill(self):
        try:
            super()._fill()
        except ssl.SSLError as error:
            raise Closed(str(error)) from error


class Http2:
    """A connection of HTTP/2. `h2` is its protocol's state, for frames that are sent by hand."""

    def __init__(self, endpoint, authority, timeout=ANSWER_SECONDS):
        self.endpoint = endpoint
        address = urllib.parse.urlsplit(endpoint)
        plain = socket.create_connection((address.hostname, address.port), timeout)
        self.socket = context(authority, ["h2"]).wrap_socket(plain, server_hostname="localhost")
        assert self.socket.selected_alpn_protocol() == "h2"
        config = h2.config.H2Configuration(
            header_encoding="utf-8", validate_outbound_headers=False)
        self.h2 = h2.connection.H2Connection(config)
        self.h2.initiate_connection()
        self.answers, self.parts = {}, {}
        self.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Drops the connection."""
        self.socket.close()

    def flush(self):
        """Sends what is to be sent."""
        self.send(self.h2.data_to_send())

    def send(self, data):
        """Sends bytes. What the server doesn't take any more is no failure."""
        try:
            self.socket.sendall(data)
        except (OSError, ssl.SSLError):
            pass

    def begin(self, target, body, length=None, leave_open=False):
        """Sends a signed request, or as much of it as is told; returns its stream."""
        headers = kms_headers(self.endpoint, target, body)
        host = headers.pop("Host")
        fields = [(":method", "POST"), (":scheme", "https"), (":authority", host), (":path", "/")]
        fields += [(name.lower(), value) for name, value in headers.items()]
        fields.append(("content-length", str(len(body) if length is None else length)))
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, fields)
        self.flush()
        sent = 0
        while sent < len(body) and stream not in self.answers:
            room = min(self.h2.local_flow_control_window(stream), 16_384)
            if room == 0:
                self._receive()
                continue
            self.h2.send_data(stream, body[sent:sent + room])
            self.flush()
            sent += room
        if not leave_open and stream not in self.answers:
            self.h2.end_stream(stream)
            self.flush()
        return stream

    def answer(self, stream):
        """The answer to the request of that stream."""
        while stream not in self.answers:
            self._receive()
        return self.answers.pop(stream)

    def call(self, target, arguments):
        """One signed KMS request and its answer."""
        body = arguments if isinstance(arguments, bytes) else json.dumps(arguments).encode()
        return self.answer(self.begin(target, body))

    def frames(self):
        """The frames that come until the connection ends, for tests that send their own: kind,
        flags, stream and payload."""
        buffer = b""
        while True:
            while len(buffer) >= 9 and len(buffer) >= 9 + int.from_bytes(buffer[:3], "big"):
                length = 9 + int.from_bytes(buffer[:3], "big")
                stream = int.from_bytes(buffer[5:9], "big")
                yield buffer[3], buffer[4], stream, buffer[9:length]
                buffer = buffer[length:]
            try:
                data = self.socket.recv(65_536)
            except (ConnectionResetError, ssl.SSLError):
                return
            if not data:
                return
            buffer += data

    def goodbye(self):
        """The code of the GOAWAY that the server ends the connection with; none if it just ends."""
        codes = [int.from_bytes(payload[4:8], "big")
                 for kind, _, _, payload in self.frames() if kind == GOAWAY]
        return codes[-1] if codes else None

    def _receive(self):
        try:
            data = self.socket.recv(65_536)
        except (ConnectionResetError, ssl.SSLError) as error:
            raise Closed(str(error)) from error
        if not data:
            raise Closed("closed")
        for event in self.h2.receive_data(data):
            self._take(event)
        self.flush()

    def _take(self, event):
        if isinstance(event, h2.events.ResponseReceived):
            self.parts[event.stream_id] = [dict(event.headers), b""]
        elif isinstance(event, h2.events.DataReceived):
            self.parts[event.stream_id][1] += event.data
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            headers, body = self.parts.pop(event.stream_id)
            status = int(headers.pop(":status"))
            self.answers[event.stream_id] = Answer(status, headers, body)
        elif isinstance(event, h2.events.StreamReset) and event.stream_id in self.parts:
            raise Closed(f"stream reset with {event.error_code}")
