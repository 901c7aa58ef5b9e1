"""A server of production: made by `init`, run by `serve`, looked after through its socket.

Owns how it is founded, started, unsealed and asked, and clients that keep it at work. It knows
nothing of what answers should be.
"""

import json
import os
import re
import subprocess
import threading
import time

from botocore.exceptions import BotoCoreError, ClientError

import access
from strongroom import START_SECONDS, StartFailure, Strongroom, binary

COMMAND_SECONDS = 120
LISTENING = re.compile(r'"message":"listening","address":"([^"]+)"')
SHARE = re.compile(r"^  (SRS1-\S+)$", re.MULTILINE)
PASSPHRASE = "made up for tests, and long"


def clean_environment():
    """The environment of this process without what would be taken for a setting."""
    return {name: value for name, value in os.environ.items() if "STRONGROOM" not in name}


def run(*words, stdin=None, environment=None, user=None, pass_fds=()):
    """Runs the command line; gives what became of it. `user` is whom root runs it as."""
    before = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []
    return subprocess.run(
        [*before, *map(str, (binary(), *words))], capture_output=True, text=True, input=stdin or "",
        timeout=COMMAND_SECONDS, check=False, env=clean_environment() | (environment or {}),
        pass_fds=pass_fds,
    )


class Production(Strongroom):
    """One installation, and the process that serves it."""

    def __init__(self, home, options=(), environment=None):
        super().__init__(home, options=options, mode="serve")
        # AWS's quotas are far below what a test does in a second.
        quotas = {"STRONGROOM_QUOTAS_ENABLED": "false"}
        self.environment_of_process = clean_environment() | quotas | (environment or {})
        self.socket = self.home / "admin.sock"
        self.key_file = self.home / "seal.key"
        self.scheme = "http"
        self.administrator = None
        self.shares = []
        self.said_at_birth = ""

    # -- its life ---------------------------------------------------------------------------

    def init(self, *seals, options=(), **how):
        """Makes the installation, under a key file unless other seals are named."""
        seals = seals or (f"key-file:{self.key_file}",)
        words = [word for seal in seals for word in ("--seal", seal)]
        done = run("init", "--data-dir", self.data_dir, *words, *options, **how)
        assert done.returncode == 0, done.stderr
        self.said_at_birth = done.stdout
        self.shares = SHARE.findall(done.stdout)
        told = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
        self.administrator = {"AccessKeyId": told["AWS_ACCESS_KEY_ID"],
                              "SecretAccessKey": told["AWS_SECRET_ACCESS_KEY"]}
        return self

    def start(self):
        """Starts the server on a free port; it is sealed, unless it unseals itself."""
        self._starts += 1
        seen = len(self.stderr())
        command = [binary(), "serve", "--data-dir", self.data_dir, "--listen-addresses",
                   "127.0.0.1:0", "--operations-listen", "127.0.0.1:0",
                   "--admin-socket", self.socket, *self.options]
        with self._stderr_path().open("ab") as err:
            self._process = subprocess.Popen(
                [str(word) for word in command], cwd=self.home, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=err, env=self.environment_of_process,
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if found := LISTENING.search(self.stderr()[seen:]):
                self.endpoint = f"{self.scheme}://{found[1]}"
                return self
            if self._process.poll() is not None:
                break
            time.sleep(0.01)
        self.kill9()
        raise StartFailure(self.stderr()[seen:])

    def refusal(self):
        """What a server says that doesn't start."""
        try:
            self.start()
        except StartFailure as failure:
            return str(failure)
        self.kill9()
        raise AssertionError("it started")

    def restart(self):
        """Starts again on the same data, and unseals."""
        super().restart()
        return self.unseal()

    # -- its operators ----------------------------------------------------------------------

    def ask(self, *words, **how):
        """Runs a command that talks to the server; gives what became of it."""
        return run(*words, "--socket", self.socket, **how)

    def operate(self, *words, **how):
        """The same, which must succeed; gives what it wrote."""
        done = self.ask(*words, **how)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    def refused(self, *words, **how):
        """The same, which must be refused; gives the reason."""
        done = self.ask(*words, **how)
        assert done.returncode == 1, (words, done.stdout, done.stderr)
        return done.stderr

    def unseal(self, *words):
        """Unseals the server, by its key file unless told otherwise."""
        self.operate("unseal", *(words or ("--key-file", self.key_file)))
        return self

    def give(self, share, *words):
        """Enters a share; gives what became of it."""
        path = self.home / "share"
        path.write_text(share + "\n")
        return self.ask(*(words or ("unseal",)), "--share-file", path)

    def status(self):
        """What the server tells of itself."""
        done = self.ask("status", "--json")
        assert done.returncode in (0, 2), done.stderr
        return json.loads(done.stdout)

    def sealed(self):
        """Whether it is sealed."""
        return self.status()["sealed"]

    def until(self, condition, seconds=60):
        """Waits for a condition."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it didn't come to pass"
            time.sleep(0.05)

    # -- its clients ------------------------------------------------------------------------

    def client(self, service, region="us-east-1"):
        """A boto3 client that acts as the administrator. Nothing is retried."""
        return access.client(self, service, self.administrator, region)

    def kms(self, region="us-east-1"):
        """A client of KMS that acts as the administrator."""
        return self.client("kms", region)

    def events(self, name):
        """The audit log's records of that event, oldest first."""
        return [record for record in self.audit() if record["eventName"] == name]


class Load:
    """Clients that make keys, encrypt and decrypt for as long as the block lasts.

    No request of theirs may fail, unless the test ends the server under them (`may_break`).
    """

    def __init__(self, server, clients=3, may_break=False):
        self.server = server
        self.may_break = may_break
        self.blobs = []
        self.requests = 0
        self._failures = []
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=[f"eu-test-{number}"])
                         for number in range(clients)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        self.server.until(lambda: self.requests > 10 or self._failures)
        return self

    def __exit__(self, kind, *_):
        self._ended.set()
        for thread in self._threads:
            thread.join(60)
        if kind is None and self._failures:
            raise self._failures[0]

    def _work(self, region):
        try:
            kms = self.server.kms(region)
            while not self._ended.is_set():
                self._step(kms, region)
        except (BotoCoreError, ClientError) as failure:
            if not self.may_break:
                self._failures.append(failure)
        except BaseException as failure:
            self._failures.append(failure)

    def _step(self, kms, region):
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        for _ in range(4):
            made = kms.generate_data_key(KeyId=key, KeySpec="AES_256")
            self.blobs.append((region, made["CiphertextBlob"], made["Plaintext"]))
            opened = kms.decrypt(CiphertextBlob=made["CiphertextBlob"])
            assert opened["Plaintext"] == made["Plaintext"]
        self.requests += 9

    def more(self, requests=60):
        """Waits until as many requests more were answered."""
        target = self.requests + requests
        self.server.until(lambda: self.requests >= target or self._failures)

    def verify(self, server=None, blobs=None):
        """Decrypts everything that was ever encrypted."""
        server, clients = server or self.server, {}
        for region, blob, plaintext in blobs or self.blobs:
            kms = clients.setdefault(region, server.kms(region))
            assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == plaintext
