"""Runs one Strongroom process and talks to it, as tests need it.

Owns the process's life, the clients made for it and the requests that no SDK would send. It knows
nothing about what the answers should be: expectations.py and the tests do.
"""

import http.client
import json
import os
import pathlib
import subprocess
import time
import urllib.parse

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
# Account, access key id and secret: made up here, and known to the server of `strict_server`.
ROOT_ACCESS_KEYS = [
    ("222233334444", "AKIAMADEUPFORTESTS01", "made/up+secret-for-tests-one"),
    ("333344445555", "AKIAMADEUPFORTESTS02", "made/up+secret-for-tests-two"),
]
START_SECONDS = 30
# Longer than the server lets requests in flight take.
STOP_SECONDS = 15


class StartFailure(Exception):
    """The server ended, or named no endpoint, before it could be used."""


def binary():
    """The server under test: STRONGROOM_BIN, or the release build."""
    named = os.environ.get("STRONGROOM_BIN") or TARGET / "release" / "strongroom"
    # Absolute, since the server is started in a directory of its own.
    return pathlib.Path(named).absolute()


class Strongroom:
    """One server's process with a data directory that outlives its restarts.

    `options` are more words for its command line; `mode` is the command that serves.
    """

    def __init__(self, home, in_memory=False, options=(), mode="dev"):
        self.home = pathlib.Path(home)
        self.in_memory = in_memory
        self.options = options
        self.mode = mode
        # A free port; a test may have the server come back to one.
        self.listen = "127.0.0.1:0"
        # None: the environment of this process.
        self.environment_of_process = None
        self.data_dir = self.home / "data"
        self.endpoint = None
        self._process = None
        self._starts = 0

    # -- the process ------------------------------------------------------------------------

    def start(self):
        """Starts the server on a free port and waits until it has named its endpoint."""
        self._starts += 1
        stdout = self.home / f"stdout-{self._starts}.log"
        store = ["--in-memory"] if self.in_memory else ["--data-dir", self.data_dir]
        command = [binary(), self.mode, "--listen", self.listen, *store, *self.options]
        with stdout.open("wb") as out, self._stderr_path().open("ab") as err:
            self._process = subprocess.Popen(
                [str(word) for word in command], cwd=self.home, stdin=subprocess.DEVNULL,
                stdout=out, stderr=err, env=self.environment_of_process,
            )
        self.endpoint = self._announced_endpoint(stdout)
        return self

    def _announced_endpoint(self, stdout):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            # A last line without its line break may still be growing.
            for line in stdout.read_text().splitlines(keepends=True):
                if line.strip().startswith("endpoint: ") and line.endswith("\n"):
                    return line.split(": ", 1)[1].strip()
            if self._process.poll() is not None:
                break
            time.sleep(0.01)
        self.kill9()
        raise StartFailure(
            f"{binary()} named no endpoint (exit code {self._process.returncode})\n"
            f"stdout: {stdout.read_text()}\nstderr: {self.stderr()}"
        )

    def kill9(self):
        """Ends the process as a power cut would: SIGKILL, without a chance to finish anything."""
        self._process.kill()
        self._process.wait()

    def stop(self):
        """Asks the process to end (SIGTERM) and returns its exit code."""
        self._process.terminate()
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill9()
            raise

    def running(self):
        """Whether the process still runs."""
        return self._process is not None and self._process.poll() is None

    def restart(self):
        """Starts again on the same data, on another port: clients have to be made anew."""
        assert not self.running(), "end the server before restarting it"
        return self.start()

    def pid(self):
        """The process id of the running server."""
        return self._process.pid

    def stderr(self):
        """All that the server has written to stderr, over all its starts."""
        path = self._stderr_path()
        return path.read_text(errors="replace") if path.exists() else ""

    def _stderr_path(self):
        return self.home / "stderr.log"

    # -- clients ----------------------------------------------------------------------------

    def client(self, service, account="111122223333", region="us-east-1", validate=True):
        """A boto3 client acting as the account's root user.

        Nothing is retried, so that no failure hides behind a second try. With `validate` off,
        botocore leaves it to the server to notice arguments that break the model.
        """
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=region,
            aws_access_key_id=account,
            aws_secret_access_key="any",
            config=Config(
                retries={"total_max_attempts": 1}, parameter_validation=validate,
                connect_timeout=5, read_timeout=30,
            ),
        )

    def kms(self, account="111122223333", region="us-east-1", validate=True):
        """A KMS client of the account's root user."""
        return self.client("kms", account, region, validate)

    def environment(self, account="111122223333", region="us-east-1"):
        """The environment in which a command line client finds this server and credentials."""
        return os.environ | {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_PAGER": "",
        }

    # -- requests that no SDK sends ---------------------------------------------------------

    def send(self, method, path, body=b"", headers=None):
        """Sends one request as it stands; returns the status, the headers and the body."""
        address = urllib.parse.urlsplit(self.endpoint)
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def send_kms(self, target, body, account="111122223333", region="us-east-1", headers=None):
        """Sends a signed KMS request with any target and any bytes as its body."""
        request = AWSRequest(
            method="POST",
            url=self.endpoint + "/",
            data=body,
            headers={
                "Content-Type": "application/x-amz-json-1.1",
                "X-Amz-Target": target,
            } | (headers or {}),
        )
        SigV4Auth(Credentials(account, "any"), "kms", region).add_auth(request)
        return self.send("POST", "/", body, dict(request.headers.items()))

    def send_query(self, body):
        """Sends an unsigned request of the query protocol; returns the body of its answer."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.send("POST", "/", body, headers)[2]

    # -- dev mode's own endpoints -----------------------------------------------------------

    def now(self):
        """The server's clock, in seconds since 1970."""
        status, _, body = self.send("GET", "/_strongroom/clock")
        assert status == 200, body
        return json.loads(body)["now"]

    def advance(self, days=0, seconds=0):
        """Moves the server's clock forward."""
        body = json.dumps({"advance_seconds": days * 86_400 + seconds}).encode()
        status, _, answer = self.send("POST", "/_strongroom/clock", body)
        assert status == 200, answer

    def reset(self):
        """Empties the server."""
        status, _, answer = self.send("POST", "/_strongroom/reset")
        assert status == 200, answer

    def audit(self):
        """The audit records so far, oldest first."""
        text = (self.data_dir / "audit.jsonl").read_text()
        # Behind the last line's end stands a record that is just being written.
        whole = text[: text.rfind("\n") + 1]
        return [json.loads(line) for line in whole.splitlines()]
