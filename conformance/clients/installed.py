"""A server that is installed as packaging/ has it: the shipped configuration, the unit's user,
sockets, credential and notifications, but for systemd itself.

Owns the directories and the process. It knows nothing of what the server should answer.
"""

import contextlib
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import boto3
from botocore.config import Config

import strongroom

SHIPPED = strongroom.REPOSITORY / "packaging" / "strongroom.toml"
# The image's user, who need not exist.
USER = 10_001
PASSPHRASE = "made up for the tests of packaging"
CREDENTIAL = "strongroom.passphrase"
START_SECONDS = 60


class NotStarted(Exception):
    """The server ended before it was ready. Its message is what the server wrote."""


class Installation:
    """A data directory of `strongroom init`, and at most one server that serves it.

    `user` is who runs all of it; `settings` take the place of lines of the shipped file.
    """

    def __init__(self, home, user=None, settings=()):
        self.home = pathlib.Path(home)
        self.user = os.geteuid() if user is None else user
        self.binary = self.home / "strongroom"
        shutil.copy(strongroom.binary(), self.binary)
        for name in ("run", "credentials", "state"):
            (self.home / name).mkdir(mode=0o755)
            os.chown(self.home / name, self.user, self.group)
        self.data = self.home / "state" / "data"
        self.admin_socket = self.home / "run" / "admin.sock"
        self.file = self.home / "strongroom.toml"
        self.file.write_text(self._configuration(dict(settings)))
        credential = self.home / "credentials" / CREDENTIAL
        credential.write_text(PASSPHRASE + "\n")
        credential.chmod(0o400)
        os.chown(credential, self.user, self.group)
        self.access_key = self._init(credential)
        self.process = self.endpoint = None

    @property
    def group(self):
        """The group of the user's own, which is the operators' as well."""
        return os.getegid() if self.user == os.geteuid() else self.user

    def _configuration(self, settings):
        text = SHIPPED.read_text()
        for shipped, here in {
            '"/var/lib/strongroom"': f'"{self.data}"',
            '"/run/strongroom/admin.sock"': f'"{self.admin_socket}"',
            '"strongroom-operators"': f'"{self.group}"',
            '"127.0.0.1:4566"': '"127.0.0.1:0"',
            '"127.0.0.1:9464"': '"127.0.0.1:0"',
            "#:passphrase_credential": "passphrase_credential",
            **settings,
        }.items():
            assert text.count(shipped) == 1, shipped
            text = text.replace(shipped, here)
        return text

    def _init(self, credential):
        told = self.run("init", "--data-dir", self.data, "--seal", "passphrase",
                        "--passphrase-file", credential)
        assert told.returncode == 0, told.stderr
        lines = dict(line.split("=", 1) for line in told.stdout.splitlines() if "=" in line)
        return lines["AWS_ACCESS_KEY_ID"], lines["AWS_SECRET_ACCESS_KEY"]

    def _become(self, listener=None):
        """In the child: the unit's limits and user. Sockets of systemd's begin with 3."""
        os.umask(0o077)
        if listener is not None:
            os.dup2(listener.fileno(), 3)
        if self.user != os.geteuid():
            os.setgroups([])
            os.setgid(self.group)
            os.setuid(self.user)

    def run(self, *words):
        """Runs a command of the binary as the server's user."""
        return subprocess.run(
            [str(self.binary), *map(str, words)], capture_output=True, text=True, timeout=120,
            check=False, env={"STRONGROOM_ADMIN_SOCKET": str(self.admin_socket)},
            cwd=self.home, preexec_fn=self._become,
        )

    def start(self, before=()):
        """Starts the server by the unit's command and waits until it has told of its readiness and
        has unsealed itself. `before` are the words of a program that runs it."""
        with contextlib.ExitStack() as ending:
            listener = ending.enter_context(socket.create_server(("127.0.0.1", 0)))
            told = ending.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
            notify = self.home / "run" / "notify"
            notify.unlink(missing_ok=True)
            told.bind(str(notify))
            notify.chmod(0o777)
            environment = {
                "CREDENTIALS_DIRECTORY": str(self.home / "credentials"),
                "NOTIFY_SOCKET": str(notify),
                "WATCHDOG_USEC": "60000000",
                "LISTEN_FDS": "1",
                "LISTEN_FDNAMES": "listen",
            }
            errors = ending.enter_context((self.home / "stderr.log").open("wb"))
            self.process = subprocess.Popen(
                # Only the process itself knows the number that the sockets are for.
                ["sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh", *map(str, before),
                 str(self.binary), "serve", "--config", str(self.file)],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, pass_fds=(3,),
                env=environment | {"PATH": os.environ["PATH"]}, cwd=self.home,
                preexec_fn=lambda: self._become(listener),
            )
            port = listener.getsockname()[1]
            self._wait(told)
        self.endpoint = f"http://127.0.0.1:{port}"
        return self

    def _wait(self, told):
        told.settimeout(0.2)
        states = ""
        deadline = time.monotonic() + START_SECONDS
        while "READY=1" not in states or "STATUS=serving" not in states:
            if self.process.poll() is not None:
                raise NotStarted(self.stderr())
            if time.monotonic() > deadline:
                self.process.kill()
                raise NotStarted(f"not in time; it told {states!r} and wrote {self.stderr()}")
            with contextlib.suppress(TimeoutError):
                states += told.recv(4096).decode() + "\n"

    def stderr(self):
        """What the server has written since its last start."""
        return (self.home / "stderr.log").read_text(errors="replace")

    def stop(self):
        """Asks the server to end and returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def kms(self):
        """A client of the administrator's."""
        return boto3.client(
            "kms", endpoint_url=self.endpoint, region_name="us-east-1",
            aws_access_key_id=self.access_key[0], aws_secret_access_key=self.access_key[1],
            config=Config(retries={"total_max_attempts": 1}, read_timeout=60),
        )


@contextlib.contextmanager
def installation(user=None, settings=()):
    """An installation in a directory that its user reaches, which pytest's own isn't."""
    with tempfile.TemporaryDirectory(prefix="strongroom-") as home:
        os.chmod(home, 0o755)
        installed = Installation(home, user, settings)
        try:
            yield installed
        finally:
            if installed.process is not None and installed.process.poll() is None:
                installed.process.kill()
                installed.process.wait()


def may_lock_everything():
    """Whether this user may have a process's whole memory locked, as the unit's limit allows."""
    _, limit = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    return os.geteuid() == 0 or limit == resource.RLIM_INFINITY
