"""Who must not notice anything while somebody else sends what they please.

Owns what every test of bad input checks beside its own: that a neighbour's connection goes on, that
a refusal has AWS's shape, how large the server is. It sends nothing bad itself.
"""

import re
import time
import uuid
import xml.etree.ElementTree

from connection import Connection, head, kms_headers

MIB = 1 << 20
# How much the server may have grown after each test, in KiB.
GROWTH = 64 * 1024
# How long a refusal may take that waits for nothing, and an answer to a neighbour meanwhile.
PROMPT_SECONDS = 1
SERIALIZATION = {"SerializationException"}


class Neighbour:
    """A client of another account on a connection that it keeps."""

    def __init__(self, server):
        self.connection = Connection(server.endpoint)
        self.key = self.call("CreateKey", {}).json()["KeyMetadata"]["KeyId"]

    def call(self, target, arguments):
        """A request of its own, which must succeed."""
        answer = self.connection.call(target, arguments, "444455556666")
        assert answer.status == 200, answer
        return answer

    def check(self):
        """It is served as if nobody else were there."""
        began = time.monotonic()
        sealed = self.call("Encrypt", {"KeyId": self.key, "Plaintext": "eA=="}).json()
        opened = self.call("Decrypt", {"CiphertextBlob": sealed["CiphertextBlob"]}).json()
        assert opened["Plaintext"] == "eA=="
        assert time.monotonic() - began < PROMPT_SECONDS


def resident(server):
    """The server's resident memory in KiB."""
    with open(f"/proc/{server.pid()}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+) kB", status.read())[1])


def assert_refused(answer, codes=None):
    """The answer must be one of AWS's 4xx, in the protocol that its content type names."""
    assert 400 <= answer.status < 500, answer
    uuid.UUID(answer.request_id())
    if answer.headers["content-type"] == "text/xml":
        root = xml.etree.ElementTree.fromstring(answer.body)
        space = root.tag.removesuffix("ErrorResponse")
        code = root.findtext(f"{space}Error/{space}Code")
        assert root.findtext(f"{space}RequestId") == answer.request_id()
    else:
        assert answer.headers["content-type"] == "application/x-amz-json-1.1"
        code = answer.json()["__type"]
    assert code, answer
    assert codes is None or code in codes, answer


def assert_goes_on(connection):
    """The connection still serves."""
    assert connection.call("ListKeys", {}).status == 200


def padded(length):
    """A body of that length that asks for nothing."""
    return b"{" + b" " * (length - 2) + b"}"


def signed(endpoint, body=b"{}", line="POST / HTTP/1.1", leave_out=(), **more):
    """A signed ListKeys with changed headers; `_` in a name stands for `-`."""
    headers = kms_headers(endpoint, "ListKeys", body) | {"Content-Length": len(body)}
    headers |= {name.replace("_", "-"): value for name, value in more.items()}
    return head({n: v for n, v in headers.items() if n not in leave_out}, line) + body


def chunked(endpoint, body):
    """A signed ListKeys with that body, which must be in chunks already."""
    return signed(endpoint, leave_out=["Content-Length"], Transfer_Encoding="chunked")[:-2] + body
