"""Requests on a socket of the test's own: whole and signed, or as broken as the test wants them.

Owns the bytes on the wire and the reading of answers. It knows nothing of what answers should be.
"""

import json
import socket
import urllib.parse

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

JSON = "application/x-amz-json-1.1"
ANSWER_SECONDS = 15


class Closed(Exception):
    """The connection ended before an answer was complete."""


class Answer:
    """One answer: status, headers with names in lower case, body."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def json(self):
        """The body, which must be JSON."""
        return json.loads(self.body)

    def request_id(self):
        """The request's id."""
        return self.headers["x-amzn-requestid"]

    def __repr__(self):
        return f"Answer({self.status}, {self.headers}, {self.body[:300]!r})"


def kms_headers(endpoint, target, body, account="111122223333", region="us-east-1", secret="any"):
    """The headers of a signed KMS request, `Content-Length` left to the sender."""
    request = AWSRequest("POST", endpoint + "/", data=body, headers={
        "Host": urllib.parse.urlsplit(endpoint).netloc,
        "Content-Type": JSON,
        "X-Amz-Target": f"TrentService.{target}",
    })
    SigV4Auth(Credentials(account, secret), "kms", region).add_auth(request)
    return dict(request.headers.items())


def head(headers, line="POST / HTTP/1.1"):
    """The bytes of a request's head."""
    lines = [line, *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


def query_headers(endpoint, service, body, account, region="us-east-1", secret="any"):
    """The headers of a signed request of the query protocol."""
    request = AWSRequest("POST", endpoint + "/", data=body, headers={
        "Host": urllib.parse.urlsplit(endpoint).netloc,
        "Content-Type": "application/x-www-form-urlencoded",
    })
    SigV4Auth(Credentials(account, secret), service, region).add_auth(request)
    return dict(request.headers.items())


class Connection:
    """One connection, which stays open from request to request."""

    def __init__(self, endpoint, timeout=ANSWER_SECONDS):
        self.endpoint = endpoint
        address = urllib.parse.urlsplit(endpoint)
        self.socket = socket.create_connection((address.hostname, address.port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Drops the connection."""
        self.socket.close()

    def call(self, target, arguments, account="111122223333", region="us-east-1"):
        """One signed KMS request and its answer. `arguments` become JSON unless they are bytes."""
        body = arguments if isinstance(arguments, bytes) else json.dumps(arguments).encode()
        headers = kms_headers(self.endpoint, target, body, account, region)
        self.send(head(headers | {"Content-Length": len(body)}) + body)
        return self.answer()

    def call_query(self, service, version, action, arguments, account="111122223333"):
        """One signed request of the query protocol and its answer."""
        form = {"Action": action, "Version": version} | arguments
        body = urllib.parse.urlencode(form).encode()
        headers = query_headers(self.endpoint, service, body, account)
        self.send(head(headers | {"Content-Length": len(body)}) + body)
        return self.answer()

    def send(self, data):
        """Sends bytes. What the server doesn't take because it has answered is no failure."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def answer(self):
        """The next answer. Passes over `100 Continue`."""
        while True:
            text = self._until(b"\r\n\r\n").decode("latin-1")
            first, *lines = text.removesuffix("\r\n\r\n").split("\r\n")
            status = int(first.split(" ")[1])
            if status != 100:
                break
        headers = {}
        for line in lines:
            name, value = line.split(":", 1)
            headers[name.lower()] = value.strip()
        body = self._exactly(int(headers.get("content-length", 0)))
        return Answer(status, headers, body)

    def line(self):
        """The next line of an answer, without its end."""
        return self._until(b"\r\n").decode("latin-1").removesuffix("\r\n")

    def ended(self):
        """Whether the server closes the connection without another byte."""
        try:
            return self._buffer == b"" and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def _until(self, mark):
        while mark not in self._buffer:
            self._fill()
        end = self._buffer.index(mark) + len(mark)
        taken, self._buffer = self._buffer[:end], self._buffer[end:]
        return taken

    def _exactly(self, length):
        while len(self._buffer) < length:
            self._fill()
        taken, self._buffer = self._buffer[:length], self._buffer[length:]
        return taken

    def _fill(self):
        try:
            data = self.socket.recv(65_536)
        except ConnectionResetError as reset:
            raise Closed("reset") from reset
        if not data:
            raise Closed("closed")
        self._buffer += data
